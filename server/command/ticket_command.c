/* SPDX-License-Identifier: MIT */
#include "server/command/ticket_command.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/command/ticket_client.h"

#define TICKET_WITHIN_S 120

struct ticket_order {
	char *socket_path;
	gboolean view_only;
	int within_s;
};

static bool print_answer(const struct ticket_answer *answer)
{
	if (answer->result == TICKET_GIVEN)
		return printf("%.*s\n", KEEPER_TICKET_MAX, answer->ticket) > 0 &&
		       fflush(stdout) == 0;
	g_warning("no ticket: %s", ticket_client_reason(answer->result));
	return false;
}

static bool ask(const struct ticket_order *order)
{
	const struct ticket_wish wish = { .view_only = order->view_only,
		.within_s = (unsigned)order->within_s };
	struct ticket_answer answer = { 0 };
	int fd = ticket_client_connect(order->socket_path);
	if (fd < 0)
		return false;
	bool given = ticket_client_ask(fd, order->socket_path, &wish, NULL, &answer) &&
		     print_answer(&answer);
	close(fd);
	explicit_bzero(&answer, sizeof(answer));
	return given;
}

static char *find_socket(const char *name)
{
	g_autofree char *found = ticket_client_find(name);
	return found ? ticket_client_path(found) : NULL;
}

static bool parse(struct ticket_order *order, int argc, char **argv)
{
	const GOptionEntry entries[] = {
		{ "view-only", 0, 0, G_OPTION_ARG_NONE, &order->view_only,
			"Who comes with it may only look on", NULL },
		{ "within", 0, 0, G_OPTION_ARG_INT, &order->within_s,
			"It must be used within this time (default 120)", "SECONDS" },
		{ "socket", 0, 0, G_OPTION_ARG_FILENAME, &order->socket_path,
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
	if (argc > 2 || (argc == 2 && order->socket_path)) {
		g_warning("give one name, or --socket");
		return false;
	}
	if (order->within_s < 1 || order->within_s > TICKET_WITHIN_MAX_S) {
		g_warning("--within: from 1 to %d seconds", TICKET_WITHIN_MAX_S);
		return false;
	}
	if (!order->socket_path)
		order->socket_path = find_socket(argc == 2 ? argv[1] : NULL);
	return order->socket_path != NULL;
}

int ticket_main(int argc, char **argv)
{
	struct ticket_order order = { .within_s = TICKET_WITHIN_S };
	bool given = parse(&order, argc, argv) && ask(&order);
	g_free(order.socket_path);
	return given ? 0 : 1;
}
