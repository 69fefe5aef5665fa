# SPDX-License-Identifier: MIT
"""Commands inside the guest, through one of its serial root shells, and QEMU's own QMP."""
import itertools
import json
import re
import socket
import time


class GuestError(Exception):
    pass


class Lines:
    """A stream socket read by text, with a deadline on every wait."""

    def __init__(self, path, timeout_s=10):
        deadline = time.monotonic() + timeout_s
        while True:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self.socket.connect(str(path))
                break
            except OSError as error:
                self.socket.close()
                if time.monotonic() > deadline:
                    raise GuestError(f'{path}: {error}') from error
                time.sleep(0.05)
        self.text = ''

    def close(self):
        self.socket.close()

    def send(self, text, timeout_s=30):
        """A port that nobody reads yet takes little."""
        self.socket.settimeout(timeout_s)
        try:
            self.socket.sendall(text.encode())
        except TimeoutError as error:
            raise GuestError('nobody reads') from error

    def receive(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise GuestError(f'no answer in time; last was {self.text[-300:]!r}')
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(65536)
        except TimeoutError as error:
            raise GuestError(f'no answer in time; last was {self.text[-300:]!r}') from error
        if not data:
            raise GuestError('the other end closed')
        self.text += data.decode(errors='replace')

    def wait_for(self, pattern, timeout_s):
        """Reads until the pattern matches; returns the match and drops the text up to its end."""
        deadline = time.monotonic() + timeout_s
        while not (match := re.search(pattern, self.text, re.DOTALL)):
            self.receive(deadline)
        self.text = self.text[match.end():]
        return match


class Control:
    """One root shell of the guest. Works with echo and prompts or without."""

    serials = itertools.count(1)

    def __init__(self, path, timeout_s=10):
        self.lines = Lines(path, timeout_s)

    def close(self):
        self.lines.close()

    def wait_ready(self, timeout_s):
        """Waits until the shell answers at all; what is typed into a machine still starting is lost."""
        deadline = time.monotonic() + timeout_s
        while True:
            serial = next(self.serials)
            self.lines.send(f"\nprintf '@%s-{serial}\\n' ready\n")
            try:
                self.lines.wait_for(rf'@ready-{serial}\r*\n', 1)
                return
            except GuestError:
                if time.monotonic() > deadline:
                    raise

    def run_status(self, command, timeout_s=20):
        """Runs one line of shell; its status and its output (both streams)."""
        serial = next(self.serials)
        # The marks are put together by printf, so that an echo of the command is not taken for them.
        self.lines.send(f"printf '@%s-{serial}\\n' begin; ( {command} ) </dev/null 2>&1; "
                        f"printf '@%s-{serial} %d\\n' end $?\n")
        match = self.lines.wait_for(rf'@begin-{serial}\r*\n(.*?)@end-{serial} (\d+)\r*\n', timeout_s)
        output = match[1].replace('\r', '')
        return int(match[2]), output

    def run(self, command, timeout_s=20):
        """Output of a command that must succeed."""
        status, output = self.run_status(command, timeout_s)
        if status:
            raise GuestError(f'{command}: status {status}: {output}')
        return output

    def wait_until(self, command, timeout_s):
        """Repeats a command until it succeeds; its output."""
        deadline = time.monotonic() + timeout_s
        while True:
            status, output = self.run_status(command, max(1, deadline - time.monotonic()))
            if status == 0:
                return output
            if time.monotonic() > deadline:
                raise GuestError(f'{command}: still status {status} after {timeout_s} s: {output}')
            time.sleep(0.2)


class Qmp:
    def __init__(self, path, timeout_s=10):
        self.lines = Lines(path, timeout_s)
        self.lines.wait_for(r'\n', timeout_s)
        self.execute('qmp_capabilities')

    def close(self):
        self.lines.close()

    def execute(self, command, timeout_s=10, **arguments):
        self.lines.send(json.dumps({'execute': command, 'arguments': arguments}) + '\n')
        deadline = time.monotonic() + timeout_s
        while True:
            answer = json.loads(self.lines.wait_for(r'([^\n]*)\n', deadline - time.monotonic())[1])
            if 'error' in answer:
                raise GuestError(f'{command}: {answer["error"].get("desc")}')
            if 'return' in answer:
                return answer['return']
