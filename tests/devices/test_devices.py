#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stock client's CD, folder and ports in a guest, with QEMU's usb-redir and the stock spice-webdavd."""
import hashlib
import os
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'guest'), str(HERE.parent / 'client')]
import desktop as lib  # noqa: E402
import guest as devices  # noqa: E402
import tap  # noqa: E402

PATIENCE_S = 60
CD_BYTES = 8 << 20
FLOOD_BYTES = 24 << 20
# What display may grow by while a guest does not read: what waits in the ways between, and a message of the client's.
GROWTH_KIB = 8 << 10


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


class Room:
    def __init__(self, machine, folder):
        self.machine, self.folder, self.probe = machine, pathlib.Path(folder), None
        self.cd = os.urandom(CD_BYTES)

    def file(self, name, data=b''):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def ask(self, command, timeout_s=PATIENCE_S):
        return self.probe.command(f'{command} {timeout_s * 1000}', timeout=timeout_s)

    def share_cd(self):
        # After a display's end QEMU's devices are found while clients come.
        lib.wait_for('channel', lambda: self.probe.command('usb')['free'])
        self.ask(f'share-cd {self.file("cd.iso", self.cd)}')
        self.machine.control.wait_until('test -b /dev/sr0 && test $(cat /sys/block/sr0/size) -gt 0', PATIENCE_S)

    def read_cd(self):
        return self.machine.run('sha256sum /dev/sr0', 4 * PATIENCE_S).split()[0]

    def display_pids(self):
        return sorted(self.machine.workers().get('vitrine-display', []))

    def reconnect(self):
        self.probe.close()
        self.probe = self.machine.connect()


def memory_kib(pid):
    lines = pathlib.Path(f'/proc/{pid}/status').read_text().splitlines()
    return int(next(line for line in lines if line.startswith('VmRSS')).split()[1])


def without_a_client_nothing_is_connected(room):
    assert not room.machine.connected_chardevs() - {'vitrine_agent'}, room.machine.connected_chardevs()
    room.probe = room.machine.connect()
    lib.wait_for('stream', lambda: {'vitrine_usb0', 'vitrine_usb1'} <= room.machine.connected_chardevs())
    assert room.machine.run('ls /sys/bus/usb/devices | grep -c "^[0-9]-[0-9]*$" || true').strip() == '0'


def the_guest_reads_the_clients_cd(room):
    room.share_cd()
    assert room.read_cd() == digest_of(room.cd)
    said = room.probe.command('usb')
    assert said['connected'] == 1 and said['free'] == 1, said


def the_cd_is_taken_away_and_comes_back(room):
    room.ask('unshare-cd')
    room.machine.control.wait_until('! test -b /dev/sr0', PATIENCE_S)
    room.share_cd()
    assert room.read_cd() == digest_of(room.cd)


def a_cut_in_the_middle_of_a_transfer(room):
    """The client is gone without a word while the guest reads: its CD is, too, and the next client's comes."""
    room.machine.run('echo 3 >/proc/sys/vm/drop_caches')
    room.machine.start('sh -c "dd if=/dev/sr0 of=/dev/null bs=64k; echo read"', 'cut')
    room.machine.control.wait_until('test $(awk "{print \\$3}" /sys/block/sr0/stat) -gt 0', PATIENCE_S)
    os.kill(room.probe.pid, 9)
    room.machine.control.wait_until('! test -b /dev/sr0', PATIENCE_S)
    room.machine.control.wait_until('grep -q read /tmp/cut.log', PATIENCE_S)
    lib.wait_for('end of the stream', lambda: 'vitrine_usb0' not in room.machine.connected_chardevs())
    room.reconnect()
    room.share_cd()
    assert room.read_cd() == digest_of(room.cd)


def a_fresh_display_leads_to_the_devices_again(room):
    os.kill(room.display_pids()[0], 9)
    room.reconnect()
    room.share_cd()
    assert room.read_cd() == digest_of(room.cd)


def the_guest_reads_and_writes_the_clients_folder(room):
    shared = room.folder / 'shared'
    shared.mkdir()
    (shared / 'from-client').write_bytes(room.cd[:3000000])
    room.probe.command(f'share-folder {shared}')
    room.machine.start_webdavd()
    room.ask(f'wait-port {devices.FOLDER} open')
    room.machine.control.wait_until(f'curl -sf -m 5 -o /dev/null {devices.WEB}/', PATIENCE_S)
    room.machine.run(f'curl -sf -m 50 -o /tmp/got {devices.WEB}/from-client')
    assert room.machine.run('sha256sum /tmp/got').split()[0] == digest_of(room.cd[:3000000])
    # Debian's phodav, which the client has, writes nothing of who expects to be told to go on.
    room.machine.run(f'head -c 2000000 /dev/urandom >/tmp/made; curl -sf -m 50 -H Expect: -T /tmp/made {devices.WEB}/from-guest')
    assert room.machine.run('sha256sum /tmp/made').split()[0] == digest_of((shared / 'from-guest').read_bytes())


def the_next_client_has_its_own_folder(room):
    room.reconnect()
    other = room.folder / 'other'
    other.mkdir()
    (other / 'mine').write_text('of the second client')
    room.probe.command(f'share-folder {other}')
    room.machine.control.wait_until(f'test "$(curl -sf -m 5 {devices.WEB}/mine)" = "of the second client"', PATIENCE_S)


def a_port_by_its_name(room):
    names = room.probe.command('ports')['ports'].split(',')
    assert devices.PORT + ':closed' in names and devices.CONSOLE in names, names
    room.machine.start(f'sh -c "exec 3<>/dev/virtio-ports/{devices.PORT}; head -c 1000000 <&3 | tr a-z A-Z >&3"', 'echo')
    room.ask(f'wait-port {devices.PORT} open')
    data = os.urandom(500000).hex().encode()
    room.ask(f'port-write {devices.PORT} {room.file("said", data)}')
    heard = room.file('heard')
    room.ask(f'port-read {devices.PORT} {len(data)} {heard}')
    assert heard.read_bytes() == data.upper()
    room.ask(f'wait-port {devices.PORT} closed')


def a_guest_that_does_not_read_holds_its_client_up(room):
    """Nobody's memory grows, and when the guest reads all of it comes."""
    data = os.urandom(1 << 20) * (FLOOD_BYTES >> 20)
    said = room.file('flood', data)
    room.machine.start(f'sh -c "exec 3<>/dev/virtio-ports/{devices.PORT}; sleep 1; while ! test -e /tmp/go; do sleep 0.2; done; '
                       f'head -c {FLOOD_BYTES} <&3 | sha256sum"', 'flood')
    room.ask(f'wait-port {devices.PORT} open')
    pid = room.display_pids()[0]
    before = memory_kib(pid)
    pieces = [room.file(f'piece{i}', data[i << 20:(i + 1) << 20]) for i in range(FLOOD_BYTES >> 20)]
    said = [room.probe.ask(f'port-write {devices.PORT} {piece} 200') for piece in pieces[:16]]
    assert not said[-1]['ok'], said
    grown = memory_kib(pid) - before
    assert grown < GROWTH_KIB, grown
    assert room.probe.command('status')['connected']
    room.machine.run('touch /tmp/go')
    for piece in pieces[16:]:
        room.ask(f'port-write {devices.PORT} {piece}')
    room.machine.control.wait_until('test -s /tmp/flood.log', 2 * PATIENCE_S)
    assert room.machine.run('cat /tmp/flood.log').split()[0] == digest_of(data)
    return f'display grew by {grown} KiB'


def the_console_is_the_first_serial_port(room):
    answer = room.file('answer')
    room.ask(f'port-write {devices.CONSOLE} {room.file("typed", b"echo on-$((40+2))-the-console" + bytes([10]))}')
    end = time.monotonic() + PATIENCE_S
    heard = b''
    while b'on-42-the-console' not in heard:
        assert time.monotonic() < end, heard
        room.probe.ask(f'port-read {devices.CONSOLE} 1 {answer} 1000', timeout=1)
        heard += answer.read_bytes()


def what_is_not_allowed_is_not_plugged(room):
    """QEMU refuses it, whatever the guest: this one has no system."""
    room.probe.close()
    room.machine.close()
    disk = room.file('empty.raw', bytes(1 << 20))
    room.machine = lib.Desktop(options=[f'--disk={disk}', '--no-network', '--no-audio', '--usb=1', '--usb-allow=hid,1d6b:*'])
    with room.machine.connect(options=['--devices', '--no-log']) as probe:
        lib.wait_for('channel', lambda: probe.command('usb')['free'])
        probe.ask(f'share-cd {room.file("cd.iso", room.cd)} 5000', timeout=5)
        lib.wait_for('refusal', lambda: probe.command('usb')['connected'] == 0)


CHECKS = [without_a_client_nothing_is_connected, the_guest_reads_the_clients_cd, the_cd_is_taken_away_and_comes_back,
          a_cut_in_the_middle_of_a_transfer, a_fresh_display_leads_to_the_devices_again, the_guest_reads_and_writes_the_clients_folder,
          the_next_client_has_its_own_folder, a_port_by_its_name, a_guest_that_does_not_read_holds_its_client_up,
          the_console_is_the_first_serial_port, what_is_not_allowed_is_not_plugged]


def main():
    missing = lib.missing()
    addon = None if missing else devices.find_addon()
    if missing or not addon:
        tap.skip_all(missing or 'no guest for devices can be had here')
    with tempfile.TemporaryDirectory() as folder:
        room = Room(devices.DevicesGuest(addon, ['--usb=2', '--usb-allow=storage', '--share-folder', f'--port={devices.PORT}',
                                                 '--serial=client']), folder)
        room.addon = addon
        try:
            tap.run(CHECKS, room, lambda *_: room.machine.print_logs())
        finally:
            room.machine.close()


if __name__ == '__main__':
    main()
