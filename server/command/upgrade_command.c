/* SPDX-License-Identifier: MIT */
#include "server/command/upgrade_command.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/listen.h"
#include "protocol/upgrade_request.h"
#include "server/command/ticket_client.h"
#include "server/desktop/run_dir.h"

#define UPGRADE_CONNECT_MS 5000

static bool on_answer(void *user, const void *message, int *fds, unsigned n_fds)
{
	memcpy(user, message, sizeof(struct upgrade_answer));
	return true;
}

static const struct link_handler table[] = {
	{ UPGRADE_MESSAGE_ANSWER, "ANSWER", sizeof(struct upgrade_answer), 0, 0, on_answer },
};

static bool exchange(int fd, const char *path, struct upgrade_answer *answer)
{
	struct upgrade_request request = { .header.type = UPGRADE_MESSAGE_REQUEST,
		.version = UPGRADE_REQUEST_VERSION };
	return link_send(fd, &request, sizeof(request), NULL, 0) == 0 &&
	       link_wait_readable(fd, UPGRADE_ANSWER_MS) &&
	       link_dispatch(fd, path, table, G_N_ELEMENTS(table), answer) == 1;
}

static void tell_done(const char *name, const struct upgrade_answer *answer)
{
	printf("%s: upgraded", name);
	if (answer->guest_away_us > 0)
		printf("; nobody served the guest for %.1f ms", answer->guest_away_us / 1000.0);
	if (answer->contexts_lost > 0)
		printf("; OpenGL programs lost what they had drawn in %u context%s",
			answer->contexts_lost, answer->contexts_lost == 1 ? "" : "s");
	if (answer->clients_away_us > 0)
		printf("; clients come again, to a display that was there after %.1f ms",
			answer->clients_away_us / 1000.0);
	puts("");
}

/* A keeper that knows no upgrades hangs up. */
static bool tell(const char *name, const struct upgrade_answer *answer)
{
	if (answer->result == UPGRADE_DONE || answer->result == UPGRADE_IS_SAME) {
		if (answer->result == UPGRADE_DONE)
			tell_done(name, answer);
		else
			printf("%s: is of the installed build already\n", name);
		return fflush(stdout) == 0;
	}
	g_autofree char *why = g_strndup(answer->why, sizeof(answer->why));
	for (char *c = why; *c; c++)
		*c = g_ascii_isprint(*c) ? *c : '?';
	g_warning("%s: %s: %s", name,
		answer->result == UPGRADE_UNDONE ? "upgraded and undone" : "not upgraded", why);
	return false;
}

static bool upgrade(const char *name, const char *path)
{
	g_autoptr(GError) error = NULL;
	struct upgrade_answer answer = { 0 };
	int fd = listen_connect_packets(path, UPGRADE_CONNECT_MS, &error);
	if (fd < 0) {
		g_warning("%s: %s", name, error->message);
		return false;
	}
	bool answered = exchange(fd, path, &answer);
	close(fd);
	if (!answered)
		g_warning(
			"%s: no answer: it is of a build that cannot be upgraded, others ask it "
			"for an upgrade now, or it has ended (see its log); if it goes on, it goes "
			"on as it is",
			name);
	return answered && tell(name, &answer);
}

static bool upgrade_named(const char *name)
{
	g_autofree char *path = ticket_client_path(name);
	return upgrade(name, path);
}

struct upgrade_wish {
	gboolean all;
	char *socket_path;
};

static bool parse(struct upgrade_wish *wish, int argc, char **argv)
{
	const GOptionEntry entries[] = {
		{ "all", 0, 0, G_OPTION_ARG_NONE, &wish->all, "All desktops of this user", NULL },
		{ "socket", 0, 0, G_OPTION_ARG_FILENAME, &wish->socket_path,
			"A vitrine-gpu that was given this --ticket-socket", "PATH" },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("[NAME]");
	g_autoptr(GError) error = NULL;
	g_option_context_set_summary(context,
		"Has running desktops drawn and shown by the build that is installed now.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_warning("%s", error->message);
		return false;
	}
	if (argc > 2 || (argc == 2) + wish->all + (wish->socket_path != NULL) != 1) {
		g_warning("give a desktop's name, --all or --socket");
		return false;
	}
	return true;
}

int upgrade_main(int argc, char **argv)
{
	struct upgrade_wish wish = { 0 };
	bool done = parse(&wish, argc, argv);
	if (done && wish.socket_path)
		done = upgrade(wish.socket_path, wish.socket_path);
	else if (done && !wish.all) {
		g_autofree char *name = ticket_client_find(argv[argc - 1]);
		done = name && upgrade_named(name);
	} else if (done) {
		g_auto(GStrv) names = run_dir_list();
		for (unsigned i = 0; names[i]; i++)
			done = upgrade_named(names[i]) && done;
	}
	g_free(wish.socket_path);
	return done ? 0 : 1;
}
