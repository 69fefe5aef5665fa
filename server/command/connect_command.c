/* SPDX-License-Identifier: MIT */
#include "server/command/connect_command.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process.h"
#include "server/command/ticket_client.h"
#include "server/command/viewer_program.h"
#include "server/desktop/desktop_file.h"
#include "server/desktop/desktop_options.h"
#include "server/desktop/run_dir.h"
#include "server/desktop/users.h"
#include "server/desktop/viewer_file.h"

#define STOCK_VIEWER "remote-viewer"
/* A viewer starts in this time, however busy the machine is. */
#define TICKET_S 120
/* Stock viewers end a moment after their connection does. */
#define REPLACED_MS 3000
/* The keeper may hear of display's end when the viewer's has been noticed. */
#define NEWS_MS 500
/* Another viewer is made ready when the one that was started is no more at it. */
#define NEXT_VIEWER_AFTER_MS 1000
/* So many viewers in a row that ended sooner than BRIEF_MS are enough. */
#define BRIEF_MS 1000
#define BRIEF_MAX 5

struct connect {
	char *name, *viewer, *socket_path;
	char **viewer_arguments; /* NULL: none */
	gboolean view_only;
	struct desktop desktop; /* as it is in force */

	GMainLoop *loop;
	int fd; /* to the keeper; -1: it has ended */
	struct viewer_program program;
	unsigned fd_source, news_timer, spare_timer;
	gint64 begun_us, display_ended_us, viewer_ended_us;
	unsigned n_brief;
	int status;
};

/* ---- the viewer ---- */

static void quit(struct connect *connect, int status)
{
	connect->status = status;
	g_main_loop_quit(connect->loop);
}

/* Gives the connection file with what lets in. The caller wipes and frees it. */
static char *make_text(
	const struct connect *connect, const struct ticket_answer *answer, GError **error)
{
	g_autoptr(GKeyFile) file = viewer_file_make(&connect->desktop, error);
	char ticket[KEEPER_TICKET_MAX + 1], user[USERS_TICKET_BYTES + 1];
	if (!file)
		return NULL;
	g_strlcpy(ticket, answer->ticket, sizeof(ticket));
	g_strlcpy(user, ticket, sizeof(user));
	if (answer->result == TICKET_GIVEN) {
		g_key_file_set_string(file, VIEWER_FILE_GROUP, "password", ticket);
		g_key_file_set_string(file, VIEWER_FILE_GROUP, "username", user);
	}
	g_key_file_set_integer(file, VIEWER_FILE_GROUP, "delete-this-file", 1);
	explicit_bzero(ticket, sizeof(ticket));
	return g_key_file_to_data(file, NULL, NULL);
}

static const struct ticket_client_events *make_events(struct connect *connect);

static bool ask(struct connect *connect, struct ticket_answer *answer)
{
	const struct ticket_wish wish = {
		.view_only = connect->view_only, .follow = true, .within_s = TICKET_S
	};
	if (!ticket_client_ask(
		    connect->fd, connect->socket_path, &wish, make_events(connect), answer))
		return false;
	if (answer->result == TICKET_GIVEN || answer->result == TICKET_NOT_ASKED_FOR)
		return true;
	g_warning("no ticket: %s", ticket_client_reason(answer->result));
	return false;
}

static gboolean on_time_for_spare(gpointer user)
{
	struct connect *connect = user;
	connect->spare_timer = 0;
	viewer_program_prepare(&connect->program);
	return G_SOURCE_REMOVE;
}

static bool start_viewer(struct connect *connect)
{
	g_autoptr(GError) error = NULL;
	struct ticket_answer answer = { 0 };
	if (connect->fd < 0 || !ask(connect, &answer))
		return false;
	g_autofree char *text = make_text(connect, &answer, &error);
	bool started = text && viewer_program_show(&connect->program, text, &error);
	explicit_bzero(&answer, sizeof(answer));
	if (text)
		explicit_bzero(text, strlen(text));
	if (!started) {
		g_warning("%s", error->message);
		return false;
	}
	connect->begun_us = g_get_monotonic_time();
	g_clear_handle_id(&connect->spare_timer, g_source_remove);
	connect->spare_timer = g_timeout_add(NEXT_VIEWER_AFTER_MS, on_time_for_spare, connect);
	return true;
}

/* ---- why it ended ---- */

static bool was_replaced(const struct connect *connect)
{
	return connect->display_ended_us >= connect->begun_us &&
	       connect->viewer_ended_us - connect->display_ended_us < REPLACED_MS * 1000;
}

static void start_again(struct connect *connect)
{
	bool brief = connect->viewer_ended_us - connect->begun_us < BRIEF_MS * 1000;
	connect->n_brief = brief ? connect->n_brief + 1 : 0;
	if (connect->n_brief == BRIEF_MAX) {
		g_warning("the desktop's display ends again and again");
		quit(connect, 1);
		return;
	}
	g_message("the desktop's display was replaced: the viewer is started again");
	if (!start_viewer(connect))
		quit(connect, 1);
}

static gboolean on_no_news(gpointer user)
{
	struct connect *connect = user;
	connect->news_timer = 0;
	quit(connect, 0);
	return G_SOURCE_REMOVE;
}

static void on_viewer_end(void *user, int wait_status)
{
	struct connect *connect = user;
	connect->viewer_ended_us = g_get_monotonic_time();
	if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0) {
		g_autofree char *end = process_describe_end(wait_status);
		g_message("%s ended: %s", connect->viewer, end);
	}
	if (connect->fd < 0)
		quit(connect, 0);
	else if (was_replaced(connect))
		start_again(connect);
	else
		connect->news_timer = g_timeout_add(NEWS_MS, on_no_news, connect);
}

static void on_event(void *user, const struct ticket_event *event)
{
	struct connect *connect = user;
	if (event->kind == TICKET_EVENT_DESKTOP_ENDS)
		g_message("the desktop ends: %s", event->text);
	if (event->kind != TICKET_EVENT_DISPLAY_ENDED)
		return;
	connect->display_ended_us = g_get_monotonic_time();
	if (connect->news_timer == 0)
		return;
	g_clear_handle_id(&connect->news_timer, g_source_remove);
	start_again(connect);
}

static const struct ticket_client_events *make_events(struct connect *connect)
{
	static struct ticket_client_events events;
	events = (struct ticket_client_events){ .event = on_event, .user = connect };
	return &events;
}

/* Its clients have ended with it, or do so soon. */
static void hang_up(struct connect *connect)
{
	close(connect->fd);
	connect->fd = -1;
	connect->fd_source = 0;
	if (connect->program.pid == 0)
		quit(connect, 0);
}

static gboolean on_keeper(gint fd, GIOCondition condition, gpointer user)
{
	struct connect *connect = user;
	if (ticket_client_dispatch(fd, connect->socket_path, make_events(connect)) >= 0)
		return G_SOURCE_CONTINUE;
	g_message("the desktop has ended");
	hang_up(connect);
	return G_SOURCE_REMOVE;
}

static gboolean on_signal(gpointer user)
{
	struct connect *connect = user;
	quit(connect, 0);
	return G_SOURCE_CONTINUE;
}

/* ---- the command ---- */

static bool load_desktop(struct connect *connect)
{
	g_autofree char *base = run_dir_base();
	g_autofree char *path = g_build_filename(base, connect->name, DESKTOP_FILE, NULL);
	g_autofree bool *given = g_new0(bool, desktop_n_options);
	g_autofree char *file = g_strdup_printf("connect-%d.vv", (int)getpid());
	g_autoptr(GError) error = NULL;
	connect->program.file_path = g_build_filename(base, connect->name, file, NULL);
	connect->program.arguments = connect->viewer_arguments;
	connect->socket_path = ticket_client_path(connect->name);
	if (desktop_file_load(&connect->desktop, path, given, &error))
		return true;
	g_warning("%s", error->message);
	return false;
}

/* What stands behind "--" is the viewer's. */
static int take_viewer_arguments(struct connect *connect, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		connect->viewer_arguments = argv + i + 1;
		argv[i] = NULL;
		return i;
	}
	return argc;
}

static bool parse(struct connect *connect, int argc, char **argv)
{
	const GOptionEntry entries[] = {
		{ "view-only", 0, 0, G_OPTION_ARG_NONE, &connect->view_only, "Look on only", NULL },
		{ "viewer", 0, 0, G_OPTION_ARG_FILENAME, &connect->viewer,
			"The viewer, instead of remote-viewer; it gets the path of a connection "
			"file "
			"as remote-viewer(1) describes it",
			"PROGRAM" },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("[NAME] [-- VIEWER-ARGUMENTS...]");
	g_autoptr(GError) error = NULL;
	argc = take_viewer_arguments(connect, argc, argv);
	g_option_context_set_summary(context,
		"Starts a viewer for a desktop, and starts it again when the desktop's display was "
		"replaced.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_warning("%s", error->message);
		return false;
	}
	if (argc > 2) {
		g_warning("give one name");
		return false;
	}
	if (!connect->viewer)
		connect->viewer = g_strdup(STOCK_VIEWER);
	if (!viewer_program_init(&connect->program, connect->viewer, &error)) {
		g_warning("%s", error->message);
		return false;
	}
	connect->program.ended = on_viewer_end;
	connect->program.user = connect;
	connect->name = ticket_client_find(argc == 2 ? argv[1] : NULL);
	return connect->name && load_desktop(connect);
}

static void run(struct connect *connect)
{
	unsigned sources[2];
	connect->fd = ticket_client_connect(connect->socket_path);
	if (connect->fd < 0 || !start_viewer(connect))
		return;
	connect->loop = g_main_loop_new(NULL, FALSE);
	connect->fd_source = g_unix_fd_add(connect->fd, G_IO_IN | G_IO_HUP, on_keeper, connect);
	sources[0] = g_unix_signal_add(SIGINT, on_signal, connect);
	sources[1] = g_unix_signal_add(SIGTERM, on_signal, connect);
	g_main_loop_run(connect->loop);
	for (unsigned i = 0; i < G_N_ELEMENTS(sources); i++)
		g_source_remove(sources[i]);
	g_clear_handle_id(&connect->fd_source, g_source_remove);
	g_clear_handle_id(&connect->news_timer, g_source_remove);
	g_clear_handle_id(&connect->spare_timer, g_source_remove);
	g_main_loop_unref(connect->loop);
}

static void finish(struct connect *connect)
{
	viewer_program_finish(&connect->program);
	if (connect->fd >= 0)
		close(connect->fd);
	desktop_finish(&connect->desktop);
	g_free(connect->name);
	g_free(connect->viewer);
	g_free(connect->socket_path);
}

int connect_main(int argc, char **argv)
{
	struct connect connect = { .fd = -1, .status = 1, .program.spare_fd = -1 };
	desktop_init(&connect.desktop, DESKTOP_RUN);
	if (parse(&connect, argc, argv))
		run(&connect);
	finish(&connect);
	return connect.status;
}
