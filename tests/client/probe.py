# SPDX-License-Identifier: MIT
"""Drives spice-probe, the stock SPICE client without a window, from Python. Standard library only.

    from probe import Probe, ProbeError

    with Probe.connect(port=5930) as probe:          # or unix='/path', password='...'
        probe.type('echo hello\\n')                   # raises ProbeError when the probe says no
        answer = probe.wait_counter(30, timeout=5)    # {'from': .., 'to': .., 'seen': ..}
        probe.screenshot('desktop.png')
        probe.command('wait-size 1920 1080 5000')     # every command of probe_main.c's list

Each method is one command of spice-probe; `command` takes any. Answers are the JSON objects that
spice-probe prints, as dictionaries. Times are in seconds here, in milliseconds on the wire.
"""
import json
import os
import select
import subprocess
import time

# How much longer than the command's own time-out an answer may take.
GRACE_S = 15


class ProbeError(Exception):
    """spice-probe said {"ok": false}; `answer` holds what it said, {} when it ended instead."""

    def __init__(self, command, answer):
        super().__init__(f'spice-probe: {command}: {answer.get("error", "no answer")} {answer}')
        self.command = command
        self.answer = answer


def find_probe():
    """Path of the built spice-probe: $SPICE_PROBE, or beside this file's build directory."""
    path = os.environ.get('SPICE_PROBE')
    if path:
        return path
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for build in ('build', 'builddir', '_build', 'build-asan'):
        path = os.path.join(root, build, 'tests', 'client', 'spice-probe')
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError('spice-probe is not built; set SPICE_PROBE')


class Probe:
    """One client. Made by Probe.connect(); ends at close() or at the end of a with block."""

    def __init__(self, arguments, probe=None, prefix=()):
        self._buffer = b''
        self._process = subprocess.Popen([*prefix, probe or find_probe(), *arguments], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)

    @classmethod
    def connect(cls, port=None, host='127.0.0.1', unix=None, password=None, timeout=15, probe=None, retry=0,
                options=(), prefix=()):
        """Connects; tries again for `retry` seconds. ProbeError when it cannot. `prefix`: a command that runs
        spice-probe; `options`: more of spice-probe's own."""
        arguments = [f'--connect-timeout-ms={int(timeout * 1000)}', '--no-connect', *options]
        arguments += [f'--password={password}'] if password else []
        arguments += [f'--unix={unix}'] if unix else [f'spice://{host}:{port}']
        self = cls(arguments, probe, prefix)
        end = time.monotonic() + retry
        try:
            while True:
                try:
                    self.command('reconnect', timeout=timeout)
                    return self
                except ProbeError as error:
                    if not error.answer or time.monotonic() >= end:
                        raise
                    time.sleep(0.3)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def pid(self):
        return self._process.pid

    def close(self):
        """Disconnects and ends spice-probe. Returns its exit status."""
        if self._process.poll() is None:
            try:
                self._process.stdin.close()
                self._process.wait(timeout=5)
            except (OSError, subprocess.TimeoutExpired):
                self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        return self._process.returncode

    def _read_line(self, command, timeout):
        end = time.monotonic() + timeout
        while b'\n' not in self._buffer:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0, end - time.monotonic()))
            data = os.read(self._process.stdout.fileno(), 65536) if ready else b''
            if not data:
                raise ProbeError(command, {'error': 'ended' if ready else 'does not answer'})
            self._buffer += data
        line, self._buffer = self._buffer.split(b'\n', 1)
        return line

    def ask(self, command, timeout=0):
        """Runs one command line and returns its answer whether ok or not."""
        try:
            self._process.stdin.write(command.encode() + b'\n')
            self._process.stdin.flush()
        except OSError:
            raise ProbeError(command, {}) from None
        return json.loads(self._read_line(command, timeout + GRACE_S))

    def command(self, command, timeout=0):
        """As ask(), but raises ProbeError when the answer is not ok."""
        answer = self.ask(command, timeout)
        if not answer['ok']:
            raise ProbeError(command, answer)
        return answer

    def screenshot(self, path, channel=0):
        """Writes the surface as .png or .ppm. Returns (width, height)."""
        answer = self.command(f'screenshot {path} {channel}')
        return answer['width'], answer['height']

    def size(self, channel=0):
        answer = self.command(f'size {channel}')
        return answer['width'], answer['height']

    def pixel(self, x, y, channel=0):
        """'rrggbb'"""
        return self.command(f'pixel {x} {y} {channel}')['pixel']

    def wait_pixel(self, x, y, color, timeout=5, tolerance=0, channel=0):
        return self.command(f'wait-pixel {x} {y} {color} {int(timeout * 1000)} {tolerance} {channel}', timeout)

    def wait_size(self, width, height, timeout=5, channel=0):
        return self.command(f'wait-size {width} {height} {int(timeout * 1000)} {channel}', timeout)

    def wait_updates(self, n, timeout=5):
        return self.command(f'wait-updates {n} {int(timeout * 1000)}', timeout)

    def wait_counter(self, advance, timeout=5, channel=0):
        """Waits until the frame counter strip in the picture rises by `advance`."""
        return self.command(f'wait-counter {advance} {int(timeout * 1000)} {channel}', timeout)

    def move(self, x, y, channel=0):
        return self.command(f'move {x} {y} {channel}')

    def click(self, button='left'):
        return self.command(f'click {button}')

    def wheel(self, direction, times=1):
        return self.command(f'wheel {direction} {times}', 0.05 * times)

    def key(self, *scancodes):
        """PC set 1 in hex as text, 'e04b' extended, '1d+38+53' a chord."""
        return self.command('key ' + ' '.join(scancodes), 0.2 * len(scancodes))

    def type(self, text):
        """US layout; real newlines, tabs and backslashes in `text` are passed on."""
        escaped = text.replace('\\', '\\\\').replace('\n', '\\n').replace('\t', '\\t').replace('\b', '\\b')
        return self.command('type ' + escaped, 0.2 * len(text))

    def cursor(self):
        return self.command('cursor')

    def mouse_mode(self):
        return self.command('mouse-mode')['mode']

    def stats(self):
        return self.command('stats')
