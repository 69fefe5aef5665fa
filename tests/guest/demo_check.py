# SPDX-License-Identifier: MIT
"""demo_check.py PICTURE: what ./demo --check does once everything is built. See there."""
import pathlib
import re
import sys
import time

import desktop as lib
from control import GuestError
from desktop import Desktop
from probe import ProbeError

ADVANCE, WITHIN_S = 30, 5


def step(text):
    print('demo: ' + text, flush=True)


def check(desktop, picture):
    desktop.wait_desktop()
    step(f'the desktop is up; connecting to spice://127.0.0.1:{desktop.port}')
    with desktop.connect() as probe:
        probe.command('wait-primary 10000', 10)
        # Not part of the measure: the guest's programs are still being started.
        probe.wait_counter(1, timeout=20)
        answer = probe.wait_counter(ADVANCE, timeout=WITHIN_S)
        step(f'the picture moves: frame counter from {answer["from"]} to {answer["to"]} in {answer["elapsed_ms"]} ms')
        desktop.control.run('rm -f /tmp/typed')
        probe.type('echo typed through SPICE | tee /tmp/typed\n')
        typed = desktop.control.wait_until('test -s /tmp/typed && cat /tmp/typed', 10).strip()
        if typed != 'typed through SPICE':
            raise GuestError(f'the terminal got {typed!r}')
        step('typed text arrived in the terminal')
        time.sleep(1)
        width, height = probe.screenshot(picture)
    step(f'{picture}: {width}x{height}')
    text = desktop.control.run('gl-info', 60)
    renderer = re.search('GL_RENDERER: (.*)', text)[1]
    step(f'the guest says GL_RENDERER: {renderer}')
    if 'virgl' not in renderer or 'GL_READBACK: ff8000ff' not in text:
        raise GuestError('that is not virgl, or it does not draw')


def main():
    picture = pathlib.Path(sys.argv[1]).resolve()
    reason = lib.missing()
    if reason:
        sys.exit(f'demo: missing: {reason}')
    began = time.monotonic()
    try:
        step('starting the guest')
        with Desktop('desktop', 'vitrine.run=desktop') as desktop:
            try:
                check(desktop, picture)
            except (GuestError, ProbeError):
                desktop.print_logs()
                raise
    except (GuestError, ProbeError) as error:
        sys.exit(f'demo: FAILED: {error}')
    step(f'all right, in {time.monotonic() - began:.0f} s')


if __name__ == '__main__':
    main()
