# SPDX-License-Identifier: MIT
"""The lines that the client reaches the server by. Loopback is the machine's own; the others are desktop-line's:
a network namespace for the client behind a TUN device with a rate and a delay, so that TCP on both sides sees
a real line: its round trip, its losses, its bandwidth."""
import os
import pathlib
import subprocess


ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent


class Line:
    def __init__(self, name, rate_mbit=None, delay_ms=None):
        self.name = name
        self.rate_mbit = rate_mbit
        self.delay_ms = delay_ms

    @property
    def host(self):
        return '10.99.0.1' if self.rate_mbit else '127.0.0.1'

    @property
    def prefix(self):
        if not self.rate_mbit:
            return []
        return [program(), f'--rate-mbit={self.rate_mbit}', f'--delay-ms={self.delay_ms}', '--']

    def missing(self):
        """Why this line cannot be had here, or None."""
        if not self.rate_mbit:
            return None
        if not os.access(program(), os.X_OK):
            return f'{program()} is not built'
        result = subprocess.run([*self.prefix, 'true'], capture_output=True, text=True, check=False)
        return result.stderr.strip() or 'no network namespace or TUN device' if result.returncode else None


def program():
    return os.environ.get('DESKTOP_LINE') or str(ROOT / 'build/tests/bench/desktop-line')


LINES = [Line('loopback'), Line('50M+10ms', 50, 10), Line('5M+40ms', 5, 40)]
