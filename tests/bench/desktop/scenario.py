# SPDX-License-Identifier: MIT
"""One scene over one line on one side: what a stock client saw, as a flat dictionary of figures.

Times are in milliseconds, CPU in seconds, bytes in bytes; what is None could not be measured. The keys:

pictures_per_s  frames of which the client showed the upper and the lower end at the same time
torn_per_s      frames of which it only ever showed the upper end
drawn_per_s     frames the guest committed
flush_p50/p95   from the guest's commit to the picture at the client, of the pictures shown
age_p95         how old the picture on the client's screen was, over all moments
key_p50/p95     from the key press at the client to the picture that shows it
keys_lost       keys that did not show within the time-out
exact_after     from the last frame's commit to the moment when every pixel at the client is right; None: not within
                the time-out (SETTLE_S)
psnr, ssim      luma of the moving part, median of samples taken during motion
outside         pixels outside the moving part that were wrong, most of all samples
bytes           {channel: received}; bytes_per_s: of all channels
cpu             {kind: seconds}; wall: over how many seconds
"""
import pathlib
import statistics
import tempfile
import time

from probe import Probe
from side import PASSWORD, stat_seconds

MOTION = ('gl', 'world', 'window', 'video', 'scroll')
FULL_SCREEN = ('gl', 'world')
SETTLE_S = 8
KEY_TIMEOUT_MS = 3000
KEYS_IN_MOTION = 12
# Random pauses between keys, in milliseconds; spread over more than QEMU's 30 ms refresh timer.
KEY_PAUSES = (40, 130)


class Snapshot:
    """What is counted, at one moment."""

    def __init__(self, side, probe):
        self.bytes = probe.stats()['bytes_read']
        self.cpu = side.cpu()
        self.client = sum(stat_seconds(path) for path in client_stats(probe.pid))
        self.time = time.monotonic()

    def until(self, later):
        span = later.time - self.time
        by_channel = {name: later.bytes[name] - self.bytes.get(name, 0) for name in later.bytes}
        return {
            'wall': span,
            'bytes': by_channel,
            'bytes_per_s': sum(by_channel.values()) / span,
            'cpu': {kind: used - self.cpu.get(kind, 0) for kind, used in later.cpu.items()},
            'client_cpu': later.client - self.client,
        }


def client_stats(pid):
    """The stat files of spice-probe, which may run behind a desktop-line."""
    if pathlib.Path(f'/proc/{pid}/comm').read_text().strip() != 'desktop-line':
        return [pathlib.Path(f'/proc/{pid}/stat')]
    children = pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    return [pathlib.Path(f'/proc/{name}/stat') for name in children]


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def ages_over_time(shown, drawn, begin_us, end_us, step_us=2000):
    """Age of the picture on the screen at each of many moments. shown: [(frame, time)] in order."""
    ages, index = [], 0
    at = begin_us
    while at < end_us:
        while index + 1 < len(shown) and shown[index + 1][1] <= at:
            index += 1
        if shown and shown[index][1] <= at and shown[index][0] in drawn:
            ages.append((at - drawn[shown[index][0]]) / 1000)
        at += step_us
    return ages


def motion_figures(frames, drawn_list, first, last):
    """frames: [(frame, upper shown, whole shown)] of the client."""
    begin, end = first.time * 1e6, last.time * 1e6
    drawn = {}
    for frame, _, at in drawn_list:
        drawn.setdefault(frame, at)
    whole = [(frame, at) for frame, _, at in frames if at]
    span = last.time - first.time
    flush = [(at - drawn[frame]) / 1000 for frame, at in whole if begin <= at < end and frame in drawn]
    n_upper = sum(begin <= upper < end for _, upper, _ in frames)
    n_drawn = sum(begin <= at < end for _, _, at in drawn_list)
    return {
        'pictures': len(flush),
        'pictures_per_s': len(flush) / span,
        'torn_per_s': max(0, n_upper - len(flush)) / span,
        'drawn': n_drawn,
        'drawn_per_s': n_drawn / span,
        'flush_p50': percentile(flush, 0.5),
        'flush_p95': percentile(flush, 0.95),
        'age_p95': percentile(ages_over_time(whole, drawn, begin, end), 0.95),
    }


def key_figures(times_us):
    seen = [value / 1000 for value in times_us if value >= 0]
    # A key that did not show in time counts as late as the time-out: it must not make the figures better.
    all_ms = seen + [KEY_TIMEOUT_MS] * (len(times_us) - len(seen))
    return {'key_p50': percentile(all_ms, 0.5), 'key_p95': percentile(all_ms, 0.95), 'keys': len(times_us),
            'keys_lost': len(times_us) - len(seen)}


def quality_figures(samples):
    if not samples:
        return {'psnr': None, 'ssim': None, 'outside': None}
    return {'psnr': statistics.median(sample['psnr'] for sample in samples),
            'ssim': statistics.median(sample['ssim'] for sample in samples),
            'outside': max(sample['outside'] for sample in samples)}


def read_frames(path):
    return [tuple(int(word) for word in line.split()) for line in path.read_text().splitlines()]


class Scenario:
    """Runs scenes on one side through one line, each with a client of its own."""

    def __init__(self, side, line, seconds, n_keys, warm_s=3):
        self.side = side
        self.line = line
        self.seconds = seconds
        self.n_keys = n_keys
        self.warm_s = warm_s

    def run(self, scene):
        self.side.start_scene(scene)
        try:
            self.side.read_clock()
            with Probe.connect(host=self.line.host, port=self.side.desktop.port, password=PASSWORD, retry=5,
                               timeout=30, options=['--no-log'], prefix=self.line.prefix) as probe:
                self.wait_first(probe, scene)
                if scene in MOTION:
                    return self.run_motion(probe, scene)
                return self.run_typing(probe) if scene == 'typing' else self.run_still(probe)
        finally:
            self.side.end_scene()

    def wait_first(self, probe, scene):
        """Until the first picture is there, exact or (if it never gets so) for the time-out."""
        probe.command(f'record-begin {scene}')
        probe.command(f'record-settle 0 0 {SETTLE_S * 1000}', SETTLE_S)
        time.sleep(0.5)

    def run_motion(self, probe, scene):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, 'frames')
            probe.command(f'record-begin {scene} {int(self.seconds * 1000 / 6)}')
            self.side.go()
            time.sleep(self.warm_s)
            first = Snapshot(self.side, probe)
            time.sleep(self.seconds)
            last = Snapshot(self.side, probe)
            figures = first.until(last)
            if scene in FULL_SCREEN:
                figures |= self.press_keys(probe, KEYS_IN_MOTION)
            frame, keys = self.side.stop()
            settled = probe.command(f'record-settle {frame} {keys} {SETTLE_S * 1000}', SETTLE_S)
            ended = probe.command(f'record-end {path}', 20)
            frames = read_frames(path)
        self.side.read_clock()
        drawn = self.side.drawn_frames()
        figures |= motion_figures(frames, drawn, first, last)
        figures |= quality_figures(ended['samples'])
        figures['exact_after'] = (settled['exact_us'] - drawn[-1][2]) / 1000 if settled['exact_us'] else None
        return figures

    def press_keys(self, probe, n):
        answer = probe.command(f'record-keys {n} {KEY_PAUSES[0]} {KEY_PAUSES[1]} {KEY_TIMEOUT_MS}',
                               n * (KEY_TIMEOUT_MS + KEY_PAUSES[1]) / 1000)
        return key_figures(answer['keys_us'])

    def run_typing(self, probe):
        probe.command('record-begin typing')
        first = Snapshot(self.side, probe)
        keys = self.press_keys(probe, self.n_keys)
        last = Snapshot(self.side, probe)
        _, count = self.side.stop()
        settled = probe.command(f'record-settle 0 {count} {SETTLE_S * 1000}', SETTLE_S)
        self.side.read_clock()
        drawn = self.side.drawn_frames()
        figures = first.until(last) | keys
        figures['bytes_per_key'] = figures['bytes'].get('display-0', 0) / max(1, keys['keys'])
        figures['exact_after'] = max(0, settled['exact_us'] - drawn[-1][2]) / 1000 if settled['exact_us'] else None
        return figures

    def run_still(self, probe):
        time.sleep(self.warm_s)
        first = Snapshot(self.side, probe)
        time.sleep(self.seconds)
        return first.until(Snapshot(self.side, probe))


def unwatched(side, scene, seconds, warm_s=2):
    """CPU seconds by kind of one frame that nobody looks at: what the guest's drawing costs by itself."""
    side.start_scene(scene)
    side.read_clock()
    side.go()
    time.sleep(warm_s)
    before, begin = side.cpu(), time.monotonic() * 1e6
    time.sleep(seconds)
    after, end = side.cpu(), time.monotonic() * 1e6
    side.stop()
    side.read_clock()
    n = sum(begin <= at < end for _, _, at in side.drawn_frames())
    side.end_scene()
    return {kind: (used - before.get(kind, 0)) / max(1, n) for kind, used in after.items()}
