/* SPDX-License-Identifier: MIT */
#include "server/run/qemu_command.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "protocol/guest_lost.h"
#include "protocol/guest_report.h"
#include "protocol/keeper_link.h"
#include "server/run/qemu_disk.h"
#include "server/run/qemu_ports.h"

#define PACKAGES "qemu-system-x86 qemu-system-modules-opengl"
#define OVMF_CODE "/usr/share/OVMF/OVMF_CODE_4M.fd"
#define OVMF_VARS "/usr/share/OVMF/OVMF_VARS_4M.fd"

/*
 * Under TCG "max" is the richest model, but LLVM in a guest does not know it for a 64-bit CPU:
 * family and model of a real one (Zen 2) help. Five-level page tables only cost there.
 */
#define TCG_CPU "max,family=23,model=49,stepping=0,la57=off"

bool qemu_find(struct qemu_program *qemu, const char *path, GError **error)
{
	*qemu = (struct qemu_program){ .path = g_find_program_in_path(path) };
	if (!qemu->path) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
			"no QEMU: %s is not there (on Debian: apt install " PACKAGES ")", path);
		return false;
	}
	char *argv[] = { qemu->path, (char *)"--version", NULL };
	g_autofree char *text = NULL;
	if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &text, NULL,
		    NULL, error))
		return false;
	const char *version = strstr(text, "version ");
	if (!version || sscanf(version, "version %u.%u", &qemu->major, &qemu->minor) != 2) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
			"%s --version does not say a version", qemu->path);
		return false;
	}
	return true;
}

void qemu_program_finish(struct qemu_program *qemu)
{
	g_clear_pointer(&qemu->path, g_free);
}

bool qemu_check_accel(const struct qemu_program *qemu, bool kvm, GError **error)
{
	if (kvm || qemu->major >= 8)
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
		"QEMU %u.%u refuses vhost-user-gpu without KVM, and KVM does not work here. "
		"A newer QEMU does not; on Debian 12: apt install -t bookworm-backports " PACKAGES,
		qemu->major, qemu->minor);
	return false;
}

static void add(GPtrArray *argv, const char *argument)
{
	g_ptr_array_add(argv, g_strdup(argument));
}

static void add_pair(GPtrArray *argv, const char *option, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

static void add_pair(GPtrArray *argv, const char *option, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(argv, option);
	g_ptr_array_add(argv, g_strdup_vprintf(format, args));
	va_end(args);
}

/* QEMU's option syntax wants each comma in a value doubled. */
static char *escape(const char *value)
{
	g_auto(GStrv) parts = g_strsplit(value, ",", -1);
	return g_strjoinv(",,", parts);
}

static char *escaped_run_file(const struct run_dir *dir, const char *file)
{
	g_autofree char *path = run_dir_file(dir, file);
	return escape(path);
}

static void add_machine(GPtrArray *argv, const struct desktop *o, bool kvm)
{
	add_pair(argv, "-name", "guest=%s", o->name);
	add(argv, "-nodefaults");
	add_pair(argv, "-machine", "q35,memory-backend=mem%s",
		o->uefi ? ",pflash0=firmware,pflash1=variables" : "");
	add_pair(argv, "-accel", "%s", kvm ? "kvm" : "tcg");
	add_pair(argv, "-cpu", "%s", kvm ? "host" : TCG_CPU);
	add_pair(argv, "-smp", "%u", o->n_cpus);
	add_pair(argv, "-m", "%u", o->memory_mib);
	/*
	 * Linux' virtio_gpu does not come back from S3 and S4: the screen stays black for good.
	 * Where neither is offered a guest that sleeps does so by itself (s2idle).
	 */
	add_pair(argv, "-global", "ICH9-LPC.disable_s3=1");
	add_pair(argv, "-global", "ICH9-LPC.disable_s4=1");
	add_pair(argv, "-object", "memory-backend-memfd,id=mem,size=%uM,share=on", o->memory_mib);
}

/* By it a guest's kernel says that it has panicked. What it does then is its own affair. */
static void add_panic(GPtrArray *argv)
{
	add_pair(argv, "-device", "pvpanic");
	add_pair(argv, "-action", "panic=none");
}

/*
 * virgl makes QEMU want GL in its own display, though no picture ever goes there. With /dev/null as
 * its render node it opens none, and Mesa draws in software. So a GPU that is reset does not end
 * the machine along with those who draw on it, as Mesa does with radeonsi.
 */
static void add_display(GPtrArray *argv, const struct desktop *o)
{
	add_pair(argv, "-display", "dbus,p2p=yes,gl=on%s,rendernode=/dev/null",
		o->audio ? ",audiodev=sound" : "");
	add_pair(argv, "-vga", "none");
	add_pair(argv, "-chardev", "socket,id=vitrine,fd=%d", QEMU_VHOST_FD);
	unsigned width = 0, height = 0;
	desktop_read_resolution(o->resolution, &width, &height);
	add_pair(argv, "-device",
		"vhost-user-gpu-pci,id=%s,chardev=vitrine,max_outputs=%u,xres=%u,yres=%u",
		KEEPER_GPU_ID, o->n_heads, width, height);
	add_pair(argv, "-device", "virtio-tablet-pci,id=tablet");
	/*
	 * The keyboard is the machine's own (PS/2): firmware knows it, and Linux takes its keys for
	 * a reason to wake up, which it does not with virtio's.
	 */
	add_pair(argv, "-device", "virtio-rng-pci,id=rng");
}

/*
 * The format is what display takes, at the rate at which spice-server sends Opus. QEMU keeps and
 * writes 10 ms of sound. A timer of 10 ms is always a little late and makes the guest's sound run 2
 * to 3 % slow, so it is set to 5 ms.
 */
static void add_sound(GPtrArray *argv, const struct desktop *o)
{
	add_pair(argv, "-audiodev",
		"dbus,id=sound,out.frequency=48000,out.channels=2,out.format=s16,"
		"in.frequency=48000,in.channels=2,in.format=s16,timer-period=5000");
	add_pair(argv, "-device", "ich9-intel-hda");
	add_pair(argv, "-device", "%s,audiodev=sound", o->microphone ? "hda-duplex" : "hda-output");
}

/* All ports of the guest's are of one device. */
#define PORTS_ID "vitrine-ports"

/* The guest's own verdict on its graphics comes here. */
static void add_report_port(GPtrArray *argv)
{
	add_pair(argv, "-device", "virtio-serial-pci,id=" PORTS_ID);
	add_pair(argv, "-chardev", "socket,id=vitrine-report,fd=%d", QEMU_REPORT_FD);
	add_pair(argv, "-device",
		"virtserialport,bus=" PORTS_ID ".0,chardev=vitrine-report,name=%s",
		GUEST_REPORT_PORT);
}

/* The keeper, which has the other end, is told by this id who listens. */
static void add_lost_port(GPtrArray *argv)
{
	add_pair(argv, "-chardev", "socket,id=vitrine-lost,fd=%d", QEMU_LOST_FD);
	add_pair(argv, "-device",
		"virtserialport,bus=" PORTS_ID ".0,chardev=vitrine-lost,id=%s,name=%s",
		DESKTOP_LOST_PORT_ID, GUEST_LOST_PORT);
}

static void add_kernel(GPtrArray *argv, const struct desktop *o)
{
	add_pair(argv, "-kernel", "%s", o->kernel);
	if (o->initrd)
		add_pair(argv, "-initrd", "%s", o->initrd);
	if (o->append)
		add_pair(argv, "-append", "%s", o->append);
}

/* Boot entries are the guest's and outlive a run, so each name has its own copy. */
static char *copy_variables(const char *name, GError **error)
{
	g_autofree char *dir = g_build_filename(g_get_user_state_dir(), "vitrine", NULL);
	g_autofree char *file = g_strdup_printf("%s.OVMF_VARS.fd", name);
	g_autofree char *path = g_build_filename(dir, file, NULL);
	if (g_file_test(path, G_FILE_TEST_EXISTS))
		return g_steal_pointer(&path);
	g_autofree char *content = NULL;
	size_t length;
	if (g_mkdir_with_parents(dir, 0700) < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot make %s: %s",
			dir, g_strerror(errno));
		return NULL;
	}
	if (!g_file_get_contents(OVMF_VARS, &content, &length, error)) {
		g_prefix_error(error, "--uefi (on Debian: apt install ovmf): ");
		return NULL;
	}
	if (!g_file_set_contents(path, content, (gssize)length, error))
		return NULL;
	return g_steal_pointer(&path);
}

static bool is_utf8(const char *path, GError **error)
{
	if (g_utf8_validate(path, -1, NULL))
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
		"--uefi: %s is not UTF-8, as what QEMU is told must be", path);
	return false;
}

static bool add_firmware(GPtrArray *argv, const struct desktop *o, GError **error)
{
	if (!o->uefi)
		return true;
	g_autofree char *variables = copy_variables(o->name, error);
	if (!variables || !is_utf8(variables, error))
		return false;
	qemu_add_flash(argv, "firmware", OVMF_CODE, true);
	qemu_add_flash(argv, "variables", variables, false);
	return true;
}

static void add_serial(GPtrArray *argv, const struct desktop *o, const struct run_dir *dir)
{
	if (o->serial && strcmp(o->serial, "stdio") == 0) {
		add_pair(argv, "-serial", "stdio");
		return;
	}
	bool is_log = !o->serial || strcmp(o->serial, DESKTOP_SERIAL_CLIENT) == 0;
	g_autofree char *path = is_log ? escaped_run_file(dir, QEMU_SERIAL_LOG) : escape(o->serial);
	if (o->serial && is_log) {
		qemu_add_client_serial(argv, path);
		return;
	}
	add_pair(argv, "-chardev", "file,id=serial,path=%s", path);
	add_pair(argv, "-serial", "chardev:serial");
}

/* With -qmp a path that contains "=" would be an option of another name. */
static void add_qmp(GPtrArray *argv, const struct run_dir *dir)
{
	static const char *const files[] = { QEMU_OUR_QMP, QEMU_KEEPER_QMP, USER_QMP_FILE };
	for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = escaped_run_file(dir, files[i]);
		add_pair(argv, "-chardev", "socket,id=%s,path=%s,server=on,wait=off", files[i],
			path);
		add_pair(argv, "-mon", "chardev=%s,mode=control", files[i]);
	}
}

char **qemu_command(const struct qemu_program *qemu, const struct desktop *o,
	const struct qemu_parts *parts, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	add(argv, qemu->path);
	add_machine(argv, o, parts->kvm);
	if (!add_firmware(argv, o, error))
		return NULL;
	add_panic(argv);
	add_display(argv, o);
	if (o->audio)
		add_sound(argv, o);
	add_report_port(argv);
	add_lost_port(argv);
	qemu_add_ports(argv, o, PORTS_ID);
	if (o->disk)
		qemu_add_disk(argv, parts->disk, o->snapshot);
	if (parts->seed)
		qemu_add_seed(argv, parts->seed);
	if (o->kernel)
		add_kernel(argv, o);
	net_card_add_arguments(parts->net_card, argv);
	add_serial(argv, o, parts->dir);
	add_qmp(argv, parts->dir);
	for (unsigned i = 0; parts->arguments[i]; i++)
		add(argv, parts->arguments[i]);
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&argv), FALSE);
}
