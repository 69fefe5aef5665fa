#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A desktop is controlled: vitrine list, pause, resume, reset, send-key; what it says of itself in the terminal and in JSON; and
that a guest is not offered a sleep from which its graphics driver does not wake.
"""
import contextlib
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import desktop as lib
import tap
from control import Qmp
from desktop import Desktop, wait_for

WRONG_USAGE, NO_DESKTOP, WRONG_STATE = 2, 3, 4
PROGRAM = lib.vitrine_program()


def vitrine(*words, status=0):
    """Runs the command, and gives what it printed."""
    answer = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == status, (words, answer)
    return answer.stdout + answer.stderr


def listed(desktop):
    found = json.loads(vitrine('list', '--json'))
    assert found['version'] == 1, found
    return next(one for one in found['desktops'] if one['name'] == desktop.name)


def await_state(desktop, state, timeout_s=10):
    return wait_for(f'state {state}', lambda: listed(desktop)['state'] == state, timeout_s)


def run_folder(desktop):
    base = os.environ.get('XDG_RUNTIME_DIR')
    return (pathlib.Path(base) / 'vitrine' if base else pathlib.Path(f'/tmp/vitrine-{os.geteuid()}')) / desktop.name


def it_is_listed(desktop):
    await_state(desktop, 'running')
    one = listed(desktop)
    assert one['address'] == f'spice://127.0.0.1:{desktop.port}' and one['clients'] == [], one
    assert abs(time.time() - one['since']) < 120, one
    with desktop.connect():
        wait_for('client', lambda: listed(desktop)['clients'] == ['127.0.0.1'])
    assert re.search(rf'^{desktop.name} +running ', vitrine('list'), re.MULTILINE)


def it_is_paused_and_goes_on(desktop):
    vitrine('pause', desktop.name)
    await_state(desktop, 'paused')
    assert desktop.qmp.execute('query-status')['status'] == 'paused'
    said = vitrine('pause', desktop.name, status=WRONG_STATE)
    assert 'the machine is paused' in said, said
    said = vitrine('send-key', desktop.name, 'a', status=WRONG_STATE)
    vitrine('resume', desktop.name)
    await_state(desktop, 'running')
    desktop.control.run('true')
    vitrine('resume', desktop.name, status=WRONG_STATE)
    wait_for('driver', lambda: listed(desktop)['driver'] == 'virgl')
    log = desktop.log_text()
    assert log.count('driver is up (virgl)') == 1 and 'driver has stopped' not in log, log
    assert 'the machine is paused' in log and 'the machine goes on' in log, log


def others_that_pause_it_are_noticed(desktop):
    desktop.qmp.execute('stop')
    await_state(desktop, 'paused')
    desktop.qmp.execute('cont')
    await_state(desktop, 'running')


def keys_are_sent(desktop):
    """The guest's text console has tty1 in front; Alt-F3 brings another, and Ctrl-Alt-Delete sends init a signal."""
    front = '/sys/class/tty/tty0/active'
    assert desktop.control.run(f'echo >/dev/tty2; echo >/dev/tty3; cat {front}').strip() == 'tty1'
    vitrine('send-key', desktop.name, 'ctrl-alt-f3')
    desktop.control.wait_until(f'grep -qx tty3 {front}', 5)
    vitrine('send-key', desktop.name, 'alt-f1', 'Alt+F2')
    desktop.control.wait_until(f'grep -qx tty2 {front}', 5)
    vitrine('send-key', desktop.name, 'alt-f1')
    for nonsense in 'no-such-key', '-', 'a' * 40, 'a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q':
        assert vitrine('send-key', desktop.name, '--', nonsense, status=1 if nonsense == 'no-such-key' else WRONG_USAGE)


def wrong_words_have_their_status(desktop):
    for verb in 'pause', 'resume', 'reset':
        vitrine(verb, 'nobody', status=NO_DESKTOP)
        vitrine(verb, 'one', 'two', status=WRONG_USAGE)
        vitrine(verb, '--nonsense', status=WRONG_USAGE)
    vitrine('send-key', 'nobody', 'a', status=NO_DESKTOP)
    vitrine('send-key', desktop.name, status=WRONG_USAGE)


def completed(*words):
    """What bash makes of the last of these words."""
    script = f'. {lib.ROOT}/server/completion/vitrine; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vitrine; echo "${{COMPREPLY[@]}}"'
    return subprocess.run(['bash', '-c', script, 'bash', PROGRAM, *words], capture_output=True, text=True, check=True).stdout.split()


def bash_completes_it(desktop):
    assert completed('pa') == ['pause'] and completed('send') == ['send-key'], completed('')
    assert {'run', 'list', 'screenshot', 'stop'} <= set(completed(''))
    assert completed('screenshot', '--he') == ['--help', '--head'] or completed('screenshot', '--he') == ['--head', '--help']
    assert completed('pause', desktop.name[:-1]).count(desktop.name) == 1


def a_qmp_socket_is_left_for_the_user(desktop):
    path = pathlib.Path(listed(desktop)['qmp'])
    assert path == run_folder(desktop) / 'qmp-user', path
    qmp = Qmp(path, 5)
    assert qmp.execute('query-name')['name'] == desktop.name
    qmp.close()


class Listener:
    """Who is told what happens: the kinds of events, as they come over the control socket."""

    def __init__(self, desktop):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(5)
        self.socket.connect(str(run_folder(desktop) / 'control'))
        self.socket.sendall(b'\0AUTH EXTERNAL ' + str(os.geteuid()).encode().hex().encode() + b'\r\n')
        assert self.socket.recv(100).startswith(b'OK ')
        self.socket.sendall(b'BEGIN\r\n')
        self.heard = b''

    def await_event(self, kind):
        while kind not in self.heard:
            self.heard += self.socket.recv(65536)
        self.heard = self.heard.partition(kind)[2]


def events_are_told(desktop):
    listener = Listener(desktop)
    with desktop.connect():
        listener.await_event(b'client-came')
        listener.await_event(b'client 127.0.0.1:')
        vitrine('pause', desktop.name)
        listener.await_event(b'paused')
        vitrine('resume', desktop.name)
        listener.await_event(b'resumed')
    listener.await_event(b'client-left')
    listener.await_event(b': left, after ')
    listener.socket.close()


def strangers_are_refused(desktop):
    """The folder keeps others out; whoever could get past it is known by the kernel's word, whatever he says."""
    if os.geteuid() != 0:
        raise tap.Skip('only root can be somebody else')
    folder = run_folder(desktop)
    answer = subprocess.run([sys.executable, '-c', STRANGER, folder], capture_output=True, text=True, timeout=20, check=False)
    os.chmod(folder, 0o700)
    assert answer.returncode == 0 and 'OK' not in answer.stdout, answer
    assert listed(desktop)['state'] == 'running'


STRANGER = """
import os, socket, sys
os.chdir(sys.argv[1])
os.chmod('control', 0o666)
os.chmod('.', 0o711)
os.setresuid(54321, 54321, 54321)
there = socket.socket(socket.AF_UNIX)
there.settimeout(5)
there.connect('control')
there.sendall(b'\\0AUTH EXTERNAL 3534333231\\r\\nNEGOTIATE_UNIX_FD\\r\\nBEGIN\\r\\n')
try:
    while text := there.recv(1000):
        print(text.decode())
except OSError as error:
    print(error)
"""


def garbage_ends_nothing(desktop):
    for junk in b'', b'\0', b'\0AUTH\r\n' * 100, os.urandom(100000):
        with socket.socket(socket.AF_UNIX) as there:
            there.settimeout(5)
            there.connect(str(run_folder(desktop) / 'control'))
            try:
                there.sendall(junk)
            except OSError:
                pass
    waiting = []
    for _ in range(100):
        there = socket.socket(socket.AF_UNIX)
        there.connect(str(run_folder(desktop) / 'control'))
        waiting.append(there)
    assert listed(desktop)['state'] == 'running'
    for there in waiting:
        there.close()


def sleep_is_not_offered(desktop):
    """Of ACPI's sleeping states the guest knows none; what is left it can be woken from by a key."""
    assert 'deep' not in desktop.control.run('cat /sys/power/mem_sleep')
    assert 'disk' not in desktop.control.run('cat /sys/power/state').split() or \
        'platform' not in desktop.control.run('cat /sys/power/disk')


def a_key_wakes_the_guest(desktop):
    with desktop.connect() as probe:
        desktop.control.lines.send('echo mem >/sys/power/state\n')
        wait_for('the line that says it', lambda: "graphics driver has stopped" in desktop.log_text(), 20)
        assert listed(desktop)['driver'] == 'none', listed(desktop)
        probe.key('39')
        desktop.control.wait_ready(20)


def resume_wakes_it_too(desktop):
    desktop.control.lines.send('echo mem >/sys/power/state\n')
    time.sleep(3)
    vitrine('resume', desktop.name)
    desktop.control.wait_ready(20)


def png_pixels(path, n_rows):
    """Width, height and the first rows of RGB of a PNG without interlacing, whatever its filters."""
    data = path.read_bytes()
    assert data[:8] == b'\x89PNG\r\n\x1a\n'
    at, packed = 8, b''
    while at < len(data):
        size, kind = struct.unpack('>I4s', data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b'IHDR':
            width, height, *form = struct.unpack('>IIBBBBB', body)
            assert form == [8, 2, 0, 0, 0], form
        packed += body if kind == b'IDAT' else b''
        at += size + 12
    raw, rows, above = zlib.decompress(packed), [], bytes(3 * width)
    for y in range(n_rows):
        start = y * (3 * width + 1)
        row = bytearray(raw[start + 1:start + 1 + 3 * width])
        for x, byte in enumerate(row) if raw[start] else ():
            left, up, corner = (row[x - 3], above[x], above[x - 3]) if x >= 3 else (0, above[x], 0)
            nearest = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
            row[x] = byte + (0, left, up, (left + up) // 2, nearest)[raw[start]] & 255
        rows.append(bytes(row))
        above = rows[-1]
    return width, height, rows


def fill(desktop, colour):
    desktop.control.run(f"printf '\\033[2J\\033[H\\033[4{colour}m\\033[2J\\033[?25l' >/dev/tty1")


def it_is_photographed(desktop):
    """Without a client, with one that looks at a still picture, and when the picture has changed."""
    path = desktop.folder / 'shot.png'
    seen = []
    for colour, rgb, clients in ((4, '0000aa', 0), (4, '0000aa', 1), (1, 'aa0000', 1), (2, '00aa00', 0)):
        fill(desktop, colour)
        with contextlib.ExitStack() as stack:
            if clients:
                probe = stack.enter_context(desktop.connect())
                probe.wait_pixel(100, 100, rgb, timeout=10)
            time.sleep(1)
            said = vitrine('screenshot', desktop.name, path)
        width, height, rows = png_pixels(path, 21)
        assert f'{path}: {width}x{height}' in said, said
        assert (width, height) == (lib.WIDTH, lib.HEIGHT), (width, height)
        for x, y in (20, 20), (width // 2, 10), (width - 5, 5):
            assert rows[y][3 * x:3 * x + 3].hex() == rgb, (colour, x, y, rows[y][3 * x:3 * x + 3].hex())
        seen.append(path.stat().st_size)
    vitrine('screenshot', desktop.name, path, '--head', 9, status=1)
    vitrine('screenshot', desktop.name, desktop.folder / 'no/such/folder.png', status=1)
    vitrine('screenshot', desktop.name, status=WRONG_USAGE)
    vitrine('screenshot', 'nobody', path, status=NO_DESKTOP)
    assert sorted(file.name for file in desktop.folder.iterdir() if 'png' in file.name) == ['shot.png']
    return f'bytes: {seen}'


def cloud_init_finds_its_seed(desktop):
    """By its label, on a disk that is only read; what is in the files, unit tests look at."""
    assert desktop.control.run('cat /sys/block/vdb/ro').strip() == '1'
    text = desktop.control.run('dd if=/dev/vdb bs=512 count=60 2>/dev/null | strings')
    assert 'CIDATA' in text and '#cloud-config' in text and f'local-hostname: {desktop.name}' in text, text


def reset_starts_it_again(desktop):
    before = float(desktop.control.run('cat /proc/uptime').split()[0])
    vitrine('reset', desktop.name)
    wait_for('the line', lambda: 'the machine is reset' in desktop.log_text(), 5)
    time.sleep(1)
    desktop.control.wait_ready(90)
    assert float(desktop.control.run('cat /proc/uptime').split()[0]) < before
    wait_for('driver', lambda: listed(desktop)['driver'] == 'virgl', 20)


CHECKS = [it_is_listed, it_is_paused_and_goes_on, others_that_pause_it_are_noticed, keys_are_sent, wrong_words_have_their_status,
          bash_completes_it, events_are_told, it_is_photographed, a_qmp_socket_is_left_for_the_user, strangers_are_refused, garbage_ends_nothing, sleep_is_not_offered, a_key_wakes_the_guest,
          resume_wakes_it_too, cloud_init_finds_its_seed, reset_starts_it_again]


def main():
    reason = lib.missing()
    if reason or not lib.guest_folder():
        tap.skip_all(f'missing: {reason or "what build-guest needs"}')
    with tempfile.TemporaryDirectory(prefix='vitrine-control-') as folder:
        control_all(pathlib.Path(folder))


def control_all(folder):
    (folder / 'key.pub').write_text('ssh-ed25519 AAAA somebody\n')
    (folder / 'disk.raw').write_bytes(bytes(1 << 20))
    options = ['--memory', 512, '--no-network', '--no-audio', '--disk', folder / 'disk.raw',
               '--cloud-init', f'user=ada,key={folder}/key.pub']
    with Desktop('minimal', 'vitrine.run=shell', options=options) as desktop:
        only = sys.argv[1:]
        tap.run([check for check in CHECKS if not only or check.__name__ in only], desktop, desktop.print_logs)


if __name__ == '__main__':
    main()
