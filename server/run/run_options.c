/* SPDX-License-Identifier: MIT */
#include "server/run/run_options.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "server/run/image.h"
#include "common/listen.h"
#include "server/desktop/options.h"
#include "server/desktop/run_dir.h"

#define MEMORY_MIN_MIB 64
#define MEMORY_MAX_MIB (16 * 1024 * 1024)
#define CPUS_MAX 255

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, text);
	return false;
}

static bool check_readable(const char *option, const char *path, GError **error)
{
	if (!path || access(path, R_OK) == 0)
		return true;
	return fail(error, "--%s %s: %s", option, path, g_strerror(errno));
}

static bool check_accel(struct run_options *o, const char *text, GError **error)
{
	static const char *const names[] = { "auto", "kvm", "tcg" };
	for (unsigned i = 0; text && i < G_N_ELEMENTS(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			o->accel = (enum run_accel)i;
			return true;
		}
	}
	return text ? fail(error, "--accel=%s: is none of auto, kvm, tcg", text) : true;
}

static bool check_guest(struct run_options *o, GError **error)
{
	if (!run_dir_name_ok(o->name))
		return fail(error, "--name=%s: letters, digits, \".\", \"-\", \"_\", at most 64",
			o->name);
	if (!o->disk && !o->kernel)
		return fail(error, "give a machine to run: --disk=IMAGE, or --kernel=FILE");
	if ((o->initrd || o->append) && !o->kernel)
		return fail(error, "--initrd and --append need --kernel");
	if (!check_readable("kernel", o->kernel, error) ||
		!check_readable("initrd", o->initrd, error))
		return false;
	const char *format = o->disk ? image_format(o->disk, o->disk_format, error) : NULL;
	if (o->disk && !format)
		return false;
	if (format && !o->disk_format)
		o->disk_format = g_strdup(format);
	return true;
}

static bool check_numbers(struct run_options *o, int memory, int cpus, int port, GError **error)
{
	if (memory < MEMORY_MIN_MIB || memory > MEMORY_MAX_MIB)
		return fail(error, "--memory=%d: from %d to %d MiB", memory, MEMORY_MIN_MIB,
			MEMORY_MAX_MIB);
	if (cpus < 1 || cpus > CPUS_MAX)
		return fail(error, "--cpus=%d: from 1 to %d", cpus, CPUS_MAX);
	if (port < 0 || port > 65535)
		return fail(error, "--spice-port=%d is not a port", port);
	o->memory_mib = (unsigned)memory;
	o->n_cpus = (unsigned)cpus;
	o->spice_port = (unsigned)port;
	return true;
}

static bool check_spice(const struct run_options *o, GError **error)
{
	g_autofree char *password = NULL;
	if (o->password_file && !(password = options_read_password(o->password_file, error)))
		return false;
	bool secret = password != NULL;
	if (password)
		memset(password, 0, strlen(password));
	if (o->spice_unix && o->tls.port > 0)
		return fail(error, "--spice-tls-port and --spice-unix exclude each other");
	if (o->spice_unix && o->spice_port > 0)
		return fail(error, "--spice-port and --spice-unix exclude each other");
	if (!o->spice_unix && !secret && !listen_is_loopback(o->spice_addr))
		return fail(error,
			"--spice-addr=%s is not a loopback address: that needs "
			"--password-file",
			o->spice_addr);
	if (o->software && o->render_node)
		return fail(error, "--software and --render-node exclude each other");
	return true;
}

/* What stands after "--" is QEMU's, whatever it looks like. */
static char **split_rest(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			char **rest = g_strdupv(argv + i + 1);
			*argc = i;
			return rest;
		}
	}
	return g_new0(char *, 1);
}

/* GOption's idea of the options: where it writes. Strings are moved on from here. */
static struct {
	char *clock, *name, *disk, *disk_format, *kernel, *initrd, *append, *accel, *serial,
		*spice_addr, *spice_unix, *password_file, *render_node, *qemu, *encoder;
	int memory, cpus, port;
	gboolean snapshot, uefi, no_network, no_audio, no_virgl, software, no_pacing, video_444;
} raw = { .memory = RUN_DEFAULT_MEMORY_MIB, .cpus = RUN_DEFAULT_CPUS };

static const GOptionEntry entries[] = {
	{ "name", 0, 0, G_OPTION_ARG_STRING, &raw.name, "The desktop's name", "NAME" },
	{ "disk", 0, 0, G_OPTION_ARG_FILENAME, &raw.disk, "Boot this disk image", "IMAGE" },
	{ "disk-format", 0, 0, G_OPTION_ARG_STRING, &raw.disk_format,
		"raw, qcow2, ... (default: seen from the file)", "FORMAT" },
	{ "snapshot", 0, 0, G_OPTION_ARG_NONE, &raw.snapshot,
		"Forget what the guest writes to the disk", NULL },
	{ "uefi", 0, 0, G_OPTION_ARG_NONE, &raw.uefi, "Boot with OVMF, not SeaBIOS", NULL },
	{ "kernel", 0, 0, G_OPTION_ARG_FILENAME, &raw.kernel, "Boot this kernel", "FILE" },
	{ "initrd", 0, 0, G_OPTION_ARG_FILENAME, &raw.initrd, "Its initramfs", "FILE" },
	{ "append", 0, 0, G_OPTION_ARG_STRING, &raw.append, "Its command line", "TEXT" },
	{ "memory", 0, 0, G_OPTION_ARG_INT, &raw.memory, "Guest memory (default 2048)", "MIB" },
	{ "cpus", 0, 0, G_OPTION_ARG_INT, &raw.cpus, "Virtual CPUs (default 2)", "N" },
	{ "accel", 0, 0, G_OPTION_ARG_STRING, &raw.accel, "auto, kvm or tcg", "HOW" },
	{ "no-network", 0, 0, G_OPTION_ARG_NONE, &raw.no_network, "No network card", NULL },
	{ "no-audio", 0, 0, G_OPTION_ARG_NONE, &raw.no_audio, "No sound card", NULL },
	{ "serial", 0, 0, G_OPTION_ARG_STRING, &raw.serial,
		"The serial port's output: a file, or \"stdio\"", "WHERE" },
	{ "spice-addr", 0, 0, G_OPTION_ARG_STRING, &raw.spice_addr,
		"Listen on this address (default 127.0.0.1)", "ADDR" },
	{ "spice-port", 0, 0, G_OPTION_ARG_INT, &raw.port,
		"Listen on this port (default: first free from 5900, none with TLS)", "N" },
	{ "spice-unix", 0, 0, G_OPTION_ARG_FILENAME, &raw.spice_unix,
		"Listen on this unix socket instead", "PATH" },
	{ "clock", 0, 0, G_OPTION_ARG_STRING, &raw.clock,
		"Whose clock video is shown by: vitrine (default) or server", "WHOSE" },
	{ "password-file", 0, 0, G_OPTION_ARG_FILENAME, &raw.password_file,
		"Ask clients for the password in this file", "PATH" },
	{ "no-virgl", 0, 0, G_OPTION_ARG_NONE, &raw.no_virgl, "No OpenGL for the guest", NULL },
	{ "software", 0, 0, G_OPTION_ARG_NONE, &raw.software, "Draw on the CPU", NULL },
	{ "encoder", 0, 0, G_OPTION_ARG_STRING, &raw.encoder,
		"Encode video with this (default: the best that works)", "NAME" },
	{ "video-444", 0, 0, G_OPTION_ARG_NONE, &raw.video_444,
		"Video with full colour resolution, for clients that decode it", NULL },
	{ "render-node", 0, 0, G_OPTION_ARG_FILENAME, &raw.render_node, "Draw on this GPU",
		"PATH" },
	{ "no-pacing", 0, 0, G_OPTION_ARG_NONE, &raw.no_pacing,
		"Let the guest draw faster than its monitors show (for benchmarks)", NULL },
	{ "qemu", 0, 0, G_OPTION_ARG_FILENAME, &raw.qemu, "The QEMU program", "PATH" },
	G_OPTION_ENTRY_NULL,
};

static void take_raw(struct run_options *o)
{
	o->name = raw.name ? raw.name : g_strdup("desktop");
	o->disk = raw.disk;
	o->disk_format = raw.disk_format;
	o->snapshot = raw.snapshot;
	o->uefi = raw.uefi;
	o->kernel = raw.kernel;
	o->initrd = raw.initrd;
	o->append = raw.append;
	o->no_network = raw.no_network;
	o->no_audio = raw.no_audio;
	o->serial = raw.serial;
	o->spice_addr = raw.spice_addr ? raw.spice_addr : g_strdup("127.0.0.1");
	o->spice_unix = raw.spice_unix;
	o->clock = raw.clock;
	o->password_file = raw.password_file;
	o->no_virgl = raw.no_virgl;
	o->software = raw.software;
	o->no_pacing = raw.no_pacing;
	o->encoder = raw.encoder;
	o->video_444 = raw.video_444;
	o->render_node = raw.render_node;
	o->qemu = raw.qemu;
}

bool run_options_parse(struct run_options *o, int argc, char **argv, GError **error)
{
	*o = (struct run_options){ .rest = split_rest(&argc, argv) };
	g_autoptr(GOptionContext) context = g_option_context_new("[-- QEMU ARGUMENTS]");
	g_option_context_set_summary(context, "Runs a virtual machine with an OpenGL desktop.");
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_main_entries(context, tls_options_entries(), NULL);
	bool parsed = g_option_context_parse(context, &argc, &argv, error);
	take_raw(o);
	bool tls = tls_options_take(&o->tls, parsed ? error : NULL);
	g_autofree char *accel = raw.accel;
	if (!parsed || !tls)
		return false;
	if (argc > 1)
		return fail(error, "unexpected argument %s", argv[1]);
	return check_accel(o, accel, error) &&
	       check_numbers(o, raw.memory, raw.cpus, raw.port, error) && check_guest(o, error) &&
	       check_spice(o, error);
}

void run_options_finish(struct run_options *o)
{
	char *texts[] = { o->name, o->disk, o->disk_format, o->kernel, o->initrd, o->append,
		o->serial, o->spice_addr, o->spice_unix, o->password_file, o->render_node,
		o->encoder, o->qemu, o->clock };
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
		g_free(texts[i]);
	tls_options_finish(&o->tls);
	g_strfreev(o->rest);
}
