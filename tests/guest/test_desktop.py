#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A real guest's desktop in real QEMU, seen and driven by a stock SPICE client. One machine for all checks."""
import json
import os
import re
import signal
import time

import desktop as lib
import tap
from desktop import HEIGHT, WIDTH, Desktop, wait_for

BACKGROUND = '30506e'
BARS = ('000000', 'ff0000', '00ff00', '0000ff', 'ffff00', '00ffff', 'ff00ff', 'ffffff', '804020', '204080')
BAR_WIDTH, BAR_MIDDLE_Y = 60, 16 + 8 + 20  # counter_layout.h
POINTER_LOG = '/tmp/pointer.log'


def renderer_says_virgl(desktop):
    text = desktop.control.run('gl-info; grep GL_RENDERER /var/log/run.log', 60)
    lines = dict(line.split(': ', 1) for line in text.splitlines())
    assert 'virgl' in lines['GL_RENDERER'], text
    assert lines['GL_READBACK'] == 'ff8000ff', text
    return lines['GL_RENDERER']


def resolution_comes_from_the_edid(desktop):
    card = '/sys/class/drm/card0-Virtual-1'
    modes = desktop.control.run(f'cat {card}/modes').split()
    assert modes[0] == f'{WIDTH}x{HEIGHT}', modes
    # The kernel adds a mode of its own for GET_DISPLAY_INFO; the EDID itself must say the same.
    edid = desktop.control.run(f'edid-decode {card}/edid; true')
    preferred = re.search(r'DTD 1: +(\d+x\d+) +([\d.]+) Hz', edid)
    assert preferred and preferred[1] == f'{WIDTH}x{HEIGHT}', edid
    assert 59 < float(preferred[2]) < 61 or 'VITRINE_STOCK' in os.environ, preferred[0]
    mode = json.loads(desktop.swaymsg('-t', 'get_outputs'))[0]['current_mode']
    assert (mode['width'], mode['height']) == (WIDTH, HEIGHT), mode


def client_sees_the_desktop_at_once(desktop):
    with desktop.connect() as probe:
        probe.command('wait-primary 5000', 5)
        assert probe.size() == (WIDTH, HEIGHT)
        probe.wait_pixel(20, HEIGHT - 20, BACKGROUND, timeout=3)


def frame_counter_advances(desktop):
    with desktop.connect() as probe:
        answer = probe.wait_counter(30, timeout=5)
    return f'{answer["to"] - answer["from"]} in {answer["elapsed_ms"]} ms, {answer["seen"]} seen'


def guest_draws_without_a_client(desktop):
    count = "grep -c '^frame-counter' /var/log/run.log"
    before = int(desktop.control.run(count))
    wait_for('100 frames', lambda: int(desktop.control.run(count)) > before, 20)


def typed_text_arrives(desktop):
    desktop.control.run('rm -f /tmp/typed')
    text = 'Vitrine 0123456789 +-*/=_,.;: (x) [y] {z} <a> |~!@#%^&?'
    with desktop.connect() as probe:
        probe.type(f"echo '{text}' >/tmp/typed\n")
        desktop.control.wait_until('test -s /tmp/typed', 10)
    got = desktop.control.run('cat /tmp/typed').rstrip('\n')
    assert got == text, f'{got!r}, typed {text!r}'


def still_colours_are_exact(desktop):
    desktop.control.run('killall -q frame-counter; true')
    start_in_sway(desktop, 'frame-counter --still')
    with desktop.connect() as probe:
        counter = wait_for('strip', lambda: find_strip(probe), 10)
        for bar, color in enumerate(BARS):
            x = counter['x'] + bar * BAR_WIDTH + BAR_WIDTH // 2
            probe.wait_pixel(x, counter['y'] + BAR_MIDDLE_Y, color, timeout=8)
        probe.wait_pixel(20, HEIGHT - 20, BACKGROUND, timeout=2)


def pointer_reaches_every_corner(desktop):
    corners = [(0, 0), (WIDTH - 1, 0), (WIDTH - 1, HEIGHT - 1), (0, HEIGHT - 1), (WIDTH // 2, HEIGHT // 2),
               (1, 1), (WIDTH - 2, HEIGHT - 2), (639, 479), (640, 100), (1279, 719)]
    start_pointer_log(desktop)
    with desktop.connect() as probe:
        probe.command('wait-mouse-mode client 10000', 10)
        # Not where it may be already: the kernel drops what does not change.
        probe.move(333, 222)
        for x, y in corners:
            probe.move(x, y)
            desktop.control.wait_until(f"grep ' abs ' {POINTER_LOG} | tail -n 1 | grep -q 'pixel {x} {y}$'", 5)
    return f'{len(corners)} places exact'


def buttons_and_wheel_arrive(desktop):
    start_pointer_log(desktop)
    with desktop.connect() as probe:
        probe.command('wait-mouse-mode client 10000', 10)
        probe.move(300, 300)
        probe.click('left')
        probe.click('right')
        probe.wheel('up', 2)
        probe.wheel('down', 1)
        for event in ('button 0x110 1', 'button 0x110 0', 'button 0x111 1', 'wheel 1', 'wheel -1'):
            desktop.control.wait_until(f"grep -q '{event}' {POINTER_LOG}", 5)
    ups = desktop.control.run(f"grep -c 'wheel 1' {POINTER_LOG}").strip()
    assert ups == '2', f'{ups} steps up, 2 were sent'


def cursor_shape_arrives(desktop):
    with desktop.connect() as probe:
        probe.move(400, 400)
        probe.command('wait-cursor 1 5000', 5)
        cursor = probe.cursor()
    assert cursor['visible'], cursor


def keys_are_released_when_a_client_leaves(desktop):
    desktop.control.run('rm -f /tmp/after')
    with desktop.connect() as probe:
        probe.command('press 2a')  # left Shift, never released by this client
        time.sleep(0.3)
    time.sleep(0.5)
    with desktop.connect() as probe:
        probe.key('1c')
        probe.type('echo lower>/tmp/after\n')
        desktop.control.wait_until('test -s /tmp/after', 10)
    got = desktop.control.run('cat /tmp/after').strip()
    assert got == 'lower', got


def idle_desktop_costs_nothing(desktop):
    """A still picture and nobody watching: CPU time of our processes over 10 s."""
    ours = [pid for name, pids in desktop.workers().items() if name.startswith('vitrine') for pid in pids]
    if not ours:
        raise tap.Skip('stock QEMU has no processes of ours')
    time.sleep(3)
    before = {pid: cpu_ticks(pid) for pid in ours}
    time.sleep(10)
    spent = {pid: (cpu_ticks(pid) - before[pid]) * 1000 // os.sysconf('SC_CLK_TCK') for pid in ours}
    assert sum(spent.values()) <= 20, f'ms by process: {spent}, {desktop.workers()}'
    return f'{sum(spent.values())} ms in 10 s'


def reboot_in_place(desktop):
    before = desktop.workers()
    with desktop.connect() as probe:
        boot = desktop.control.run('cat /proc/sys/kernel/random/boot_id')
        desktop.control.lines.send('reboot -f\n')
        time.sleep(1)
        desktop.control.wait_ready(lib.BOOT_TIMEOUT_S)
        assert desktop.control.run('cat /proc/sys/kernel/random/boot_id') != boot, 'it did not reboot'
        desktop.wait_desktop()
        # The same client, never disconnected, sees the new desktop.
        probe.wait_counter(30, timeout=20)
    after = desktop.workers()
    assert before == after, f'processes before {before}, after {after}'


def qemu_answers_while_the_renderer_is_stopped(desktop):
    render = desktop.workers().get('vitrine-render')
    if not render:
        raise tap.Skip('stock QEMU has no vitrine-render')
    os.kill(render[0], signal.SIGSTOP)
    slowest = 0
    try:
        for command in ('stop', 'query-status', 'cont', 'system_reset', 'query-status'):
            began = time.monotonic()
            desktop.qmp.execute(command, timeout_s=10)
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.5)
    finally:
        try:
            os.kill(render[0], signal.SIGCONT)
        except ProcessLookupError:
            pass  # the keeper replaced it: what it is for
    assert slowest < 4, f'an answer took {slowest:.1f} s'
    desktop.control.wait_ready(lib.BOOT_TIMEOUT_S)
    desktop.wait_desktop()
    with desktop.connect() as probe:
        probe.wait_counter(30, timeout=20)
    return f'slowest answer {slowest * 1000:.0f} ms'


def no_command_is_refused(desktop):
    """All that Mesa has sent so far passes. Before the renderer is replaced: what programs send to that one is lost."""
    if desktop.stock:
        return 'not ours'
    counted = desktop.counted()
    refusals = {name: count for name, count in counted.items() if name.endswith(('_refused', '_failed'))}
    assert len(refusals) == 3 and not any(refusals.values()), refusals
    return f'{counted["making_waited_us"] / 1000:.0f} ms of making-time'


def ends_cleanly(desktop):
    below = [pid for pids in desktop.workers().values() for pid in pids]
    status = desktop.close(keep=True)
    assert status in (0, 130, -signal.SIGINT), f'status {status}'
    # What display's child made ends when display has, and is then nobody's but the first process's to bury.
    end = time.monotonic() + 2
    while (left := [pid for pid in below if os.path.exists(f'/proc/{pid}')]) and time.monotonic() < end:
        time.sleep(0.02)
    assert not left, f'still running: {left}'


def cpu_ticks(pid):
    with open(f'/proc/{pid}/stat') as file:
        fields = file.read().rpartition(')')[2].split()
    return int(fields[11]) + int(fields[12])


def find_strip(probe):
    answer = probe.ask('counter')
    return answer if answer['ok'] else None


def start_in_sway(desktop, command):
    desktop.swaymsg('exec', command)


def start_pointer_log(desktop):
    desktop.control.run('killall -q pointer-log; true')
    desktop.control.run(f'(pointer-log {WIDTH} {HEIGHT} >{POINTER_LOG} 2>&1 &) ; true')
    desktop.control.wait_until(f'grep -q watching {POINTER_LOG}', 5)


CHECKS = [renderer_says_virgl, resolution_comes_from_the_edid, client_sees_the_desktop_at_once, frame_counter_advances,
          guest_draws_without_a_client, typed_text_arrives, pointer_reaches_every_corner, buttons_and_wheel_arrive,
          cursor_shape_arrives, keys_are_released_when_a_client_leaves, still_colours_are_exact,
          idle_desktop_costs_nothing, reboot_in_place, no_command_is_refused, qemu_answers_while_the_renderer_is_stopped,
          ends_cleanly]


def main():
    reason = lib.missing()
    if reason or not lib.guest_folder():
        tap.skip_all(f'missing: {reason or "what build-guest needs"}')
    with Desktop('desktop') as desktop:
        desktop.wait_desktop()
        tap.run(CHECKS, desktop, desktop.print_logs)


if __name__ == '__main__':
    main()
