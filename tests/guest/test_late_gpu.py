#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A QEMU that cannot start the guest's GPU, since it has no descriptors left: whoever looks is told, and a reset brings it back.
And a keeper that has none: it ends, and says why.

QEMU goes on without a word but in its own log, and so does the guest, whose driver waits for answers.
"""
import os
import pathlib
import resource
import subprocess
import tempfile
import unittest.mock

import desktop as lib
import tap
from desktop import wait_for

SAYS = 'QEMU has not started it for 5 s'
WORDS, RED = '202830', 'aa0000'


def find_child(desktop, name):
    pids = pathlib.Path(f'/proc/{desktop.process.pid}/task/{desktop.process.pid}/children').read_text().split()
    return next(int(pid) for pid in pids if name in os.path.basename(os.readlink(f'/proc/{pid}/exe')))


def limit(pid, n):
    """The hard limit stays, since not even root may raise it everywhere."""
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (n, resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]))


def gpu_never_comes(_):
    guest = lib.guest_folder()
    boot = [f'--kernel={guest}/vmlinux', f'--initrd={guest}/minimal.img', f'--append={lib.APPEND} vitrine.run=shell', '--no-network']
    # The machine waits until QEMU can get no more.
    with lib.Desktop(options=boot, qemu_options=['-S']) as desktop:
        pid = find_child(desktop, 'qemu')
        with desktop.connect() as probe:
            limit(pid, max(map(int, os.listdir(f'/proc/{pid}/fd'))) + 1)
            desktop.qmp.execute('cont')
            wait_for('word of it', lambda: SAYS in desktop.log_text(), lib.BOOT_TIMEOUT_S)
            # QEMU's own words come with it.
            wait_for('the reason', lambda: 'Too many open files' in desktop.log_text(), 5)
            probe.wait_pixel(9, 9, WORDS, timeout=5)
        with desktop.connect() as probe:
            # Who comes later sees it, too.
            probe.wait_pixel(9, 9, WORDS, timeout=5)
            limit(pid, 1000)
            desktop.qmp.execute('system_reset')
            desktop.control.wait_ready(lib.BOOT_TIMEOUT_S)
            desktop.control.run("printf '\\033[41m\\033[2J\\033[?25l' >/dev/tty1")
            probe.wait_pixel(700, 500, RED, timeout=8)
        assert desktop.log_text().count(SAYS) == 1


def keeper_has_no_descriptors(_):
    guest = lib.guest_folder()
    boot = [f'--kernel={guest}/vmlinux', f'--initrd={guest}/minimal.img', f'--append={lib.APPEND} vitrine.run=shell', '--no-network']
    with tempfile.TemporaryDirectory() as state, unittest.mock.patch.dict(os.environ, XDG_STATE_HOME=state):
        with lib.Desktop(options=boot, qemu_options=['-S']) as desktop:
            pid = find_child(desktop, 'vitrine-gpu')
            limit(pid, max(map(int, os.listdir(f'/proc/{pid}/fd'))) + 1)
            desktop.qmp.execute('cont')
            assert desktop.process.wait(lib.BOOT_TIMEOUT_S) == 1
            assert 'too many open files' in desktop.log_text(), desktop.log_text()
            told = subprocess.run([lib.vitrine_program(), 'flight', desktop.name], stdout=subprocess.PIPE, text=True, check=True).stdout
            assert 'no-descriptors' in told, told
        # One of its name takes its place.
        with lib.Desktop(options=boot, qemu_options=['-S'], name=desktop.name) as again:
            assert again.qmp.execute('query-status')['status'] == 'prelaunch'


def main():
    reason = lib.missing()
    if reason or not lib.guest_folder():
        tap.skip_all(f'missing: {reason or "what build-guest needs"}')
    tap.run([gpu_never_comes, keeper_has_no_descriptors], None)


if __name__ == '__main__':
    main()
