/* SPDX-License-Identifier: MIT */
/*
 * vitrine-display serves the person's side of one desktop. vitrine-gpu (the keeper) starts it with
 * the keeper link as descriptor KEEPER_LINK_FD; it ends when that link does.
 */
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common/log.h"
#include "display/display.h"
#include "display/relay/inner_maker.h"
#include "display/relay/sasl_talk.h"
#include "display/video/video.h"
#include "protocol/contracts.h"
#include "protocol/driver_end.h"
#include "protocol/flight_events.h"
#include "protocol/heartbeat_writer.h"
#include "protocol/keeper_link.h"
#include "protocol/worker_options.h"

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

/* Nobody could connect any more, so another process is to take over. */
static gboolean on_inner_gone(gint fd, GIOCondition condition, gpointer user)
{
	g_warning("who connects clients with spice-server has gone");
	on_done(user, true);
	return G_SOURCE_REMOVE;
}

static bool is_keeper_link(int fd)
{
	int type = 0;
	socklen_t size = sizeof(type);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* Whoever reads this finds the name of an encoder that ends the process, or hangs it, in the last
 * line. */
static void print_trial(void *user, const char *name)
{
	printf("trying %s\n", name);
	fflush(stdout);
}

static void print_encoder(void *user, const struct video_encoder *encoder)
{
	printf("encoder %s (%s): %s, %s%s%s; %s\n", encoder->name, encoder->element, encoder->codec,
		encoder->sizes, encoder->rate_controls ? ", rate control " : "",
		encoder->rate_controls ? encoder->rate_controls : "",
		encoder->reason ? encoder->reason : "works");
	fflush(stdout);
}

static bool parse(int argc, char **argv, struct worker_display_options *options)
{
	g_autoptr(GError) error = NULL;
	worker_options_init(&worker_display_table, options);
	if (!worker_options_parse(&worker_display_table, options, &argc, &argv, &error)) {
		fprintf(stderr, "vitrine-display: %s\n", error->message);
		return false;
	}
	if (options->version) {
		g_autofree char *contracts = contracts_describe();
		printf("vitrine-display %s (%s)\n", VITRINE_VERSION, contracts);
		exit(EXIT_SUCCESS);
	}
	if (options->report) {
		video_load(options->render_node);
		video_describe(&(struct video_listener){ .software = options->software,
			.begin = print_trial,
			.tell = print_encoder });
		exit(EXIT_SUCCESS);
	}
	return true;
}

static bool take_keeper_link(void)
{
	if (is_keeper_link(KEEPER_LINK_FD))
		return fcntl(KEEPER_LINK_FD, F_SETFD, FD_CLOEXEC) == 0;
	fprintf(stderr,
		"vitrine-display: descriptor %d is no keeper link; "
		"this program is started by vitrine-gpu\n",
		KEEPER_LINK_FD);
	return false;
}

/*
 * Allows as many descriptors as the system lets us have: clients, buffers and encoders all take
 * some.
 */
static void raise_fd_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void begin_flight(void)
{
	flight_attach();
	flight_begin_thread("main");
	flight_set_text(FLIGHT_TEXT_PROGRAM, "vitrine-display " VITRINE_VERSION);
	flight_find_modules();
	flight_watch_crashes();
	flight_note(FLIGHT_STARTED, (uint64_t)getpid(), 0, 0);
}

/* What the keeper says was checked before; a person who starts us has made no mistake. */
static struct agent_policy make_agent_policy(const struct worker_display_options *options)
{
	guint64 max_mib = WORKER_CLIPBOARD_MAX_MIB;
	unsigned kinds = 0;
	if (options->clipboard_max)
		max_mib = g_ascii_strtoull(options->clipboard_max, NULL, 10);
	g_free(worker_clipboard_parse(options->clipboard_types, &kinds));
	return (struct agent_policy){
		.clipboard_in = options->clipboard == WORKER_CLIPBOARD_BOTH ||
				options->clipboard == WORKER_CLIPBOARD_IN,
		.clipboard_out = options->clipboard == WORKER_CLIPBOARD_BOTH ||
				 options->clipboard == WORKER_CLIPBOARD_OUT,
		.clipboard_max_bytes = (uint32_t)(MIN(max_mib, 4095) << 20),
		.clipboard_kinds = kinds,
		.files = options->file_drop == WORKER_FILE_DROP_ON,
	};
}

static struct relay_policy make_client_policy(const struct worker_display_options *options)
{
	return (struct relay_policy){
		.refuse_second = options->second_client == WORKER_SECOND_CLIENT_REFUSED,
		.max_bps = options->max_mbit * UINT64_C(1000000),
		.idle_s = options->idle_s,
		.n_lookers = MIN(options->lookers, RELAY_SEATS_MAX - 1),
	};
}

int main(int argc, char **argv)
{
	struct worker_display_options options;
	log_init("vitrine-display");
	/* The starter executes us by a descriptor, by which the kernel has named us. */
	prctl(PR_SET_NAME, "vitrine-display");
	if (!parse(argc, argv, &options))
		return EXIT_FAILURE;
	if (!take_keeper_link())
		return EXIT_FAILURE;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	raise_fd_limit();

	/* The child comes first, so that it has nothing of what is to come. */
	struct display_walls walls = { .mode = options.confine,
		.render_node = options.render_node };
	if (!inner_maker_start(display_walls_confine_inner, &walls))
		return EXIT_FAILURE;
	heartbeat_attach();
	begin_flight();
	heartbeat_start(HEARTBEAT_MAIN, "spice-server");
	driver_end_watch(NULL);
	video_load(options.render_node);
	sasl_talk_load();
	if (!display_walls_begin(&walls))
		return EXIT_FAILURE;
	struct program program = { .loop = g_main_loop_new(NULL, FALSE) };
	const struct display_options display_options = {
		.name = options.name,
		.server_clock = options.clock == WORKER_CLOCK_SERVER,
		.video = { .encoder = options.encoder, .chroma_444 = options.video_444 },
		.agent = make_agent_policy(&options),
		.clients = make_client_policy(&options),
		.walls = &walls,
	};
	struct display *display =
		display_create(KEEPER_LINK_FD, &display_options, on_done, &program);
	if (!display)
		return EXIT_FAILURE;
	g_unix_fd_add(inner_maker_fd(), G_IO_HUP | G_IO_ERR, on_inner_gone, &program);
	g_unix_signal_add(SIGTERM, on_signal, &program);
	g_unix_signal_add(SIGINT, on_signal, &program);
	flight_find_modules();
	flight_note(FLIGHT_READY, 0, 0, 0);
	heartbeat_follow(NULL, HEARTBEAT_MAIN);
	g_main_loop_run(program.loop);
	flight_note(FLIGHT_ENDING, (uint64_t)program.status, 0, 0);
	display_destroy(display);
	g_main_loop_unref(program.loop);
	worker_options_finish(&worker_display_table, &options);
	return program.status;
}
