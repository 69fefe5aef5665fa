#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_upgrade.py [UPGRADES [FOLDER]]: a desktop whose programs on disk become other ones while it runs, and that is told to go on
with them: copies of the same build, or by turns of this one and of the one in this build folder."""
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
OTHER_BUILD = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None


def make_tree(folder):
    """A build folder of its own, with copies of the programs. Returns its vitrine."""
    built = pathlib.Path(lib.vitrine_program()).resolve().parent.parent
    (folder / 'meson-private').mkdir()
    for name in ('server/vitrine', 'server/vitrine-gpu', 'render/vitrine-render', 'display/vitrine-display'):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(built / name, folder / name)
    return folder / 'server/vitrine'


class Programs:
    """The workers' programs on disk, of one build or another."""
    NAMES = {'vitrine-render': 'render/vitrine-render', 'vitrine-display': 'display/vitrine-display'}

    def __init__(self, folder):
        self.folder = folder
        self.builds = [{name: (folder / path).read_bytes() for name, path in self.NAMES.items()}]
        if OTHER_BUILD:
            self.builds.append({name: (OTHER_BUILD / path).read_bytes() for name, path in self.NAMES.items()})
            assert all(self.builds[0][name] != self.builds[1][name] for name in self.NAMES), 'it is the same build'

    def replace(self, name, data):
        """As a package manager does: another file of that name."""
        path = self.folder / self.NAMES[name]
        new = path.with_name('new')
        new.write_bytes(data)
        new.chmod(0o755)
        new.rename(path)
        return path.stat().st_ino

    def install(self, number):
        """Another copy of the build of this number. Returns what files the workers are then executed from."""
        build = self.builds[number % len(self.builds)]
        return {name: self.replace(name, data) for name, data in build.items()}

    def install_version(self, name, contract):
        """A build that keeps to another version of a contract of this number (protocol/contracts.h)."""
        self.install(0)
        data = bytearray(self.builds[0][name])
        at = data.index(b'\x01\0\0\0Vitrine\0') + 12 + 4 * contract
        data[at] += 1
        self.replace(name, data)


def running(run):
    """Pids, and the files that they are executed from."""
    pids = {process['name']: process['pid'] for process in run.keeper.stats()['processes']}
    return ({name: pids[name] for name in Programs.NAMES},
            {name: os.stat(f'/proc/{pids[name]}/exe').st_ino for name in Programs.NAMES})


def upgrade(run):
    """What `vitrine upgrade` prints, and whether it was done."""
    done = subprocess.run([lib.vitrine_program(), 'upgrade', run.desktop.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, timeout=60)
    return done.stdout.strip(), done.returncode == 0


def garbage_on_disk_freezes_nothing(run):
    run.begin()
    _, inodes = running(run)
    for name in Programs.NAMES:
        run.programs.replace(name, b'garbage')
    for _ in range(3):
        run.kill()
        assert running(run)[1] == inodes
    assert not run.faults, run.faults[:5]


def what_does_not_start_is_refused(run):
    before = running(run)
    said = []
    for name in Programs.NAMES:
        for data in (b'garbage', pathlib.Path('/bin/false').read_bytes()):
            run.programs.install(0)
            run.programs.replace(name, data)
            text, done = upgrade(run)
            assert not done and 'not upgraded' in text, text
            assert running(run) == before
            said.append(text)
    run.kill()
    assert running(run)[1] == before[1], 'it is not the old build'
    assert not run.faults, run.faults[:5]
    return '; '.join(said)


def other_contracts_are_refused_by_name(run):
    before = running(run)
    said = []
    for name, contract, called in (('vitrine-render', 2, 'ledger'), ('vitrine-display', 1, 'frame link')):
        run.programs.install_version(name, contract)
        text, done = upgrade(run)
        assert not done and f"the new {name}'s {called} is of version" in text, text
        assert running(run) == before
        said.append(text)
    return '; '.join(said)


def another_build_takes_over(run):
    """Again and again, back and forth, under a picture that changes. The client stays: its one session goes on."""
    away = {'guest': [], 'clients': [], 'still': []}
    run.may_switch = True
    switches = run.probe.command('status')['switches']
    for number in range(1, UPGRADES + 1):
        inodes = run.programs.install(number)
        run.take()
        run.times = run.times[-1:]
        text, done = upgrade(run)
        assert done, text
        assert re.search(r'lost what they had drawn in [1-9][0-9]* context', text), text
        times = re.search(r'guest for ([0-9.]+) ms; .* after ([0-9.]+) ms', text)
        away['guest'].append(float(times[1]))
        away['clients'].append(float(times[2]))
        away['still'].append(run.await_still())
        assert running(run)[1] == inodes, 'it is the old build'
        status = run.probe.command('status')
        assert status['connected'] and status['switches'] == switches + number, status
        # Who comes after it is of that build, too.
        if number % 10 == 1:
            run.kill()
            assert running(run)[1] == inodes
    assert not run.faults, run.faults[:5]
    text, done = upgrade(run)
    assert done and 'already' in text, text
    names = {'guest': 'nobody served the guest for', 'clients': 'another display was there after',
             'still': "the client's picture stood still for"}
    return f'{UPGRADES} upgrades{" between two builds" if OTHER_BUILD else ""}, 0 clients dropped; ' + '; '.join(
        f'{names[key]} {survive.percentile(values, 50):.0f} ms (p50), {survive.percentile(values, 95):.0f} (p95), {max(values):.0f} (most)'
        for key, values in away.items())


CHECKS = [garbage_on_disk_freezes_nothing, what_does_not_start_is_refused, other_contracts_are_refused_by_name, another_build_takes_over]


def main():
    reason = lib.missing() or (None if lib.guest_folder() else 'no guest can be built here')
    if not reason and OTHER_BUILD and not (OTHER_BUILD / 'render/vitrine-render').exists():
        reason = f'{OTHER_BUILD} (tests/build-tree other)'
    if reason:
        tap.skip_all(reason)
    folder = pathlib.Path(tempfile.mkdtemp(prefix='vitrine-upgrade-'))
    try:
        # Another user's worker is to find it.
        folder.chmod(0o755)
        os.environ['VITRINE'] = str(make_tree(folder))
        with survive.survival('ready', gl=1) as run:
            run.programs = Programs(folder)
            tap.run(CHECKS, run, run.desktop.print_logs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
