#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench-sound: how much later than the picture a real guest's sound is heard.

    bench_sound.py [--runs N] [--seconds N] [--warm-up N] [--model] [QEMU OPTION...]

A guest plays a film with beeps and flashes (tests/guest/programs/beep_flash.c) in `vitrine run`; in each run a
stock client connects anew and plays the sound by its own audio code to a sound server of its own (PulseAudio
with a null sink), at whose end an ear listens. What is seen is when the library puts it into the canvas. Below 0:
the sound comes first. --model: no PulseAudio; a client that says 130 ms of its device and plays each packet 150 ms after
it came (sync.py).
"""
import argparse
import array
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'guest'))

import desktop as lib  # noqa: E402
import sync  # noqa: E402
from desktop import Desktop  # noqa: E402

RATE = 48000
LOUD = 4000
QUIET_FRAMES = RATE // 50
# A null sink that nobody listened to has made two seconds of silence in advance, and plays that first.
SETTLE_S = 2.5


class Ear:
    """A sound server and what is heard at its end."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='bench-sound-')
        self.server = f'unix:{self.folder.name}/socket'
        environment = {**os.environ, 'XDG_RUNTIME_DIR': self.folder.name, 'HOME': self.folder.name,
                       'PULSE_SERVER': self.server}
        self.pulse = subprocess.Popen(
            ['pulseaudio', '-n', '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=-1', '--log-level=error',
             f'--load=module-null-sink sink_name=bench format=s16le channels=2 rate={RATE}',
             f'--load=module-native-protocol-unix socket={self.folder.name}/socket auth-anonymous=1'], env=environment)
        lib.wait_for('sound server', lambda: os.path.exists(f'{self.folder.name}/socket'))
        self.parec = subprocess.Popen(['parec', '--raw', '--format=s16le', '--channels=2', f'--rate={RATE}',
                                       '--latency-msec=5', '--device=bench.monitor'], env=environment,
                                      stdout=subprocess.PIPE)
        self.beeps = []  # (beat, heard_us)
        self.quiet, self.negative, self.n_frames, self.n_crossings, self.loud_frames = QUIET_FRAMES, False, 0, 0, 0
        self.heard_us = None
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()
        time.sleep(SETTLE_S)

    def listen(self):
        rest = b''
        while data := os.read(self.parec.stdout.fileno(), 4096):
            now_us = time.monotonic_ns() // 1000
            data = rest + data
            whole = len(data) // 4 * 4
            rest = data[whole:]
            left = array.array('h', data[:whole])[::2]
            if left and (max(left) >= LOUD or min(left) <= -LOUD or self.heard_us):
                self.take(left, now_us)
            else:
                self.quiet += len(left)

    def take(self, samples, now_us):
        for value in samples:
            loud = abs(value) >= LOUD
            if loud and self.heard_us is None and self.quiet >= QUIET_FRAMES:
                self.heard_us, self.negative, self.n_frames, self.n_crossings = now_us, value < 0, 0, 0
            self.quiet = 0 if loud else self.quiet + 1
            self.n_frames += 1
            if loud:
                self.n_crossings += (value < 0) != self.negative
                self.negative = value < 0
                self.loud_frames = self.n_frames
            elif self.heard_us and self.quiet >= QUIET_FRAMES:
                self.beeps.append((sync.beat_of_tone(RATE * self.n_crossings / 2 / self.loud_frames), self.heard_us))
                self.heard_us = None

    def close(self):
        for process in (self.parec, self.pulse):
            process.terminate()
            process.wait()
        self.thread.join()
        self.folder.cleanup()


def run(desktop, ear, options):
    """Beeps' distances from their flashes, ms; how fast they come to how fast they should."""
    beats = int((options.warm_up + options.seconds) * 1000000 / sync.BEAT_US)
    desktop.control.run('killall -q beep-flash; true')
    # The film's start makes the stream; the client sees all of it.
    with desktop.connect(options=['--audio', '--no-log'] if ear else []) as probe:
        desktop.control.run(f'(beep-flash {beats} >/tmp/beep-flash.log 2>&1 &) ; true')
        film = desktop.control.wait_until('grep ^film /tmp/beep-flash.log', 10)
        x, y = film.split()[4:6]
        probe.command(f'sync-begin {x} {y} {sync.MODEL_DEVICE_MS}')
        time.sleep(options.warm_up)
        from_us = time.monotonic_ns() // 1000
        time.sleep(options.seconds)
        answer = probe.command('sync-end')
    beeps = ear.beeps if ear else sync.beeps(answer)
    beeps = [(beat, at_us) for beat, at_us in beeps if beat is not None and at_us > from_us]
    return sync.apart_ms(beeps, answer['changes'], 0 if ear else sync.MODEL_LATENCY_MS), sync.pace(sync.beeps(answer))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=10)
    parser.add_argument('--warm-up', type=float, default=6)
    parser.add_argument('--model', action='store_true')
    options, qemu_options = parser.parse_known_args()
    reason = lib.missing() or (None if options.model or shutil.which('parec') else 'parec (pulseaudio-utils)')
    if reason or not lib.guest_folder():
        print(f'missing: {reason or "what build-guest needs"}')
        sys.exit(77)
    medians = []
    ear = None if options.model else Ear()
    try:
        if ear:
            os.environ['PULSE_SERVER'] = ear.server
        with Desktop('desktop', 'vitrine.run=shell', qemu_options=qemu_options) as desktop:
            for number in range(1, options.runs + 1):
                found, pace = run(desktop, ear, options)
                if not found:
                    print(f'run {number}: nothing heard and seen', flush=True)
                    continue
                medians.append(sync.quantile(found, 0.5))
                print(f'run {number}: sound behind the picture p50 {medians[-1]:+.1f} ms, apart p95 '
                      f'{sync.quantile([abs(value) for value in found], 0.95):.1f} ms, {len(found)} beeps, '
                      f'the guest sounds at {pace * 100:.1f} %', flush=True)
    finally:
        if ear:
            ear.close()
    if medians:
        print(f'median of {len(medians)} runs {sync.quantile(medians, 0.5):+.1f} ms, '
              f'furthest {max(medians, key=abs):+.1f} ms')


if __name__ == '__main__':
    main()
