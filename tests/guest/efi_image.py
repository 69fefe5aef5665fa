# SPDX-License-Identifier: MIT
"""A disk image that UEFI firmware boots: one FAT file system with a kernel, its command line and initramfs in one
EFI program (the layout of systemd-stub(7))."""
import pathlib
import shutil
import subprocess
import tempfile

STUB = pathlib.Path('/usr/lib/systemd/boot/efi/linuxx64.efi.stub')
# Free space above the stub's own sections; each section gets its size rounded up to this.
ALIGN = 0x1000000


def missing():
    """What this machine lacks for making one, or None."""
    for tool in ('objcopy', 'objdump', 'mformat', 'mcopy', 'mmd'):
        if not shutil.which(tool):
            return tool
    return None if STUB.exists() else str(STUB)


def run(*command):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def program_make(guest, profile, append, program, work):
    (work / 'cmdline').write_text(append)
    (work / 'osrel').write_text('ID=vitrine-guest\nVERSION_ID=1\n')
    parts = [('.osrel', work / 'osrel'), ('.cmdline', work / 'cmdline'), ('.linux', guest / 'vmlinuz'),
             ('.initrd', guest / f'{profile}.img')]
    base = image_base()
    place, options = base + ALIGN, []
    for name, path in parts:
        options += ['--add-section', f'{name}={path}', '--change-section-vma', f'{name}={place:#x}']
        place += -(-path.stat().st_size // ALIGN) * ALIGN
    run('objcopy', *options, STUB, program)


def image_base():
    text = subprocess.run(['objdump', '-p', STUB], stdout=subprocess.PIPE, text=True, check=True).stdout
    return next(int(line.split()[1], 16) for line in text.splitlines() if line.startswith('ImageBase'))


def image_make(guest, profile, append, image):
    """Writes `image`, a raw disk."""
    with tempfile.TemporaryDirectory(dir=image.parent) as name:
        work = pathlib.Path(name)
        program = work / 'BOOTX64.EFI'
        program_make(guest, profile, append, program, work)
        size_mib = (program.stat().st_size >> 20) + 40
        run('truncate', '-s', f'{size_mib}M', image)
        run('mformat', '-i', image, '-F', '-T', size_mib * 2048, '-h', 64, '-s', 32, '::')
        run('mmd', '-i', image, '::EFI', '::EFI/BOOT')
        run('mcopy', '-i', image, program, '::EFI/BOOT/BOOTX64.EFI')
