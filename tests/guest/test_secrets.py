#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where `vitrine run` has its password from, where that must not be seen, and who comes in without one; what is printed.

The guest only boots: what is asked is answered by the host's processes. Each check starts desktops of its own.
"""
import configparser
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import time

import desktop as lib
import tap
from desktop import wait_for
from probe import Probe, ProbeError

SECRET = 'swordfish-of-the-desktop'


class Started:
    """`vitrine run` started by a shell's words, in which "$@" stands for its command line and $D for a folder."""

    def __init__(self, words='exec "$@"', options=(), environment=()):
        self.folder = tempfile.TemporaryDirectory(prefix='vitrine-secrets-')
        self.path = pathlib.Path(self.folder.name)
        self.port = lib.free_port()
        self.name = f'test-{os.getpid()}-{self.port}'
        guest = lib.guest_folder()
        (self.path / 'file').write_text(f'{SECRET}\n')
        command = [lib.vitrine_program(), 'run', '--name', self.name, '--spice-port', str(self.port), '--no-network', '--no-audio',
                   '--memory', '256', '--kernel', guest / 'vmlinux', '--initrd', guest / 'minimal.img', *options]
        self.log = open(self.path / 'log', 'w+')
        self.process = subprocess.Popen(['bash', '-c', words, 'bash', *[str(word).replace('$D', str(self.path)) for word in command]],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True,
                                        env={**os.environ, 'D': str(self.path), **dict(environment)})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def text(self):
        return (self.path / 'log').read_text(errors='replace')

    def connect(self, password):
        assert self.process.poll() is None, self.text()
        try:
            return Probe.connect(port=self.port, password=password, retry=40)
        except ProbeError as error:
            raise AssertionError(self.text()) from error

    def refuses(self, password):
        try:
            Probe.connect(port=self.port, password=password).close()
        except ProbeError:
            return True
        return False

    def vitrine(self):
        """The process id of `vitrine run`, which may be the shell's child."""
        for pid in [self.process.pid, *family(self.process.pid)]:
            if pathlib.Path(os.readlink(f'/proc/{pid}/exe')).name == 'vitrine':
                return pid
        raise AssertionError('no vitrine')


def family(pid):
    """Process ids of all that descend from this one."""
    parents = {}
    for entry in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(')')[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


FORMS = {
    'a file': ('exec "$@"', ['--password-file', '$D/file'], {}),
    'process substitution': ('"$@" --password-file <(cat "$D/file")', [], {}),
    'standard input': ('cat "$D/file" | "$@"', ['--password-file', '/dev/stdin'], {}),
    'a FIFO': ('mkfifo "$D/fifo"; (sleep 0.5; cat "$D/file" >"$D/fifo") & exec "$@"', ['--password-file', '$D/fifo'], {}),
    'a descriptor': ('exec "$@" 9<"$D/file"', ['--password-fd', '9'], {}),
    'a credential': ('CREDENTIALS_DIRECTORY=$D exec "$@"', ['--password-credential', 'file'], {}),
}


def each_form_asks_for_the_password(_):
    for name, (words, options, environment) in FORMS.items():
        with Started(words, options, environment) as started:
            with started.connect(SECRET):
                pass
            assert started.refuses('wrong') and started.refuses(None), f'{name}: somebody came in without it'


def holds(path):
    try:
        return SECRET.encode() in path.read_bytes()
    except OSError:
        return False


def it_is_seen_nowhere(_):
    """Not in arguments and environment of the desktop's processes, their logs, or what the run directory has."""
    with Started('"$@" --password-file <(cat "$D/file")') as started:
        with started.connect(SECRET):
            pass
        started.refuses('wrong')
        pid = started.vitrine()
        os.kill(pid, signal.SIGHUP)
        wait_for('answer to SIGHUP', lambda: 'stays as it was: it came from no file' in started.text())
        processes = [pid, *family(pid)]
        assert len(processes) >= 5, processes
        for each in processes:
            for part in ('cmdline', 'environ'):
                assert not holds(pathlib.Path(f'/proc/{each}/{part}')), f'{part} of {each}'
        runtime = os.environ.get('XDG_RUNTIME_DIR')
        base = pathlib.Path(f'{runtime}/vitrine' if runtime else f'/tmp/vitrine-{os.geteuid()}') / started.name
        files = [path for path in base.iterdir() if path.is_file()]
        assert files, base
        for path in [*files, started.path / 'log']:
            assert not holds(path), path
        # What would be a core dump: of the processes that have it none is made.
        for each in processes:
            if pathlib.Path(f'/proc/{each}/comm').read_text().strip() in ('vitrine-gpu', 'vitrine-display'):
                limits = pathlib.Path(f'/proc/{each}/limits').read_text()
                line = next(line for line in limits.splitlines() if line.startswith('Max core file size'))
                assert line.split()[4:6] == ['0', '0'], line


def a_new_password_is_taken_on_sighup(_):
    with Started(options=['--password-file', '$D/file']) as started:
        with started.connect(SECRET) as probe:
            (started.path / 'file.new').write_text('marlin\n')
            (started.path / 'file.new').rename(started.path / 'file')
            assert started.refuses('marlin')
            os.kill(started.vitrine(), signal.SIGHUP)
            wait_for('new password', lambda: not started.refuses('marlin'))
            assert started.refuses(SECRET)
            del probe
        assert SECRET not in started.text() and 'marlin' not in started.text()


def ticket(started):
    return subprocess.run([lib.vitrine_program(), 'ticket', started.name], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def a_ticket_is_of_one_session(_):
    """It comes in again when display has crashed, and another one knows the desktop's tickets; then the ticket is used up."""
    with Started(options=['--password-file', '$D/file']) as started:
        started.connect(SECRET).close()
        used, unused = ticket(started), ticket(started)
        with started.connect(used):
            displays = [pid for pid in family(started.vitrine())
                        if pathlib.Path(f'/proc/{pid}/comm').read_text().strip() == 'vitrine-display']
            for pid in displays:
                os.kill(pid, signal.SIGKILL)
        wait_for('another display', lambda: 'starting another' in started.text())
        started.connect(used).close()
        assert started.refuses(used), started.text()
        wait_for('reason', lambda: 'the ticket has been used' in started.text())
        started.connect(unused).close()
        assert started.refuses(unused), started.text()


def first_answer(port, uid, unix=None):
    """The error in SPICE's first answer to a main channel's connection that this user makes; 0: none; None: no answer."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        word = b'-'
        try:
            os.setgroups([])
            os.setresuid(uid, uid, uid)
            with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as client:
                client.settimeout(20)
                client.connect(unix or ('127.0.0.1', port))
                client.sendall(struct.pack('<4sIIIIBBIIII', b'REDQ', 2, 2, 22, 0, 1, 0, 1, 0, 18, 0b1011))
                word = bytes([client.recv(20, socket.MSG_WAITALL)[16]])
        finally:
            os.write(writer, word)
            os._exit(0)
    os.close(writer)
    word = os.read(reader, 1)
    os.close(reader)
    os.waitpid(pid, 0)
    return None if word == b'-' else word[0]


def the_line_for_tls_works(_):
    """A certificate that is signed by itself, and has another name than the host."""
    if not shutil.which('openssl'):
        raise tap.Skip('no openssl')
    with tempfile.TemporaryDirectory(prefix='vitrine-tls-') as folder:
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/O=A, B/CN=desk.example',
                        '-keyout', f'{folder}/key', '-out', f'{folder}/certificate'], stderr=subprocess.DEVNULL, check=True)
        port = lib.free_port()
        with Started(options=['--spice-tls-port', port, '--spice-tls-cert', f'{folder}/certificate', '--spice-tls-key',
                              f'{folder}/key']) as started:
            line = wait_for('line', lambda: re.search("connect with: remote-viewer '(.*)'", started.text()))
            file = configparser.ConfigParser(interpolation=None)
            file.read(line[1])
            words = dict(file['virt-viewer'])
            assert words['tls-port'] == str(port) and words['host'] == '127.0.0.1', words
            authority = words['ca'].replace('\\n', '\n')
            assert authority == pathlib.Path(f'{folder}/certificate').read_text(), words
            # The file escapes what the subject escapes.
            assert words['host-subject'].replace('\\\\', '\\') == 'O=A\\, B,CN=desk.example', words
            context = ssl.create_default_context(cadata=authority)
            context.check_hostname = False
            with socket.create_connection((words['host'], port), 10) as plain, context.wrap_socket(plain) as client:
                assert client.version() in ('TLSv1.2', 'TLSv1.3')
            viewer = 'no remote-viewer'
            if shutil.which('remote-viewer') and shutil.which('xvfb-run'):
                viewer = 'remote-viewer came'
                with subprocess.Popen(['xvfb-run', '-a', 'remote-viewer', line[1]], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL, start_new_session=True) as process:
                    try:
                        wait_for('client', lambda: re.search(r'client 127\.0\.0\.1:\d+: came', started.text()), 40)
                    finally:
                        os.killpg(process.pid, signal.SIGTERM)
                wait_for('end', lambda: re.search(r'client 127\.0\.0\.1:\d+: left, after', started.text()), 20)
            return viewer


def who_comes_and_goes_is_told(_):
    with Started() as started:
        with started.connect(None), started.connect(None):
            pass
        wait_for('four lines', lambda: len(re.findall(r'client 127\.0\.0\.1:\d+: (came|left, after|thrown out: another)',
                                                       started.text())) == 4)
        assert 'thrown out: another client has taken its place, after' in started.text(), started.text()


PERMISSION_DENIED = 7
STRANGER = 54321


def without_a_password_it_is_for_its_user(_):
    if os.geteuid() != 0:
        raise tap.Skip('only root can be somebody else')
    with Started() as started:
        with started.connect(None):
            pass
        wait_for('line', lambda: re.search(r'client 127\.0\.0\.1:\d+: came, user 0\n', started.text()))
        assert first_answer(started.port, 0) == 0
        assert first_answer(started.port, STRANGER) == PERMISSION_DENIED
        assert f"it is user {STRANGER}'s" in started.text(), started.text()
    for words, options in (('SUDO_UID=54321 "$@"', []), ('"$@"', ['--allow-user', f'daemon,{STRANGER}']), ('"$@"', ['--no-password'])):
        with Started(words, options) as started:
            with started.connect(None):
                pass
            assert first_answer(started.port, STRANGER) == 0, f'{words} {options}: {started.text()}'
            other = first_answer(started.port, STRANGER + 1)
            assert (other == 0) == ('--no-password' in options), f'{words} {options}: {other} {started.text()}'


def nohup_survives_a_hang_up(_):
    with Started('nohup "$@" & wait') as started:
        with started.connect(None):
            pass
        pid = started.vitrine()
        os.kill(pid, signal.SIGHUP)
        time.sleep(1)
        assert pathlib.Path(f'/proc/{pid}').exists(), started.text()
        with started.connect(None):
            pass


def closed_descriptors_are_filled(_):
    with Started('exec "$@" <&- >&- 2>&-') as started:
        with started.connect(None):
            pass
        for fd in range(3):
            target = os.readlink(f'/proc/{started.process.pid}/fd/{fd}')
            assert target == '/dev/null', f'{fd} is {target}'


def the_signal_is_named(_):
    with Started() as started:
        with started.connect(None):
            pass
        started.process.terminate()
        assert started.process.wait(20) == 0
        assert 'vitrine: ends: SIGTERM' in started.text(), started.text()


CHECKS = [each_form_asks_for_the_password, it_is_seen_nowhere, a_new_password_is_taken_on_sighup, a_ticket_is_of_one_session,
          without_a_password_it_is_for_its_user, the_line_for_tls_works, who_comes_and_goes_is_told, nohup_survives_a_hang_up,
          closed_descriptors_are_filled, the_signal_is_named]


def main():
    reason = lib.missing()
    if reason or not lib.guest_folder():
        tap.skip_all(f'missing: {reason or "what build-guest needs"}')
    tap.run(CHECKS, None)


if __name__ == '__main__':
    main()
