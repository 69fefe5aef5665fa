#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_upgrade.py [UPGRADES]: a desktop whose programs on disk become other ones while it runs, and that is told to go on with them."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import desktop as lib
import survive
import tap

UPGRADES = int(sys.argv[1]) if len(sys.argv) > 1 else 3


def make_tree(folder):
    """A build folder of its own, with copies of the programs. Returns its vitrine."""
    built = pathlib.Path(lib.vitrine_program()).resolve().parent.parent
    (folder / 'meson-private').mkdir()
    for name in ('server/vitrine', 'server/vitrine-gpu', 'render/vitrine-render', 'display/vitrine-display'):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(built / name, folder / name)
    return folder / 'server/vitrine'


class Build:
    """The renderer on disk."""

    def __init__(self, folder):
        self.path = folder / 'render/vitrine-render'
        self.good = self.path.read_bytes()

    def replace(self, data):
        """As a package manager does: another file of that name."""
        new = self.path.with_name('new')
        new.write_bytes(data)
        new.chmod(0o755)
        new.rename(self.path)
        return self.path.stat().st_ino


def running(run):
    """The renderer's pid and the file that it is executed from."""
    pid, _ = run.keeper.renderer()
    return pid, os.stat(f'/proc/{pid}/exe').st_ino


def upgrade(run):
    """What `vitrine upgrade` prints, and whether it was done."""
    done = subprocess.run([lib.vitrine_program(), 'upgrade', run.desktop.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, timeout=60)
    return done.stdout.strip(), done.returncode == 0


def garbage_on_disk_freezes_nothing(run):
    run.begin()
    _, inode = running(run)
    run.build.replace(b'garbage')
    for _ in range(3):
        run.kill()
        assert running(run)[1] == inode
    assert not run.faults, run.faults[:5]


def what_does_not_start_is_refused(run):
    before = running(run)
    said = []
    for data in (b'garbage', pathlib.Path('/bin/false').read_bytes()):
        run.build.replace(data)
        text, done = upgrade(run)
        assert not done and 'not upgraded' in text, text
        assert running(run) == before
        said.append(text)
    run.kill()
    assert running(run)[1] == before[1], 'it is not the old build'
    assert not run.faults, run.faults[:5]
    return '; '.join(said)


def another_build_takes_over(run):
    """Again and again, under a picture that changes. The client stays."""
    primaries = run.probe.stats()['primaries']
    pauses = []
    for _ in range(UPGRADES):
        inode = run.build.replace(run.build.good)
        text, done = upgrade(run)
        assert done, text
        pauses.append(float(re.search(r'for ([0-9.]+) ms', text)[1]))
        assert running(run)[1] == inode, 'it is the old build'
        # Who comes after it is of that build, too.
        run.kill()
        assert running(run)[1] == inode
    assert run.probe.command('status')['connected'] and run.probe.stats()['primaries'] == primaries
    assert not run.faults, run.faults[:5]
    return (f'{UPGRADES} upgrades; nobody served the guest for {survive.percentile(pauses, 50)} ms (p50), '
            f'{survive.percentile(pauses, 95)} (p95), {max(pauses)} (most)')


CHECKS = [garbage_on_disk_freezes_nothing, what_does_not_start_is_refused, another_build_takes_over]


def main():
    reason = lib.missing() or (None if lib.guest_folder() else 'no guest can be built here')
    if reason:
        tap.skip_all(reason)
    folder = pathlib.Path(tempfile.mkdtemp(prefix='vitrine-upgrade-'))
    try:
        # Another user's worker is to find it.
        folder.chmod(0o755)
        os.environ['VITRINE'] = str(make_tree(folder))
        with survive.survival('ready', gl=1) as run:
            run.build = Build(folder)
            tap.run(CHECKS, run, run.desktop.print_logs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
