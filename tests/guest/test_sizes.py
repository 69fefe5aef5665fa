#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_sizes.py [N]: the guest has the size of its client's window.

The first mode is what the options say. Then N sizes (12, and 4 in sway) are asked for by a client in random order: what the guest's kernel
prefers, what is shown, and the client's picture are equal each time, where a program sets the mode that is preferred, and in sway with
vitrine-guest-resize.
"""
import pathlib
import random
import re
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'guest-tools'))

import desktop as lib  # noqa: E402
import guest  # noqa: E402
import tap  # noqa: E402
from desktop import Desktop  # noqa: E402

COUNT, SWAY_COUNT = [int(sys.argv[1])] * 2 if len(sys.argv) > 1 else (12, 4)
CONNECTOR = '/sys/class/drm/card0-Virtual-1'
HELPER = lib.ROOT / 'build/guest-tools/resize/vitrine-guest-resize'
BACKGROUND = '30506e'
# Odd ones, ones that are no multiple of 8 or 2, narrow, flat, small and large ones.
SIZES = [(33, 35), (1366, 768), (1367, 769), (641, 479), (1023, 1537), (333, 1001), (2001, 333), (64, 48), (1919, 1079), (2560, 1440),
         (801, 601), (1279, 1023), (1440, 901), (4096, 33), (5120, 257), (999, 999)]


def sizes(chance, count, least=32):
    """All of the table that are large enough before any other, in random order, and none twice in a row."""
    chosen = [size for size in chance.sample(SIZES, len(SIZES)) if min(size) >= least][:count]
    while len(chosen) < count:
        chosen.append((chance.randrange(least, 2200), chance.randrange(least, 1300)))
    return chosen


def describe(times):
    ordered = sorted(times)
    return (f'{len(times)} sizes, settled in ms: p50 {statistics.median(times):.0f}, p95 {ordered[int(0.95 * (len(times) - 1))]:.0f}, '
            f'longest {ordered[-1]:.0f}')


def the_first_mode_is_what_the_options_say(machine):
    text = machine.control.run('modetest -M virtio_gpu -c')
    first = re.search(r'#0 (\d+x\d+) ([\d.]+)', text)
    assert first and first[1] == '1366x768' and abs(float(first[2]) - 75) < 0.1, text
    assert machine.control.run(f'head -n 1 {CONNECTOR}/modes').strip() == '1366x768'
    with machine.connect() as probe:
        probe.wait_size(1366, 768)


def show_preferred(machine):
    """Sets the mode that the kernel prefers, with bars: blue at the right end. Gives the mode's size and rate."""
    text = machine.control.run('modetest -M virtio_gpu -c')
    connector = re.search(r'^(\d+)\t\d+\tconnected', text, re.MULTILINE)[1]
    width, height, rate = re.search(r'#0 (\d+)x(\d+) ([\d.]+)', text).groups()
    machine.control.run(f'killall -q sleep; (sleep 1000 | modetest -M virtio_gpu -s {connector}:{width}x{height}@XR24 >/dev/null 2>&1 &) ; true')
    return int(width), int(height), float(rate)


def each_size_is_the_guests_and_the_clients(machine):
    times = []
    chance = random.Random()
    with machine.connect() as probe:
        probe.command('wait-primary 5000', 5)
        for width, height in sizes(chance, COUNT):
            began = time.monotonic()
            probe.command(f'monitors-config {width} {height}')
            machine.control.wait_until(f'echo detect >{CONNECTOR}/status; [ "$(head -n 1 {CONNECTOR}/modes)" = {width}x{height} ]', 5)
            times.append(1000 * (time.monotonic() - began))
            *size, rate = show_preferred(machine)
            assert size == [width, height] and abs(rate - 75) < 0.5, (width, height, size, rate)
            probe.wait_size(width, height)
            probe.wait_pixel(width - 1, 0, '0000c0')
            machine.control.run('killall -q sleep; true')
    return describe(times)


def start_with_helper(folder):
    """A guest with sway, and the helper of the guest package beside it, which runs as its unit does."""
    base = lib.guest_folder()
    image = (base / 'desktop.img').read_bytes()
    initrd = pathlib.Path(folder, 'initrd')
    initrd.write_bytes(image + b'\0' * (-len(image) % 512) +
                       guest.cpio({'usr/bin/vitrine-guest-resize': (0o755, HELPER.read_bytes())}))
    machine = Desktop(None, options=[f'--kernel={base}/vmlinux', f'--initrd={initrd}', f'--append={lib.APPEND}', '--no-network'])
    try:
        machine.control.wait_ready(3 * lib.BOOT_TIMEOUT_S)
        machine.control.run('(su guest -c "XDG_RUNTIME_DIR=/run/user/1000 exec vitrine-guest-resize --watch" >/tmp/resize.log 2>&1 &) ; true')
        machine.control.wait_until('pidof sway && pidof foot && pidof frame-counter', 3 * lib.BOOT_TIMEOUT_S)
        machine.control.run('killall foot frame-counter')  # so that there is nothing but the background
    except BaseException:
        machine.print_logs()
        machine.close()
        raise
    return machine


def fill_window(machine, probe, width, height):
    """Milliseconds until the desktop has that size, and its lower corners are the desktop's."""
    began = time.monotonic()
    probe.command(f'monitors-config {width} {height}')
    shown = width & ~7  # this sway's wlroots is 0.15, which makes no other widths
    probe.wait_size(shown, height, 10)
    settled_ms = 1000 * (time.monotonic() - began)
    probe.wait_pixel(shown - 1, height - 1, BACKGROUND)
    probe.wait_pixel(0, height - 1, BACKGROUND)
    prefers = machine.control.run(f'head -n 1 {CONNECTOR}/modes').strip()
    assert prefers == f'{width}x{height}', (width, height, prefers)
    return settled_ms


def sway_fills_the_window():
    with tempfile.TemporaryDirectory(prefix='vitrine-sizes-') as folder, start_with_helper(folder) as machine:
        try:
            with machine.connect() as probe:
                probe.command('wait-primary 5000', 5)
                return describe([fill_window(machine, probe, *size) for size in sizes(random.Random(), SWAY_COUNT, 200)])
        except Exception:
            machine.print_logs()
            print('# ' + machine.control.run('cat /tmp/resize.log').replace('\n', '\n# '))
            raise


def main():
    reason = lib.missing()
    if reason or not lib.guest_folder():
        tap.skip_all(f'missing: {reason or "what build-guest needs"}')
    plain = Desktop('minimal', 'vitrine.run=shell', options=['--resolution=1366x768', '--refresh=75', '--no-network'])

    def on_sway(machine):
        machine.close()  # one machine at a time
        return sway_fills_the_window()
    on_sway.__name__ = sway_fills_the_window.__name__
    try:
        tap.run([the_first_mode_is_what_the_options_say, each_size_is_the_guests_and_the_clients, on_sway], plain)
    finally:
        plain.close()


if __name__ == '__main__':
    main()
