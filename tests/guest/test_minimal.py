#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A guest without a compositor: programs that draw straight on the screen, and the driver coming and going."""
import re
import time

import desktop as lib
import tap
from desktop import HEIGHT, WIDTH, Desktop, wait_for

GLMARK2 = 'glmark2-es2-drm --visual-config buffer=32:alpha=0'


def boots_to_a_shell(desktop):
    return f'guest up for {desktop.control.run("cat /proc/uptime").split()[0]} s'


def renderer_says_virgl(desktop):
    text = desktop.control.run('gl-info', 60)
    assert 'GL_RENDERER: virgl' in text and 'GL_READBACK: ff8000ff' in text, text
    return re.search('GL_RENDERER: (.*)', text)[1]


def text_console_is_shown(desktop):
    """The kernel's own console: 2D commands, no virgl. Written to directly; a block character is a full cell."""
    desktop.control.run("printf '\\033[2J\\033[H\\033[44m\\033[2J\\033[?25l' >/dev/tty1")
    with desktop.connect() as probe:
        assert probe.size() == (WIDTH, HEIGHT), probe.size()
        probe.wait_pixel(WIDTH // 2, HEIGHT // 2, '0000aa', timeout=5)
        probe.wait_pixel(3, 3, '0000aa', timeout=1)


def a_test_picture_is_exact(desktop):
    """modetest's SMPTE bars in a dumb buffer."""
    connector, mode = connector_and_mode(desktop)
    desktop.control.run(f'(sleep 1000 | modetest -M virtio_gpu -s {connector}:{mode}@XR24 >/tmp/modetest.log 2>&1 &) ; true')
    with desktop.connect() as probe:
        for column, color in enumerate(('c0c0c0', 'c0c000', '00c0c0', '00c000', 'c000c0', 'c00000', '0000c0')):
            probe.wait_pixel(WIDTH * (2 * column + 1) // 14, 200, color, timeout=8)
    desktop.control.run('killall -q modetest; killall -q sleep; true')


def kmscube_draws(desktop):
    # It ends when standard input becomes readable.
    desktop.control.run('(sleep 1000 | kmscube >/tmp/kmscube.log 2>&1 &) ; true')
    with desktop.connect() as probe:
        began = time.monotonic()
        probe.wait_updates(60, timeout=20)
        took = time.monotonic() - began
        # Its background is a quarter of full white; the cube turns before it.
        probe.wait_pixel(5, 5, '808080', timeout=5, tolerance=6)
        wait_for('cube', lambda: len(middle_row(probe)) > 10, 10)
    desktop.control.run('killall -q kmscube; killall -q sleep; true')
    return f'60 updates in {took:.1f} s'


def glmark2_runs(desktop):
    text = desktop.control.run(f'{GLMARK2} -b build:duration=3 -b texture:duration=3 -b shading:duration=3', 240)
    assert re.search('GL_RENDERER: +virgl', text), text
    rates = [int(fps) for fps in re.findall(r'FPS: (\d+)', text)]
    assert len(rates) == 3 and min(rates) > 0, text
    surface = re.search(r'Surface Size: +(\d+x\d+)', text)[1]
    assert surface == f'{WIDTH}x{HEIGHT}', f'{surface} is the largest mode offered'
    return 'frames per second: ' + ', '.join(map(str, rates))


def driver_reloads(desktop):
    before = desktop.workers()
    for _ in range(3):
        desktop.control.run('for console in /sys/class/vtconsole/vtcon*; do echo 0 >$console/bind; done 2>/dev/null; true')
        desktop.control.run('rmmod virtio_gpu', 30)
        assert desktop.control.run('ls /dev/dri 2>/dev/null; true').strip() == ''
        desktop.control.run('modprobe virtio_gpu', 30)
        desktop.control.wait_until('test -c /dev/dri/card0', 10)
    text = desktop.control.run('gl-info', 60)
    assert 'GL_RENDERER: virgl' in text and 'GL_READBACK: ff8000ff' in text, text
    assert desktop.workers() == before, f'processes before {before}, after {desktop.workers()}'
    kmscube_draws(desktop)


def renderer_crash_is_survived_by_qemu(desktop):
    """The keeper starts another; the guest may lose its contexts, never its machine."""
    render = desktop.workers().get('vitrine-render')
    if not render:
        raise tap.Skip('stock QEMU has no vitrine-render')
    desktop.control.run('true')
    lib.kill(render[0])
    wait_for('new renderer', lambda: desktop.workers().get('vitrine-render', render) != render, 20)
    desktop.control.run('echo alive', 10)
    driver_reloads(desktop)


def a_guest_that_listens_is_told_what_it_lost(desktop):
    """And one that does not listen is told later that it missed something, of which it has the number only."""
    if 'vitrine-render' not in desktop.workers():
        raise tap.Skip('stock QEMU has no vitrine-render')
    port = desktop.control.run('for name in /sys/class/virtio-ports/*/name; do grep -qx org.vitrine.lost.0 $name && '
                               'basename ${name%/name}; done; true').strip()
    desktop.control.run('(sleep 1000 | kmscube >/dev/null 2>&1 &) ; true')
    desktop.control.wait_until('pidof kmscube', 10)
    time.sleep(2)
    kill_renderer(desktop)
    told = desktop.control.run(f'cat /dev/{port} >/tmp/told & sleep 2; cat /tmp/told')
    assert told == '', told
    kill_renderer(desktop)
    told = desktop.control.wait_until('grep . /tmp/told', 10)
    desktop.control.run('killall -q cat; killall -q kmscube; killall -q sleep; true')
    words = re.fullmatch(r'vitrine-lost 1 1 killed (\d+) (\d+)((?: \d+,[a-z-]+,\S*)+)\n', told)
    assert words and int(words[2]) >= 1 and re.search(r' \d+,[a-z-]+,kmscube\b', words[3]), told
    return told.strip()


def kill_renderer(desktop):
    render = desktop.workers()['vitrine-render']
    lib.kill(render[0])
    wait_for('new renderer', lambda: desktop.workers().get('vitrine-render', render) != render, 20)
    time.sleep(1)


def middle_row(probe):
    """The set of colours in the middle of the picture."""
    return {probe.pixel(x, HEIGHT // 2) for x in range(WIDTH // 4, 3 * WIDTH // 4, 16)}


def connector_and_mode(desktop):
    """Number of the connected connector, name of its first mode."""
    text = desktop.control.run('modetest -M virtio_gpu -c')
    connector = re.search(r'^(\d+)\t\d+\tconnected', text, re.MULTILINE)[1]
    return connector, re.search(r'#0 (\d+x\d+)', text)[1]


CHECKS = [boots_to_a_shell, renderer_says_virgl, text_console_is_shown, a_test_picture_is_exact, kmscube_draws,
          glmark2_runs, driver_reloads, renderer_crash_is_survived_by_qemu, a_guest_that_listens_is_told_what_it_lost]


def main():
    reason = lib.missing()
    if reason or not lib.guest_folder():
        tap.skip_all(f'missing: {reason or "what build-guest needs"}')
    with Desktop('minimal', 'vitrine.run=shell') as desktop:
        tap.run(CHECKS, desktop, desktop.print_logs)


if __name__ == '__main__':
    main()
