# SPDX-License-Identifier: MIT
"""How far apart beep-flash's beeps and flashes are at a client, from what spice-probe recorded."""

# programs/beep_flash.c: tone and colour of a beat, one after the other.
BEATS = ((500, 'ff0000'), (1000, '00ff00'), (1500, '0000ff'), (2000, 'ffffff'))
BEAT_US = 500000
TONE_TOLERANCE = 0.1
CHANNEL_TOLERANCE = 40

# A client's sound device without one: what it says of its latency, and how long after it arrived a sample is
# heard: spice-gtk 0.42 on PulseAudio, as bench_sound.py sees them.
MODEL_DEVICE_MS = 130
MODEL_LATENCY_MS = MODEL_DEVICE_MS + 20


def beat_of_tone(hz):
    """Which of the four beats sounds so, or None."""
    for beat, (tone, _) in enumerate(BEATS):
        if abs(hz - tone) <= tone * TONE_TOLERANCE:
            return beat
    return None


def beat_of_color(pixel):
    for beat, (_, color) in enumerate(BEATS):
        if all(abs(int(pixel[i:i + 2], 16) - int(color[i:i + 2], 16)) <= CHANNEL_TOLERANCE for i in (0, 2, 4)):
            return beat
    return None


def flashes(changes):
    """[(beat, shown_us)] of the changes to a beat's colour."""
    found = [(beat_of_color(change['pixel']), change['at_us']) for change in changes]
    return [(beat, at_us) for beat, at_us in found if beat is not None]


def beeps(answer):
    """[(beat, arrived_us)] of what `sync-end` answered."""
    return [(beat_of_tone(beep['hz']), beep['at_us']) for beep in answer['beeps']]


def pace(heard):
    """How fast the guest's sound runs, 1: as fast as time. heard: [(beat, arrived_us)]."""
    beats = 0
    for (before, _), (after, _) in zip(heard, heard[1:]):
        if None in (before, after):
            return float('nan')
        beats += (after - before) % len(BEATS)
    return beats * BEAT_US / (heard[-1][1] - heard[0][1]) if beats else float('nan')


def apart_ms(heard, changes, latency_ms=0):
    """How much later each beep is heard than its flash is seen, in ms. heard: [(beat, arrived_us)]. A beep is that
    of the flash of its beat that is nearest, and no further than a second: four beats are two seconds."""
    found = []
    for beat, arrived_us in heard:
        heard_us = arrived_us + latency_ms * 1000
        near = min((heard_us - shown_us for name, shown_us in flashes(changes) if name == beat), key=abs, default=None)
        if near is not None and abs(near) <= len(BEATS) * BEAT_US / 2:
            found.append(near / 1000)
    return found


def quantile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
