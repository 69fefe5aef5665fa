#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`vitrine run --detach`, `vitrine attach` and `vitrine stop`; and that no half of a desktop is left when one of its processes dies.

The guest only boots: what is asked is answered by the host's processes. Each check starts desktops of its own.
"""
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import desktop as lib
import tap
from desktop import wait_for


class Detached:
    """A desktop in the background, with a folder of run directories of its own."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory(prefix='vitrine-background-')
        self.environment = {**os.environ, 'XDG_RUNTIME_DIR': self.folder.name}
        self.path = pathlib.Path(self.folder.name) / 'vitrine' / 'back'
        guest = lib.guest_folder()
        self.start = self.vitrine('run', '--detach', '--name', 'back', '--spice-port', lib.free_port(), '--no-network',
                                  '--no-audio', '--software', '--memory', 256, '--kernel', guest / 'vmlinux', '--initrd',
                                  guest / 'minimal.img', *options)
        self.pids = {}
        if self.start.returncode == 0:
            self.pids = {'vitrine': self.number('run.pid'), 'qemu': self.number('qemu.pid')}
            self.pids['keeper'] = next(pid for pid in children(self.pids['vitrine']) if program(pid) == 'vitrine-gpu')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.pids.values():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_for('end of the desktop', lambda: not self.living(), 20)
        self.folder.cleanup()

    def words(self, command, *options):
        return [str(word) for word in (lib.vitrine_program(), command, *options)]

    def vitrine(self, command, *options):
        return subprocess.run(self.words(command, *options), env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, check=False)

    def number(self, name):
        return int((self.path / name).read_text())

    def living(self):
        return [name for name, pid in self.pids.items() if program(pid)]


def program(pid):
    """What a process that lives executes; None when it has ended."""
    try:
        return pathlib.Path(os.readlink(f'/proc/{pid}/exe')).name
    except OSError:
        return None


def children(pid):
    return [int(word) for word in pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]


def goes_on_in_the_background(_):
    with Detached() as desktop:
        assert desktop.start.returncode == 0, desktop.start.stderr
        assert 'connect with: remote-viewer' in desktop.start.stderr, desktop.start.stderr
        assert len(desktop.living()) == 3, desktop.living()
        assert os.getsid(desktop.pids['vitrine']) == desktop.pids['vitrine']


def attach_follows_and_lets_go(_):
    with Detached() as desktop:
        attached = [subprocess.Popen(desktop.words('attach'), env=desktop.environment, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True) for _ in range(2)]
        for process in attached:
            while 'connect with' not in process.stdout.readline():
                assert process.poll() is None
        attached[0].send_signal(signal.SIGINT)
        attached[0].wait(10)
        time.sleep(0.5)
        assert len(desktop.living()) == 3, desktop.living()
        # As where the file system makes no holes, and the file is begun anew.
        os.truncate(desktop.path / 'run.log', 0)
        assert desktop.vitrine('stop', '--now', 'back').returncode == 0
        said = attached[1].communicate(timeout=10)[0]
        assert attached[1].returncode == 0 and 'begins anew' in said and 'ends: SIGTERM' in said and 'has ended' in said, said
        wait_for('end of all', lambda: not desktop.living(), 5)
        assert not desktop.path.exists()


def logs_are_bounded(_):
    """Whoever writes to them knows nothing of it, and who follows is told."""
    with Detached() as desktop:
        for name in 'run.log', 'serial.log', 'qemu.log':
            with open(desktop.path / name, 'ab') as log:
                log.write(b''.join(b'%063d\n' % i for i in range(6 * 2**20 // 64)))
        wait_for('cut', lambda: all((desktop.path / name).stat().st_blocks * 512 < 1.2 * 2**20
                                    for name in ('run.log', 'serial.log', 'qemu.log')), 15)
        attached = subprocess.Popen(desktop.words('attach'), env=desktop.environment, stdout=subprocess.PIPE, text=True)
        lines = [attached.stdout.readline() for _ in range(100)]
        attached.kill()
        attached.communicate()
        assert 'older lines are gone' in lines[0] and all(len(line) == 64 for line in lines[1:]), lines
        assert desktop.vitrine('stop', '--now', 'back').returncode == 0


def stop_presses_the_button_first(_):
    with Detached() as desktop:
        log = (desktop.path / 'run.log').open()
        said = desktop.vitrine('stop', '--within', 2)
        assert said.returncode == 0 and 'has not powered off within 2 s' in said.stderr, said.stderr
        assert 'if it still runs in 2 s it is ended' in said.stderr, said.stderr
        assert 'the power button is pressed' in log.read()
        log.close()
        assert not desktop.living()
        again = desktop.vitrine('stop', 'back')
        assert again.returncode == 1 and 'no desktop named' in again.stderr, again.stderr


def a_start_that_fails_is_told(_):
    with Detached('--', '-nonsense') as desktop:
        assert desktop.start.returncode == 1
        assert 'QEMU ended: exit status 1' in desktop.start.stderr and '-nonsense' in desktop.start.stderr, desktop.start.stderr
        assert not desktop.path.exists()


def no_half_is_left(_):
    for victim in 'vitrine', 'keeper', 'qemu':
        with Detached() as desktop:
            os.kill(desktop.pids[victim], signal.SIGKILL)
            began = time.monotonic()
            wait_for(f'end of all with {victim}', lambda: not desktop.living(), 15)
            print(f'# {victim} killed: all have ended after {time.monotonic() - began:.1f} s')


CHECKS = [goes_on_in_the_background, attach_follows_and_lets_go, logs_are_bounded, stop_presses_the_button_first, a_start_that_fails_is_told, no_half_is_left]


def main():
    reason = lib.missing()
    if reason or not lib.guest_folder():
        tap.skip_all(f'missing: {reason or "what build-guest needs"}')
    tap.run(CHECKS, None)


if __name__ == '__main__':
    main()
