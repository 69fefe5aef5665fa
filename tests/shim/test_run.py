#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`vitrine run` on a machine whose GPUs are old, crash, hang or may not be opened: a desktop is shown, and a line says why.
And: render, display and QEMU open the node that draws and no other.

Real drivers on a faked kernel driver (shim.h), real QEMU, a stock client. For root, since there are device nodes in /dev/dri.
"""
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get('VITRINE_BUILD', ROOT / 'build'))
sys.path[:0] = [str(ROOT / 'tests/guest'), str(ROOT / 'tests/client')]

import desktop as lib  # noqa: E402
import tap  # noqa: E402
from probe import Probe  # noqa: E402

# What is promised of a card whose driver hangs, where a desktop without a card takes no more than a second. A busy machine, and
# one with sanitizers, has longer for all but the waiting: what such a desktop takes there, some times over.
SHOWN_S = 5
USUAL_S = 1
TIMES = 3
# The guest's boot is waited for, too, in a longer run.
PICTURE = 'SHIM_RUN_PICTURE' in os.environ
APPEND = 'console=ttyS0 quiet no_timer_check'


def make_nodes(wanted):
    """Sees to it that /dev/dri, which is ours (with-nodes), has so many nodes."""
    for i in range(8):
        node = pathlib.Path(f'/dev/dri/renderD{128 + i}')
        if node.exists() and i >= wanted:
            node.unlink()
        elif not node.exists() and i < wanted:
            os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(226, 128 + i))
            node.chmod(0o666)


class Machine:
    """One with so many of the shim's GPUs. `faults` are the shim's words. With `logs` there is the shim's log, for opened()."""

    def __init__(self, faults='', options=(), prefix=(), nodes=1, logs=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='vitrine-run-'))
        make_nodes(nodes)
        (self.folder / 'run').mkdir(mode=0o700)
        self.port = lib.free_port()
        self.name = f'shim-{os.getpid()}'
        guest = lib.guest_folder()
        env = {**os.environ, 'VITRINE_SHIM_GPU': 'navi21', 'VITRINE_SHIM_NODES': str(nodes), 'VITRINE_SHIM_FAULTS': faults,
               'LD_LIBRARY_PATH': f'{os.environ["VITRINE_SHIM"]}:{BUILD}/tests/shim', 'XDG_RUNTIME_DIR': str(self.folder / 'run')}
        if logs:
            # The renderer may write in the folder of GStreamer's registry and nowhere else. That list is made here, and not at the
            # display's start: GStreamer's scanner opens what it finds, whichever GPU draws.
            (self.folder / 'logs').mkdir()
            env |= {'VITRINE_SHIM_LOG': str(self.folder / 'logs/shim'), 'GST_REGISTRY': str(self.folder / 'logs/registry')}
            subprocess.run([BUILD / 'display/vitrine-display', '--report'], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           check=False)
        command = [*prefix, self.make_tree() / 'server/vitrine', 'run', '--name', self.name, '--spice-port', self.port,
                   '--kernel', guest / 'vmlinux', '--initrd', guest / 'minimal.img', '--append', APPEND, *options]
        self.env = env
        self.log = open(self.folder / 'log', 'w+')
        self.began = time.monotonic()
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, env=env)

    def make_tree(self):
        """A build folder whose renderer is the shim's."""
        tree = self.folder / 'tree'
        for name in ('server', 'render', 'display', 'meson-private'):
            (tree / name).mkdir(parents=True)
        for name in ('vitrine', 'vitrine-gpu'):
            shutil.copy2(BUILD / 'server' / name, tree / 'server' / name)
        (tree / 'render/vitrine-render').symlink_to(BUILD / 'tests/shim/vitrine-render')
        (tree / 'display/vitrine-display').symlink_to(BUILD / 'display/vitrine-display')
        return tree

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            # Of strace it is the child that is meant.
            os.kill(self.child() or self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if kind:
            for line in self.text().splitlines():
                print('#', line)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def child(self):
        if self.process.args[0] != 'strace':
            return None
        return int(pathlib.Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children').read_text().split()[0])

    def text(self):
        return (self.folder / 'log').read_text(errors='replace')

    def opened(self):
        """The render nodes that the renderer's drivers opened: the shim answers these opens inside the process, and no tracer sees them."""
        log = (self.folder / 'logs/shim').read_text()
        return set(re.findall(r'^\d+ open (/dev/dri/renderD\d+)$', log, re.MULTILINE))

    def show(self):
        """What `vitrine show` says that draws; None: nobody knows yet."""
        text = subprocess.run([BUILD / 'server/vitrine', 'show', self.name], env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False).stdout
        found = re.search('^  draws: (.*)', text, re.MULTILINE)
        return found and found[1]

    def wait_shown(self, picture=PICTURE):
        """The seconds until a client is in a desktop that is drawn, and what draws it; or also has the guest's picture."""
        while not self.show():
            assert self.process.poll() is None, 'vitrine run has ended'
            assert time.monotonic() - self.began < 60, 'nothing draws'
            time.sleep(0.05)
        with Probe.connect(port=self.port, retry=20) as probe:
            seconds = time.monotonic() - self.began
            if picture:
                probe.wait_size(1920, 1080, timeout=60)
                print(f'# the guest has booted, and its picture is there, after {time.monotonic() - self.began:.1f} s', flush=True)
        return seconds, self.show()

    def expect(self, *lines):
        for line in lines:
            assert line in self.text(), f'no line: {line}'


def limit_s():
    """How long a desktop may take here and now."""
    with Machine('', ['--software']) as machine:
        seconds, _ = machine.wait_shown(False)
    return SHOWN_S + TIMES * max(0, seconds - USUAL_S)


def falls_to_cpu(faults, why):
    limit = limit_s()
    with Machine(faults) as machine:
        seconds, draws = machine.wait_shown()
        assert draws.startswith('software, ') and why in draws, draws
        machine.expect(f'/dev/dri/renderD128: {why}')
        machine.expect('drawing with the CPU instead')
        assert seconds < limit, f'{seconds:.1f} s of {limit:.1f}'
        return f'{seconds:.1f} s of {limit:.1f}; {draws}'


def old_card(_):
    return falls_to_cpu('gl=2.1', 'OpenGL 3.0 is needed, and it has 2.1')


def crashing_card(_):
    return falls_to_cpu('start=crash', 'starting OpenGL ended the renderer: killed by signal')


def hanging_card(_):
    return falls_to_cpu('start=hang', 'its driver hangs: starting OpenGL takes more than 3 s')


def eight_cards_of_which_two_are_broken(_):
    with Machine('start=crash@128,rights=none@129', nodes=8) as machine:
        seconds, draws = machine.wait_shown()
        assert draws.startswith('render node /dev/dri/renderD130 (amdgpu)'), draws
        machine.expect('trying /dev/dri/renderD129 instead', 'no right to open it', 'trying /dev/dri/renderD130 instead')
        return f'{seconds:.1f} s'


def a_named_card_that_crashes_ends_it(_):
    with Machine('start=crash', ['--render-node=/dev/dri/renderD128']) as machine:
        status = machine.process.wait(20)
        assert status == 1, status
        machine.expect('/dev/dri/renderD128: starting OpenGL ended the renderer', 'it was named, so nothing else is tried')


def traced_nodes(trace):
    """The render nodes that display and QEMU tried to open, by strace."""
    return set(re.findall(r'"(/dev/dri/renderD\d+)"', trace.read_text(errors='replace')))


def only_the_chosen_node_is_opened(_):
    if not shutil.which('strace'):
        raise tap.Skip('strace is not installed')
    said = []
    # Whoever takes the first node of the folder takes the wrong one of one of these.
    cases = [(f'--render-node={node}', {node}) for node in ('/dev/dri/renderD128', '/dev/dri/renderD129')]
    for option, allowed in [*cases, ('--software', set())]:
        with tempfile.NamedTemporaryFile() as file:
            strace = ['strace', '-f', '-qq', '--seccomp-bpf', '-e', 'trace=open,openat,openat2', '-o', file.name]
            with Machine('', [option], prefix=strace, nodes=2, logs=True) as machine:
                machine.wait_shown()
                time.sleep(1)
                assert machine.opened() == allowed, f'{option}: the renderer opened {machine.opened()}'
            trace = pathlib.Path(file.name)
            programs = trace.read_text(errors='replace')
            assert 'libvirglrenderer' in programs and 'libspice-server' in programs and 'qemu' in programs, 'not all were traced'
            nodes = traced_nodes(trace)
            assert nodes <= allowed, f'{option}: opened {nodes}'
            said.append(f'{option}: {len(programs.splitlines())} calls')
    return ', '.join(said)


CHECKS = [old_card, crashing_card, hanging_card, eight_cards_of_which_two_are_broken, a_named_card_that_crashes_ends_it,
          only_the_chosen_node_is_opened]


def main():
    why = lib.missing()
    if why:
        tap.skip_all(f'needs {why}')
    if 'SHIM_RUN_INSIDE' not in os.environ:
        trial = subprocess.run([HERE / 'with-nodes', '1', 'true'], stderr=subprocess.PIPE, text=True, check=False)
        if trial.returncode:
            tap.skip_all(trial.stderr.strip())
        if 'VITRINE_SHIM' not in os.environ:
            built = subprocess.run([HERE / 'build-shims'], stdout=subprocess.PIPE, text=True, check=False)
            if built.returncode:
                tap.skip_all('there are no shims: build-shims says why')
            os.environ['VITRINE_SHIM'] = built.stdout.strip()
        if not lib.guest_folder():
            tap.skip_all('there is no guest: tests/guest/build-guest says why')
        os.environ['SHIM_RUN_INSIDE'] = '1'
        os.execv(HERE / 'with-nodes', ['with-nodes', '1', sys.executable, *sys.argv])
    wanted = sys.argv[1:]
    tap.run([check for check in CHECKS if not wanted or check.__name__ in wanted], None)


if __name__ == '__main__':
    main()
