#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The benchmark's arithmetic, by figures made up. TAP."""
import pathlib
import sys
from types import SimpleNamespace

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent.parent / 'guest'))

import side  # noqa: E402  (adds the client's folder)
import report  # noqa: E402
import scenario  # noqa: E402
import tap  # noqa: E402


def age_grows_between_pictures(_):
    """Drawn at 0 and 100 ms, shown at 50 and 200 ms: from 50 to 200 the first is seen, 50 to 200 ms old."""
    ages = scenario.ages_over_time([(1, 50_000), (2, 200_000)], {1: 0, 2: 100_000}, 50_000, 250_000, 10_000)
    assert ages[0] == 50 and ages[14] == 190 and ages[15] == 100 and ages[-1] == 140, ages


def motion_counts_only_the_time_measured(_):
    first, last = SimpleNamespace(time=1.0), SimpleNamespace(time=2.0)
    drawn = [(n, 0, n * 100_000) for n in range(30)]
    frames = [(n, n * 100_000 + 20_000, n * 100_000 + 30_000 if n % 2 else 0) for n in range(30)]
    figures = scenario.motion_figures(frames, drawn, first, last)
    assert figures['drawn'] == 10 and figures['pictures'] == 5 and figures['torn_per_s'] == 5, figures
    assert abs(figures['flush_p50'] - 30) < 1e-9, figures


def lost_keys_count_as_late(_):
    figures = scenario.key_figures([10_000] * 9 + [-1])
    assert figures['keys_lost'] == 1 and figures['key_p95'] == scenario.KEY_TIMEOUT_MS and figures['key_p50'] == 10, figures


def drawing_is_taken_off_by_frames_drawn(_):
    figures = report.derive({'cpu': {'vcpu': 1.0, 'raster': 2.0, 'qemu-main': 1.0}, 'wall': 2.0, 'bytes': {'display-0': 1000},
                             'bytes_per_s': 500.0, 'drawn': 100, 'pictures': 50, 'client_cpu': 0.5},
                            {'vcpu': 9.0, 'raster': 0.01, 'render-gpu': 0.005})
    assert abs(figures['cpu_left'] - 1.5) < 1e-9 and abs(figures['left_ms_per_picture'] - 30) < 1e-9, figures
    assert figures['cpu_ms_per_picture'] == 80 and figures['picture_bytes'] == 1000, figures


def threads_are_told_apart(_):
    kinds = {(program, thread): side.kind_of(program, thread)
             for program, thread in (('qemu-system-x86_64', 'CPU 0/TCG'), ('qemu-system-x86_64', 'llvmpipe-1'),
                                     ('qemu-system-x86_64', 'SPICE Worker'), ('vitrine-render', 'gpu'))}
    assert list(kinds.values()) == ['vcpu', 'raster', 'qemu-spice', 'render-gpu'], kinds


def targets_are_met_missed_or_not_measured(_):
    results = report.Results()
    for name, p50 in (('stock', 20.0), ('vitrine', 10.0)):
        results.add(name, 'loopback', 'typing', {'key_p50': p50, 'key_p95': 30.0})
    results.add('vitrine', 'loopback', 'scroll', {'exact_after': None})
    verdicts = {what: verdict for what, _, _, verdict in report.judge(results)}
    assert verdicts['key to picture, p50, loopback'] == 'met', verdicts
    assert verdicts['key to picture, p95, loopback'] == 'missed', verdicts
    assert verdicts['exact after scrolling ends, loopback'] == 'missed', verdicts
    assert verdicts['full-screen GL, pictures, loopback'] == 'not measured', verdicts
    assert report.table(results).count('\n') > 8


if __name__ == '__main__':
    tap.run([age_grows_between_pictures, motion_counts_only_the_time_measured, lost_keys_count_as_late,
             drawing_is_taken_off_by_frames_drawn, threads_are_told_apart, targets_are_met_missed_or_not_measured], None)
