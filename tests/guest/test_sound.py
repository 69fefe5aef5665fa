#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A real guest's sound at a stock SPICE client, whether it stays in step with the picture, and what the guest hears of the client."""
import os
import re
import time

import desktop as lib
import sync
import tap
from desktop import Desktop, wait_for

BEEPS = 12
BEEP_MS, BEEP_PEAK = 100, 16000  # programs/beep_flash.c
LOG = '/tmp/beep-flash.log'
# Seen is below 50 ms; a loaded machine holds pictures up. What this must not let through is 400 ms.
APART_MAX_MS = 150
# hear-tone leaves out what comes before the client has been told, and has been heard.
TONES_HZ, HEAR_MS, SETTLE_MS = (700, 1300), 1000, 700


def guest_has_a_sound_card(desktop):
    return desktop.control.wait_until('test -c /dev/snd/pcmC0D0p && grep HDA /proc/asound/cards', 10).splitlines()[0].strip()


def film_record(desktop, probe):
    """What the client heard and saw of a film, and what the guest said of it."""
    desktop.control.run(f'(beep-flash {BEEPS} >{LOG} 2>&1 &) ; true')
    film = desktop.control.wait_until(f'grep ^film {LOG}', 10)
    x, y = film.split()[4:6]
    probe.command(f'sync-begin {x} {y} {sync.MODEL_DEVICE_MS}')
    desktop.control.wait_until(f'grep ^dry {LOG}', 2 * BEEPS * sync.BEAT_US / 1e6)
    # What is on its way to the screen.
    time.sleep(0.5)
    return probe.command('sync-end'), desktop.control.run(f'cat {LOG}')


def beeps_are_heard(subject):
    heard = [beep for beep in subject.answer['beeps'] if sync.beat_of_tone(beep['hz']) is not None]
    whole = [beep for beep in heard if abs(beep['ms'] - BEEP_MS) <= 10 and BEEP_PEAK * 0.8 < beep['peak'] < BEEP_PEAK * 1.3]
    assert len(whole) >= BEEPS * 2 // 3, subject.answer['beeps']
    beats = [sync.beat_of_tone(beep['hz']) for beep in heard]
    steps = [(after - before) % len(sync.BEATS) for before, after in zip(beats, beats[1:])]
    assert steps.count(1) >= len(steps) * 2 // 3, steps
    return (f'{len(whole)} of {BEEPS} whole; {re.findall("dry.*", subject.log)[0]} times; '
            f'the guest sounds at {sync.pace(sync.beeps(subject.answer)) * 100:.1f} %')


def volume_is_the_guests(subject):
    assert (subject.sound['volume'], subject.sound['mute']) == (65535, 0), subject.sound


def flashes_are_seen_as_video(subject):
    assert subject.stats['streams'] >= 1, subject.stats
    seen = sync.flashes(subject.answer['changes'])
    assert len(seen) >= BEEPS * 2 // 3, subject.answer['changes']
    return f'{len(seen)} of {BEEPS}, {subject.stats["codec"]}'


def sound_stays_in_step(subject):
    apart = sync.apart_ms(sync.beeps(subject.answer), subject.answer['changes'], sync.MODEL_LATENCY_MS)
    assert len(apart) >= BEEPS // 2, subject.answer
    middle = sync.quantile(apart, 0.5)
    assert abs(middle) <= APART_MAX_MS, apart
    return f'behind the picture p50 {middle:+.0f} ms, all {", ".join(f"{value:+.0f}" for value in apart)}'


def silence_is_not_sent(subject):
    """A stream that is on has the client's clock. The guest goes on playing: zeros."""
    sound = wait_for('stop', lambda: stopped(subject.probe), 10)
    time.sleep(1)
    assert subject.probe.command('sound')['bytes'] == sound['bytes'], sound
    subject.control.run('pidof beep-flash && grep -q RUNNING /proc/asound/card0/pcm0p/sub0/status')


def stopped(probe):
    sound = probe.command('sound')
    return sound if sound['starts'] > 0 and sound['stops'] == sound['starts'] else None


class Subject:
    """One film, and the client that was there."""

    def __init__(self, desktop, probe):
        self.desktop, self.probe, self.control = desktop, probe, desktop.control
        guest_has_a_sound_card(desktop)
        self.answer, self.log = film_record(desktop, probe)
        self.sound, self.stats = probe.command('sound'), probe.stats()


def the_guest_hears_the_client(subject):
    """Each way at once: the film's programs go on with silence, and the client says two tones after each other."""
    told = []
    for hz in TONES_HZ:
        subject.probe.command(f'speak {hz}')
        heard = subject.control.run(f'hear-tone {HEAR_MS} {SETTLE_MS}', 30)
        frequency, peak, frames = (float(word) for word in re.search(r'heard ([0-9.]+) Hz peak ([0-9]+) of ([0-9]+)', heard).groups())
        assert abs(frequency - hz) <= hz * 0.03, (hz, heard)
        assert 4000 < peak < 16000, heard
        # A busy machine's guest loses some of its own time.
        assert frames >= HEAR_MS * 48 * 0.7, heard
        told.append(f'{hz} Hz as {frequency:.1f}')
    return ', '.join(told)


def a_microphone_is_open_only_while_the_guest_records(subject):
    said = wait_for('the end', lambda: recorded(subject.probe), 10)
    assert said['starts'] == len(TONES_HZ), said
    silent = subject.control.run('hear-tone 500 0', 30)
    assert 'heard' in silent, silent
    subject.probe.command('speak off')
    silent = subject.control.run('hear-tone 500 500', 30)
    assert ' peak 0 ' in silent, silent


def recorded(probe):
    said = probe.command('microphone')
    return said if said['starts'] > 0 and said['stops'] == said['starts'] else None


CHECKS = [guest_has_a_sound_card, beeps_are_heard, volume_is_the_guests, flashes_are_seen_as_video, sound_stays_in_step,
          silence_is_not_sent, the_guest_hears_the_client, a_microphone_is_open_only_while_the_guest_records]


def main():
    reason = lib.missing()
    if reason or not lib.guest_folder():
        tap.skip_all(f'missing: {reason or "what build-guest needs"}')
    if 'VITRINE_STOCK' in os.environ:
        tap.skip_all('the stock machine has no sound card')
    with Desktop('desktop', 'vitrine.run=shell') as desktop, desktop.connect() as probe:
        tap.run(CHECKS, Subject(desktop, probe), desktop.print_logs)


if __name__ == '__main__':
    main()
