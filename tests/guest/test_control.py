#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A desktop is controlled: vitrine list, pause, resume, reset, send-key; what it says of itself in the terminal and in JSON; and
that a guest is not offered a sleep from which its graphics driver does not wake.
"""
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

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
        wait_for('client', lambda: len(listed(desktop)['clients']) == 1)
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


def a_qmp_socket_is_left_for_the_user(desktop):
    path = pathlib.Path(listed(desktop)['qmp'])
    assert path == run_folder(desktop) / 'qmp-user', path
    qmp = Qmp(path, 5)
    assert qmp.execute('query-name')['name'] == desktop.name
    qmp.close()


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


def reset_starts_it_again(desktop):
    before = float(desktop.control.run('cat /proc/uptime').split()[0])
    vitrine('reset', desktop.name)
    wait_for('the line', lambda: 'the machine is reset' in desktop.log_text(), 5)
    time.sleep(1)
    desktop.control.wait_ready(90)
    assert float(desktop.control.run('cat /proc/uptime').split()[0]) < before
    wait_for('driver', lambda: listed(desktop)['driver'] == 'virgl', 20)


CHECKS = [it_is_listed, it_is_paused_and_goes_on, others_that_pause_it_are_noticed, keys_are_sent, wrong_words_have_their_status,
          a_qmp_socket_is_left_for_the_user, strangers_are_refused, garbage_ends_nothing, sleep_is_not_offered, a_key_wakes_the_guest,
          resume_wakes_it_too, reset_starts_it_again]


def main():
    reason = lib.missing()
    if reason or not lib.guest_folder():
        tap.skip_all(f'missing: {reason or "what build-guest needs"}')
    with Desktop('minimal', 'vitrine.run=shell', options=['--memory', 512, '--no-network', '--no-audio']) as desktop:
        only = sys.argv[1:]
        tap.run([check for check in CHECKS if not only or check.__name__ in only], desktop, desktop.print_logs)


if __name__ == '__main__':
    main()
