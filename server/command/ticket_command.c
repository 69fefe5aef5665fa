/* SPDX-License-Identifier: MIT */
#include "server/command/ticket_command.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/listen.h"
#include "protocol/ticket_request.h"
#include "server/desktop/run_dir.h"

#define TICKET_TIMEOUT_MS 5000
#define TICKET_WITHIN_S 120

struct ticket_wish {
	char *socket_path;
	gboolean view_only;
	int within_s;
};

/* ---- asking ---- */

static bool on_answer(void *user, const void *message, int *fds, unsigned n_fds)
{
	memcpy(user, message, sizeof(struct ticket_answer));
	return true;
}

static const struct link_handler table[] = {
	{ TICKET_MESSAGE_ANSWER, "ANSWER", sizeof(struct ticket_answer), 0, 0, on_answer },
};

static bool exchange(int fd, const struct ticket_wish *wish, struct ticket_answer *answer)
{
	struct ticket_request request = { .header.type = TICKET_MESSAGE_REQUEST,
		.version = TICKET_REQUEST_VERSION,
		.flags = wish->view_only ? KEEPER_TICKET_VIEW_ONLY : 0,
		.use_within_s = (uint32_t)wish->within_s };
	return link_send(fd, &request, sizeof(request), NULL, 0) == 0 &&
	       link_wait_readable(fd, TICKET_TIMEOUT_MS) &&
	       link_dispatch(fd, wish->socket_path, table, G_N_ELEMENTS(table), answer) == 1;
}

static bool print_answer(const struct ticket_answer *answer)
{
	static const char *const reasons[] = {
		[TICKET_NOT_UNDERSTOOD] = "the desktop is of another version",
		[TICKET_NOT_ASKED_FOR] = "the desktop asks nobody for a password",
		[TICKET_TOO_MANY] = "too many have been given whose time is not over",
	};
	if (answer->result == TICKET_GIVEN)
		return printf("%.*s\n", KEEPER_TICKET_MAX, answer->ticket) > 0 &&
		       fflush(stdout) == 0;
	g_warning("no ticket: %s", answer->result < G_N_ELEMENTS(reasons) ?
					   reasons[answer->result] :
					   "the answer is not understood");
	return false;
}

static bool ask(const struct ticket_wish *wish)
{
	g_autoptr(GError) error = NULL;
	struct ticket_answer answer = { 0 };
	int fd = listen_connect_packets(wish->socket_path, TICKET_TIMEOUT_MS, &error);
	if (fd < 0) {
		g_warning("%s", error->message);
		return false;
	}
	bool answered = exchange(fd, wish, &answer);
	close(fd);
	if (!answered)
		g_warning("%s: no answer that can be understood", wish->socket_path);
	bool given = answered && print_answer(&answer);
	explicit_bzero(&answer, sizeof(answer));
	return given;
}

/* ---- the desktop that is meant ---- */

/* The one that is named, or the only one there is. */
static char *find_socket(const char *name)
{
	g_auto(GStrv) names = run_dir_list();
	g_autofree char *base = run_dir_base();
	if (!name && g_strv_length(names) != 1) {
		g_warning(names[0] ? "several desktops run: name one" : "no desktop runs");
		return NULL;
	}
	if (name && !g_strv_contains((const char *const *)names, name)) {
		g_warning("no desktop named \"%s\" is running", name);
		return NULL;
	}
	return g_build_filename(base, name ? name : names[0], TICKET_SOCKET_FILE, NULL);
}

static bool parse(struct ticket_wish *wish, int argc, char **argv)
{
	const GOptionEntry entries[] = {
		{ "view-only", 0, 0, G_OPTION_ARG_NONE, &wish->view_only,
			"Who comes with it may only look on", NULL },
		{ "within", 0, 0, G_OPTION_ARG_INT, &wish->within_s,
			"It must be used within this time (default 120)", "SECONDS" },
		{ "socket", 0, 0, G_OPTION_ARG_FILENAME, &wish->socket_path,
			"A vitrine-gpu that was given this --ticket-socket", "PATH" },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("[NAME]");
	g_autoptr(GError) error = NULL;
	g_option_context_set_summary(
		context, "Prints a password that lets one session of one client in.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_warning("%s", error->message);
		return false;
	}
	if (argc > 2 || (argc == 2 && wish->socket_path)) {
		g_warning("give one name, or --socket");
		return false;
	}
	if (wish->within_s < 1 || wish->within_s > TICKET_WITHIN_MAX_S) {
		g_warning("--within: from 1 to %d seconds", TICKET_WITHIN_MAX_S);
		return false;
	}
	if (!wish->socket_path)
		wish->socket_path = find_socket(argc == 2 ? argv[1] : NULL);
	return wish->socket_path != NULL;
}

int ticket_main(int argc, char **argv)
{
	struct ticket_wish wish = { .within_s = TICKET_WITHIN_S };
	bool given = parse(&wish, argc, argv) && ask(&wish);
	g_free(wish.socket_path);
	return given ? 0 : 1;
}
