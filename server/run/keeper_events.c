/* SPDX-License-Identifier: MIT */
#include "server/run/keeper_events.h"

#include <glib-unix.h>
#include <string.h>

#include "common/fd.h"
#include "common/listen.h"
#include "server/run/limits.h"

/* The keeper makes its socket before QEMU starts the machine, whose driver takes longer. */
#define FOLLOW_RETRY_MS 50
#define FOLLOW_CONNECT_MS 1000

static bool on_answer(void *user, const void *message, int *fds, unsigned n_fds)
{
	const struct ticket_answer *answer = message;
	return answer->result == TICKET_NOT_WANTED;
}

/* What a display says that was taken over must fill nobody's memory: who is told may not read. */
static bool is_in_time(struct keeper_events *events)
{
	gint64 second = g_get_monotonic_time() / G_USEC_PER_SEC;
	if (second != events->second)
		events->n_told = 0;
	events->second = second;
	return ++events->n_told <= KEEPER_EVENTS_A_SECOND_MAX;
}

static bool on_event(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_events *events = user;
	struct ticket_event event;
	memcpy(&event, message, sizeof(event));
	event.text[sizeof(event.text) - 1] = '\0';
	for (char *c = event.text; *c; c++)
		*c = g_ascii_isprint(*c) ? *c : '?';
	if (!is_in_time(events))
		return true;
	events->told(events->user, &event);
	return true;
}

static const struct link_handler table[] = {
	{ TICKET_MESSAGE_ANSWER, "ANSWER", sizeof(struct ticket_answer), 0, 0, on_answer },
	{ TICKET_MESSAGE_EVENT, "EVENT", sizeof(struct ticket_event), 0, 0, on_event },
};

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user)
{
	struct keeper_events *events = user;
	if (link_dispatch(fd, "vitrine-gpu", table, G_N_ELEMENTS(table), events) >= 0)
		return G_SOURCE_CONTINUE;
	events->source = 0;
	fd_close(&events->fd);
	return G_SOURCE_REMOVE;
}

static gboolean on_timer(gpointer user)
{
	struct keeper_events *events = user;
	struct ticket_request request = { .header.type = TICKET_MESSAGE_REQUEST,
		.version = TICKET_REQUEST_VERSION,
		.flags = TICKET_FOLLOW | TICKET_NONE,
		.use_within_s = 1 };
	events->fd = listen_connect_packets(events->path, FOLLOW_CONNECT_MS, NULL);
	if (events->fd < 0)
		return G_SOURCE_CONTINUE;
	events->timer = 0;
	if (link_send(events->fd, &request, sizeof(request), NULL, 0) == 0)
		events->source = g_unix_fd_add(
			events->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, events);
	return G_SOURCE_REMOVE;
}

void keeper_events_follow(struct keeper_events *events, const char *path,
	void (*told)(void *user, const struct ticket_event *event), void *user)
{
	g_assert(told && events->fd < 0 && !events->path);
	events->told = told;
	events->user = user;
	events->path = g_strdup(path);
	events->timer = g_timeout_add(FOLLOW_RETRY_MS, on_timer, events);
}

bool keeper_events_hand_over(struct keeper_events *events, const char *client)
{
	struct ticket_hand_over m = { .header.type = TICKET_MESSAGE_HAND_OVER };
	g_strlcpy(m.client, client, sizeof(m.client));
	return events->fd >= 0 && link_send(events->fd, &m, sizeof(m), NULL, 0) == 0;
}

void keeper_events_finish(struct keeper_events *events)
{
	g_clear_handle_id(&events->timer, g_source_remove);
	g_clear_handle_id(&events->source, g_source_remove);
	fd_close(&events->fd);
	g_clear_pointer(&events->path, g_free);
}
