#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_short.py INTERPOSE DRAW: one program of this machine's own Mesa through the checker, in TAP.

It shows that what run-mesa counts is true: a program that draws is refused nothing, and one that is over a quota is.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import server

FRAMES = 20
QUERIES_MAX = 256  # the least that --quota takes


def draw(served, program, queries):
    """In a /tmp of its own, where the server's socket is; the program may lie in the real one."""
    script = 'exec 9<"$1" && mount --bind "$0" /tmp && exec /proc/self/fd/9 "$2" "$3"'
    environment = dict(os.environ, LIBGL_ALWAYS_SOFTWARE='true', GALLIUM_DRIVER='virpipe')
    return subprocess.run(['unshare', '--map-root-user', '--mount', 'sh', '-c', script, served.folder, program, str(FRAMES), str(queries)],
                          env=environment, stdout=subprocess.PIPE, text=True, check=False, timeout=60)


def look(interpose, program, queries):
    """(what the program said and ended with, the figures, the log)."""
    with tempfile.TemporaryDirectory(prefix='mesa-') as folder:
        served = server.Server(interpose, folder, f'queries={QUERIES_MAX}')
        try:
            drawn = draw(served, program, queries)
            return drawn, served.figures(), served.log.read_text()
        finally:
            served.stop()


def main():
    interpose, program = sys.argv[1:]
    if not shutil.which(server.PROGRAM):
        print(f'1..0 # SKIP no {server.PROGRAM} (tools/install-deps --test)')
        return 0
    if subprocess.run(['unshare', '--map-root-user', '--mount', 'true'], stderr=subprocess.DEVNULL, check=False).returncode:
        print('1..0 # SKIP no user namespaces')
        return 0
    drawn, figures, log = look(interpose, program, QUERIES_MAX // 2)
    if drawn.returncode == 77 or 'virgl' not in drawn.stdout:
        print('1..0 # SKIP Mesa has no virpipe driver here: ' + drawn.stdout)
        return 0
    taken = drawn.returncode == 0 and figures['refused'] == 0 and figures['commands'] > FRAMES and log == ''
    limited, over, told = look(interpose, program, QUERIES_MAX + 1)
    noticed = limited.returncode != 0 and over['refused'] == 1 and 'refused: CREATE_OBJECT query' in told
    print('1..2')
    for number, good, name in ((1, taken, 'a program that draws is refused nothing'), (2, noticed, 'one over a quota is refused')):
        print(f'{"" if good else "not "}ok {number} - {name}')
    if not (taken and noticed):
        print(f'# {drawn} {figures}\n# {log}\n# {limited} {over}\n# {told}')
    return 0 if taken and noticed else 1


sys.exit(main())
