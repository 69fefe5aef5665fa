#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The clipboard, and files that are dropped, between a stock SPICE client and the stock spice-vdagent in a guest.

With a number, that many copies of text are timed each way as well."""
import hashlib
import os
import pathlib
import statistics
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'guest'), str(HERE.parent / 'client')]
import desktop as lib  # noqa: E402
import guest as agents  # noqa: E402
import tap  # noqa: E402

PATIENCE_S = 60
IMAGE_BYTES = 1 << 20


class Room:
    def __init__(self, machine, folder):
        self.machine, self.folder, self.probe = machine, pathlib.Path(folder), None

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def offer(self, selection, kind, data):
        self.probe.command(f'offer {selection} {kind} {self.file("offer", data)}')

    def await_agent(self, off=False):
        self.probe.command(f'wait-agent {PATIENCE_S * 1000}{" off" if off else ""}', timeout=PATIENCE_S)

    def await_grab(self, selection):
        return self.probe.command(f'wait-grab {selection} {PATIENCE_S * 1000}', timeout=PATIENCE_S)

    def paste(self, selection, kind):
        """What the client pastes of the guest's."""
        path = self.folder / 'pasted'
        self.probe.command(f'paste {selection} {kind} {path} {PATIENCE_S * 1000}', timeout=PATIENCE_S)
        return path.read_bytes()

    def guest_pastes(self, selection, wanted, target):
        """The agent takes the selection a while after the client has offered it."""
        digest = hashlib.sha256(wanted).hexdigest()
        self.machine.control.wait_until(
            f'DISPLAY=:5 timeout 20 xclip -selection {selection} -t {target} -o >/tmp/pasted; '
            f'sha256sum /tmp/pasted | grep -q {digest}', PATIENCE_S)

    def guest_copies(self, selection, data_hex, target):
        self.machine.run(f"printf '{data_hex}' >/tmp/copied")
        self.machine.copy(selection, '/tmp/copied', target)
        self.await_grab(selection)


def without_an_agent_there_is_ours(room):
    assert not room.probe.command('wait-agent 100 off').get('error')
    room.machine.start_x()


def agents_that_lie_are_left(room):
    """Whoever opens the port may say anything; the desktop goes on."""
    machine = room.machine
    announce = r'\1\0\0\0\34\0\0\0\1\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0\10\0\0\0\0\0\0\0\377\377\377\377'
    grab = r'\1\0\0\0\34\0\0\0\1\0\0\0\7\0\0\0\0\0\0\0\0\0\0\0\10\0\0\0\0\0\0\0\1\0\0\0'
    bomb = r'\1\0\0\0\377\377\377\377\1\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\377\377\377\177\0\0\0\0\1\0\0\0'
    pid = min(int(path.name) for path in pathlib.Path('/proc').iterdir() if path.name.isdigit() and is_display(path, machine.name))
    machine.run(f'head -c 300000 /dev/urandom >{agents.PORT} & p=$!; sleep 2; kill $p 2>/dev/null; wait $p; true')
    assert "is no agent's; it is cut off" in machine.log_text()
    # A flood of what is right in itself, then a copy of 2 GiB that does not come.
    machine.run(f"printf '{announce}' >/tmp/hello; printf '{grab}' >/tmp/grab; i=0; while [ $i -lt 12 ]; do cat /tmp/grab /tmp/grab >/tmp/g2; "
                'mv /tmp/g2 /tmp/grab; i=$((i+1)); done')
    machine.run(f"printf '{bomb}' >/tmp/bomb; head -c 20000000 /dev/zero >>/tmp/bomb")
    rss = memory_kib(pid)
    machine.start(f'sh -c "(cat /tmp/hello; sleep 2; cat /tmp/grab /tmp/grab /tmp/bomb) >{agents.PORT}"', 'lies')
    await_log(room, "clients have the guest's")
    await_log(room, "clients have no more the guest's")
    assert '--clipboard-max allows 67108864' in machine.log_text()
    assert memory_kib(pid) < rss + 4096, (rss, memory_kib(pid))
    machine.run('rm /tmp/bomb /tmp/grab')
    assert room.probe.command('status')['connected']
    # It has heard of thousands of copies.
    room.probe.close()
    room.probe = machine.connect()


def await_log(room, text):
    end = time.monotonic() + PATIENCE_S
    while text not in room.machine.log_text():
        assert time.monotonic() < end, text
        time.sleep(0.2)


def memory_kib(pid):
    lines = pathlib.Path(f'/proc/{pid}/status').read_text().splitlines()
    return int(next(line for line in lines if line.startswith('VmRSS')).split()[1])


def the_guests_agent_takes_over(room):
    room.machine.start_daemon()
    room.machine.start_agent()
    room.await_agent()


def the_client_copies_text(room):
    for selection in ('clipboard', 'primary'):
        text = f'hällo {selection} — from the client'.encode()
        room.offer(selection, 'text', text)
        room.guest_pastes(selection, text, 'UTF8_STRING')


def the_guest_copies_text(room):
    for selection in ('clipboard', 'primary'):
        room.guest_copies(selection, f'from the guest, {selection}', 'UTF8_STRING')
        pasted = room.paste(selection, 'text')
        assert pasted == f'from the guest, {selection}'.encode(), pasted


def the_client_copies_an_image(room):
    image = b'\x89PNG\r\n\x1a\n' + os.urandom(IMAGE_BYTES)
    room.offer('clipboard', 'png', image)
    room.guest_pastes('clipboard', image, 'image/png')


def the_guest_copies_an_image(room):
    room.machine.run(f'head -c {IMAGE_BYTES} /dev/urandom >/tmp/image')
    room.machine.copy('clipboard', '/tmp/image', 'image/png')
    assert 'png' in room.await_grab('clipboard')['types']
    pasted = room.paste('clipboard', 'png')
    assert hashlib.sha256(pasted).hexdigest() == room.machine.digest('/tmp/image')


def a_file_is_dropped(room):
    data = os.urandom(300000)
    said = room.probe.command(f'drop {room.file("dropped.bin", data)} {PATIENCE_S * 1000}', timeout=PATIENCE_S)
    assert said['progress'] > 1, said
    assert room.machine.digest('/tmp/drops/dropped.bin') == hashlib.sha256(data).hexdigest()
    assert 'drops the file "dropped.bin" of 300000 bytes' in room.machine.log_text()


def a_fresh_display_has_the_agent_again(room):
    pids = [int(path.name) for path in pathlib.Path('/proc').iterdir() if path.name.isdigit() and is_display(path, room.machine.name)]
    assert pids
    # The other one is its child, which makes connections.
    os.kill(min(pids), 9)
    room.probe.close()
    room.probe = room.machine.connect()
    room.await_agent()
    the_client_copies_text(room)
    the_guest_copies_text(room)


def is_display(path, name):
    try:
        words = (path / 'cmdline').read_bytes().split(b'\0')
    except OSError:
        return False
    return words[0].endswith(b'vitrine-display') and f'--name={name}'.encode() in words


def the_agent_that_goes_leaves_ours(room):
    for name, signal in (('agent', 'TERM'), ('daemon', 'KILL')):
        if name == 'daemon':
            room.machine.start_agent()
            room.await_agent()
        room.machine.stop(name, signal)
        room.await_agent(off=True)
    room.machine.start_daemon()
    room.machine.control.run_status('kill -9 $(cat /tmp/agent.pid)')
    room.machine.start_agent()
    room.await_agent()
    the_client_copies_text(room)


def an_agent_that_hangs_is_left(room):
    room.offer('clipboard', 'png', os.urandom(32 << 20))
    time.sleep(2)
    room.machine.start('env DISPLAY=:5 xclip -selection clipboard -t image/png -o', 'paste')
    room.machine.control.wait_until('sleep 0.2', 5)
    room.machine.stop('daemon', 'STOP')
    room.await_agent(off=True)
    assert 'has stood still for 10 s' in room.machine.log_text()
    room.machine.stop('daemon', 'CONT')
    room.await_agent()
    the_client_copies_text(room)


def copies_are_quick(room):
    if len(sys.argv) < 2:
        raise tap.Skip('only when it is asked for')
    times = {'to the client': [], 'to the guest': []}
    for i in range(int(sys.argv[1])):
        room.guest_copies('clipboard', f'copy {i}', 'UTF8_STRING')
        start = time.monotonic()
        assert room.paste('clipboard', 'text') == f'copy {i}'.encode()
        times['to the client'].append(time.monotonic() - start)
        room.offer('clipboard', 'text', f'back {i}'.encode())
        room.guest_pastes('clipboard', f'back {i}'.encode(), 'UTF8_STRING')
        start = time.monotonic()
        room.guest_pastes('clipboard', f'back {i}'.encode(), 'UTF8_STRING')
        times['to the guest'].append(time.monotonic() - start)
    return '; '.join(f'{name}: p50 {statistics.median(all_s) * 1000:.0f} ms, p95 {sorted(all_s)[int(len(all_s) * 0.95)] * 1000:.0f} ms'
                     for name, all_s in times.items())


CHECKS = [without_an_agent_there_is_ours, agents_that_lie_are_left, the_guests_agent_takes_over, the_client_copies_text, the_guest_copies_text,
          the_client_copies_an_image, the_guest_copies_an_image, a_file_is_dropped, copies_are_quick,
          a_fresh_display_has_the_agent_again, the_agent_that_goes_leaves_ours, an_agent_that_hangs_is_left]


def main(checks, make_room):
    missing = lib.missing()
    addon = None if missing else agents.find_addon()
    if missing or not addon:
        tap.skip_all(missing or 'no guest with an agent can be had here')
    with tempfile.TemporaryDirectory() as folder, agents.AgentGuest(addon) as machine:
        room = make_room(machine, folder)
        room.probe = machine.connect()
        tap.run(checks, room, machine.print_logs)


if __name__ == '__main__':
    main(CHECKS, Room)
