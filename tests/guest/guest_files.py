# SPDX-License-Identifier: MIT
"""Picks files for the guest out of a tree of unpacked packages, with the libraries they need."""
import glob
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys

MERGED = ('bin', 'sbin', 'lib', 'lib64')
LIBRARY_DIRS = ('usr/lib/x86_64-linux-gnu', 'usr/lib64', 'usr/lib', 'usr/lib/x86_64-linux-gnu/systemd', 'usr/lib/systemd')


def skeleton_make(root):
    for name in ('dev', 'proc', 'sys', 'run', 'tmp', 'var', 'root', 'etc', 'usr/bin', 'usr/lib'):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, target in (('bin', 'usr/bin'), ('sbin', 'usr/bin'), ('lib', 'usr/lib'), ('lib64', 'usr/lib64')):
        (root / name).symlink_to(target)
    (root / 'usr/sbin').symlink_to('bin')
    (root / 'usr/lib64').mkdir()
    (root / 'var/run').symlink_to('/run')
    (root / 'etc/passwd').write_text('root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000:guest:/home/guest:/bin/sh\n')
    (root / 'home/guest').mkdir(parents=True)
    groups = ('root', 'tty', 'disk', 'input', 'video', 'render', 'kvm', 'audio', 'kmem', 'dialout', 'lp', 'cdrom', 'tape',
              'sgx')
    (root / 'etc/group').write_text(''.join(f'{name}:x:{number}:guest\n' for number, name in enumerate(groups)) +
                                    'guest:x:1000:\n')
    (root / 'etc/nsswitch.conf').write_text('passwd: files\ngroup: files\n')


def module_copy(source, target):
    """Copies a kernel module, unpacked: the guest's modprobe need not know how."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == '.xz':
        target.with_suffix('').write_bytes(lzma.decompress(source.read_bytes()))
    elif source.suffix == '.zst':
        with open(target.with_suffix(''), 'wb') as file:
            subprocess.run(['zstd', '-dcq', source], stdout=file, check=True)
    else:
        shutil.copy(source, target)


class Collector:
    """Copies from tree to root. A path is added once; ELF files bring what they need."""

    def __init__(self, tree, root):
        self.tree = tree
        self.root = root
        self.added = set()
        self.llvm_users = []
        self.llvm_name = None

    def add_pattern(self, pattern):
        optional = pattern.startswith('?')
        pattern = pattern.removeprefix('?').lstrip('/')
        found = glob.glob(str(self.tree / pattern))
        if not found and not optional:
            sys.exit(f'build-guest: no package of this release has /{pattern}')
        for path in found:
            self.add_tree(pathlib.Path(path))

    def add_tree(self, path):
        if path.is_dir() and not path.is_symlink():
            for below in sorted(path.iterdir()):
                self.add_tree(below)
            return
        self.add(path.relative_to(self.tree))

    def add(self, relative):
        """Copies one file, a link together with what it points to."""
        parts = relative.parts
        if parts[0] in MERGED:
            relative = pathlib.Path('usr', *parts)
        if relative in self.added:
            return
        self.added.add(relative)
        source, target = self.tree / relative, self.root / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            link = os.readlink(source)
            if not target.is_symlink():
                target.symlink_to(link)
            pointed = link.lstrip('/') if link.startswith('/') else os.path.normpath(relative.parent / link)
            self.add(pathlib.Path(pointed))
            return
        shutil.copy(source, target)
        target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
        with open(source, 'rb') as file:
            is_elf = file.read(4) == b'\x7fELF'
        if is_elf:
            self.add_needed(source)

    def add_needed(self, elf):
        text = subprocess.run(['readelf', '-dl', elf], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=True).stdout
        interpreter = re.search(r'interpreter: /(.*?)\]', text)
        if interpreter:
            self.add(pathlib.Path(interpreter[1]))
        for name in re.findall(r'\(NEEDED\).*\[(.*)\]', text):
            if name.startswith('libLLVM'):
                self.llvm_users.append(elf)
                self.llvm_name = name
            else:
                self.add_library(name, elf)

    def add_library(self, name, user):
        for folder in LIBRARY_DIRS:
            if (self.tree / folder / name).exists():
                return self.add(pathlib.Path(folder, name))
        sys.exit(f'build-guest: {user.name} needs {name}, which no package brought')

    def stub_llvm(self, source, work):
        """Puts a libLLVM in place that has the symbols Mesa asks for and ends the program when one is called."""
        if not self.llvm_name:
            return
        symbols = set()
        for elf in self.llvm_users:
            text = subprocess.run(['nm', '-D', '--undefined-only', '--with-symbol-versions', elf],
                                  stdout=subprocess.PIPE, text=True, check=True).stdout
            symbols.update(re.findall(r' (\S+)@(LLVM_[\d.]+)', text))
        versions = {version for _, version in symbols}
        assembly = ['.section .note.GNU-stack,"",@progbits', '.text']
        for name in sorted({name for name, _ in symbols}):
            assembly.append(f'.weak {name}\n.type {name}, @function\n{name}: lea 1f(%rip), %rdi\njmp llvm_missing@PLT\n'
                            f'1: .string "{name}"\n')
        (work / 'llvm_symbols.S').write_text('\n'.join(assembly))
        (work / 'llvm.map').write_text(''.join(f'{version} {{ *; }};\n' for version in versions))
        library = self.root / 'usr/lib/x86_64-linux-gnu' / self.llvm_name
        subprocess.run(['cc', '-shared', '-fPIC', '-O2', '-Wl,-soname,' + self.llvm_name,
                        f'-Wl,--version-script={work}/llvm.map', '-o', library, work / 'llvm_symbols.S', source], check=True)
