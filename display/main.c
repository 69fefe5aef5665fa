/* SPDX-License-Identifier: MIT */
/*
 * vitrine-display: the person's side of one desktop. Started by vitrine-gpu (the keeper) with the
 * keeper link as descriptor KEEPER_LINK_FD; ends with it.
 */
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common/log.h"
#include "display/display.h"
#include "protocol/heartbeat_writer.h"
#include "protocol/keeper_link.h"

struct program {
	GMainLoop *loop;
	int status;
};

static void on_done(void *user, bool fault)
{
	struct program *program = user;
	program->status = fault ? EXIT_FAILURE : EXIT_SUCCESS;
	g_main_loop_quit(program->loop);
}

static gboolean on_signal(gpointer user)
{
	struct program *program = user;
	g_main_loop_quit(program->loop);
	return G_SOURCE_REMOVE;
}

static bool is_keeper_link(int fd)
{
	int type = 0;
	socklen_t size = sizeof(type);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

static bool read_clock(const char *clock, struct display_options *options)
{
	options->server_clock = g_strcmp0(clock, "server") == 0;
	if (!clock || options->server_clock || strcmp(clock, "vitrine") == 0)
		return true;
	fprintf(stderr, "vitrine-display: --clock=%s: is none of vitrine, server\n", clock);
	return false;
}

static bool parse(int argc, char **argv, struct display_options *options)
{
	g_autofree char *clock = NULL;
	gboolean version = FALSE, chroma_444 = FALSE;
	const GOptionEntry entries[] = {
		{ "name", 0, 0, G_OPTION_ARG_STRING, &options->name,
			"What clients see as the desktop's name", "NAME" },
		{ "clock", 0, 0, G_OPTION_ARG_STRING, &clock,
			"Whose clock video is shown by: vitrine (default) or server", "WHOSE" },
		{ "encoder", 0, 0, G_OPTION_ARG_STRING, &options->video.encoder,
			"Encode video with this (default: the best that works)", "NAME" },
		{ "video-444", 0, 0, G_OPTION_ARG_NONE, &chroma_444,
			"H.264 with full colour resolution, for clients that decode it", NULL },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version and exit",
			NULL },
		{ 0 },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- started by vitrine-gpu");
	g_autoptr(GError) error = NULL;
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "vitrine-display: %s\n", error->message);
		return false;
	}
	options->video.chroma_444 = chroma_444;
	if (version) {
		puts("vitrine-display " VITRINE_VERSION);
		exit(EXIT_SUCCESS);
	}
	return read_clock(clock, options);
}

/* Clients, buffers and encoders all take descriptors: as many are allowed as the system lets us. */
static void raise_fd_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	struct display_options options = { 0 };
	log_set_domain("vitrine-display");
	if (!parse(argc, argv, &options))
		return EXIT_FAILURE;
	if (!is_keeper_link(KEEPER_LINK_FD)) {
		fprintf(stderr,
			"vitrine-display: descriptor %d is no keeper link; "
			"this program is started by vitrine-gpu\n",
			KEEPER_LINK_FD);
		return EXIT_FAILURE;
	}
	fcntl(KEEPER_LINK_FD, F_SETFD, FD_CLOEXEC);
	heartbeat_attach();
	heartbeat_start(HEARTBEAT_MAIN, "spice-server");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	raise_fd_limit();

	struct program program = { .loop = g_main_loop_new(NULL, FALSE) };
	struct display *display = display_create(KEEPER_LINK_FD, &options, on_done, &program);
	if (!display)
		return EXIT_FAILURE;
	g_unix_signal_add(SIGTERM, on_signal, &program);
	g_unix_signal_add(SIGINT, on_signal, &program);
	heartbeat_follow(NULL, HEARTBEAT_MAIN);
	g_main_loop_run(program.loop);
	display_destroy(display);
	g_main_loop_unref(program.loop);
	g_free(options.name);
	g_free(options.video.encoder);
	return program.status;
}
