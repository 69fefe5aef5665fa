/* SPDX-License-Identifier: MIT */
#include "guest-tools/check/causes.h"

#include <string.h>

#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"

const struct cause causes[] = {
	{ "device.none", "The host gives this guest no virtio-gpu device; what it has: {}.",
		"On the host give the VM a virtio-gpu: with Vitrine `vitrine run`, in libvirt "
		"<video><model type='virtio'/></video>, in QEMU -device virtio-gpu-gl-pci." },
	{ "device.second-vga",
		"Another display device, {}, is the boot display; desktops start on it, without "
		"acceleration.",
		"On the host remove the other one: QEMU -vga none, in libvirt leave one <video> "
		"element." },
	{ "device.other-display", "There is another display device, {}; a desktop may open on it.",
		"On the host remove it: QEMU -vga none, in libvirt leave one <video> element." },
	{ "device.no-monitor", "The device shows no connected monitor.",
		"Open the viewer; with several heads check max_outputs and the viewer's display "
		"menu." },
	{ "device.no-modes", "The monitor's mode list is empty.",
		"On the host let the device offer EDID (edid=on); reopen the viewer." },
	{ "device.no-edid", "The host sends no EDID: sizes, refresh and scaling are guesses.",
		"On the host set edid=on on the virtio-gpu device (it is QEMU's default)." },
	{ "device.bad-edid", "The host sends an EDID whose header or checksum is wrong.",
		"Update the host's QEMU or Vitrine, and report this block: vitrine-guest-check "
		"--bundle." },
	{ "host.no-virgl", "The host offers this virtio-gpu without 3D (virgl).",
		"On the host start the device with virgl: with Vitrine --virgl, in QEMU "
		"virtio-gpu-gl-pci "
		"with a display that has gl=on, in libvirt <acceleration accel3d='yes'/>." },
	{ "host.no-capset",
		"The host offers virgl but hands out no capset: its renderer did not start.",
		"Look at the host's log of vitrine-render or QEMU for virglrenderer's error." },
	{ "host.software", "The host itself draws in software ({}): correct, but slow.",
		"On the host give the renderer a GPU: a render node that it may open "
		"(--render-node)." },
	{ "kernel.too-old", "Kernel {} is older than 4.4, the first with 3D for virtio-gpu.",
		"Install a newer kernel (Debian: apt install linux-image-amd64) and reboot." },
	{ "kernel.no-edid", "This kernel is older than 5.0 and cannot read the EDID of virtio-gpu.",
		"Install a kernel of 5.0 or newer and reboot; until then sizes are guesses." },
	{ "kernel.module-missing",
		"Kernel {} has no virtio_gpu driver; cloud kernels leave it out.",
		"Install the full kernel (Debian: apt install linux-image-amd64; apt purge "
		"'linux-image-cloud-*') and reboot into it." },
	{ "kernel.module-blocked", "The virtio_gpu driver is blacklisted by {}.",
		"Remove that line, run update-initramfs -u where there is one, and reboot." },
	{ "kernel.module-idle", "The virtio_gpu driver is there but was not loaded.",
		"modprobe virtio-gpu; if that helps, see why udev does not: journalctl -b -u "
		"systemd-udevd." },
	{ "kernel.modules-gone", "There is no /lib/modules of the running kernel {}.",
		"Reboot: the kernel was replaced while it ran. If it stays, reinstall the kernel "
		"package." },
	{ "kernel.nomodeset",
		"The kernel runs with nomodeset, which switches all graphics drivers off.",
		"Remove nomodeset from GRUB_CMDLINE_LINUX in /etc/default/grub, run update-grub, "
		"reboot." },
	{ "kernel.not-bound", "The virtio_gpu driver is loaded but did not bind to the device.",
		"See dmesg | grep -i virtio; load virtio_pci where it is a module; then "
		"modprobe -r virtio-gpu; modprobe virtio-gpu." },
	{ "kernel.gpu-errors", "The GPU driver reported errors, last: {}",
		"Look at the host's log at that time; send vitrine-guest-check --bundle with a "
		"report." },
	{ "nodes.no-render", "The driver made no render node.",
		"Use a kernel of 4.4 or newer; in a container pass /dev/dri/renderD128 through." },
	{ "nodes.missing", "{} does not open although the driver has it.",
		"Outside a container: udevadm trigger --action=add --subsystem-match=drm. In one: "
		"pass /dev/dri through." },
	{ "nodes.wrong-mode", "No group may open {}: its owner or mode is wrong.",
		"udevadm trigger --action=add --subsystem-match=drm restores root:render 0660; "
		"remove the udev "
		"rule or script that changes it." },
	{ "nodes.no-right", "This user may not open the render node (group and user: {}).",
		"sudo usermod -aG {}; then log out and in again." },
	{ "nodes.person-no-right", "Logged in without the right to open the render node: {}.",
		"sudo usermod -aG render {}; then log out and in again." },
	{ "nodes.no-logind", "logind is not running: nobody is given the device nodes at login.",
		"Install and start systemd-logind or elogind, or add people to the groups render "
		"and video." },
	{ "ioctl.refused", "The kernel's driver refused: {}.",
		"See dmesg | grep virtio_gpu and the host's log; update the guest's kernel." },
	{ "ioctl.no-answer", "The host did not answer in time: {}.",
		"The renderer on the host hangs or is overloaded: see its log; restart the VM." },
	{ "mesa.library-missing", "Libraries of OpenGL are not installed: {}.",
		"Debian: apt install libgl1-mesa-dri libegl1 libgbm1 libgles2 libdrm2." },
	{ "mesa.driver-missing", "Mesa's driver for virtio-gpu is not installed.",
		"Debian: apt install --reinstall libgl1-mesa-dri (from Mesa 24.3 on also "
		"mesa-libgallium)." },
	{ "mesa.environment", "A variable forces another driver: {}.",
		"Remove that setting ({}) and log in again." },
	{ "mesa.version-override", "A variable makes Mesa report another OpenGL version: {}.",
		"Remove it unless one program needs it." },
	{ "mesa.no-gbm", "GBM cannot use the render node: {}.",
		"Debian: apt install --reinstall libgbm1 libgl1-mesa-dri." },
	{ "mesa.no-egl-driver", "EGL finds no Mesa behind it: {}.",
		"Debian: apt install --reinstall libegl-mesa0; it brings "
		"/usr/share/glvnd/egl_vendor.d/50_mesa.json." },
	{ "mesa.no-display", "EGL opens no display on the render node: {}.",
		"Reinstall Mesa: apt install --reinstall libegl-mesa0 libgbm1 libgl1-mesa-dri." },
	{ "mesa.no-context", "EGL makes no context: {}.",
		"Update Mesa; see EGL_LOG_LEVEL=debug vitrine-guest-check --only mesa." },
	{ "mesa.software", "Everything below Mesa is in order, yet it draws in software ({}).",
		"See EGL_LOG_LEVEL=debug LIBGL_DEBUG=verbose vitrine-guest-check --only "
		"mesa.renderer." },
	{ "mesa.other-renderer", "OpenGL is neither virgl nor software: {}.",
		"Nothing to do if another GPU is wanted here." },
	{ "mesa.too-old", "Mesa {} is older than 11.1, the first with virgl.",
		"Update the distribution." },
	{ "mesa.bad-pair", "Known to misbehave: {}; black windows and crashes were reported.",
		"Update virglrenderer on the host to 0.10 or newer." },
	{ "mesa.crash", "The driver ended the process that tested it: {}.",
		"Reinstall or update Mesa; if it stays, send vitrine-guest-check --bundle with a "
		"report." },
	{ "truth.wrong-pixel", "What was read back is not what was drawn: {}.",
		"Do not trust this desktop's pictures. Update the host's renderer and the guest's "
		"Mesa; report "
		"it with vitrine-guest-check --bundle." },
	{ "truth.not-drawn", "GL refused to draw a simple scene: {}.",
		"Update the guest's Mesa and the host's renderer; report it with "
		"vitrine-guest-check --bundle." },
	{ "kms.no-atomic", "The driver refuses an atomic mode commit: {}.",
		"Use a kernel of 4.4 or newer; for Wayland on an old one set "
		"WLR_DRM_NO_ATOMIC=1." },
	{ "kms.no-flip", "Page flips fail: {}.", "See dmesg | grep drm, and the host's log." },
	{ "kms.no-cursor", "There is no hardware cursor.",
		"Use a newer kernel; until then the pointer lags." },
	{ "kms.slow-probe", "The host answers very late when asked for sizes.",
		"See the load and the log of the host." },
	{ "kms.no-dmabuf", "Pictures cannot be shared by dma-buf: {}.", "Use a newer kernel." },
	{ "xorg.config", "Xorg's configuration forces what it should find by itself: {}.",
		"Remove that Device section (or the whole file) and restart the desktop: {}." },
	{ "xorg.driver", "Xorg drives screen 0 with '{}' instead of modesetting.",
		"Remove leftovers from /etc/X11/xorg.conf*, remove the package "
		"xserver-xorg-video-{}, and see "
		"that virtio_gpu is loaded before Xorg starts." },
	{ "xorg.no-screens", "Xorg did not start: it found no screen ({}).",
		"Remove Device sections from /etc/X11/xorg.conf*; see that virtio_gpu is loaded; "
		"restart Xorg." },
	{ "xorg.no-glamor", "Xorg draws without OpenGL: {}.",
		"See the checks of group mesa first; remove Option \"AccelMethod\" from xorg.conf; "
		"restart Xorg." },
	{ "xorg.too-old", "Xorg {} is older than 1.19.", "Update the distribution." },
	{ "wayland.software", "The Wayland compositor, or what it starts, draws in software: {}.",
		"Remove the variable or option named, if one is; see the checks of group mesa; "
		"then "
		"log in again." },
	{ "agent.no-port", "The host gives no agent channel (port com.redhat.spice.0).",
		"On the host add it: in libvirt <channel type='spicevmc'><target type='virtio' "
		"name='com.redhat.spice.0'/></channel>; Vitrine brings it." },
	{ "agent.not-installed", "The SPICE agent is not installed.",
		"Debian: apt install spice-vdagent." },
	{ "agent.masked", "The agent's service is switched off: {} is masked.",
		"systemctl unmask {}; systemctl start {}" },
	{ "agent.dead", "The agent's port is there but its daemon is not running.",
		"systemctl restart spice-vdagentd.socket spice-vdagentd; journalctl -u "
		"spice-vdagentd says why." },
	{ "agent.wayland-none",
		"{} lets no program without a window see the clipboard: only programs of X copy "
		"and "
		"paste.",
		"Log in to a session of Xorg, or use a compositor with ext-data-control-v1." },
	{ "agent.wayland-helper",
		"Nothing brings the clipboard of {} to the client: vitrine-guest-clipboard does "
		"not "
		"run.",
		"systemctl --user start vitrine-guest-clipboard, or \"exec "
		"vitrine-guest-clipboard\" in the compositor's configuration; then systemctl "
		"--user "
		"status vitrine-guest-clipboard says why." },
	{ "agent.no-qemu-ga", "The host offers the guest agent's port, but qemu-ga is not running.",
		"Debian: apt install qemu-guest-agent; systemctl restart qemu-guest-agent." },
	{ "desktop.no-resize", "{} does not follow the size of the client's window.",
		"Log out and in again. In Wayland: systemctl --user enable --now "
		"vitrine-guest-resize; on X: see "
		"/etc/xdg/autostart/vitrine-guest-resize.desktop." },
	{ "desktop.no-audio", "There is no sound device.",
		"On the host add one: -device virtio-sound-pci or ich9-intel-hda with "
		"hda-duplex." },
	{ "desktop.no-tablet", "There is no absolute pointer.",
		"On the host add -device virtio-tablet-pci or usb-tablet." },
	{ "desktop.tcg", "This guest runs without KVM: everything is emulated.",
		"On the host enable virtualisation in the firmware, load kvm_intel or kvm_amd, and "
		"start QEMU "
		"with -accel kvm." },
};
const size_t causes_length = ARRAY_LENGTH(causes);

const struct cause *cause_find(const char *id)
{
	for (size_t i = 0; i < causes_length; i++)
		if (strcmp(causes[i].id, id) == 0)
			return &causes[i];
	return NULL;
}

void cause_expand(const char *text, const char *argument, char *out, size_t size)
{
	out[0] = 0;
	for (const char *hole; (hole = strstr(text, "{}")); text = hole + 2) {
		text_append_format(
			out, size, "%.*s%s", (int)(hole - text), text, argument ? argument : "");
	}
	text_append(out, size, text);
}
