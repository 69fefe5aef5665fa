#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A desktop whose renderer is killed: nobody sees it, but for GL programs. The short form of bench_survive.py."""
import os
import signal
import time

import desktop as lib
import flight
import survive
import tap
from desktop import HEIGHT, WIDTH, wait_for

KILLS = 5
CUBE = '808080'


def kills_are_not_seen(run):
    """The console's picture stays, and goes on."""
    run.begin()
    time.sleep(2)
    primaries = run.probe.stats()['primaries']
    _, starts = run.keeper.renderer()
    kills = [run.kill() for _ in range(KILLS)]
    assert not run.faults, run.faults[:5]
    assert run.probe.stats()['primaries'] == primaries, 'the client was given another surface'
    assert run.probe.command('status')['connected']
    assert run.keeper.renderer()[1] == starts + KILLS
    print(''.join(f'# {line}\n' for line in survive.describe(kills)), end='')


def a_kill_while_it_takes_over_is_not_seen(run):
    """The next one ends, too, before it has made again what the first one had."""
    for after_s in (0.02, 0.03, 0.04, 0.06):
        wait_for('spare', lambda: run.keeper.stats()['spare_render'].get('own_kib'), 20)
        spare = run.keeper.stats()['spare_render']['pid']
        pid, _ = run.keeper.renderer()
        run.take()
        os.kill(pid, signal.SIGKILL)
        time.sleep(after_s)
        os.kill(spare, signal.SIGKILL)
        time.sleep(0.3)
        run.take()
        n = len(run.times)
        wait_for('pictures', lambda: run.take() and len(run.times) > n + 5, 20)
    assert not run.faults, run.faults[:5]


def a_spare_waits_and_says_what_it_costs(run):
    spare = wait_for('spare', lambda: next(iter([s for s in [run.keeper.stats()['spare_render']] if s.get('own_kib')]), None), 20)
    assert spare['state'] == 'ready' and 0 < spare['own_kib'] < 30 * 1024, spare
    return f'{spare["own_kib"]} KiB'


def gl_programs_go_on_to_begin(run):
    before, _ = run.gl_ends()
    wait_for('GL programs that end well', lambda: run.gl_ends()[0] >= before + 2, 30)
    # A program's first picture in a new renderer is compiled, and that is told apart.
    compiled = [words[1] for _, name, words in flight.read_newest(run.keeper.pid, 'REBUILT') if name == 'COMPILED']
    assert sum(compiled) > 1000, compiled
    return f'{len(compiled)} streams compiled for {sum(compiled) / 1000:.1f} ms'


def what_gl_has_shown_stays(run):
    """A program that draws the screen loses its context, and goes on to flush. Its last picture is kept; the next program's comes."""
    run.end()
    run.desktop.control.run('(sleep 1000 | kmscube >/tmp/kmscube.log 2>&1 &) ; true')
    run.probe.wait_pixel(5, 5, CUBE, timeout=20, tolerance=6)
    run.probe.wait_updates(30, timeout=20)
    run.probe.command(f'watch-begin 5 5 {WIDTH - 5} {HEIGHT - 5}')
    before, starts = run.keeper.renderer()
    os.kill(before, signal.SIGKILL)
    wait_for('new renderer', lambda: run.keeper.renderer()[1] > starts, 20)
    time.sleep(2)
    events = run.probe.command('watch-take', 10)['events']
    assert all(colour and colour != '000000' for event in events for colour in event[1:]), events[:5]
    run.desktop.control.run('killall -q kmscube; killall -q sleep; true')
    run.desktop.control.run('(sleep 1000 | kmscube >/tmp/kmscube.log 2>&1 &) ; true')
    run.probe.wait_updates(30, timeout=20)
    run.probe.wait_pixel(5, 5, CUBE, timeout=20, tolerance=6)


CHECKS = [kills_are_not_seen, a_kill_while_it_takes_over_is_not_seen, a_spare_waits_and_says_what_it_costs, gl_programs_go_on_to_begin, what_gl_has_shown_stays]


def main():
    reason = lib.missing() or (None if lib.guest_folder() else 'no guest can be built here')
    if reason:
        tap.skip_all(reason)
    with survive.survival('ready') as run:
        tap.run(CHECKS, run, run.desktop.print_logs)


if __name__ == '__main__':
    main()
