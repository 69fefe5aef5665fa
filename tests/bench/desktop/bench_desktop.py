#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same guest under QEMU's virtio-gpu-gl with SPICE and under Vitrine, seen by the same stock client.

    bench_desktop.py [--runs N] [--quick] [--scene NAME]... [--line NAME]... [--side NAME] [--json FILE]

Prints a table of medians and ratios, and each target with met or missed. README.md here says how to read it.
Exit status: 0 when it was measured, whatever came out; 1 when a run failed; 77 when this machine lacks something.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from side import Side  # noqa: E402  (it adds the folders of the next two)
import desktop  # noqa: E402
from control import GuestError  # noqa: E402
from line import LINES  # noqa: E402
from probe import ProbeError  # noqa: E402
from report import ROWS, Results, derive, judge, table, verdict_table  # noqa: E402
import video  # noqa: E402
from scenario import MOTION, Scenario, unwatched  # noqa: E402

OWN_NAMESPACE = 'VITRINE_BENCH_NAMESPACE'


def options_parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--runs', type=int, help='5, with --quick 1')
    parser.add_argument('--quick', action='store_true', help='one run, shorter ones, loopback unless --line says')
    parser.add_argument('--seconds', type=float, help='how long each scene is measured: 6, with --quick 4')
    parser.add_argument('--keys', type=int, help='how many are typed: 150, with --quick 60')
    parser.add_argument('--scene', action='append', choices=[*ROWS, 'film'], help='only this one; may be repeated')
    parser.add_argument('--line', action='append', choices=[line.name for line in LINES])
    parser.add_argument('--side', action='append', choices=['stock', 'vitrine'])
    parser.add_argument('--json', type=pathlib.Path, help='all figures of all runs')
    options = parser.parse_args()
    quick = options.quick
    options.part = bool(quick or options.scene or options.line or options.side)
    options.runs = options.runs or (1 if quick else 5)
    options.seconds = options.seconds or (4 if quick else 6)
    options.keys = options.keys or (60 if quick else 150)
    options.scene = options.scene or [*ROWS, 'film']
    options.side = options.side or ['stock', 'vitrine']
    options.line = options.line or (['loopback'] if quick else [line.name for line in LINES])
    return options


def enter_namespace():
    """Goes on in a network namespace of our own: servers listen on all its addresses, and nobody else is there."""
    if OWN_NAMESPACE in os.environ:
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
        return
    flags = ['--net'] if os.geteuid() == 0 else ['--user', '--map-root-user', '--net']
    if subprocess.run(['unshare', *flags, 'true'], capture_output=True, check=False).returncode:
        return
    os.environ[OWN_NAMESPACE] = '1'
    os.execvp('unshare', ['unshare', *flags, sys.executable, *sys.argv])


def say(text):
    print(text, flush=True)


def skip(reason):
    say(f'1..0 # SKIP {reason}')
    sys.exit(77)


def lines_usable(options):
    lines = []
    for line in LINES:
        if line.name not in options.line:
            continue
        reason = line.missing() if OWN_NAMESPACE in os.environ or not line.rate_mbit else 'no network namespace'
        if reason:
            say(f'# {line.name} is left out: {reason}')
        else:
            lines.append(line)
    return lines


class Bench:
    def __init__(self, options, lines):
        self.options = options
        self.lines = lines
        self.results = Results()
        self.ground = {}
        self.failures = 0

    def run_all(self):
        for number in range(self.options.runs):
            # Alternating, so that what else the machine does hits both.
            sides = self.options.side if number % 2 == 0 else self.options.side[::-1]
            for name in sides:
                self.run_side(name, number)
            if 'film' in self.options.scene:
                self.run_film()

    def run_side(self, name, number):
        address = '0.0.0.0' if OWN_NAMESPACE in os.environ else '127.0.0.1'
        began = time.monotonic()
        try:
            with Side(name == 'stock', address=address) as side:
                if name == 'vitrine':
                    self.measure_ground(side)
                for line in self.lines:
                    scenario = Scenario(side, line, self.options.seconds, self.options.keys)
                    for scene in [name for name in ROWS if name in self.options.scene]:
                        self.run_scene(scenario, scene, number)
        except (GuestError, ProbeError, OSError) as error:
            self.failed(f'run {number + 1} of {name}', error)
        say(f'# run {number + 1} of {name}: {time.monotonic() - began:.0f} s')

    def run_film(self):
        if video.missing():
            say(f'# film is left out: no {video.missing()}')
            return
        figures = video.measure(self.options.seconds)
        if not figures:
            self.failed('film', 'bench-video said nothing')
        for name, values in figures.items():
            self.results.add(name, 'loopback', 'film', values)

    def measure_ground(self, side):
        """What drawing costs when nobody looks: taken where nothing else is done with the picture."""
        for scene in MOTION:
            if scene in self.options.scene:
                self.ground.setdefault(scene, []).append(unwatched(side, scene, self.options.seconds))

    def run_scene(self, scenario, scene, number):
        try:
            figures = scenario.run(scene)
        except (GuestError, ProbeError) as error:
            self.failed(f'{scene} over {scenario.line.name} on {scenario.side.name}', error)
            return
        figures['run'] = number
        self.results.add(scenario.side.name, scenario.line.name, scene, figures)

    def failed(self, what, error):
        self.failures += 1
        say(f'# FAILED {what}: {error}')

    def derive_all(self):
        """Once all runs are there: the drawing's cost is taken from the same runs, as a mean."""
        for (_, _, scene), runs in self.results.runs.items():
            if scene == 'film':
                continue
            grounds = self.ground.get(scene, [])
            kinds = {kind for ground in grounds for kind in ground}
            ground = {kind: sum(g.get(kind, 0) for g in grounds) / len(grounds) for kind in kinds}
            for figures in runs:
                derive(figures, ground)

    def as_json(self):
        return {'runs': [{'side': side, 'line': line, 'scene': scene, **figures}
                         for (side, line, scene), runs in self.results.runs.items() for figures in runs],
                'drawing': self.ground,
                'targets': [dict(zip(('what', 'value', 'bound', 'verdict'), row)) for row in judge(self.results)]}


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    options = options_parse()
    for program in ('qemu-system-x86_64', 'unshare', 'ip'):
        if not shutil.which(program):
            skip(f'missing: {program}')
    enter_namespace()
    reason = desktop.missing()
    if reason or not desktop.guest_folder():
        skip(f'missing: {reason or "what build-guest needs"}')
    bench = Bench(options, lines_usable(options))
    signal.signal(signal.SIGTERM, interrupt)
    try:
        bench.run_all()
    except KeyboardInterrupt:
        say('# interrupted: what follows is of the runs so far')
        bench.failures += 1
    bench.derive_all()
    say(table(bench.results))
    say('targets')
    # Of a look at some scenes only these are judged; the real thing says of each target what became of it.
    verdicts = [row for row in judge(bench.results) if not options.part or row[3] != 'not measured']
    say(verdict_table(verdicts))
    if options.json:
        options.json.write_text(json.dumps(bench.as_json(), indent=1))
    sys.exit(1 if bench.failures else 0)


if __name__ == '__main__':
    main()
