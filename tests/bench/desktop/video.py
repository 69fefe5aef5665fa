# SPDX-License-Identifier: MIT
"""Video at 1080p60 from the fake front end into the real vitrine-display: bench-video, run and read.

side 'vitrine' is the display process as it ships, 'stock' the same process with spice-server's own clock: what a
SPICE server without the correction makes of the same encoder on the same machine.
"""
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
CLOCKS = {'server': 'stock', 'vitrine': 'vitrine'}
LINE = re.compile(r'^(server|vitrine) .*p50 ([\d.]+) ms, p95 ([\d.]+) ms, ([\d.]+) %', re.MULTILINE)


def program():
    return os.environ.get('BENCH_VIDEO') or str(ROOT / 'build/tests/bench/bench-video')


def missing():
    return None if os.access(program(), os.X_OK) else program()


def measure(seconds):
    """{side: figures}; empty when the program did not say them."""
    env = dict(os.environ)
    env.setdefault('VITRINE_DISPLAY', str(ROOT / 'build/display/vitrine-display'))
    result = subprocess.run([program(), f'--seconds={int(seconds)}'], capture_output=True, text=True, env=env, check=False,
                            timeout=600)
    return {CLOCKS[clock]: {'flush_p50': float(p50), 'flush_p95': float(p95), 'shown_share': float(share) / 100}
            for clock, p50, p95, share in LINE.findall(result.stdout)}
