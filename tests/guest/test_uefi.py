#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`vitrine run --disk IMAGE --uefi`: the firmware's own picture, then a guest with virgl, on the same processes."""
import pathlib
import tempfile

import desktop as lib
import efi_image
import tap
from desktop import Desktop, wait_for


def firmware_shows_a_picture(desktop):
    with desktop.connect() as probe:
        probe.command('wait-primary 60000', 60)
        size = wait_for('pixel that is not black', lambda: lit(probe), 90)
    return f'{size[0]}x{size[1]}'


def guest_boots_from_the_disk(desktop):
    desktop.control.wait_ready(180)
    assert 'vda' in desktop.control.run('ls /sys/block')
    assert desktop.control.run('ls -d /sys/firmware/efi').strip()


def renderer_says_virgl(desktop):
    text = desktop.control.run('gl-info', 60)
    assert 'GL_RENDERER: virgl' in text and 'GL_READBACK: ff8000ff' in text, text


def lit(probe):
    """The picture's size when some pixel of it is not black."""
    answer = probe.ask('size')
    if not answer['ok']:
        return None
    width, height = answer['width'], answer['height']
    points = [(width * x // 24, height * y // 24) for y in range(1, 24) for x in range(1, 24)]
    seen = any(probe.ask(f'pixel {x} {y}').get('pixel', '000000') != '000000' for x, y in points)
    return (width, height) if seen else None


CHECKS = [firmware_shows_a_picture, guest_boots_from_the_disk, renderer_says_virgl]


def main():
    reason = lib.missing() or efi_image.missing()
    guest = None if reason else lib.guest_folder()
    if not guest:
        tap.skip_all(f'missing: {reason or "what build-guest needs"}')
    with tempfile.TemporaryDirectory(prefix='vitrine-uefi-') as folder:
        image = pathlib.Path(folder, 'disk.img')
        efi_image.image_make(guest, 'minimal', f'{lib.APPEND} vitrine.run=shell', image)
        with Desktop(options=['--disk', image, '--snapshot', '--uefi', '--no-network']) as desktop:
            tap.run(CHECKS, desktop, desktop.print_logs)


if __name__ == '__main__':
    main()
