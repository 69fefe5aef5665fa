#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`vitrine run --net` and `--forward` with a real QEMU, whose guest does not run.

As root this happens in network and mount namespaces of their own, with a bridge and a list of bridges that may be used.
"""
import contextlib
import fcntl
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

import desktop as guest
import disks as lib
import tap

INSIDE = '--inside'
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 2, 0x1000


def inside():
    if INSIDE not in sys.argv:
        raise tap.Skip('missing: root, and unshare and ip')


@contextlib.contextmanager
def started(disks, *options, **how):
    command = [word for word in disks.command() if word != '--no-network']
    desktop = lib.WholeDesktop([*command, '--disk=guest.raw', *options], disks.folder, disks.environment(), **how)
    with desktop:
        yield desktop


def refused(disks, *options):
    try:
        with started(disks, *options):
            raise RuntimeError(f'{options}: not refused')
    except AssertionError as said:
        return str(said)


def links():
    return subprocess.run(['ip', '-o', 'link'], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def a_forwarded_port(disks):
    port = guest.free_port()
    with started(disks, f'--forward={port}:22,udp:{port}:53'):
        socket.create_connection(('127.0.0.1', port), 5).close()
        # Nobody but this machine: it is bound to this address alone.
        with socket.socket() as other:
            other.bind(('127.0.0.2', port))
        said = refused(disks, f'--forward={port}:22', f'--spice-unix={disks.tools}/other', f'--name=other-{os.getpid()}')
        assert 'host forwarding rule' in said, said
    said = refused(disks, '--net=none', f'--forward={port}:22')
    assert '--forward needs --net=user' in said, said


def no_card(disks):
    for option in ('--net=none', '--no-network'):
        with started(disks, option) as desktop:
            assert '-netdev' not in desktop.qemu_arguments()


def a_bridge(disks):
    inside()
    with started(disks, '--net=bridge=br0'):
        assert any('master br0' in link for link in links()), links()
    assert not any('master br0' in link for link in links()), links()
    said = refused(disks, '--net=bridge=br1')
    assert 'bridge helper failed' in said and '/etc/qemu/bridge.conf' in said, said
    said = refused(disks, '--net=bridge=nonexistent')
    assert 'there is no such bridge' in said, said


def a_tap_device(disks):
    inside()
    device = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack('16sH22x', b'tap9', IFF_TAP | IFF_NO_PI))
    with started(disks, f'--net=tap={device}', pass_fds=[device]) as desktop:
        holders = {pathlib.Path(os.readlink(f'/proc/{pid}/exe')).name for pid in processes(desktop.process.pid)
                   if '/dev/net/tun' in open_files(pid)}
        assert holders - {'vitrine'} == {'qemu-system-x86_64'}, holders
        assert next(link for link in links() if 'tap9' in link).count('NO-CARRIER') == 0
    os.close(device)


def processes(pid):
    """The process and all below it."""
    children = pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    return [pid, *(below for child in children for below in processes(int(child)))]


def open_files(pid):
    try:
        return {os.readlink(path) for path in pathlib.Path(f'/proc/{pid}/fd').iterdir()}
    except OSError:
        return set()


CHECKS = [a_forwarded_port, no_card, a_bridge, a_tap_device]


def go_inside():
    """Begins anew in namespaces of its own, where that is possible."""
    if os.geteuid() == 0 and shutil.which('unshare') and shutil.which('ip') and os.path.exists('/dev/net/tun'):
        trial = subprocess.run(['unshare', '-n', '-m', '--propagation', 'private', 'ip', 'link', 'add', 'br0', 'type', 'bridge'],
                               stderr=subprocess.DEVNULL, check=False)
        if trial.returncode == 0:
            os.execvp('unshare', ['unshare', '-n', '-m', '--propagation', 'private', sys.executable, __file__, INSIDE])


def prepare(disks):
    """Two bridges, of which one may be used. /etc/qemu is ours here."""
    for words in ('link set lo up', 'link add br0 type bridge', 'link add br1 type bridge', 'link set br0 up'):
        subprocess.run(['ip', *words.split()], check=True)
    allowed = disks.tools / 'allowed'
    allowed.mkdir(mode=0o755)
    (allowed / 'bridge.conf').write_text('allow br0\n')
    if not os.path.isdir('/etc/qemu'):
        upper = tempfile.mkdtemp(dir=disks.tools)
        work = tempfile.mkdtemp(dir=disks.tools)
        os.mkdir(f'{upper}/qemu')
        subprocess.run(['mount', '-t', 'overlay', '-o', f'lowerdir=/etc,upperdir={upper},workdir={work}', 'none', '/etc'],
                       check=True)
    subprocess.run(['mount', '--bind', allowed, '/etc/qemu'], check=True)


def main():
    reason = lib.missing()
    if reason:
        tap.skip_all(f'missing: {reason}')
    if INSIDE not in sys.argv:
        go_inside()
    with lib.Disks() as disks:
        if INSIDE in sys.argv:
            prepare(disks)
        disks.raw('guest.raw')
        tap.run(CHECKS, disks)


if __name__ == '__main__':
    main()
