/* SPDX-License-Identifier: MIT */
#include "server/command/ticket_client.h"

#include <string.h>
#include <unistd.h>

#include "common/listen.h"
#include "server/desktop/run_dir.h"

#define TIMEOUT_MS 5000

/* ---- the desktop that is meant ---- */

char *ticket_client_find(const char *name)
{
	g_auto(GStrv) names = run_dir_list();
	if (!name && g_strv_length(names) != 1) {
		g_warning(names[0] ? "several desktops run: name one" : "no desktop runs");
		return NULL;
	}
	if (name && !g_strv_contains((const char *const *)names, name)) {
		g_warning("no desktop named \"%s\" is running", name);
		return NULL;
	}
	return g_strdup(name ? name : names[0]);
}

char *ticket_client_path(const char *name)
{
	g_autofree char *base = run_dir_base();
	return g_build_filename(base, name, TICKET_SOCKET_FILE, NULL);
}

/* ---- asking ---- */

int ticket_client_connect(const char *path)
{
	g_autoptr(GError) error = NULL;
	int fd = listen_connect_packets(path, TIMEOUT_MS, &error);
	if (fd < 0)
		g_warning("%s", error->message);
	return fd;
}

struct hearing {
	const struct ticket_client_events *events; /* NULL: none */
	struct ticket_answer *answer;              /* NULL: none is waited for */
	bool is_answered;
};

static bool on_answer(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct hearing *hearing = user;
	if (!hearing->answer || hearing->is_answered)
		return false;
	memcpy(hearing->answer, message, sizeof(*hearing->answer));
	hearing->is_answered = true;
	return true;
}

static bool on_event(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct hearing *hearing = user;
	struct ticket_event event;
	if (!hearing->events)
		return false;
	memcpy(&event, message, sizeof(event));
	event.text[sizeof(event.text) - 1] = '\0';
	hearing->events->event(hearing->events->user, &event);
	return true;
}

static const struct link_handler table[] = {
	{ TICKET_MESSAGE_ANSWER, "ANSWER", sizeof(struct ticket_answer), 0, 0, on_answer },
	{ TICKET_MESSAGE_EVENT, "EVENT", sizeof(struct ticket_event), 0, 0, on_event },
};

static bool await_answer(int fd, const char *path, struct hearing *hearing)
{
	gint64 end_us = g_get_monotonic_time() + TIMEOUT_MS * 1000;
	while (!hearing->is_answered) {
		gint64 left_ms = (end_us - g_get_monotonic_time()) / 1000;
		if (left_ms <= 0 || !link_wait_readable(fd, (int)left_ms) ||
			link_dispatch(fd, path, table, G_N_ELEMENTS(table), hearing) < 0)
			return false;
	}
	return true;
}

bool ticket_client_ask(int fd, const char *path, const struct ticket_wish *wish,
	const struct ticket_client_events *events, struct ticket_answer *answer)
{
	struct hearing hearing = { .events = events, .answer = answer };
	struct ticket_request request = { .header.type = TICKET_MESSAGE_REQUEST,
		.version = TICKET_REQUEST_VERSION,
		.flags = (wish->view_only ? KEEPER_TICKET_VIEW_ONLY : 0) |
			 (wish->follow ? TICKET_FOLLOW : 0),
		.use_within_s = wish->within_s };
	bool answered = link_send(fd, &request, sizeof(request), NULL, 0) == 0 &&
			await_answer(fd, path, &hearing);
	if (!answered)
		g_warning("%s: no answer that can be understood", path);
	return answered;
}

const char *ticket_client_reason(uint32_t result)
{
	static const char *const reasons[] = {
		[TICKET_GIVEN] = "it was given",
		[TICKET_NOT_UNDERSTOOD] = "the desktop is of another version",
		[TICKET_NOT_ASKED_FOR] = "the desktop asks nobody for a password",
		[TICKET_TOO_MANY] = "too many have been given whose time is not over",
		[TICKET_TOO_MANY_FOLLOW] = "too many follow this desktop",
		[TICKET_NOT_WANTED] = "none was wanted",
	};
	return result < G_N_ELEMENTS(reasons) ? reasons[result] : "the answer is not understood";
}

int ticket_client_dispatch(int fd, const char *path, const struct ticket_client_events *events)
{
	struct hearing hearing = { .events = events };
	return link_dispatch(fd, path, table, G_N_ELEMENTS(table), &hearing);
}
