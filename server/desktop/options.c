/* SPDX-License-Identifier: MIT */
#include "server/desktop/options.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/listen.h"
#include "server/desktop/workers.h"

#define DEFAULT_ADDRESS "127.0.0.1"
#define DEFAULT_NAME "vitrine"

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

char *options_read_password(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	size_t length;
	if (!g_file_get_contents(path, &text, &length, error)) {
		g_prefix_error(error, "--password-file: ");
		return NULL;
	}
	text[strcspn(text, "\r\n")] = '\0';
	if (strlen(text) == 0 || strlen(text) > KEEPER_TICKET_MAX) {
		fail(error, "--password-file: %s: the first line must have 1 to %d bytes", path,
			KEEPER_TICKET_MAX);
		memset(text, 0, length);
		return NULL;
	}
	return g_steal_pointer(&text);
}

static bool check_sockets(struct options *o, int port, GError **error)
{
	if (o->print_capabilities)
		return true;
	if ((o->socket_path != NULL) == (o->vhost_fd >= 0))
		return fail(error, "give one of --socket-path=PATH and --fd=N");
	if (o->vhost_fd >= 0 && fcntl(o->vhost_fd, F_GETFD) < 0)
		return fail(error, "--fd=%d is not open", o->vhost_fd);
	if (o->spice_fd >= 0 && fcntl(o->spice_fd, F_GETFD) < 0)
		return fail(error, "--spice-fd=%d is not open", o->spice_fd);
	if (port < 0 || port > 65535)
		return fail(error, "--spice-port=%d is not a port", port);
	o->spice_port = (unsigned)port;
	return true;
}

/* A desktop without a password is for people on this machine. */
static bool check_address(const struct options *o, GError **error)
{
	if ((o->spice_port == 0 && o->tls.port == 0) || o->password ||
		listen_is_loopback(o->spice_addr))
		return true;
	return fail(error, "--spice-addr=%s is not a loopback address: that needs --password-file",
		o->spice_addr);
}

/* GOption's idea of the options: where it writes. Strings are moved on from here. */
static struct {
	char *clock, *socket_path, *render_node, *spice_addr, *spice_unix, *password_file, *name,
		*qmp_path, *stats_socket, *worker_dir, *encoder;
	int vhost_fd, spice_fd, spice_port;
	gboolean print_capabilities, virgl, software, no_pacing, video_444, version;
} raw = { .vhost_fd = -1, .spice_fd = -1 };

static const GOptionEntry entries[] = {
	{ "socket-path", 0, 0, G_OPTION_ARG_FILENAME, &raw.socket_path,
		"Make this unix socket and serve the QEMU that connects", "PATH" },
	{ "fd", 0, 0, G_OPTION_ARG_INT, &raw.vhost_fd, "Serve QEMU on this inherited socket", "N" },
	{ "print-capabilities", 0, 0, G_OPTION_ARG_NONE, &raw.print_capabilities,
		"Print what this backend can do as JSON, and end", NULL },
	{ "virgl", 0, 0, G_OPTION_ARG_NONE, &raw.virgl, "Offer the guest OpenGL", NULL },
	{ "render-node", 0, 0, G_OPTION_ARG_FILENAME, &raw.render_node,
		"Draw on this GPU (default: the first that works)", "PATH" },
	{ "software", 0, 0, G_OPTION_ARG_NONE, &raw.software, "Draw on the CPU", NULL },
	{ "no-pacing", 0, 0, G_OPTION_ARG_NONE, &raw.no_pacing,
		"Let the guest draw faster than its monitors show (for benchmarks)", NULL },
	{ "encoder", 0, 0, G_OPTION_ARG_STRING, &raw.encoder,
		"Encode video with this (default: the best that works)", "NAME" },
	{ "video-444", 0, 0, G_OPTION_ARG_NONE, &raw.video_444,
		"Video with full colour resolution, for clients that decode it", NULL },
	{ "spice-addr", 0, 0, G_OPTION_ARG_STRING, &raw.spice_addr,
		"Listen on this address (default " DEFAULT_ADDRESS ")", "ADDR" },
	{ "spice-port", 0, 0, G_OPTION_ARG_INT, &raw.spice_port, "Listen on this TCP port", "N" },
	{ "spice-unix", 0, 0, G_OPTION_ARG_FILENAME, &raw.spice_unix, "Listen on this unix socket",
		"PATH" },
	{ "spice-fd", 0, 0, G_OPTION_ARG_INT, &raw.spice_fd,
		"Use this inherited listening TCP socket", "N" },
	{ "clock", 0, 0, G_OPTION_ARG_STRING, &raw.clock,
		"Whose clock video is shown by: vitrine (default) or server", "WHOSE" },
	{ "password-file", 0, 0, G_OPTION_ARG_FILENAME, &raw.password_file,
		"Ask clients for the password in the first line of this file", "PATH" },
	{ "name", 0, 0, G_OPTION_ARG_STRING, &raw.name, "What clients see in their title bar",
		"NAME" },
	{ "qmp", 0, 0, G_OPTION_ARG_FILENAME, &raw.qmp_path,
		"QEMU's QMP socket, to obtain keyboard and pointer", "PATH" },
	{ "stats-socket", 0, 0, G_OPTION_ARG_FILENAME, &raw.stats_socket,
		"Make this unix socket for vitrine stats and vitrine top", "PATH" },
	{ "worker-dir", 0, 0, G_OPTION_ARG_FILENAME, &raw.worker_dir,
		"Where vitrine-render and vitrine-display are", "DIR" },
	{ "version", 0, 0, G_OPTION_ARG_NONE, &raw.version, "Print the version, and end", NULL },
	G_OPTION_ENTRY_NULL,
};

static void take_raw(struct options *o)
{
	*o = (struct options){
		.socket_path = raw.socket_path,
		.vhost_fd = raw.vhost_fd,
		.print_capabilities = raw.print_capabilities,
		.virgl = raw.virgl,
		.software = raw.software,
		.encoder = raw.encoder,
		.video_444 = raw.video_444,
		.render_node = raw.render_node,
		.no_pacing = raw.no_pacing,
		.spice_addr = raw.spice_addr ? raw.spice_addr : g_strdup(DEFAULT_ADDRESS),
		.spice_unix = raw.spice_unix,
		.spice_fd = raw.spice_fd,
		.clock = raw.clock,
		.name = raw.name ? raw.name : g_strdup(DEFAULT_NAME),
		.qmp_path = raw.qmp_path,
		.stats_socket = raw.stats_socket,
		.worker_dir = raw.worker_dir ? raw.worker_dir : workers_find_dir(),
	};
}

bool options_parse(struct options *o, int *argc, char ***argv, GError **error)
{
	g_autoptr(GOptionContext) context =
		g_option_context_new("- a vhost-user GPU seen by SPICE");
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_main_entries(context, tls_options_entries(), NULL);
	bool parsed = g_option_context_parse(context, argc, argv, error);
	take_raw(o);
	bool tls = tls_options_take(&o->tls, parsed ? error : NULL);
	g_autofree char *password_file = raw.password_file;
	if (!parsed || !tls)
		return false;
	if (raw.version) {
		g_print("vitrine-gpu %s\n", VITRINE_VERSION);
		exit(0);
	}
	if (*argc > 1)
		return fail(error, "unexpected argument %s", (*argv)[1]);
	if (o->clock && strcmp(o->clock, "vitrine") != 0 && strcmp(o->clock, "server") != 0)
		return fail(error, "--clock=%s: is none of vitrine, server", o->clock);
	if (o->software && o->render_node)
		return fail(error, "--software and --render-node exclude each other");
	if (password_file && !(o->password = options_read_password(password_file, error)))
		return false;
	return check_sockets(o, raw.spice_port, error) && check_address(o, error);
}

void options_finish(struct options *o)
{
	g_free(o->socket_path);
	g_free(o->render_node);
	g_free(o->encoder);
	g_free(o->spice_addr);
	g_free(o->spice_unix);
	tls_options_finish(&o->tls);
	g_free(o->clock);
	if (o->password)
		memset(o->password, 0, strlen(o->password));
	g_free(o->password);
	g_free(o->name);
	g_free(o->qmp_path);
	g_free(o->stats_socket);
	g_free(o->worker_dir);
}
