# SPDX-License-Identifier: MIT
"""What is tried in which guest: boots, and in each boot the faults that are made and mended.

A Step breaks something for real, runs the check, mends it the way the check's own fix says, and checks again.
A Boot is one start of QEMU; `cause` is what its verdict must name (None: accelerated).
"""
from dataclasses import dataclass, field

GL = ["-device", "virtio-gpu-gl-pci", "-display", "egl-headless,rendernode=/dev/null"]
GL_NO_EDID = ["-device", "virtio-gpu-gl-pci,edid=off", "-display", "egl-headless,rendernode=/dev/null"]
FLAT = ["-device", "virtio-gpu-pci", "-display", "none"]
VGA = ["-vga", "std", "-display", "none"]
# Xorg's fbdev takes PCI devices of class VGA only.
GL_AS_VGA = ["-device", "virtio-vga-gl", "-display", "egl-headless,rendernode=/dev/null"]
GL_AND_VGA = ["-vga", "std"] + GL
SERIAL = ["-device", "virtio-serial-pci"]
AGENT = ["-chardev", "null,id=agent", "-device", "virtserialport,chardev=agent,name=com.redhat.spice.0"]
REPORT = ["-chardev", "file,id=report,path=@REPORT@",
          "-device", "virtserialport,chardev=report,name=org.vitrine.guest.0"]
GUEST_AGENT = ["-chardev", "null,id=ga", "-device", "virtserialport,chardev=ga,name=org.qemu.guest_agent.0"]
COMFORT = ["-device", "virtio-tablet-pci", "-audiodev", "none,id=audio", "-device", "ich9-intel-hda",
           "-device", "hda-duplex,audiodev=audio"]
DESKTOP = SERIAL + AGENT + REPORT + COMFORT


@dataclass
class Step:
    name: str
    cause: str
    broken: str  # shell, as root
    mended: str
    decides: bool = False  # the verdict too must name it
    person: bool = False   # check as an ordinary user after a fresh login
    check: str = ""        # shell that runs the check instead, with $1 = output name


@dataclass
class Boot:
    name: str
    devices: list
    cause: str = None      # of the verdict; None: accelerated
    also: tuple = ()       # further causes that must be named
    steps: list = field(default_factory=list)
    command_line: str = ""
    broken: str = None     # shell in the initrd, $1 = root of the guest
    only: str = ""         # groups to check instead of the quick ones
    wrong_pixel: bool = False  # QEMU's renderer breaks a pixel of each picture that it hands back
    vitrine: bool = False  # run by `vitrine run` instead of QEMU alone
    options: tuple = ()    # of `vitrine run`
    full: bool = False     # all checks, also those that take the display; install, remove, bench, bundle
    limit_s: int = 1500
    mended_in: str = None  # the boot, of this guest or "suite/boot", whose host does not have the fault

    def backend(self):
        if self.vitrine:
            return "vitrine run" + (" --no-virgl" if "--no-virgl" in self.options else "")
        named = [word for word in self.devices if word.startswith(("virtio-gpu", "virtio-vga"))]
        return " + ".join((["VGA"] if "std" in self.devices else []) + named).replace("-pci", "")


# $LIB is where the release keeps libraries.
STEPS_RIGHTS = [
    Step("no-right", "nodes.no-right", "true", "usermod -aG render person", True, True),
    Step("wrong-mode", "nodes.wrong-mode", "chown root:root /dev/dri/renderD128; chmod 600 /dev/dri/renderD128",
         "udevadm trigger --action=add --subsystem-match=drm; udevadm settle", True, True),
    Step("environment-login", "mesa.environment", "echo LIBGL_ALWAYS_SOFTWARE=1 >>/etc/environment",
         "sed -i /LIBGL_ALWAYS_SOFTWARE/d /etc/environment", True, True),
    Step("environment-profile", "mesa.environment",
         "echo 'export MESA_LOADER_DRIVER_OVERRIDE=swrast' >>/home/person/.profile",
         "sed -i /MESA_LOADER/d /home/person/.profile", True, True),
    Step("no-logind", "nodes.no-logind",
         # systemd 258 and later start it again through a socket.
         "for unit in systemd-logind-varlink.socket systemd-logind.service; do"
         " systemctl mask --now $unit; done 2>/dev/null; pkill -x systemd-logind; sleep 1",
         "systemctl unmask systemd-logind-varlink.socket systemd-logind.service;"
         " systemctl start systemd-logind; sleep 2"),
]
STEPS_MESA = [
    Step("mesa-driver", "mesa.driver-missing",
         "dpkg --force-depends -r libgl1-mesa-dri; dpkg --force-depends -r mesa-libgallium",
         "dpkg -i --force-depends $(ls /root/debs/libgl1-mesa-dri*.deb /root/debs/mesa-libgallium*.deb 2>/dev/null)", True),
    Step("gbm-library", "mesa.library-missing", "mv $LIB/libgbm.so.1 /root/",
         "dpkg -i --force-depends /root/debs/libgbm1*.deb", True),
    Step("egl-driver", "mesa.no-egl-driver", "mv /usr/share/glvnd/egl_vendor.d/50_mesa.json /root/",
         "dpkg -i --force-depends /root/debs/libegl-mesa0*.deb", True),
]
STEPS_AGENT = [
    Step("agent-masked", "agent.masked", "systemctl mask --now spice-vdagentd.service spice-vdagentd.socket",
         "systemctl unmask spice-vdagentd.service spice-vdagentd.socket; systemctl start spice-vdagentd.socket"),
    Step("agent-dead", "agent.dead", "systemctl stop spice-vdagentd.socket spice-vdagentd.service; "
         "rm -f /run/spice-vdagentd/spice-vdagent-sock",
         "systemctl restart spice-vdagentd.socket spice-vdagentd; sleep 1"),
    Step("agent-removed", "agent.not-installed", "dpkg --force-depends -r spice-vdagent",
         "dpkg -i /root/debs/spice-vdagent*.deb; systemctl restart spice-vdagentd.socket"),
    Step("qemu-ga-dead", "agent.no-qemu-ga", "systemctl stop qemu-guest-agent; sleep 1",
         "systemctl restart qemu-guest-agent; sleep 1"),
]
XORG = """
slot=$(for d in /sys/bus/pci/devices/0000:00:*; do grep -q 0x1050 $d/device && basename $d .0; done)
slot=$((0x${slot##*:}))
run_xorg() {
	rm -f /var/log/Xorg.0.log
	Xorg :0 vt2 -logfile /var/log/Xorg.0.log -noreset >/out/xorg-$1.txt 2>&1 &
	pid=$!
	n=0
	while [ $n -lt 60 ] && ! grep -qE 'XINPUT: Adding|Fatal server error|AIGLX|GLX: Initialized' \\
		/var/log/Xorg.0.log; do sleep 1; n=$((n+1)); done
	sleep 3
	kill $pid; wait $pid
	cp /var/log/Xorg.0.log /out/xorg-$1.log
}
"""
STEPS_XORG = [
    Step("xorg-config", "xorg.config",
         "printf 'Section \"Device\"\\nIdentifier \"a\"\\nDriver \"fbdev\"\\nEndSection\\n' >/etc/X11/xorg.conf",
         "rm /etc/X11/xorg.conf"),
    Step("xorg-no-screens", "xorg.no-screens",
         XORG + "printf 'Section \"Device\"\\nIdentifier \"a\"\\nDriver \"modesetting\"\\n"
         "BusID \"PCI:0:30:0\"\\nEndSection\\n' >/etc/X11/xorg.conf; run_xorg noscreens",
         XORG + "rm /etc/X11/xorg.conf; run_xorg screens"),
    Step("xorg-driver", "xorg.driver",
         XORG + "printf 'Section \"Device\"\\nIdentifier \"a\"\\nDriver \"fbdev\"\\nBusID \"PCI:0:%d:0\"\\n"
         "EndSection\\n' $slot >/etc/X11/xorg.conf; run_xorg fbdev",
         XORG + "rm /etc/X11/xorg.conf; run_xorg modesetting"),
    Step("xorg-no-glamor", "xorg.no-glamor",
         XORG + "printf 'Section \"Device\"\\nIdentifier \"a\"\\nDriver \"modesetting\"\\n"
         "Option \"AccelMethod\" \"none\"\\nEndSection\\n' >/etc/X11/xorg.conf; run_xorg noglamor",
         XORG + "rm /etc/X11/xorg.conf; run_xorg glamor"),
]
# Compositors as root, without a login manager: libseat opens the devices itself.
WAYLAND = """
compositor() {
	pkill -x 'weston|cage'
	n=0
	while pgrep -x 'weston|cage' >/dev/null && [ $n -lt 10 ]; do sleep 1; n=$((n+1)); done
	pkill -9 -x 'weston|cage' && sleep 2
	export XDG_RUNTIME_DIR=/run/compositor LIBSEAT_BACKEND=builtin
	mkdir -p -m 700 $XDG_RUNTIME_DIR
	echo "$@" >>/out/compositors.txt
	setsid env "$@" </dev/tty1 >>/out/compositors.txt 2>&1 &
	sleep 10
}
"""
STEPS_WAYLAND = [
    Step("weston-pixman", "wayland.software", WAYLAND + "compositor weston --backend=drm --renderer=pixman",
         WAYLAND + "compositor weston --backend=drm"),
    Step("cage-pixman", "wayland.software", WAYLAND + "compositor WLR_RENDERER=pixman cage -- sleep 600",
         WAYLAND + "compositor cage -- sleep 600"),
]
STEPS_DRIVER = [
    Step("unbound", "kernel.not-bound",
         "for c in /sys/class/vtconsole/vtcon1/bind; do echo 0 >$c; done; "
         "for d in /sys/bus/virtio/devices/*; do [ $(cat $d/device) = 0x0010 ] && "
         "echo $(basename $d) >/sys/bus/virtio/drivers/virtio_gpu/unbind; done; sleep 1",
         "modprobe -r virtio-gpu; modprobe virtio-gpu; sleep 2; udevadm settle", True),
    Step("idle", "kernel.module-idle",
         "for c in /sys/class/vtconsole/vtcon1/bind; do echo 0 >$c; done; modprobe -r virtio-gpu; sleep 1",
         "modprobe virtio-gpu; sleep 2; udevadm settle", True),
]

MODULE = "$(ls $1/lib/modules/*/kernel/drivers/gpu/drm/virtio/virtio-gpu.ko*)"
BOOTS_BASE = [
    Boot("virgl", GL + DESKTOP, full=True, also=("host.software", "desktop.tcg")),
    Boot("flat", FLAT + DESKTOP, cause="host.no-virgl", mended_in="virgl"),
    Boot("vga", VGA + DESKTOP, cause="device.none", mended_in="virgl"),
]
# `vitrine run` brings the report's port and its controller itself.
AUDIO = ["-audiodev", "none,id=audio", "-device", "ich9-intel-hda", "-device", "hda-duplex,audiodev=audio"]
BOOTS_VITRINE = [
    Boot("vitrine", AGENT + AUDIO, full=True, vitrine=True, also=("host.software", "desktop.tcg")),
    Boot("vitrine-flat", AGENT + AUDIO, cause="host.no-virgl", vitrine=True,
         options=("--no-virgl",), mended_in="vitrine"),
    Boot("vitrine-wrong-pixel", AGENT + AUDIO, cause="truth.wrong-pixel", only="device,kernel,ioctl,mesa,truth",
         wrong_pixel=True, vitrine=True, mended_in="vitrine"),
]
BOOTS_OLD = [Boot("old-kernel", GL + DESKTOP, also=("kernel.no-edid",), mended_in="bullseye/virgl")]
BOOTS_WAYLAND = [Boot("faults-wayland", GL + DESKTOP, steps=STEPS_WAYLAND)]
# All of them in bookworm, the first in every guest: packages and services differ between releases.
BOOTS_FAULTS = [
    Boot("faults", GL + DESKTOP + GUEST_AGENT, steps=STEPS_RIGHTS + STEPS_MESA + STEPS_AGENT, limit_s=2400),
    Boot("faults-xorg", GL_AS_VGA + DESKTOP, steps=STEPS_XORG + STEPS_DRIVER, limit_s=2400),
    Boot("wrong-pixel", GL + DESKTOP, cause="truth.wrong-pixel", only="device,kernel,ioctl,mesa,truth",
         wrong_pixel=True, mended_in="virgl"),
    Boot("second-vga", GL_AND_VGA + DESKTOP, also=("device.second-vga",), mended_in="virgl"),
    Boot("no-edid", GL_NO_EDID + DESKTOP, also=("device.no-edid",), mended_in="virgl"),
    Boot("bare", GL, also=("agent.no-port", "desktop.no-audio", "desktop.no-tablet"), mended_in="virgl"),
    Boot("nomodeset", GL + DESKTOP, cause="kernel.nomodeset", command_line="nomodeset", mended_in="virgl"),
    Boot("blacklist", GL + DESKTOP, broken="echo blacklist virtio_gpu >$1/etc/modprobe.d/old-advice.conf", steps=[
        Step("blacklist", "kernel.module-blocked", "true",
             "rm /etc/modprobe.d/old-advice.conf; modprobe virtio-gpu; sleep 2; udevadm settle", True)]),
    Boot("no-module", GL + DESKTOP,
         broken=f"m={MODULE}; mkdir -p $1/root/kept; mv $m $1/root/kept/; "
         "busybox chroot $1 /sbin/depmod $(busybox uname -r)",
         steps=[Step("no-module", "kernel.module-missing", "true",
                     "cp /root/kept/virtio-gpu.ko* /lib/modules/$(uname -r)/kernel/drivers/gpu/drm/virtio/; "
                     "depmod; modprobe virtio-gpu; sleep 2; udevadm settle", True)]),
]
# Three minutes of it on the real server, for every run of the tests: a slice through all parts of the matrix.
BOOTS_SHORT = [
    Boot("short", AGENT + AUDIO, vitrine=True, steps=[
        step for step in STEPS_RIGHTS + STEPS_MESA + STEPS_AGENT
        if step.name in ("no-right", "environment-login", "mesa-driver", "agent-masked")]),
    Boot("vitrine-flat", AGENT + AUDIO, cause="host.no-virgl", vitrine=True, options=("--no-virgl",),
         mended_in="short"),
    Boot("vitrine-wrong-pixel", AGENT + AUDIO, cause="truth.wrong-pixel", only="device,kernel,ioctl,mesa,truth",
         wrong_pixel=True, vitrine=True, mended_in="short"),
]
