# SPDX-License-Identifier: MIT
"""A guest with the stock spice-vdagent, and what a person does there with its clipboard.

    with AgentGuest() as guest:
        guest.start_x()
        guest.start_agent()
        probe = guest.connect()
"""
import importlib.machinery
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'guest'), str(HERE.parent / 'client')]

import desktop as lib  # noqa: E402

OWN = importlib.machinery.SourceFileLoader('guest_tools_guest', str(HERE.parent / 'guest-tools/guest.py')).load_module()

SOCKET = '/run/spice-vdagentd/spice-vdagent-sock'
PORT = '/tmp/agent-port'


def find_addon():
    """None where it cannot be made here."""
    made = subprocess.run([sys.executable, HERE / 'build-addon'], stdout=subprocess.PIPE, text=True, check=False)
    return None if made.returncode == 77 else made.stdout.strip()


class AgentGuest(lib.Desktop):
    def __init__(self, addon, options=(), run='shell'):
        base = lib.guest_folder()
        # The desktop's programs are there, and none runs that is not asked for.
        self.initrd = tempfile.NamedTemporaryFile(prefix='vitrine-agent-', suffix='.img')
        own = os.environ.get('GUEST_CLIPBOARD') or lib.ROOT / 'build/guest-tools/clipboard/vitrine-guest-clipboard'
        payload = OWN.cpio({'usr/bin/vitrine-guest-clipboard': (0o755, pathlib.Path(own).read_bytes())})
        for data in [*(pathlib.Path(part).read_bytes() for part in (base / 'desktop.img', addon)), payload]:
            self.initrd.write(data + b'\0' * (-len(data) % 512))
        self.initrd.flush()
        super().__init__(None, options=[f'--kernel={base}/vmlinux', f'--initrd={self.initrd.name}',
                                        f'--append={lib.APPEND} vitrine.run={run}', '--no-network', '--memory=1500', *options])
        try:
            self.control.wait_ready(lib.BOOT_TIMEOUT_S * 3)
            self.run(f'for n in /sys/class/virtio-ports/*/name; do grep -q com.redhat.spice.0 $n && '
                     f'd=${{n%/name}} && ln -s /dev/${{d##*/}} {PORT}; done; test -e {PORT}')
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

    def start_x(self):
        self.start('Xvfb :5 -screen 0 1024x768x24 -ac', 'x')
        self.control.wait_until('test -S /tmp/.X11-unix/X5', 60)

    def start_daemon(self):
        # Its own pointer is for nobody here, so it has a file.
        self.run(f'mkdir -p /run/spice-vdagentd; rm -f {SOCKET}; : >/tmp/uinput')
        self.start(f'spice-vdagentd -x -X -f -d -u /tmp/uinput -s {PORT} -S {SOCKET}', 'daemon')
        self.control.wait_until(f'test -S {SOCKET}', 60)

    def start_agent(self):
        self.start(f'mkdir -p /tmp/drops; env DISPLAY=:5 spice-vdagent -x -d -f /tmp/drops -o 0 -s {PORT} -S {SOCKET}', 'agent')

    def start_wayland(self):
        """A compositor of wlroots without a monitor of its own; programs run as its user."""
        self.run("echo xwayland disable >/tmp/sway.conf; chmod 1777 /tmp")
        self.start('su guest -c "env XDG_RUNTIME_DIR=/run/user/1000 WLR_BACKENDS=headless WLR_LIBINPUT_NO_DEVICES=1 '
                   'WLR_RENDERER=pixman sway -c /tmp/sway.conf"', 'sway')
        self.control.wait_until('test -S /run/user/1000/wayland-1', 60)

    def in_wayland(self, command):
        return f'su guest -c "env HOME=/home/guest XDG_RUNTIME_DIR=/run/user/1000 WAYLAND_DISPLAY=wayland-1 {command}"'

    def start_helper(self):
        self.run(f'chmod 666 {SOCKET}')
        self.start(self.in_wayland('vitrine-guest-clipboard'), 'helper')

    def stop(self, name, signal='TERM'):
        self.run(f'kill -{signal} $(cat /tmp/{name}.pid)')

    def copy(self, selection, path, target=None):
        """Has this file's content copied in X."""
        kind = f' -t {target}' if target else ''
        self.run(f'DISPLAY=:5 xclip -selection {selection}{kind} -i {path}')

    def paste(self, selection, path, target=None, timeout_s=20):
        kind = f' -t {target}' if target else ''
        return self.control.run_status(f'DISPLAY=:5 timeout {timeout_s} xclip -selection {selection}{kind} -o >{path}', timeout_s + 20)[0]

    def digest(self, path):
        return self.run(f'sha256sum {path}').split()[0]
