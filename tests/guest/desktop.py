# SPDX-License-Identifier: MIT
"""One running desktop: `vitrine run` with our guest, a control shell into the guest and QMP.

    with Desktop('desktop') as desktop:
        desktop.control.run('uname -r')
        with desktop.connect() as probe:
            probe.wait_counter(30, timeout=5)

Taken from the environment: VITRINE (the program; build/server/vitrine when unset), VITRINE_RUN_OPTIONS
(more options for `vitrine run`), SPICE_PROBE, VITRINE_CACHE.
With VITRINE_STOCK=1 QEMU's own virtio-gpu-gl and SPICE server stand in for Vitrine, to tell a fault of
the guest or of a test from one of ours.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / 'tests/client'))

from control import Control, GuestError, Qmp  # noqa: E402
from probe import Probe  # noqa: E402

WIDTH, HEIGHT = 1920, 1080
BOOT_TIMEOUT_S = 60
# The timer check fails on a loaded machine without KVM, and the kernel panics.
APPEND = 'console=ttyS0 quiet no_timer_check'
# What -cpu max offers kills llvmpipe inside the emulated machine.
STOCK = ('qemu-system-x86_64 -M q35,accel=tcg -cpu max,family=23,model=49,stepping=0 -smp 2 -m 2048 -nodefaults '
         '-no-user-config -device virtio-gpu-gl-pci,xres=1920,yres=1080 -display egl-headless,rendernode=/dev/null '
         '-device virtio-tablet-pci -device virtio-keyboard-pci').split()


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def guest_folder():
    """Folder of vmlinux, minimal.img and desktop.img, built when it is not there. None: cannot be built here."""
    result = subprocess.run([HERE / 'build-guest'], stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode == 77:
        return None
    if result.returncode:
        raise GuestError('build-guest failed')
    return pathlib.Path(result.stdout.strip())


def vitrine_program():
    return os.environ.get('VITRINE') or str(ROOT / 'build/server/vitrine')


def missing():
    """What keeps this machine from running a desktop, or None."""
    if not shutil.which('qemu-system-x86_64'):
        return 'qemu-system-x86_64'
    if 'VITRINE_STOCK' not in os.environ and not os.access(vitrine_program(), os.X_OK):
        return vitrine_program()
    return None


class Desktop:
    def __init__(self, profile=None, append='', options=(), qemu_options=(), name=None, stock=None, address='127.0.0.1',
                 password=None):
        """profile None: no kernel is given; options must name a disk. stock None: as VITRINE_STOCK says."""
        self.stock = 'VITRINE_STOCK' in os.environ if stock is None else stock
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='vitrine-guest-'))
        self.port = free_port()
        self.name = name or f'test-{os.getpid()}'
        self.control = self.qmp = self.process = None
        self.printed = {}
        self.log = open(self.folder / 'vitrine.log', 'w+', errors='replace')
        boot = []
        if profile:
            guest = guest_folder()
            boot = [('kernel', guest / 'vmlinux'), ('initrd', guest / f'{profile}.img'), ('append', f'{APPEND} {append}')]
        qemu_options = [*qemu_options,
                        '-chardev', f'socket,id=control,path={self.folder}/control,server=on,wait=off',
                        '-device', 'isa-serial,chardev=control',
                        '-qmp', f'unix:{self.folder}/qmp,server=on,wait=off']
        if self.stock:
            secret = ['-object', f'secret,id=ticket,data={password}'] if password else []
            ticket = 'password-secret=ticket' if password else 'disable-ticketing=on'
            command = [*STOCK, '-serial', f'file:{self.folder}/serial', *secret, '-spice',
                       f'port={self.port},addr={address},{ticket}']
            command += [word for name, value in boot for word in (f'-{name}', value)]
        else:
            if password:
                (self.folder / 'password').write_text(password + '\n')
                options = [*options, '--password-file', self.folder / 'password']
            command = [vitrine_program(), 'run', '--name', self.name, '--spice-port', self.port,
                       '--spice-addr', address, '--serial', f'{self.folder}/serial', '--spare=none', *os.environ.get('VITRINE_RUN_OPTIONS', '').split(), *options]
            command += [f'--{name}={value}' for name, value in boot] + ['--']
        self.process = subprocess.Popen([str(word) for word in [*command, *qemu_options]], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        try:
            self.qmp = Qmp(self.folder / 'qmp', 30)
            self.control = Control(self.folder / 'control')
            if profile:
                self.control.wait_ready(BOOT_TIMEOUT_S)
        except BaseException:
            self.print_logs()
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self, keep=False):
        """Ends the desktop as Ctrl-C would. Returns vitrine's exit status; None: it had to be killed."""
        for channel in (self.control, self.qmp):
            if channel:
                channel.close()
        status = self.process.poll()
        if status is None:
            self.process.send_signal(signal.SIGINT)
            try:
                status = self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        return status

    def connect(self, **options):
        """A stock SPICE client, connected."""
        return Probe.connect(port=self.port, retry=10, **options)

    def log_text(self):
        return (self.folder / 'vitrine.log').read_text(errors='replace')

    def print_logs(self, *_):
        """What the desktop and the guest said since the last call, as TAP comments."""
        for name in ('vitrine.log', 'serial'):
            path = self.folder / name
            lines = path.read_text(errors='replace').splitlines() if path.exists() else []
            fresh = lines[self.printed.get(name, 0):][-40:]
            self.printed[name] = len(lines)
            print(''.join(f'# {name}: {line}\n' for line in fresh), end='', flush=True)

    def workers(self):
        """{program name: [process ids]} of everything below `vitrine run`."""
        parents, names = {}, {}
        for entry in pathlib.Path('/proc').glob('[0-9]*/stat'):
            try:
                text = entry.read_text()
            except OSError:
                continue
            pid = int(entry.parent.name)
            # /proc cuts names at 15 characters; the executable's link does not.
            parents[pid] = int(text.rpartition(')')[2].split()[1])
            try:
                names[pid] = pathlib.Path(os.readlink(entry.parent / 'exe')).name
            except OSError:
                continue
        found = {}
        for pid, name in names.items():
            above = pid
            while above in parents and above != self.process.pid:
                above = parents[above]
            if above == self.process.pid:
                found.setdefault(name, []).append(pid)
        return found

    def wait_desktop(self, timeout_s=BOOT_TIMEOUT_S):
        """Waits until the guest's compositor shows the terminal and frame-counter draws."""
        self.control.wait_until('pidof sway && pidof foot && grep -q "^frame-counter" /var/log/run.log', timeout_s)
        wait_for('focus', self.has_focused_terminal, timeout_s)

    def has_focused_terminal(self):
        """Whether keys go to the terminal: its process is there before its window is."""
        nodes = [json.loads(self.swaymsg('-t', 'get_tree'))]
        for node in nodes:
            if node.get('app_id') == 'foot' and node['focused']:
                return True
            nodes += node['nodes'] + node['floating_nodes']
        return False

    def counted(self):
        """{figure: count} of what programs in the guest sent: refused, failed, and what they made others wait."""
        answer = subprocess.run([vitrine_program(), 'stats', '--json', self.name], stdout=subprocess.PIPE, text=True,
                                check=True)
        return json.loads(answer.stdout)['desktops'][0]['guest']['totals']

    def swaymsg(self, *words):
        """swaymsg inside the guest, JSON as text. Quoted for the guest's shell."""
        quoted = ' '.join("'" + word.replace("'", "'\\''") + "'" for word in words)
        return self.control.run(f'SWAYSOCK=$(ls /run/user/1000/sway-ipc.*.sock) swaymsg -r {quoted}')


def wait_for(what, done, timeout_s=10, interval_s=0.1):
    """Calls done() until it returns something true, and returns that."""
    deadline = time.monotonic() + timeout_s
    while not (value := done()):
        if time.monotonic() > deadline:
            raise GuestError(f'no {what} within {timeout_s} s')
        time.sleep(interval_s)
    return value


def kill(pid):
    os.kill(pid, signal.SIGKILL)
