# SPDX-License-Identifier: MIT
"""One of the two servers that are compared, with the benchmark's guest booted and its scene program in hand.

A Side is a Desktop (tests/guest) plus: the guest's scene program and its clock, and the CPU time of all server
processes, by kind of thread.
"""
import os
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/guest'))

from control import GuestError, Lines  # noqa: E402
from desktop import Desktop  # noqa: E402

TICKS = os.sysconf('SC_CLK_TCK')
PASSWORD = 'bench'
N_PINGS = 40
# QEMU's vCPU threads carry these names with debug-threads=on; Mesa's names its software rasteriser's threads itself.
VCPU = re.compile(r'^CPU \d+/')
RASTER = re.compile(r'^(llvmpipe|softpipe)-')


class Side:
    def __init__(self, stock, address='127.0.0.1', options=()):
        self.stock = stock
        self.name = 'stock' if stock else 'vitrine'
        ports = ['-device', 'virtio-serial-pci,id=vitrine-ports'] if stock else []
        bench_socket = f'/tmp/vitrine-bench-{os.getpid()}.sock'
        self.desktop = Desktop(
            'minimal', 'vitrine.run=shell', stock=stock, address=address, password=PASSWORD, options=options,
            qemu_options=['-name', 'debug-threads=on', *ports,
                          '-chardev', f'socket,id=bench,path={bench_socket},server=on,wait=off', '-device',
                          'virtserialport,bus=vitrine-ports.0,chardev=bench,name=vitrine.bench'])
        try:
            self.port = Lines(bench_socket)
        except BaseException:
            self.desktop.close()
            raise
        os.unlink(bench_socket)
        self.clocks = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.port.close()
        self.desktop.close()

    def start_scene(self, name):
        """Starts the scene program; it shows frame 0. Returns when it does."""
        control = self.desktop.control
        control.run(f'(setsid bench-scene {name} >/tmp/bench.log 2>&1 &); true')
        try:
            control.wait_until('grep -q ready /tmp/bench.log', 60)
        except GuestError as error:
            state = control.run_status('cat /tmp/bench.log; pid=$(pidof bench-scene) && cat /proc/$pid/wchan /proc/$pid/stack')
            raise GuestError(f'scene {name} does not start: {state[1]!r}') from error
        self.clocks = []

    def end_scene(self):
        self.port.send('quit\n')
        self.desktop.control.wait_until('! pidof bench-scene', 20)

    def ask(self, command, answer, timeout_s=10):
        self.port.send(command + '\n')
        return self.port.wait_for(answer, timeout_s)

    def go(self):
        self.ask('go', r'going\n')

    def stop(self):
        """Holds the picture; its frame and how many keys were pressed."""
        match = self.ask('stop', r'stopped (\d+) (\d+)\n')
        return int(match[1]), int(match[2])

    def read_clock(self):
        """Notes how far the guest's clock is ahead of ours: the quickest of many questions tells best."""
        best = None
        for _ in range(N_PINGS):
            before = time.monotonic_ns()
            match = self.ask('time', r'time (\d+)\n')
            after = time.monotonic_ns()
            if best is None or after - before < best[0]:
                best = (after - before, (after + before) // 2, int(match[1]))
        self.clocks.append(best)
        return best[0] / 1e6

    def to_host_us(self, guest_ns):
        """A time of the guest's clock in ours, between the two readings (their drift is taken as even)."""
        first, last = self.clocks[0], self.clocks[-1]
        drift = (last[1] - first[1]) / (last[2] - first[2]) if last[2] != first[2] else 1
        return (first[1] + (guest_ns - first[2]) * drift) / 1000

    def drawn_frames(self):
        """[(frame, keys, time in our microseconds)] of what the scene program showed."""
        text = self.ask('log', r'((?:\d+ \d+ \d+\n)*)end\n', 60)[1]
        rows = [line.split() for line in text.splitlines()]
        return [(int(frame), int(keys), self.to_host_us(int(ns))) for frame, keys, ns in rows]

    def cpu(self):
        """CPU seconds so far by kind: vcpu, raster (software GL's threads), gpu (the renderer's GL thread), rest."""
        seconds = {}
        for program, pids in self.desktop.workers().items():
            for pid in pids:
                for thread, used in threads_cpu(pid).items():
                    kind = kind_of(program, thread)
                    seconds[kind] = seconds.get(kind, 0) + used
        return seconds


def kind_of(program, thread):
    if VCPU.match(thread):
        return 'vcpu'
    if RASTER.match(thread):
        return 'raster'
    if program.startswith('qemu'):
        # QEMU's main loop runs virglrenderer, reads back and feeds spice; its parts cannot be told apart by thread.
        return 'qemu-' + ('spice' if 'SPICE' in thread else 'main' if thread.startswith('qemu') else 'other')
    if program == 'vitrine-render':
        return 'render-' + ('gpu' if thread == 'gpu' else 'other')
    return program.removeprefix('vitrine-')


def stat_seconds(path):
    fields = path.read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def threads_cpu(pid):
    """{thread name: CPU seconds}; what ended threads used stands under '(ended)'."""
    found = {}
    try:
        for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
            name = (task / 'comm').read_text().strip()
            found[name] = found.get(name, 0) + stat_seconds(task / 'stat')
        found['(ended)'] = max(0, stat_seconds(pathlib.Path(f'/proc/{pid}/stat')) - sum(found.values()))
    except OSError:
        pass
    return found
