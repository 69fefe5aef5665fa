#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The clipboard, and files that are dropped, between a stock SPICE client and a Wayland session with vitrine-guest-clipboard."""
import hashlib
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'guest'), str(HERE.parent / 'client')]
import guest as agents  # noqa: E402
from test_agent import PATIENCE_S, IMAGE_BYTES, Room, main  # noqa: E402

FLAGS = {'clipboard': '', 'primary': '--primary '}


class WaylandRoom(Room):
    def guest_pastes(self, selection, wanted, kind):
        digest = hashlib.sha256(wanted).hexdigest()
        paste = self.machine.in_wayland(f'timeout 20 wl-paste {FLAGS[selection]}-n -t {kind}')
        self.machine.control.wait_until(f'{paste} >/tmp/pasted; sha256sum /tmp/pasted | grep -q {digest}', PATIENCE_S)

    def guest_copies(self, selection, path, kind):
        self.machine.run(f'chmod 644 {path}')
        self.machine.run(self.machine.in_wayland(f'timeout 20 wl-copy {FLAGS[selection]}-t {kind} <{path}'))
        return self.await_grab(selection)


def the_compositor_lets_us(room):
    room.machine.start_wayland()
    said = room.machine.run(room.machine.in_wayland('vitrine-guest-clipboard --check'))
    assert 'data-control' in said, said


def the_helper_serves(room):
    room.machine.start_daemon()
    room.machine.start_helper()
    room.await_agent()


def the_client_copies_text(room):
    for selection in FLAGS:
        text = f'hällo {selection} — from the client'.encode()
        room.offer(selection, 'text', text)
        room.guest_pastes(selection, text, 'text/plain')


def the_guest_copies_text(room):
    for selection in FLAGS:
        room.machine.run(f"printf 'from the guest, {selection}' >/tmp/copied")
        assert 'text' in room.guest_copies(selection, '/tmp/copied', 'text/plain')['types']
        pasted = room.paste(selection, 'text')
        assert pasted == f'from the guest, {selection}'.encode(), pasted


def images_go_both_ways(room):
    image = b'\x89PNG\r\n\x1a\n' + os.urandom(IMAGE_BYTES)
    room.offer('clipboard', 'png', image)
    room.guest_pastes('clipboard', image, 'image/png')
    room.machine.run(f'head -c {IMAGE_BYTES} /dev/urandom >/tmp/image')
    assert 'png' in room.guest_copies('clipboard', '/tmp/image', 'image/png')['types']
    assert hashlib.sha256(room.paste('clipboard', 'png')).hexdigest() == room.machine.digest('/tmp/image')


def files_are_dropped(room):
    data = os.urandom(300000)
    for name in ('dropped.bin', 'dropped.bin (1)'):
        room.probe.command(f'drop {room.file("dropped.bin", data)} {PATIENCE_S * 1000}', timeout=PATIENCE_S)
        assert room.machine.digest(f"'/home/guest/Downloads/{name}'") == hashlib.sha256(data).hexdigest()


def a_daemon_that_comes_again_is_found(room):
    room.machine.stop('daemon', 'KILL')
    room.await_agent(off=True)
    room.machine.start_daemon()
    room.machine.run(f'chmod 666 {agents.SOCKET}')
    room.await_agent()
    the_client_copies_text(room)
    the_guest_copies_text(room)


CHECKS = [the_compositor_lets_us, the_helper_serves, the_client_copies_text, the_guest_copies_text, images_go_both_ways,
          files_are_dropped, a_daemon_that_comes_again_is_found]


if __name__ == '__main__':
    main(CHECKS, WaylandRoom)
