# SPDX-License-Identifier: MIT
"""Disks as `vitrine run` gives them to QEMU, looked at in a real QEMU that runs nothing.

    with Disks() as disks:
        disks.image('base.raw', 'raw')
        disks.image('top.qcow2', 'qcow2', '-b', 'base.raw', '-F', 'raw')
        with disks.machine('--disk=top.qcow2') as machine:
            machine.drivers()       # ['qcow2', 'raw']
            machine.opened()        # files of `disks.folder` that QEMU has open
        disks.refusal('--disk=bad.qcow2')

Taken from the environment: VITRINE. `vitrine run` starts a program in QEMU's place that only writes down its arguments; those that
concern disks are then given to QEMU, stopped and without a display. That is faster than a desktop, and each file is seen alone.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import desktop as lib
from control import GuestError, Qmp

IMAGE_BYTES = 4 << 20
# In QEMU's place: answers its version, writes down its arguments and ends well.
PRETENDER = '''#!/bin/sh
[ "$1" = --version ] && exec {qemu} --version
printf '%s\\0' "$@" >{arguments}
'''
# What of QEMU's arguments is taken into the machine that is looked at.
TAKEN = ('-blockdev', '-drive')
TIMEOUT_S = 60


vitrine_program, guest_folder = lib.vitrine_program, lib.guest_folder


def missing():
    """What keeps this machine from looking at disks, or None."""
    for program in ('qemu-img', 'qemu-io'):
        if not shutil.which(program):
            return program
    return lib.missing()


def files_open(pid, folder, writable=False):
    """The names of files below the folder that the process has open."""
    found = set()
    for descriptor in pathlib.Path(f'/proc/{pid}/fd').iterdir():
        target = os.readlink(descriptor)
        flags = pathlib.Path(f'/proc/{pid}/fdinfo/{descriptor.name}').read_text().split('flags:')[1].split()[0]
        if target.startswith(f'{folder}/') and (not writable or int(flags, 8) & 3 == os.O_RDWR):
            found.add(target[len(str(folder)) + 1:])
    return found


class WholeDesktop:
    """`vitrine run` as people start it, but for its guest, which does not run."""

    def __init__(self, command, cwd, environment, pass_fds=()):
        self.folder, self.name = cwd, f'disks-{os.getpid()}'
        self.errors = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen([*command, '--', '-S'], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True, pass_fds=pass_fds)
        if 'connect with' not in self.process.stdout.readline() + self.process.stdout.readline():
            self.errors.seek(0)
            said = self.errors.read()
            self.__exit__()
            raise AssertionError(said)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=TIMEOUT_S)
        self.errors.close()

    def qemu(self):
        children = pathlib.Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children').read_text().split()
        return next(pid for pid in children if 'qemu' in os.readlink(f'/proc/{pid}/exe'))

    def opened_by_qemu(self):
        return files_open(self.qemu(), self.folder)

    def qemu_arguments(self):
        return pathlib.Path(f'/proc/{self.qemu()}/cmdline').read_bytes().decode().split('\0')


class Machine:
    """QEMU, stopped, with the disk of one `vitrine run`."""

    def __init__(self, arguments, disks):
        self.folder = disks.folder
        words = ['qemu-system-x86_64', '-nodefaults', '-accel', 'tcg', '-machine', 'q35', '-m', '128', '-display', 'none',
                 '-S', '-qmp', f'unix:{disks.tools}/qmp,server=on,wait=on']
        for option, value in zip(arguments, arguments[1:]):
            if option in TAKEN:
                words += [option, value]
            elif option == '-device' and 'virtio-blk' in value:
                words += [option, f'{value},share-rw=on']  # so that we may write, too
        self.n_commands = 0
        # qemu-io says what it did there, and not to who asked.
        self.output = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT, cwd='/')
        try:
            self.qmp = Qmp(disks.tools / 'qmp', TIMEOUT_S)
            self.drives = self.qmp.execute('query-block')
        except GuestError:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f'QEMU: {self.text().strip()}') from None

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.qmp.execute('quit')
        self.qmp.close()
        self.process.wait(TIMEOUT_S)
        said = self.text()
        self.output.close()
        if not kind:
            done = said.count('4096/4096 bytes')
            assert done == self.n_commands and 'failed' not in said and 'rror' not in said, said

    def text(self):
        self.output.seek(0)
        return self.output.read()

    def nodes(self):
        return {node['node-name']: node for node in self.qmp.execute('query-named-block-nodes')}

    def drivers(self):
        """Of the layers, from the disk down."""
        nodes = self.nodes()
        names = ['disk', *(f'disk-{number}' for number in range(1, len(nodes)))]
        return [nodes[name]['drv'] for name in names if name in nodes]

    def device_driver(self):
        return self.drives[0]['inserted']['drv']

    def opened(self, writable=False):
        return files_open(self.process.pid, self.folder, writable)

    def disk_io(self, command):
        """What came of it is checked when the machine ends."""
        self.n_commands += 1
        said = self.qmp.execute('human-monitor-command', **{'command-line': f'qemu-io disk "{command}"'})
        assert not said.strip(), said

    def reads(self, pattern):
        self.disk_io(f'read -P {pattern} 0 4096')

    def write(self, pattern):
        self.disk_io(f'write -P {pattern} 0 4096')


class Disks:
    """A folder of images."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='vitrine-disks-')).resolve()
        self.tools = pathlib.Path(tempfile.mkdtemp(prefix='vitrine-disks-tools-'))
        self.pretender = self.tools / 'qemu'
        self.arguments = self.tools / 'arguments'
        self.pretender.write_text(PRETENDER.format(qemu=shutil.which('qemu-system-x86_64'), arguments=self.arguments))
        self.pretender.chmod(0o700)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)
        shutil.rmtree(self.tools)

    def path(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def image(self, name, form, *options, pattern=None):
        """Makes an image by qemu-img, in its own folder, since it takes relative names from where it is."""
        path = self.path(name)
        size = [] if '-b' in options and '-u' not in options else [str(IMAGE_BYTES)]
        subprocess.run(['qemu-img', 'create', '-q', '-f', form, *options, f'./{path.name}', *size], check=True, cwd=path.parent)
        if pattern is not None:
            subprocess.run(['qemu-io', '-f', form, '-c', f'write -P {pattern} 0 4096', f'./{path.name}'], check=True,
                           cwd=path.parent, stdout=subprocess.DEVNULL)
        return path

    def raw(self, name, pattern=0):
        path = self.path(name)
        path.write_bytes(bytes([pattern]) * 4096 + bytes(IMAGE_BYTES - 4096))
        return path

    def command(self):
        return [lib.vitrine_program(), 'run', f'--name=disks-{os.getpid()}', '--accel=tcg', '--software', '--no-network',
                '--no-audio', '--memory=128', f'--spice-unix={self.tools}/spice']

    def environment(self, more=()):
        runtime = self.tools / 'run'
        runtime.mkdir(mode=0o700, exist_ok=True)
        return {**os.environ, 'XDG_RUNTIME_DIR': str(runtime), **dict(more)}

    def desktop(self, *options, environment=()):
        return WholeDesktop([*self.command(), *options], self.folder, self.environment(environment))

    def run(self, *options, folder='.', environment=()):
        """What `vitrine run` gives QEMU, and what it says. None instead of arguments: it was refused."""
        self.arguments.unlink(missing_ok=True)
        said = subprocess.run([*self.command(), f'--qemu={self.pretender}', *options], cwd=self.path(folder),
                              env=self.environment(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, errors='replace', timeout=TIMEOUT_S, check=False)
        given = self.arguments.read_bytes().decode().split('\0')[:-1] if self.arguments.exists() else None
        return given, said.stderr

    def machine(self, *options, **how):
        given, said = self.run(*options, **how)
        assert given is not None, said
        return Machine(given, self)

    def refusal(self, *options, **how):
        given, said = self.run(*options, **how)
        assert given is None, f'not refused: {options}'
        return said

    def must_refuse(self, *options, saying, **how):
        said = self.refusal(*options, **how)
        assert saying in said, said
