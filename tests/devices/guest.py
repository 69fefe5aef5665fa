# SPDX-License-Identifier: MIT
"""A guest that can drive a USB CD drive and has the stock spice-webdavd, and a stock client that lends both."""
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'guest'), str(HERE.parent / 'client')]

import desktop as lib  # noqa: E402

PORT = 'org.example.echo.0'
FOLDER = 'org.spice-space.webdav.0'
CONSOLE = 'org.qemu.console.serial.0'
# Where spice-webdavd serves the folder in the guest.
WEB = 'http://localhost:9843'


def find_addon():
    """None where it cannot be made here."""
    made = subprocess.run([sys.executable, HERE / 'build-addon'], stdout=subprocess.PIPE, text=True, check=False)
    return None if made.returncode == 77 else made.stdout.strip()


class DevicesGuest(lib.Desktop):
    def __init__(self, addon, options=()):
        base = lib.guest_folder()
        self.initrd = tempfile.NamedTemporaryFile(prefix='vitrine-devices-', suffix='.img')
        for part in (base / 'minimal.img', addon):
            data = pathlib.Path(part).read_bytes()
            self.initrd.write(data + b'\0' * (-len(data) % 512))
        self.initrd.flush()
        super().__init__(None, options=[f'--kernel={base}/vmlinux', f'--initrd={self.initrd.name}',
                                        f'--append={lib.APPEND} vitrine.run=shell', '--no-network', '--no-audio', '--memory=1024', *options])
        try:
            self.control.wait_ready(lib.BOOT_TIMEOUT_S * 3)
            self.run('for m in /devices/*; do insmod $m; done; mkdir -p /dev/virtio-ports; for n in /sys/class/virtio-ports/*/name; do '
                     'd=${n%/name}; ln -s ../${d##*/} /dev/virtio-ports/$(cat $n); done; echo 127.0.0.1 localhost >/etc/hosts')
        except BaseException:
            self.print_logs()
            self.close()
            raise

    def close(self, keep=False):
        self.initrd.close()
        return super().close(keep)

    def run(self, command, timeout_s=60):
        return self.control.run(command, timeout_s)

    def start(self, command, name):
        """In the background; its output is /tmp/NAME.log, and its process id in /tmp/NAME.pid."""
        self.run(f'{command} >/tmp/{name}.log 2>&1 & echo $! >/tmp/{name}.pid')

    def connect(self, **options):
        return super().connect(options=['--devices', '--no-log'], **options)

    def start_webdavd(self):
        """With what it needs around it."""
        self.run("mkdir -p /run/dbus /run/avahi-daemon /etc/avahi; printf 'avahi:x:77:77::/:/bin/sh\\n' >>/etc/passwd; "
                 "printf 'avahi:x:77:\\nnetdev:x:78:\\n' >>/etc/group; printf '[server]\\nuse-ipv6=no\\n' >/etc/avahi/avahi-daemon.conf; "
                 "printf '<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>"
                 "<policy context=\"default\"><allow send_destination=\"*\"/><allow receive_sender=\"*\"/><allow own=\"*\"/></policy>"
                 "</busconfig>\\n' >/tmp/bus.conf; dbus-daemon --config-file=/tmp/bus.conf --fork")
        self.start('avahi-daemon --no-drop-root --no-chroot --no-rlimits', 'avahi')
        self.control.wait_until('grep -q "startup complete" /tmp/avahi.log', 30)
        self.start('spice-webdavd -p 9843', 'webdav')

    def connected_chardevs(self):
        """Names of QEMU's character devices for clients whose other end is there."""
        return {one['label'] for one in self.qmp.execute('query-chardev')
                if one['label'].startswith('vitrine_') and not one['filename'].startswith('disconnected')}
