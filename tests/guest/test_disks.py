#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`vitrine run --disk`: what QEMU opens of images made by qemu-img, how, and what is refused."""
import hashlib
import os
import shutil
import struct
import subprocess

import disks as lib
import tap

# Each means something to QEMU in some place: options, protocols, descriptions, escapes.
ODD_NAMES = ('vm:1.raw', 'a,b=c,,d.raw', '-disk.raw', '100%s%n%.raw', 'file:x.raw', 'fat:rw:etc', 'quote"and\\back\'.raw',
             'new\nline.raw', 'tab\t~ $HOME #{}.raw', 'ünï\u2028.raw',
             'json:{"driver":"raw","file":{"driver":"file","filename":"secret"}}')


def a_chain_of_layers(disks):
    disks.raw('base.raw', 0x11)
    disks.image('one.qcow2', 'qcow2', '-b', 'base.raw', '-F', 'raw')
    disks.image('two.qed', 'qed', '-b', 'one.qcow2', '-F', 'qcow2')
    disks.image('three.qcow2', 'qcow2', '-b', 'two.qed', '-F', 'qed')
    (disks.folder / 'elsewhere').mkdir()
    with disks.machine('--disk=../three.qcow2', folder='elsewhere') as machine:
        assert machine.drivers() == ['qcow2', 'qed', 'qcow2', 'raw'], machine.drivers()
        assert machine.opened() == {'base.raw', 'one.qcow2', 'two.qed', 'three.qcow2'}, machine.opened()
        assert machine.opened(writable=True) == {'three.qcow2'}, machine.opened(writable=True)
        machine.reads(0x11)
        machine.write(0x22)
    with disks.machine('--disk=three.qcow2') as machine:
        machine.reads(0x22)
    with disks.machine('--disk=one.qcow2') as machine:
        machine.reads(0x11)


def backing_files_elsewhere(disks):
    secret = disks.raw('host/secret', 0x33)
    disks.image('vm/absolute.qcow2', 'qcow2', '-b', str(secret), '-F', 'raw')
    disks.image('vm/relative.qcow2', 'qcow2', '-b', '../host/secret', '-F', 'raw')
    disks.image('vm/above.qcow2', 'qcow2', '-b', 'relative.qcow2', '-F', 'qcow2')
    unsaid = disks.image('vm/unsaid.qcow2', 'qcow2', '-o', 'compat=0.10', '-b', str(secret), '-F', 'raw')
    # The format's name is in an extension behind the header: it becomes one that nobody knows.
    unsaid.write_bytes(unsaid.read_bytes().replace(bytes.fromhex('e2792aca'), b'none', 1))
    os.symlink(secret, disks.path('vm/link'))
    disks.image('vm/linked.qcow2', 'qcow2', '-b', 'link', '-F', 'raw')
    for name in ('absolute', 'relative', 'above', 'unsaid', 'linked'):
        disk = f'--disk=vm/{name}.qcow2'
        disks.must_refuse(disk, saying=f'{secret}, outside of the disk\'s folder')
        disks.must_refuse(disk, '--disk-format=qcow2', '--snapshot', saying=str(secret))
        disks.must_refuse(disk, '--disk-backing=vm', saying=str(secret))
        for where in ('any', 'host', str(disks.folder)):
            with disks.machine(disk, f'--disk-backing={where}') as machine:
                assert 'host/secret' in machine.opened() - machine.opened(writable=True)
                machine.reads(0x33)


def what_is_no_file(disks):
    disks.raw('a:b', 0x44)
    for backing in ('nbd://127.0.0.1:1/x', 'nbd:unix:/run/x', 'json:{"driver":"file","filename":"/etc/passwd"}', 'fat:rw:/etc',
                    'ssh://127.0.0.1/x', 'https://127.0.0.1/x', 'a:b'):
        disks.image('remote.qcow2', 'qcow2', '-u', '-F', 'raw', '-b', backing)
        for where in ('folder', 'any'):
            disks.must_refuse('--disk=remote.qcow2', f'--disk-backing={where}', saying=backing)
    disks.image('local.qcow2', 'qcow2', '-b', './a:b', '-F', 'raw')
    with disks.machine('--disk=local.qcow2') as machine:
        machine.reads(0x44)


def external_data_files(disks):
    disks.image('data/disk.qcow2', 'qcow2', '-o', 'data_file=bytes.raw,data_file_raw=on')
    disks.image('data/top.qcow2', 'qcow2', '-b', 'disk.qcow2', '-F', 'qcow2')
    bytes_raw = disks.path('data/bytes.raw')
    for name in ('disk', 'top'):
        disks.must_refuse(f'--disk=data/{name}.qcow2', saying=f'{bytes_raw}, which the guest would write to')
    with disks.machine('--disk=data/disk.qcow2', '--disk-backing=data') as machine:
        assert machine.opened(writable=True) == {'data/disk.qcow2', 'data/bytes.raw'}
        machine.write(0x55)
    assert bytes_raw.read_bytes()[:4096] == b'\x55' * 4096
    with disks.machine('--disk=data/top.qcow2', '--disk-backing=data') as machine:
        assert machine.opened(writable=True) == {'data/top.qcow2'}
        machine.reads(0x55)
    with disks.machine('--disk=data/disk.qcow2', '--disk-backing=data', '--snapshot') as machine:
        assert not machine.opened(writable=True)
        machine.reads(0x55)
    shutil.copy(disks.image('other.qcow2', 'qcow2'), bytes_raw.with_name('bytes'))
    disks.image('data/taker.qcow2', 'qcow2', '-o', 'data_file=unused')
    subprocess.run(['qemu-img', 'amend', '-f', 'qcow2', '-o', 'data_file=bytes', 'taker.qcow2'], check=True, cwd=disks.path('data'))
    disks.must_refuse('--disk=data/taker.qcow2', '--disk-backing=any', saying='looks like a qcow2 image')


def pieces_of_vmdks(disks):
    for kind in ('monolithicFlat', 'twoGbMaxExtentFlat', 'twoGbMaxExtentSparse'):
        disk = disks.image(f'{kind}/disk.vmdk', 'vmdk', '-o', f'subformat={kind}', pattern=0x66)
        disks.must_refuse(f'--disk={kind}/disk.vmdk', saying='which the guest would write to')
        with disks.machine(f'--disk={kind}/disk.vmdk', f'--disk-backing={kind}') as machine:
            assert machine.drivers() == ['vmdk'] and len(machine.opened(writable=True)) == 2, machine.opened()
            machine.reads(0x66)
        piece = next(path for path in disk.parent.iterdir() if path != disk)
        piece.rename(disks.path('host') / piece.name)
        text = disk.read_text(errors='surrogateescape')
        for name in (f'../host/{piece.name}', f'{disks.folder}/host/{piece.name}', f'file:{disks.folder}/host/{piece.name}'):
            disk.write_text(text.replace(f'"{piece.name}"', f'"{name}"'), errors='surrogateescape')
            disks.must_refuse(f'--disk={kind}/disk.vmdk', f'--disk-backing={kind}', saying=f'host/{piece.name}')
            disks.must_refuse(f'--disk={kind}/disk.vmdk', '--disk-format=vmdk', saying=f'host/{piece.name}')
        # The link's folder is not where QEMU looks for pieces.
        disk.write_text(text, errors='surrogateescape')
        shutil.copy(disks.path('host') / piece.name, piece)
        os.symlink(disk, disks.path('host') / f'{kind}.vmdk')
        with disks.machine(f'--disk=host/{kind}.vmdk', f'--disk-backing={kind}') as machine:
            assert f'{kind}/{piece.name}' in machine.opened() and f'host/{piece.name}' not in machine.opened()


def parents_of_vmdks(disks):
    disks.image('parent.vmdk', 'vmdk', pattern=0x77)
    disks.image('child.vmdk', 'vmdk', '-b', 'parent.vmdk', '-F', 'vmdk')
    with disks.machine('--disk=child.vmdk') as machine:
        assert machine.drivers() == ['vmdk', 'vmdk'] and machine.opened(writable=True) == {'child.vmdk'}
        machine.reads(0x77)
    disks.path('parent.vmdk').rename(disks.path('host/parent.vmdk'))
    os.symlink('host/parent.vmdk', disks.path('parent.vmdk'))
    disks.must_refuse('--disk=child.vmdk', saying='host/parent.vmdk, outside')


def images_of_other_programs(disks):
    for name, form, driver, options in (
            ('a.vmdk', 'vmdk', 'vmdk', ()), ('a.vdi', 'vdi', 'vdi', ()), ('a.vhdx', 'vhdx', 'vhdx', ()),
            ('a.vhd', 'vpc', 'vpc', ()), ('fixed.vhd', 'vpc', 'vpc', ('-o', 'subformat=fixed')), ('a.qed', 'qed', 'qed', ()),
            ('a.qcow', 'qcow', 'qcow', ()), ('a.hds', 'parallels', 'parallels', ()), ('a.qcow2', 'qcow2', 'qcow2', ())):
        path = disks.image(f'foreign/{name}', form, *options)
        with disks.machine(f'--disk=foreign/{name}') as machine:
            assert machine.drivers() == [driver], machine.drivers()
            machine.write(0x12)
        other = path.with_name(f'{form}-{name}.img')
        path.rename(other)
        if form == 'qcow2':
            continue
        before = hashlib.sha256(other.read_bytes()).digest()
        said = disks.refusal(f'--disk={other}')
        assert '--disk-format' in said and driver in said.replace(str(other), ''), said
        with disks.machine(f'--disk={other}', f'--disk-format={driver}') as machine:
            machine.reads(0x12)
        if driver != 'vhdx':  # it writes a log when it is opened
            assert hashlib.sha256(other.read_bytes()).digest() == before
        if form == 'vmdk':
            with disks.machine(f'--disk={other}', '--disk-format=raw') as machine:
                assert machine.drivers() == ['raw']


def what_is_compressed(disks):
    disks.raw('plain.img')
    for program, ending in (('gzip', 'gz'), ('xz', 'xz'), ('zstd', 'zst'), ('bzip2', 'bz2')):
        if not shutil.which(program):
            continue
        with open(disks.path('plain.img'), 'rb') as plain, open(disks.path(f'packed.img.{ending}'), 'wb') as packed:
            subprocess.run([program, '-c'], stdin=plain, stdout=packed, check=True)
        disks.must_refuse(f'--disk=packed.img.{ending}', saying=f'compressed by {program}')
    subprocess.run(['tar', '-cf', 'packed.ova', 'plain.img'], cwd=disks.folder, check=True)
    disks.must_refuse('--disk=packed.ova', saying='tar archive')


def parents_that_qemu_does_not_know(disks):
    """VDI, VHDX and VHD can lie on another, too. QEMU refuses the first two, and opens nothing else; we the third."""
    vdi = disks.image('child.vdi', 'vdi')
    with open(vdi, 'r+b') as file:
        file.seek(0x1a8)  # the UUID of the image below, of which the first 16 bytes are the link's
        file.write(b'\1' * 32)
    vhd = disks.image('child.vhd', 'vpc')
    with open(vhd, 'r+b') as file:
        file.seek(60)
        file.write(struct.pack('>I', 4))
    disks.must_refuse('--disk=child.vhd', saying='lies on another one')
    vhdx = disks.image('child.vhdx', 'vhdx')
    with open(vhdx, 'r+b') as file:
        content = file.read()
        # The file parameters are the first item of the metadata: the size of a block, and flags; 2 is "has a parent".
        at = content.index(b'metadata') + 0x10000
        file.seek(at + 4)
        file.write(struct.pack('<I', 2))
    for name in (vdi.name, vhdx.name):
        try:
            with disks.machine(f'--disk={name}'):
                raise RuntimeError('QEMU took it')
        except AssertionError as said:
            assert name in str(said), said


def block_devices(disks):
    if os.geteuid() != 0 or not shutil.which('losetup'):
        raise tap.Skip('missing: root and losetup')
    made = subprocess.run(['losetup', '-f', '--show', disks.raw('device.raw', 0x15)], stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        raise tap.Skip('missing: loop devices')
    device = made.stdout.strip()
    try:
        with disks.machine(f'--disk={device}') as machine:
            assert [node['drv'] for node in machine.nodes().values()] == ['raw', 'host_device']
            machine.reads(0x15)
        disks.image('over.qcow2', 'qcow2', '-b', device, '-F', 'raw')
        disks.must_refuse('--disk=over.qcow2', saying=f'{device}, outside')
        with disks.machine('--disk=over.qcow2', '--disk-backing=/dev') as machine:
            machine.reads(0x15)
    finally:
        subprocess.run(['losetup', '-d', device], check=True)


def odd_names(disks):
    disks.raw('secret', 0x7f)
    for number, name in enumerate(ODD_NAMES, 1):
        absolute = disks.raw(f'odd/{name}', number)
        overlay = f'{name}.qcow2'
        disks.image(f'odd/{overlay}', 'qcow2', '-b', f'./{name}', '-F', 'raw')
        for disk, options, folder, names in ((overlay, (), 'odd', {name, overlay}), (absolute, ('--snapshot',), '.', {name})):
            with disks.machine(f'--disk={disk}', *options, folder=folder) as machine:
                assert machine.opened() == {f'odd/{opened}' for opened in names}, machine.opened()
                machine.reads(number)
    folder = disks.path('a=b,c:d%s "e\\')
    folder.mkdir()
    disks.raw(f'{folder.name}/base.raw', 0x21)
    disks.image(f'{folder.name}/top.qcow2', 'qcow2', '-b', 'base.raw', '-F', 'raw')
    for options in ((), ('--snapshot',)):
        with disks.machine('--disk=top.qcow2', *options, folder=folder.name) as machine:
            machine.reads(0x21)
    broken = os.fsencode(disks.path('odd')) + b'/\xff.raw'
    os.rename(disks.raw('odd/x.raw'), broken)
    disks.must_refuse(b'--disk=' + broken, saying='not UTF-8')


def odd_formats(disks):
    disks.raw('disk.raw')
    for form in ('raw,file.filename=secret,if=none', 'host_device', 'nbd', 'file', '', 'RAW', 'raw '):
        disks.must_refuse('--disk=disk.raw', f'--disk-format={form}', saying='is none of raw, qcow2')


def a_snapshot_forgets(disks):
    disks.raw('kept.raw', 0x13)
    disks.image('kept.vmdk', 'vmdk', pattern=0x13)
    for name in ('kept.raw', 'kept.vmdk'):
        before = disks.path(name).read_bytes()
        with disks.machine(f'--disk={name}', '--snapshot') as machine:
            assert machine.device_driver() == 'qcow2' and not machine.opened(writable=True)
            machine.reads(0x13)
            machine.write(0x14)
            machine.reads(0x14)
        assert disks.path(name).read_bytes() == before


def odd_folders(disks):
    """The files of a desktop itself: QEMU's monitors, the serial port's output, the firmware's variables."""
    runtime, state = disks.path('r=a,b:c%d') / 'x', disks.path('s=a,b:c%d') / 'x'
    disks.raw('guest.raw')
    options = ['--disk=guest.raw', '--serial=-s,a=b:c%d']
    if os.path.exists('/usr/share/OVMF/OVMF_VARS_4M.fd'):
        options.append('--uefi')
    for folder in (runtime, state):
        folder.mkdir(parents=True, mode=0o700)
    with disks.desktop(*options, environment={'XDG_RUNTIME_DIR': str(runtime), 'XDG_STATE_HOME': str(state)}) as desktop:
        opened = desktop.opened_by_qemu()
        assert {'guest.raw', '-s,a=b:c%d'} <= opened, opened
        assert '--uefi' not in options or any(name.startswith('s=a,b:c%d/x/vitrine/') for name in opened), opened
        shown = subprocess.run([lib.vitrine_program(), 'show'], env={**os.environ, 'XDG_RUNTIME_DIR': str(runtime)}, text=True,
                               stdout=subprocess.PIPE, check=True).stdout
        assert desktop.name in shown, shown


def odd_boot_files(disks):
    guest = lib.guest_folder()
    if not guest:
        raise tap.Skip('missing: what build-guest needs')
    names = {'kernel': 'k,e=r:n%s', 'initrd': '-i,n=i:t%s'}
    os.symlink(guest / 'vmlinux', disks.path(names['kernel']))
    os.symlink(guest / 'minimal.img', disks.path(names['initrd']))
    words = 'a=b,c=d %s "e" json:{} -f'
    with disks.desktop(*(f'--{option}={name}' for option, name in names.items()), f'--append={words}') as desktop:
        arguments = desktop.qemu_arguments()
        for option, value in {**names, 'append': words}.items():
            assert arguments[arguments.index(f'-{option}') + 1] == value, arguments


CHECKS = [a_chain_of_layers, backing_files_elsewhere, what_is_no_file, external_data_files, pieces_of_vmdks, parents_of_vmdks,
          images_of_other_programs, what_is_compressed, parents_that_qemu_does_not_know, block_devices, odd_names, odd_formats,
          a_snapshot_forgets, odd_folders, odd_boot_files]


def main():
    reason = lib.missing()
    if reason:
        tap.skip_all(f'missing: {reason}')
    with lib.Disks() as disks:
        tap.run(CHECKS, disks)


if __name__ == '__main__':
    main()
