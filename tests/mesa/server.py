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
        return dict(zip(FIGURES, self.read()))

    def commands(self):
        """{number of a command: how often it came}."""
        return {number: count for number, count in enumerate(self.read()[len(FIGURES):]) if count}

    def read(self):
        """All of figures.h's file; zeros as long as nobody has come."""
        figures, numbers = self.folder / 'figures', len(FIGURES) + COMMANDS_MAX
        data = figures.read_bytes() if figures.exists() else bytes(8 * numbers)
        return struct.unpack_from(f'<{numbers}Q', data)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
