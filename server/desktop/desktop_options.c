/* SPDX-License-Identifier: MIT */
#include "server/desktop/desktop_options.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/confine/confine.h"
#include "protocol/frame_link.h"
#include "protocol/guest_lost.h"
#include "protocol/worker_options.h"
#include "server/desktop/guest_devices.h"
#include "server/desktop/limits.h"
#include "server/desktop/run_dir.h"

#define RUN (1u << DESKTOP_RUN)
#define GPU (1u << DESKTOP_GPU)
#define MEMBER(name) offsetof(struct desktop, name)
#define BOTH(text)                                                                                 \
	{                                                                                          \
		(text), (text)                                                                     \
	}
#define FOR_RUN(text)                                                                              \
	{                                                                                          \
		[DESKTOP_RUN] = (text)                                                             \
	}
#define FOR_GPU(text)                                                                              \
	{                                                                                          \
		[DESKTOP_GPU] = (text)                                                             \
	}

/* The values stand in the order of enum desktop_accel, and of enum desktop_spare. */
static const char *const accels[] = { "auto", "kvm", "tcg", NULL };
static const char *const spares[] = { "ready", "fork", "none", NULL };

const struct desktop_section_name desktop_sections[] = {
	[DESKTOP_SECTION_DESKTOP] = { "desktop", "The desktop" },
	[DESKTOP_SECTION_MACHINE] = { "machine", "The machine" },
	[DESKTOP_SECTION_QEMU] = { "qemu", "QEMU" },
	[DESKTOP_SECTION_GRAPHICS] = { "graphics", "Graphics" },
	[DESKTOP_SECTION_VIDEO] = { "video", "Video" },
	[DESKTOP_SECTION_SPICE] = { "spice", "SPICE clients" },
	[DESKTOP_SECTION_PROGRAM] = { "program", "The program" },
};

static char *check_name(const char *text)
{
	return run_dir_name_ok(text) ?
		       NULL :
		       g_strdup_printf("letters, digits, \".\", \"-\", \"_\", at most %d; "
				       "the first a letter or digit",
			       DESKTOP_NAME_MAX_BYTES);
}

static char *check_readable(const char *text)
{
	return access(text, R_OK) == 0 ? NULL : g_strdup(g_strerror(errno));
}

static char *check_resolution(const char *text)
{
	unsigned width, height;
	return desktop_read_resolution(text, &width, &height) ?
		       NULL :
		       g_strdup_printf("WIDTHxHEIGHT, each from %d to %d", DESKTOP_SIDE_MIN,
			       DESKTOP_SIDE_MAX);
}

static char *check_usb(const char *text)
{
	return guest_devices_read_usb(text, NULL);
}

static char *check_ports(const char *text)
{
	return guest_devices_read_ports(text, NULL);
}

static char *check_credential(const char *text)
{
	bool good = *text && text[0] != '.' && !strchr(text, '/');
	return good ? NULL : g_strdup("a name without slashes, and without a dot before it");
}

/*
 * The rows stand in the order of --help and of the man pages, section by section. QEMU asks backend
 * programs for --socket-path, --fd, --print-capabilities, --virgl and --render-node
 * (docs/interop/vhost-user.rst, "Backend program conventions").
 */
const struct desktop_option desktop_options[] = {
	/* ---- the desktop ---- */
	{ "name", RUN | GPU, DESKTOP_SECTION_DESKTOP, DESKTOP_TEXT, MEMBER(name), "NAME",
		"The desktop's name, which clients show in their title bar",
		"With \"vitrine run\" one name runs once at a time.",
		.initial = { "desktop", DESKTOP_NAMELESS }, .check = check_name,
		.checked_by = RUN },
	{ "config", RUN, DESKTOP_SECTION_DESKTOP, DESKTOP_PATH, MEMBER(config), "FILE",
		"Take what the command line does not say from this file", "See CONFIGURATION FILE.",
		.not_in_file = true },

	/* ---- the machine ---- */
	{ "disk", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_PATH, MEMBER(disk), "IMAGE",
		"Boot this disk image", "The guest sees a virtio disk." },
	{ "disk-format", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_TEXT, MEMBER(disk_format), "FORMAT",
		"raw, qcow2, qcow, qed, vmdk, vdi, vhdx, vpc, parallels, bochs, cloop or dmg",
		"Without it an image is seen from the file, and its name must agree: .qcow2, "
		".vmdk, "
		".vdi, .vhdx, .vhd and the like. A qcow2 image that uses no other file may have "
		"any name. A file that looks like no image is raw, and so is one whose name ends "
		"in .raw. What looks like an image and is not called one is refused, since a guest "
		"can write what it likes into its raw disk, and would destroy an image by writing "
		"to it as raw.",
		.fallback = FOR_RUN("seen from the file") },
	{ "disk-backing", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_TEXT, MEMBER(disk_backing), "WHERE",
		"Where the other files may lie that the image names: folder, any, or a folder's "
		"path",
		"An image can name files that it lies on (its backing file) or that its data are "
		"in "
		"(a data file; the pieces of a VMDK), and whoever made it has chosen which: any "
		"file of this host. With folder it may lie on what is in the disk's own folder, "
		"and that is only read; with a path (./any for a folder of that name) all such "
		"files may also lie in that folder or below, and data there are written; with any "
		"they may lie anywhere. Symbolic links are followed first. What lies elsewhere, "
		"and what is no file but an address or a description, is refused by name.",
		.initial = FOR_RUN("folder") },
	{ "snapshot", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_SWITCH_ON, MEMBER(snapshot), NULL,
		"Forget what the guest writes to the disk" },
	{ "uefi", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_SWITCH_ON, MEMBER(uefi), NULL,
		"Boot with OVMF, not SeaBIOS",
		"The guest's boot entries are kept in ~/.local/state/vitrine/NAME.OVMF_VARS.fd. "
		"OVMF and boot loaders under it are seen by the client; SeaBIOS and its boot "
		"loaders cannot draw on this GPU: until the guest's kernel drives it there is no "
		"picture." },
	{ "cloud-init", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_TEXT, MEMBER(cloud_init),
		"user=NAME,key=FILE", "Give cloud-init in the image a user, and keys for it",
		"An image as clouds start it has no user whom one could be. Its cloud-init makes "
		"this one from a second, small disk (NoCloud), lets in by SSH who has a key of "
		"FILE (public keys, a line each), and lets the user become root; a password it has "
		"none. It is done once, and again when user or keys are others. --forward=2222:22 "
		"leads to it. mtools make the disk.",
		.fallback = FOR_RUN("none") },
	{ "kernel", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_PATH, MEMBER(kernel), "FILE",
		"Boot this kernel directly", .check = check_readable, .checked_by = RUN },
	{ "initrd", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_PATH, MEMBER(initrd), "FILE",
		"The kernel's initramfs", .check = check_readable, .checked_by = RUN },
	{ "append", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_TEXT, MEMBER(append), "TEXT",
		"The kernel's command line" },
	{ "memory", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_NUMBER, MEMBER(memory_mib), "MIB",
		"The guest's memory in MiB", .initial = FOR_RUN("2048"),
		.min = DESKTOP_MEMORY_MIN_MIB, .max = DESKTOP_MEMORY_MAX_MIB, .unit = "MiB" },
	{ "cpus", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_NUMBER, MEMBER(n_cpus), "N", "Virtual CPUs",
		.initial = FOR_RUN("2"), .min = 1, .max = DESKTOP_CPUS_MAX },
	{ "heads", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_NUMBER, MEMBER(n_heads), "N",
		"Monitors that the guest can have at once",
		"The guest begins with one. Another one is plugged in when a client opens it, and "
		"unplugged when that closes it. One that nobody opens costs next to nothing.",
		.initial = FOR_RUN("4"), .min = 1, .max = FRAME_HEADS_MAX },
	{ "accel", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_CHOICE, MEMBER(accel), "HOW",
		"What runs the virtual CPUs: auto, kvm or tcg",
		"With auto, KVM does where a trial shows that it works, and QEMU's emulation "
		"elsewhere; kvm insists on KVM, tcg does not try it.",
		.values = accels },
	{ "net", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_TEXT, MEMBER(net), "HOW",
		"What is behind the network card: user, bridge=NAME, tap=FD or none",
		"With user the guest gets out by QEMU's own network, with the user's rights, and "
		"nobody in but by --forward. With bridge=NAME it is on that bridge of the host, as "
		"far as QEMU's bridge helper lets the user. With tap=FD it has the tap device that "
		"is open as this descriptor. On both its card has an address made from the "
		"desktop's name, the user and the machine. With none there is no card.",
		.initial = FOR_RUN("user") },
	{ "no-network", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_SWITCH_OFF, MEMBER(network), NULL,
		"No network card", "It is the same as --net=none." },
	{ "forward", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_TEXT, MEMBER(forward), "RULES",
		"Ports of this host that lead to the guest's: [tcp:|udp:][ADDRESS:]PORT:GUESTPORT",
		"Several have commas between them. Without an address it is 127.0.0.1, which every "
		"user of this host reaches. With --net=user alone.",
		.fallback = FOR_RUN("none") },
	{ "no-audio", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_SWITCH_OFF, MEMBER(audio), NULL,
		"No sound card",
		"Without it the guest has a sound card (Intel HDA), heard by the client." },
	{ "no-microphone", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_SWITCH_OFF, MEMBER(microphone),
		NULL, "The sound card has no microphone",
		"Without it the guest hears the client's, while a program there records and the "
		"client's user lets it." },
	{ "serial", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_TEXT, MEMBER(serial), "WHERE",
		"Where the first serial port leads: a file, stdio, or client",
		"With client it is a text console for SPICE clients (remote-viewer has it as "
		"Serial "
		"among its displays), and what the guest prints is in the run directory's file, "
		"too. ./client is a file of that name.",
		.fallback = FOR_RUN("a file in the run directory") },
	{ "qemu", RUN, DESKTOP_SECTION_MACHINE, DESKTOP_TEXT, MEMBER(qemu), "PROGRAM",
		"The QEMU program", .initial = FOR_RUN("qemu-system-x86_64") },

	/* ---- QEMU ---- */
	{ "socket-path", GPU, DESKTOP_SECTION_QEMU, DESKTOP_PATH, MEMBER(socket_path), "PATH",
		"Make this unix socket and serve the first QEMU that connects" },
	{ "fd", GPU, DESKTOP_SECTION_QEMU, DESKTOP_NUMBER, MEMBER(vhost_fd), "N",
		"Serve the QEMU at the other end of this inherited socket", .max = G_MAXINT },
	{ "lost-fd", GPU, DESKTOP_SECTION_QEMU, DESKTOP_NUMBER, MEMBER(lost_fd), "N",
		"Tell the guest which OpenGL contexts it lost through this inherited stream socket",
		"It leads to the chardev of a virtserialport named " GUEST_LOST_PORT
		", whose id is " DESKTOP_LOST_PORT_ID
		". It needs --qmp, to know when somebody in the guest listens.",
		.max = G_MAXINT },
	{ "qmp", GPU, DESKTOP_SECTION_QEMU, DESKTOP_PATH, MEMBER(qmp_path), "PATH",
		"QEMU's QMP socket, to obtain keyboard and pointer",
		"It must be for our use alone, and may appear later. Keyboard and pointer go "
		"through QEMU's D-Bus display, which is opened by QMP; without this option the "
		"desktop is to be looked at only." },

	/* ---- graphics ---- */
	{ "virgl", GPU, DESKTOP_SECTION_GRAPHICS, DESKTOP_SWITCH_ON, MEMBER(virgl), NULL,
		"Offer the guest OpenGL",
		"Without it the guest has a GPU that shows pictures and draws none." },
	{ "no-virgl", RUN, DESKTOP_SECTION_GRAPHICS, DESKTOP_SWITCH_OFF, MEMBER(virgl), NULL,
		"No OpenGL for the guest",
		"The guest then has a GPU that shows pictures and draws none." },
	{ "render-node", RUN | GPU, DESKTOP_SECTION_GRAPHICS, DESKTOP_PATH, MEMBER(render_node),
		"PATH", "Draw on this GPU",
		"\"vitrine gpus\" lists them. One that is named must work at the start; if it is "
		"lost later, the desktop goes on with the CPU.",
		.fallback = BOTH("the first render node that works, or the CPU") },
	{ "software", RUN | GPU, DESKTOP_SECTION_GRAPHICS, DESKTOP_SWITCH_ON, MEMBER(software),
		NULL, "Draw on the CPU" },
	{ "resolution", RUN, DESKTOP_SECTION_GRAPHICS, DESKTOP_TEXT, MEMBER(resolution),
		"WIDTHxHEIGHT", "The size of the guest's first monitor until a client asks for one",
		"Each side has 32 to 8192 pixels. Clients that resize the guest ask with their "
		"window's size as soon as they come. Where QEMU is started by others, it is the "
		"device's xres and yres.",
		.initial = FOR_RUN("1920x1080"), .check = check_resolution, .checked_by = RUN },
	{ "refresh", RUN | GPU, DESKTOP_SECTION_GRAPHICS, DESKTOP_NUMBER, MEMBER(refresh_hz), "HZ",
		"The refresh rate of the guest's monitors",
		"Guests draw at that rate, and clients get up to 60 pictures a second of it.",
		.initial = BOTH("60"), .min = DESKTOP_REFRESH_MIN_HZ, .max = DESKTOP_REFRESH_MAX_HZ,
		.unit = "Hz" },
	{ "quota", RUN | GPU, DESKTOP_SECTION_GRAPHICS, DESKTOP_QUOTAS, MEMBER(quotas),
		"NAME=VALUE", "Let the guest use so much of the host",
		"It can be given several times, and takes several with commas between them. "
		"Values may end in K, M, G or T. What the guest asks for past a limit is "
		"answered with ERR_OUT_OF_MEMORY, and said once in the log; its other programs "
		"go on. Memory of vitrine-render is at most the sum of texture-bytes, "
		"picture-bytes, other-bytes, staging-bytes and 256M. Where one is given on the "
		"command line, those of a configuration file do not count." },
	{ "no-pacing", RUN | GPU, DESKTOP_SECTION_GRAPHICS, DESKTOP_SWITCH_OFF, MEMBER(pacing),
		NULL, "Let the guest draw faster than its monitors show (for benchmarks)",
		"Without it a guest that outruns a monitor's refresh rate gets the answers its "
		"page flips wait for at that rate." },

	{ "submit-limit", RUN | GPU, DESKTOP_SECTION_GRAPHICS, DESKTOP_NUMBER,
		MEMBER(submit_limit_s), "SECONDS",
		"How long one piece of a guest program's drawing may take",
		"A renderer that is at one thing for longer, or is stopped, is killed and "
		"replaced, and the log says what it was at, and for which of the guest's "
		"contexts. On a GPU it has 5 seconds more, in which the kernel resets one that "
		"hangs.",
		.initial = BOTH("10"), .min = 1, .max = DESKTOP_SUBMIT_LIMIT_MAX_S,
		.unit = "seconds" },
	{ "spare", RUN | GPU, DESKTOP_SECTION_GRAPHICS, DESKTOP_CHOICE, MEMBER(spare), "HOW",
		"Which second renderer waits for the first one's end: ready, fork or none",
		"With ready, one waits that has started OpenGL: when the first one crashes, hangs "
		"or "
		"is killed, the picture is back within a tenth of a second. With fork, one waits "
		"that has loaded its libraries and not started OpenGL, which then takes half as "
		"long as a whole start; in spite of the word it is executed anew like any other, "
		"so that its addresses are its own. With none, one waits only for the minute after "
		"a crash or a hang. \"vitrine show\" says what the one that waits costs.",
		.values = spares },

	/* ---- video ---- */
	{ "encoder", RUN | GPU, DESKTOP_SECTION_VIDEO, DESKTOP_TEXT, MEMBER(encoder), "NAME",
		"Encode video with this, and prefer its codec",
		"Names, best first by codec: H.264 va-low-power, va, nvenc, vaapi, x264, "
		"openh264; VP8 vpx; JPEG va-jpeg, jpeg. Without it each codec has the first that "
		"encodes in a trial at start, and H.264 is taken where the client takes it; a "
		"line in the log says which. Of several GPUs, only encoders of the one that draws "
		"the desktop are used, unless one is named. A name that does not work here is said "
		"in the log, and the default stands.",
		.fallback = BOTH("the best that works") },
	{ "video-444", RUN | GPU, DESKTOP_SECTION_VIDEO, DESKTOP_SWITCH_ON, MEMBER(video_444), NULL,
		"Video with full colour resolution, for clients that decode it",
		"The colours' resolution in H.264 by x264 is then not halved: coloured text in a "
		"video stays sharp, for about a fifth more bits. Software decoders of stock "
		"clients take it, those in hardware and browsers mostly do not and show nothing; "
		"a client does not tell." },
	{ "clock", RUN | GPU, DESKTOP_SECTION_VIDEO, DESKTOP_CHOICE, MEMBER(clock), "WHOSE",
		"Whose clock video is shown by: vitrine or server",
		"With vitrine, clients are told a clock that shows video as soon as it arrives, "
		"with a margin that follows the connection. With server it is the clock as "
		"spice-server tells it, by which video is shown 400 ms late; for comparisons. "
		"Clients on the unix socket always have that one.",
		.values = worker_clock_words },

	/* ---- SPICE clients ---- */
	{ "spice-addr", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_TEXT, MEMBER(spice_addr), "ADDR",
		"Listen on this address",
		"It holds for --spice-port and --spice-tls-port. One that other machines can "
		"reach is refused without --password-file.",
		.initial = BOTH("127.0.0.1") },
	{ "spice-port", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_NUMBER, MEMBER(spice_port), "N",
		"Listen on this TCP port",
		"Browsers connect here, too: WebSocket frames are understood on this port and on "
		"the one for TLS. Without a password a browser's page is let in only from the "
		"host it connects to, by number or as localhost.",
		.initial = BOTH("0"),
		.fallback = { "the first free one from 5900; with TLS or a unix socket none",
			"none" },
		.max = DESKTOP_PORT_MAX, .noun = "a port" },
	{ "spice-unix", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_PATH, MEMBER(spice_unix), "PATH",
		"Listen on this unix socket, for this user only" },
	{ "spice-fd", GPU, DESKTOP_SECTION_SPICE, DESKTOP_NUMBER, MEMBER(spice_fd), "N",
		"Accept clients on this inherited, listening TCP socket", .max = G_MAXINT },
	{ "spice-tls-port", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_NUMBER, MEMBER(tls.port), "N",
		"Listen on this TCP port with TLS 1.2 or later",
		"Where this is meant to protect anything, leave --spice-port out: who is between "
		"the two can make a client that may choose choose the open one. Clients are told "
		"with spice://HOST?tls-port=N; one whose system does not know the certificate's "
		"issuer is given it, as in \"remote-viewer --spice-ca-file=FILE\".",
		.initial = BOTH("0"), .fallback = BOTH("none"), .max = DESKTOP_PORT_MAX,
		.noun = "a port" },
	{ "spice-tls-cert", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_PATH, MEMBER(tls.certificate),
		"FILE", "The certificate to show, and those behind it (PEM)",
		.check = check_readable, .checked_by = RUN | GPU },
	{ "spice-tls-key", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_PATH, MEMBER(tls.key), "FILE",
		"The certificate's key (PEM)",
		"Both files are copied by vitrine-gpu at its start, and when it gets SIGHUP: see "
		"SIGNALS.",
		.check = check_readable, .checked_by = RUN | GPU },
	{ "password-file", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_PATH, MEMBER(password_file),
		"PATH", "Ask clients for the password in the first line of this file",
		"The password has 1 to 59 bytes. The file may be a pipe, as in <(pass show work), "
		"a "
		"FIFO, or /dev/stdin. A plain one is read again on SIGHUP: see SIGNALS." },
	{ "password-credential", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_TEXT,
		MEMBER(password_credential), "NAME",
		"The same with systemd's credential of this name",
		"It is the file NAME in the folder that a service's LoadCredential= or "
		"LoadCredentialEncrypted= fills ($CREDENTIALS_DIRECTORY).",
		.check = check_credential, .checked_by = RUN | GPU },
	{ "password-fd", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_NUMBER, MEMBER(password_fd), "N",
		"The same with what this inherited descriptor reads as",
		"It is read to the end of a line, once. With --password-file, too, the file is for "
		"SIGHUP alone.",
		.max = G_MAXINT, .not_in_file = true },
	{ "view-password-file", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_PATH,
		MEMBER(view_password_file), "PATH",
		"Let those who give the password in this file only look on",
		"They see and hear the guest; keys, pointer, clipboard, files, sizes, microphone "
		"and devices of theirs reach nothing. They do not take the place of one who gave "
		"the other password. The file is a plain one, and read again on SIGHUP.",
		.check = check_readable, .checked_by = RUN | GPU },
	{ "users-file", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_PATH, MEMBER(users_file), "PATH",
		"In TLS, let those in whose names and passwords are in this file",
		"Each line is NAME:PASSWORD, or NAME/view:PASSWORD for one who may only look on. A "
		"name has up to 63 letters, digits and \".\", \"-\", \"_\", \"@\"; desktop "
		"and view are not free. Stock clients then ask for a name on --spice-tls-port: "
		"with the name desktop the desktop's password counts, with view that of "
		"--view-password-file, and a ticket's name is its first six letters. It needs a "
		"password, by which those come who give no name, and a certificate. The file is a "
		"plain one, and read again on SIGHUP.",
		.check = check_readable, .checked_by = RUN | GPU },
	{ "allow-user", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_TEXT, MEMBER(allow_user),
		"USER[,USER]...", "Without a password: let these users of this host in, too",
		"A desktop without a password is for the user who runs it, the one who started it "
		"through sudo, and root. Users are named by name or number." },
	{ "no-password", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_SWITCH_ON, MEMBER(no_password),
		NULL, "Let every user of this host in, without a password" },

	{ "clipboard", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_CHOICE, MEMBER(clipboard), "HOW",
		"What may be copied here and pasted there: both, in, out or off",
		"With in, what the client copies may be pasted in the guest, and nothing the other "
		"way; with out, what the guest copies may be pasted at the client. It needs "
		"SPICE's agent in the guest, whom nobody has to trust: what is not allowed does "
		"not pass.",
		.values = worker_clipboard_words },
	{ "clipboard-max", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_NUMBER,
		MEMBER(clipboard_max_mib), "MIB",
		"The largest copy in MiB; a larger one is left out, and said in the log",
		.initial = BOTH("64"), .min = 1, .max = DESKTOP_CLIPBOARD_MAX_MIB, .unit = "MiB" },
	{ "clipboard-types", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_TEXT,
		MEMBER(clipboard_types), "KIND[,KIND]...", "What copies may be: text, image, files",
		.fallback = BOTH("all of them") },
	{ "file-drop", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_CHOICE, MEMBER(file_drop), "HOW",
		"Whether clients may drop files into the guest: on or off",
		.values = worker_file_drop_words },

	{ "second-client", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_CHOICE, MEMBER(second_client),
		"WHAT", "What a second client does: take the first one's place, or be refused",
		"With take, who comes takes the place of who is in, and that one is told so, which "
		"stock viewers do not show: they close their window, and the log says why. With "
		"refuse who is in stays, and the other one is told that it cannot connect. Who may "
		"only look on never takes the place of who may do more.",
		.values = worker_second_client_words },
	{ "viewers", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_NUMBER, MEMBER(n_viewers), "N",
		"So many may be connected at a time: one drives, the others look on",
		"Who looks on comes with the password of --view-password-file, a user's /view, or "
		"a ticket that is --view-only.",
		.initial = BOTH("1"), .min = 1, .max = DESKTOP_VIEWERS_MAX },
	{ "max-mbit", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_NUMBER, MEMBER(max_mbit), "N",
		"Send no more than this many Mbit/s to clients, all channels together",
		"Video and pictures are made to fit; sound and what is small go first. What "
		"clients "
		"send is not bounded, nor is the unix socket.",
		.initial = BOTH("0"), .fallback = BOTH("as much as the line carries"),
		.max = DESKTOP_MBIT_MAX, .unit = "Mbit/s" },
	{ "usb", RUN, DESKTOP_SECTION_SPICE, DESKTOP_NUMBER, MEMBER(n_usb), "N",
		"How many USB devices of its own a client may give the guest at once",
		"Clients do it by their menu (usbredir); remote-viewer can give a CD's image as a "
		"device, too. The guest has a USB controller for it, with nothing plugged in while "
		"no client does.",
		.initial = FOR_RUN("0"), .max = DESKTOP_USB_MAX },
	{ "usb-allow", RUN, DESKTOP_SECTION_SPICE, DESKTOP_TEXT, MEMBER(usb_allow),
		"RULE[,RULE]...", "Which of them: by class, or by vendor and product",
		"A class is audio, hid, camera, printer, storage, smartcard, video, wireless, or "
		"two hexadecimal digits; vendor and product are four each, as 1d6b:0104, or "
		"1d6b:* for all of a vendor's. What no rule names is refused by QEMU. All "
		"interfaces of a device must be allowed, and it can lie about what it is.",
		.fallback = FOR_RUN("any"), .check = check_usb, .checked_by = RUN },
	{ "share-folder", RUN, DESKTOP_SECTION_SPICE, DESKTOP_SWITCH_ON, MEMBER(share_folder), NULL,
		"Let clients share a folder of theirs with the guest",
		"It needs spice-webdavd in the guest, and the client's user chooses the folder. "
		"Every program of the guest can then read it, and write to it unless the client "
		"forbids that." },
	{ "port", RUN, DESKTOP_SECTION_SPICE, DESKTOP_TEXT, MEMBER(ports), "NAME[,NAME]...",
		"Ports of the guest that lead to clients' programs, by their names",
		"The guest finds /dev/virtio-ports/NAME, and a client's program a port channel of "
		"this name.",
		.fallback = FOR_RUN("none"), .check = check_ports, .checked_by = RUN },

	{ "lock-on-leave", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_SWITCH_ON,
		MEMBER(lock_on_leave), NULL,
		"Have the guest lock its session when nobody is there who may use it",
		"It is told two seconds later, by the port of --lost-fd, and needs the guest "
		"tools' "
		"vitrine-guest-recover and a session that heeds logind's Lock: Xfce and GNOME do, "
		"sway with swayidle. The log says when nobody in the guest listens." },
	{ "idle-timeout", RUN | GPU, DESKTOP_SECTION_SPICE, DESKTOP_NUMBER, MEMBER(idle_minutes),
		"MINUTES", "Cut off a client that has not touched anything for so long",
		"Keys, pointer, copies and window sizes count. A minute before, the guest's "
		"picture says so, until something is touched. Who may only look on is not cut off.",
		.initial = BOTH("0"), .fallback = BOTH("never"), .max = DESKTOP_IDLE_MAX_MINUTES,
		.unit = "minutes" },

	/* ---- the program ---- */
	{ "confine", RUN | GPU, DESKTOP_SECTION_PROGRAM, DESKTOP_CHOICE, MEMBER(confine), "HOW",
		"How the processes are locked in: auto, must or off",
		"With auto, vitrine-gpu, its starter and fetcher, vitrine-render and "
		"vitrine-display each put up all walls that this kernel has, and say in the log "
		"which it lacks; \"vitrine show\" has it, "
		"too. With must, they do not start unless they have all. With off there are none, "
		"which is for debuggers.",
		.values = confine_mode_words },
	{ "detach", RUN, DESKTOP_SECTION_PROGRAM, DESKTOP_SWITCH_ON, MEMBER(detach), NULL,
		"Go on in the background when the desktop runs; vitrine attach shows what it says, "
		"and vitrine stop ends it" },
	{ "print-capabilities", GPU, DESKTOP_SECTION_PROGRAM, DESKTOP_SWITCH_ON,
		MEMBER(print_capabilities), NULL, "Print what this backend can do as JSON, and end",
		"The word virgl is in it only when OpenGL starts on this machine." },
	{ "stats-socket", GPU, DESKTOP_SECTION_PROGRAM, DESKTOP_PATH, MEMBER(stats_socket), "PATH",
		"Make this unix socket for \"vitrine stats\" and \"vitrine top\"",
		"It is for this user only; there they read what this desktop does." },
	{ "ticket-socket", GPU, DESKTOP_SECTION_PROGRAM, DESKTOP_PATH, MEMBER(ticket_socket),
		"PATH", "Make this unix socket for \"vitrine ticket\"" },
	{ "worker-dir", GPU, DESKTOP_SECTION_PROGRAM, DESKTOP_PATH, MEMBER(worker_dir), "DIR",
		"Where vitrine-render and vitrine-display are",
		.fallback = FOR_GPU("as built or installed with this program") },
	{ "version", GPU, DESKTOP_SECTION_PROGRAM, DESKTOP_SWITCH_ON, MEMBER(version), NULL,
		"Print the version, and end" },
};

const unsigned desktop_n_options = G_N_ELEMENTS(desktop_options);

bool desktop_option_is_of(const struct desktop_option *option, enum desktop_program program)
{
	return option->programs & (1u << program);
}

bool desktop_option_is_switch(const struct desktop_option *option)
{
	return option->type == DESKTOP_SWITCH_ON || option->type == DESKTOP_SWITCH_OFF;
}

bool desktop_option_in_file(const struct desktop_option *option)
{
	return desktop_option_is_of(option, DESKTOP_RUN) && !option->not_in_file;
}

const struct desktop_option *desktop_option_find(enum desktop_program program, const char *name)
{
	for (unsigned i = 0; i < desktop_n_options; i++) {
		const struct desktop_option *option = &desktop_options[i];
		if (desktop_option_is_of(option, program) && strcmp(option->name, name) == 0)
			return option;
	}
	return NULL;
}

const char *desktop_option_fallback(
	const struct desktop_option *option, enum desktop_program program)
{
	const char *words = option->fallback[program];
	if (!words && option->type == DESKTOP_CHOICE)
		words = option->values[0];
	if (!words)
		words = option->initial[program];
	return words && *words ? words : NULL;
}
