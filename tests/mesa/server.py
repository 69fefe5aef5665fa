# SPDX-License-Identifier: MIT
"""virgl_test_server with our checker in it, and what it has counted."""
import os
import pathlib
import signal
import struct
import subprocess
import time

PROGRAM = 'virgl_test_server'
SOCKET = '.virgl_test'  # in /tmp: Mesa before 23 looks nowhere else
FIGURES = ('contexts', 'submissions', 'commands', 'refused', 'mended', 'dropped', 'failed', 'resources', 'transfers',
           'over quota')  # figures.h
COMMANDS_MAX = 64
START_SECONDS = 20


class Server:
    """It makes a process for each program that comes, and all of them end with it."""

    def __init__(self, interpose, folder, quota=None):
        self.folder = pathlib.Path(folder)
        self.log, self.socket = self.folder / 'log', self.folder / SOCKET
        self.log.touch()
        environment = dict(os.environ, LD_PRELOAD=str(interpose), LIBGL_ALWAYS_SOFTWARE='1', LP_NUM_THREADS='1',
                           VITRINE_MESA_LOG=str(self.log), VITRINE_MESA_FIGURES=str(self.folder / 'figures'))
        if quota:
            environment['VITRINE_MESA_QUOTA'] = quota
        # With a space before its value the option is taken for the name of a file.
        command = [PROGRAM, '--use-egl-surfaceless', f'--socket-path={self.socket}']
        self.process = subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.STDOUT,
                                        stdout=open(self.folder / 'server', 'wb'))
        self.await_socket()

    def await_socket(self):
        end = time.monotonic() + START_SECONDS
        while not self.socket.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f'{PROGRAM} does not start: {(self.folder / "server").read_text()}')
            time.sleep(0.05)

    def figures(self):
        """{figure: number}, all in all."""
        try:
            data = (self.folder / 'figures').read_bytes()
        except FileNotFoundError:
            data = b''
        return dict(zip(FIGURES, struct.unpack_from(f'<{len(FIGURES)}Q', data.ljust(8 * len(FIGURES), b'\0'))))

    def commands(self):
        """{number of a command: how often it came}."""
        data = (self.folder / 'figures').read_bytes()
        counts = struct.unpack_from(f'<{COMMANDS_MAX}Q', data, 8 * len(FIGURES))
        return {number: count for number, count in enumerate(counts) if count}

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
