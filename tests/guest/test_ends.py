#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How QEMU, its guest, `vitrine run` and the keeper end, as `vitrine flight` tells it afterwards.

Each check is a desktop of its own, one that ends. Only the first two wait for the guest.
"""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import desktop as lib
import tap
from desktop import wait_for
from test_background import Detached


def flight(name, *options):
    return subprocess.run([lib.vitrine_program(), 'flight', name, *options], stdout=subprocess.PIPE, text=True, check=True,
                          timeout=20).stdout


def told(name='back'):
    """(process, cause) of the end that `vitrine flight` says."""
    report = json.loads(flight(name, '--json'))
    return report['process'], report['cause']


def listed(name='back'):
    """{process: cause} of all ends of a desktop."""
    return {line[26:41].strip(): line[42:60].strip() for line in flight(name, '--list').splitlines()}


def guest_powers_off(_):
    with lib.Desktop('minimal', 'vitrine.run=shell', options=['--no-network']) as desktop:
        with desktop.connect() as probe:
            probe.wait_updates(1, timeout=20)
            desktop.control.lines.send('poweroff -f\n')
            # Words on a picture of this colour, which stock clients show until their connection ends.
            probe.wait_pixel(9, 9, '202830', timeout=20)
            ended = time.monotonic()
            assert desktop.process.wait(30) == 0
            took = time.monotonic() - ended
        ends = listed(desktop.name)
        assert told(desktop.name) == ('QEMU', 'guest-shutdown'), ends
        assert ends['vitrine run'] == 'qemu' and ends['vitrine-gpu'] == 'qemu', ends
        assert took > 1.5, f'nobody reads it in {took:.1f} s'
        return f'the words were shown for {took:.1f} s'


def guest_panics(_):
    """It is known while the machine stands still, and when it was ended."""
    with lib.Desktop('minimal', 'vitrine.run=shell', options=['--no-network']) as desktop:
        desktop.control.run('modprobe pvpanic_mmio')
        desktop.control.lines.send('echo c >/proc/sysrq-trigger\n')
        wait_for('word of the panic', lambda: 'has panicked' in desktop.log_text(), 15)
        wait_for('file', lambda: listed(desktop.name).get('the guest'), 5)
        assert told(desktop.name) == ('the guest', 'guest-panic'), listed(desktop.name)
        assert desktop.close(keep=True) == 0
        assert listed(desktop.name)['QEMU'] == 'ended' and 'had panicked' in flight(desktop.name, '--list')


def ends_by(number, victim, end, others):
    def check(_):
        with Detached() as desktop:
            began = time.monotonic()
            assert told() == (told()[0], 'running'), listed()
            os.kill(desktop.pids[victim], number)
            wait_for('end of all', lambda: not desktop.living(), 20)
            assert told() == end, listed()
            assert others.items() <= listed().items(), listed()
            print(f'# {time.monotonic() - began:.1f} s')
    check.__name__ = f'{victim}_by_{signal.Signals(number).name}'
    return check


def stopped_by_hand(_):
    with Detached() as desktop:
        assert desktop.vitrine('stop', '--now').returncode == 0
        assert listed() == {'QEMU': 'ended', 'vitrine run': 'ended', 'vitrine-gpu': 'qemu'}, listed()
        assert told() in (('QEMU', 'ended'), ('vitrine run', 'ended')), told()


def quit_by_its_monitor(_):
    with tempfile.TemporaryDirectory() as folder, Detached('--', '-qmp', f'unix:{folder}/qmp,server=on,wait=off') as desktop:
        lib.Qmp(pathlib.Path(folder, 'qmp'), 10).execute('quit')
        wait_for('end of all', lambda: not desktop.living(), 20)
        assert told() == ('QEMU', 'ended'), listed()
        assert 'host-qmp-quit' in flight('back')


def does_not_start(_):
    with Detached('--', '-nonsense') as desktop:
        assert desktop.start.returncode == 1
        assert told() == ('QEMU', 'not-started'), listed()


CHECKS = [guest_powers_off, guest_panics,
          ends_by(signal.SIGSEGV, 'qemu', ('QEMU', 'segv'), {'vitrine-gpu': 'qemu', 'vitrine run': 'qemu'}),
          ends_by(signal.SIGKILL, 'qemu', ('QEMU', 'killed'), {'vitrine-gpu': 'qemu', 'vitrine run': 'qemu'}),
          ends_by(signal.SIGTERM, 'qemu', ('QEMU', 'told'), {'vitrine-gpu': 'qemu', 'vitrine run': 'qemu'}),
          ends_by(signal.SIGKILL, 'vitrine', ('vitrine run', 'killed'), {'vitrine-gpu': 'run'}),
          ends_by(signal.SIGSEGV, 'vitrine', ('vitrine run', 'segv'), {'vitrine-gpu': 'run'}),
          ends_by(signal.SIGKILL, 'keeper', ('vitrine-gpu', 'killed'), {'QEMU': 'keeper', 'vitrine run': 'keeper'}),
          ends_by(signal.SIGSEGV, 'keeper', ('vitrine-gpu', 'segv'), {'QEMU': 'keeper', 'vitrine run': 'keeper'}),
          stopped_by_hand, quit_by_its_monitor, does_not_start]


def in_a_folder_of_its_own(check):
    def run(context):
        with tempfile.TemporaryDirectory(prefix='vitrine-flights-') as folder:
            os.environ['XDG_STATE_HOME'] = folder
            return check(context)
    run.__name__, run.__doc__ = check.__name__, check.__doc__
    return run


def main():
    reason = lib.missing()
    if reason or not lib.guest_folder():
        tap.skip_all(f'missing: {reason or "what build-guest needs"}')
    tap.run([in_a_folder_of_its_own(check) for check in CHECKS], None)


if __name__ == '__main__':
    main()
