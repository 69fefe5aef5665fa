#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench_survive.py [--kills N] [--every S] [--spare HOW] [--signal KILL|ABRT|SEGV] [--gl N] [--keep FOLDER] [--limit-ms MS]:
the renderer of one desktop is killed N times (1000), one kill each S seconds (1). survive.py says what is measured.

With --keep a run that was ended goes on where it was: each kill is a line in a file of FOLDER. Prints TAP."""
import argparse
import json
import os
import pathlib
import sys
import time

import desktop as lib
import survive
import tap

MEMORY_EACH = 25
# The keeper may grow by so much, in KiB, after so many kills; before, its heap finds its size.
GROWTH_KIB = 16
SETTLING = 350


class Kept:
    """Kills that were measured, in a file if there is a folder."""

    def __init__(self, options):
        self.kills = []
        self.path = None
        if options.keep:
            self.path = pathlib.Path(options.keep) / f'kills-{options.spare}-{options.signal}-{options.gl}'
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lines = self.path.read_text().splitlines() if self.path.exists() else []
            self.kills = [kill for kill in map(json.loads, lines) if all(name in kill for name in survive.FIGURES)]

    def add(self, kill):
        self.kills.append(kill)
        if self.path:
            with open(self.path, 'a') as file:
                file.write(json.dumps(kill) + '\n')


def run_kills(run, kept, options):
    """Gives what the keeper had of memory and descriptors, now and then."""
    memory = []
    while len(kept.kills) < options.kills:
        began = time.monotonic()
        kept.add({**run.kill(), 'load': os.getloadavg()[0]})
        if len(kept.kills) % MEMORY_EACH == 0 or not memory:
            memory.append(run.keeper.memory())
            print(f'# {len(kept.kills)} kills; the keeper has {memory[-1][0]} KiB of its own, {memory[-1][1]} descriptors', flush=True)
        time.sleep(max(0, options.every - (time.monotonic() - began)))
    return memory + [run.keeper.memory()]


def check_memory(number, memory):
    """It settles for a while. A run that goes on where another one ended has a keeper of its own."""
    name, at = 'the keeper does not grow', SETTLING // MEMORY_EACH
    if len(memory) <= at + 1:
        print(f'ok {number} - {name} # SKIP judged from {SETTLING} kills on; from {memory[0]} to {memory[-1]} (KiB of its own, descriptors)')
        return True
    return check(number, name, memory[-1][0] - memory[at][0] < GROWTH_KIB and memory[-1][1] <= memory[0][1] + 2,
                 f'from {memory[0]}, {memory[at]} after {SETTLING} kills, to {memory[-1]} (KiB of its own, descriptors)')


def check(number, name, is_good, said):
    print(f'{"ok" if is_good else "not ok"} {number} - {name}\n# {said}', flush=True)
    return is_good


def measure(options):
    kept = Kept(options)
    before = len(kept.kills)
    with survive.survival(options.spare, options.gl, options.signal) as run:
        run.begin()
        time.sleep(3)
        primaries = run.probe.stats()['primaries']
        memory = run_kills(run, kept, options)
        alive = run.desktop.control.run('echo alive', 20).strip()
        good, bad = run.gl_ends()
        connected = run.probe.command('status')['connected'] and run.probe.stats()['primaries'] == primaries
        renderers = run.keeper.renderer()[1]
    p95 = {name: survive.percentile([kill[name] for kill in kept.kills], 95) for name in survive.FIGURES}
    limit = options.limit_ms
    print(''.join(f'# {line}\n' for line in survive.describe(kept.kills)), end='')
    loads = [kill['load'] for kill in kept.kills]
    print(f'# load p50 {survive.percentile(loads, 50):.1f}, most {max(loads):.1f}', flush=True)
    results = [
        check(1, 'the guest goes on', alive == 'alive', f'{len(kept.kills)} kills, {before} of them in runs before; {renderers} renderers'),
        check(2, 'the client stays, with its surface', connected, f'{primaries} surfaces'),
        check(3, 'no picture was black or gone', not run.faults, run.faults[:5]),
        check(4, 'GL programs begin anew', not options.gl or good > 0, f'{good} ended well, {bad} otherwise'),
        check_memory(5, memory),
        check(6, f'a new process within {limit} ms (p95)', not limit or p95['ready'] <= limit, f'{p95["ready"]:.1f} ms'),
        check(7, f'the picture back within {limit} ms (p95)', not limit or p95['picture'] <= limit,
              f'{p95["picture"]:.1f} ms; without what compiled {p95["rest"]:.1f} ms'),
    ]
    return all(results)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--kills', type=int, default=1000)
    parser.add_argument('--every', type=float, default=1)
    parser.add_argument('--spare', default='ready')
    parser.add_argument('--signal', default='KILL')
    parser.add_argument('--gl', type=int, default=2)
    parser.add_argument('--keep')
    parser.add_argument('--limit-ms', type=float, default=0)
    options = parser.parse_args()
    reason = lib.missing() or (None if lib.guest_folder() else 'no guest can be built here')
    if reason:
        tap.skip_all(reason)
    print('1..7')
    sys.exit(0 if measure(options) else 1)


if __name__ == '__main__':
    main()
