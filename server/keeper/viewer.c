/* SPDX-License-Identifier: MIT */
#include "server/keeper/viewer.h"

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/monotonic.h"
#include "server/keeper/limits.h"
#include "server/keeper/worker_death.h"
#include "server/keeper/worker_plan.h"

#define SEND_TO_VIEWER(viewer, message, fds, n_fds)                                                \
	worker_send(&(viewer)->worker, &(message), sizeof(message), fds, n_fds)

static bool on_ready(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct viewer *viewer = user;
	return worker_set_ready(&viewer->worker, message);
}

static bool on_pointer_area(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct viewer *viewer = user;
	const struct keeper_pointer_area *m = message;
	viewer->events.pointer_area(viewer->events.user, m->width, m->height);
	return true;
}

static bool on_visitor(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct viewer *viewer = user;
	const struct keeper_visitor *m = message;
	struct keeper_visitor_judged answer = { .header.type = KEEPER_MESSAGE_VISITOR_JUDGED,
		.serial = m->serial,
		.uid = KEEPER_UID_UNKNOWN };
	answer.welcome = viewer->events.visitor(
		viewer->events.user, m, n_fds > 0 ? fds[0] : -1, &answer.uid);
	SEND_TO_VIEWER(viewer, answer, NULL, 0);
	return true;
}

/* One that is not known any more is over, and of no use to anybody. */
static bool on_ticket_used(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct viewer *viewer = user;
	const struct keeper_ticket_used *m = message;
	if (m->use > KEEPER_TICKET_OVER)
		return false;
	for (guint i = 0; i < viewer->given->len; i++) {
		struct viewer_ticket *ticket =
			&g_array_index(viewer->given, struct viewer_ticket, i);
		if (ticket->name != m->name || ticket->used_before)
			continue;
		ticket->flags &= ~KEEPER_TICKET_SPENT;
		ticket->flags |= m->use != KEEPER_TICKET_UNUSED ? KEEPER_TICKET_SPENT : 0;
		ticket->in_session = m->use == KEEPER_TICKET_IN_SESSION;
	}
	return true;
}

static bool on_client(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct viewer *viewer = user;
	struct keeper_client m = *(const struct keeper_client *)message;
	m.text[sizeof(m.text) - 1] = '\0';
	if (m.what > KEEPER_CLIENT_NOT_THERE || (m.flags & ~KEEPER_CLIENT_VIEW_ONLY))
		return false;
	lock_on_leave_note(&viewer->lock, &m);
	viewer->events.client(viewer->events.user, &m);
	return true;
}

static bool on_screenshot_taken(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct viewer *viewer = user;
	viewer->events.screenshot(viewer->events.user, message, n_fds > 0 ? fds[0] : -1);
	return true;
}

static const struct link_handler table[] = {
	{ KEEPER_MESSAGE_CLIENT, "CLIENT", sizeof(struct keeper_client), 0, 0, on_client },
	{ KEEPER_MESSAGE_SCREENSHOT_TAKEN, "SCREENSHOT_TAKEN",
		sizeof(struct keeper_screenshot_taken), 0, 1, on_screenshot_taken },
	{ KEEPER_MESSAGE_READY, "READY", sizeof(struct keeper_ready), 0, 0, on_ready },
	{ KEEPER_MESSAGE_POINTER_AREA, "POINTER_AREA", sizeof(struct keeper_pointer_area), 0, 0,
		on_pointer_area },
	{ KEEPER_MESSAGE_TICKET_USED, "TICKET_USED", sizeof(struct keeper_ticket_used), 0, 0,
		on_ticket_used },
	{ KEEPER_MESSAGE_VISITOR, "VISITOR", sizeof(struct keeper_visitor), 0, 1, on_visitor },
};

/* Less than 0: its time is over. */
static int64_t left_us(const struct viewer_ticket *ticket)
{
	return ticket->use_by_us - g_get_monotonic_time();
}

static void send_ticket(struct viewer *viewer, const struct viewer_ticket *ticket)
{
	struct keeper_ticket m = {
		.header.type = KEEPER_MESSAGE_TICKET, .name = ticket->name, .flags = ticket->flags
	};
	if (ticket->use_by_us > 0)
		m.use_within_s = (uint32_t)(left_us(ticket) / G_USEC_PER_SEC + 1);
	memcpy(m.ticket, ticket->text, sizeof(ticket->text));
	memcpy(m.user, ticket->user, sizeof(ticket->user));
	SEND_TO_VIEWER(viewer, m, NULL, 0);
	explicit_bzero(&m, sizeof(m));
}

static void send_user(struct viewer *viewer, unsigned i)
{
	const struct user *user = &viewer->users.all[i];
	struct viewer_ticket ticket = { .name = KEEPER_TICKET_FIRST_USER + i,
		.flags = KEEPER_TICKET_NAMED | (user->view_only ? KEEPER_TICKET_VIEW_ONLY : 0) };
	memcpy(ticket.text, user->password, sizeof(user->password));
	memcpy(ticket.user, user->name, sizeof(user->name));
	send_ticket(viewer, &ticket);
	explicit_bzero(&ticket, sizeof(ticket));
}

/* Display takes them when it has all of them. */
static void send_passwords(struct viewer *viewer)
{
	struct keeper_passwords m = { .header.type = KEEPER_MESSAGE_PASSWORDS };
	bool has = viewer->password.text[0] != '\0';
	bool has_view = has && viewer->view_password.text[0] != '\0';
	unsigned n_users = has ? viewer->users.n : 0;
	G_STATIC_ASSERT(2 + USERS_MAX <= KEEPER_PASSWORDS_MAX);
	m.n_passwords = has + has_view + n_users;
	SEND_TO_VIEWER(viewer, m, NULL, 0);
	if (has)
		send_ticket(viewer, &viewer->password);
	if (has_view)
		send_ticket(viewer, &viewer->view_password);
	for (unsigned i = 0; i < n_users; i++)
		send_user(viewer, i);
}

static void send_certificate(struct viewer *viewer)
{
	struct keeper_certificate m = { .header.type = KEEPER_MESSAGE_CERTIFICATE };
	if (viewer->certificate[0] >= 0)
		SEND_TO_VIEWER(viewer, m, viewer->certificate, 2);
}

/* What was used under an earlier display stays so, whatever this one says. */
static void send_given(struct viewer *viewer)
{
	for (guint i = 0; i < viewer->given->len; i++) {
		struct viewer_ticket *ticket =
			&g_array_index(viewer->given, struct viewer_ticket, i);
		ticket->used_before = ticket->flags & KEEPER_TICKET_SPENT;
		if (left_us(ticket) >= 0)
			send_ticket(viewer, ticket);
	}
}

static void send_said(struct viewer *viewer)
{
	struct keeper_says m = { .header.type = KEEPER_MESSAGE_SAYS };
	memcpy(m.text, viewer->said, sizeof(m.text));
	SEND_TO_VIEWER(viewer, m, NULL, 0);
}

static void on_worker_ready(void *owner)
{
	struct viewer *viewer = owner;
	send_passwords(viewer);
	send_given(viewer);
	send_certificate(viewer);
	for (unsigned i = 0; i < viewer->n_listeners; i++) {
		struct keeper_listener m = { .header.type = KEEPER_MESSAGE_LISTENER,
			.kind = viewer->listeners[i].kind };
		SEND_TO_VIEWER(viewer, m, &viewer->listeners[i].fd, 1);
	}
	if (viewer->said[0])
		send_said(viewer);
	viewer->events.ready(viewer->events.user);
}

/* Who was in session comes again, with what let them in. */
static void on_worker_lost(void *owner)
{
	struct viewer *viewer = owner;
	g_clear_handle_id(&viewer->leave_source, g_source_remove);
	for (guint i = 0; i < viewer->given->len; i++) {
		struct viewer_ticket *ticket =
			&g_array_index(viewer->given, struct viewer_ticket, i);
		if (!ticket->in_session)
			continue;
		ticket->in_session = false;
		ticket->flags &= ~KEEPER_TICKET_SPENT;
		ticket->use_by_us = g_get_monotonic_time() + VIEWER_FOLLOW_ON_S * G_USEC_PER_SEC;
	}
	lock_on_leave_all_left(&viewer->lock);
	viewer->events.lost(viewer->events.user);
}

static void on_worker_failed(void *owner)
{
	struct viewer *viewer = owner;
	viewer->events.failed(viewer->events.user);
}

static void on_worker_ended(void *owner, enum worker_end end, const struct heartbeat_said *hung_at)
{
	struct viewer *viewer = owner;
	struct worker *worker = &viewer->worker;
	struct heartbeat_memory *dead = &worker->process.heartbeat;
	if (end == WORKER_REPLACED)
		return;
	if (end == WORKER_CRASHED)
		encoder_blame_count(&viewer->encoder_blame, dead, monotonic_now_ns());
	heartbeat_memory_refuse_encoders(&worker->spare.process.heartbeat, dead->encoders_refused);
	worker_want_spare(worker, VIEWER_SPARE_MS);
}

static const struct worker_class class = {
	.name = "vitrine-display",
	.process = FLIGHT_PROCESS_DISPLAY,
	.table = table,
	.table_length = G_N_ELEMENTS(table),
	.has_last_words = true,
	.ready = on_worker_ready,
	.lost = on_worker_lost,
	.failed = on_worker_failed,
	.ended = on_worker_ended,
};

static void set_limits(struct watchdog_limits *limits)
{
	*limits = (struct watchdog_limits){ .stopped_ns = WATCHDOG_STOPPED_MS * MONOTONIC_NS_PER_MS,
		.starting_ns = WORKER_READY_TIMEOUT_MS * MONOTONIC_NS_PER_MS };
	limits->loops_ns[HEARTBEAT_MAIN] = WATCHDOG_DISPLAY_MS * MONOTONIC_NS_PER_MS;
	limits->loops_ns[HEARTBEAT_RELAY] = WATCHDOG_DISPLAY_MS * MONOTONIC_NS_PER_MS;
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		limits->loops_ns[HEARTBEAT_SPICE + head] =
			WATCHDOG_DISPLAY_MS * MONOTONIC_NS_PER_MS;
}

static void wipe(gpointer ticket)
{
	explicit_bzero(ticket, sizeof(struct viewer_ticket));
}

void viewer_init(struct viewer *viewer, struct starter *starter, const char *password,
	const struct viewer_events *events)
{
	g_assert(events->ready && events->lost && events->failed && events->pointer_area &&
		 events->visitor && events->screenshot && events->client);
	*viewer = (struct viewer){ .certificate = { -1, -1 },
		.password = { .name = KEEPER_TICKET_PASSWORD, .user = USERS_DESKTOP },
		.view_password = { .name = KEEPER_TICKET_VIEW_PASSWORD,
			.flags = KEEPER_TICKET_VIEW_ONLY,
			.user = USERS_VIEW },
		.last_given = KEEPER_TICKET_FIRST_GIVEN - 1,
		.events = *events };
	/* Made as large as it gets, so that none of it is left in memory that was freed. */
	viewer->given =
		g_array_sized_new(FALSE, TRUE, sizeof(struct viewer_ticket), VIEWER_GIVEN_MAX);
	g_array_set_clear_func(viewer->given, wipe);
	if (password)
		g_strlcpy(viewer->password.text, password, sizeof(viewer->password.text));
	worker_init(&viewer->worker, &class, viewer, starter, WORKER_COMMAND_DISPLAY(0));
	set_limits(&viewer->worker.watchdog.limits);
}

static void change(struct viewer_ticket *ticket, const char *text)
{
	g_assert(text[0] != '\0');
	explicit_bzero(ticket->text, sizeof(ticket->text));
	g_strlcpy(ticket->text, text, sizeof(ticket->text));
}

void viewer_set_password(struct viewer *viewer, const char *password)
{
	change(&viewer->password, password);
}

void viewer_set_view_password(struct viewer *viewer, const char *password)
{
	change(&viewer->view_password, password);
}

void viewer_set_users(struct viewer *viewer, const struct users *users)
{
	users_finish(&viewer->users);
	viewer->users = *users;
}

void viewer_say_passwords(struct viewer *viewer)
{
	if (viewer->worker.state == WORKER_READY)
		send_passwords(viewer);
}

/*
 * 100 bits, in letters and digits that nobody takes for each other, so that it can be read out; the
 * alphabet has 32 of them, so that each is as likely.
 */
static bool make_text(char text[KEEPER_TICKET_MAX + 1])
{
	static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t bytes[20];
	G_STATIC_ASSERT(sizeof(alphabet) == 32 + 1);
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		text[i] = alphabet[bytes[i] % 32];
	text[sizeof(bytes)] = '\0';
	explicit_bzero(bytes, sizeof(bytes));
	return true;
}

static void drop_over(struct viewer *viewer)
{
	for (guint i = viewer->given->len; i-- > 0;) {
		const struct viewer_ticket *ticket =
			&g_array_index(viewer->given, struct viewer_ticket, i);
		if (left_us(ticket) < 0 && !ticket->in_session)
			g_array_remove_index(viewer->given, i);
	}
	/* Those behind have moved up, and are still where they were. */
	explicit_bzero(viewer->given->data + viewer->given->len * sizeof(struct viewer_ticket),
		(VIEWER_GIVEN_MAX - viewer->given->len) * sizeof(struct viewer_ticket));
}

bool viewer_give_ticket(struct viewer *viewer, uint32_t flags, uint32_t use_within_s,
	char ticket[KEEPER_TICKET_MAX + 1])
{
	struct viewer_ticket given = { .name = viewer->last_given + 1,
		.flags = flags | KEEPER_TICKET_ONCE,
		.use_by_us = g_get_monotonic_time() + use_within_s * G_USEC_PER_SEC };
	drop_over(viewer);
	if (viewer->given->len == VIEWER_GIVEN_MAX || !make_text(given.text))
		return false;
	viewer->last_given = given.name;
	/* Enough to tell tickets apart; what is left are 70 bits. */
	memcpy(given.user, given.text, USERS_TICKET_BYTES);
	g_array_append_val(viewer->given, given);
	memcpy(ticket, given.text, sizeof(given.text));
	if (viewer->worker.state == WORKER_READY)
		send_ticket(viewer, &given);
	explicit_bzero(&given, sizeof(given));
	return true;
}

void viewer_set_certificate(struct viewer *viewer, int certificate_fd, int key_fd)
{
	g_assert(viewer->worker.n_starts == 0 || viewer->certificate[0] >= 0);
	g_assert(certificate_fd >= 0 && key_fd >= 0);
	fd_close(&viewer->certificate[0]);
	fd_close(&viewer->certificate[1]);
	viewer->certificate[0] = certificate_fd;
	viewer->certificate[1] = key_fd;
	if (viewer->worker.state == WORKER_READY)
		send_certificate(viewer);
}

void viewer_add_listener(struct viewer *viewer, enum keeper_listener_kind kind, int fd)
{
	g_assert(viewer->worker.n_starts == 0 && fd >= 0);
	g_assert(viewer->n_listeners < VIEWER_LISTENERS_MAX);
	viewer->listeners[viewer->n_listeners++] =
		(struct viewer_listener){ .fd = fd, .kind = kind };
}

bool viewer_start(struct viewer *viewer, GError **error)
{
	return worker_start(&viewer->worker, error);
}

void viewer_finish(struct viewer *viewer)
{
	if (viewer->has_said_end)
		worker_let_end(&viewer->worker, KEEPER_ENDS_WAIT_MS);
	worker_finish(&viewer->worker);
	lock_on_leave_finish(&viewer->lock);
	g_clear_handle_id(&viewer->leave_source, g_source_remove);
	for (unsigned i = 0; i < viewer->n_listeners; i++)
		close(viewer->listeners[i].fd);
	fd_close(&viewer->certificate[0]);
	fd_close(&viewer->certificate[1]);
	explicit_bzero(&viewer->password, sizeof(viewer->password));
	g_clear_pointer(&viewer->given, g_array_unref);
	explicit_bzero(&viewer->view_password, sizeof(viewer->view_password));
	users_finish(&viewer->users);
	viewer->n_listeners = 0;
}

static gboolean on_stays(gpointer user)
{
	struct viewer *viewer = user;
	viewer->leave_source = 0;
	g_warning("display does not leave for another one: ended");
	worker_hand_over(&viewer->worker);
	return G_SOURCE_REMOVE;
}

void viewer_switch(struct viewer *viewer)
{
	struct keeper_switch m = { .header.type = KEEPER_MESSAGE_SWITCH };
	if (viewer->leave_source || !SEND_TO_VIEWER(viewer, m, NULL, 0))
		return;
	worker_death_note(
		&viewer->worker, FLIGHT_CAUSE_REPLACED, "another one was to take its place");
	viewer->leave_source = g_timeout_add(VIEWER_LEAVE_MS, on_stays, viewer);
}

bool viewer_ask_screenshot(struct viewer *viewer, uint32_t head)
{
	struct keeper_screenshot m = { .header.type = KEEPER_MESSAGE_SCREENSHOT, .head = head };
	return viewer->worker.state == WORKER_READY && SEND_TO_VIEWER(viewer, m, NULL, 0);
}

void viewer_say(struct viewer *viewer, const char *text)
{
	g_strlcpy(viewer->said, text, sizeof(viewer->said));
	if (viewer->worker.state == WORKER_READY)
		send_said(viewer);
}

bool viewer_hand_over(struct viewer *viewer, const char *client)
{
	struct keeper_hand_over m = { .header.type = KEEPER_MESSAGE_HAND_OVER };
	g_strlcpy(m.client, client, sizeof(m.client));
	return viewer->worker.state == WORKER_READY && SEND_TO_VIEWER(viewer, m, NULL, 0);
}

void viewer_say_end(struct viewer *viewer, const char *why)
{
	struct keeper_ends m = { .header.type = KEEPER_MESSAGE_ENDS };
	g_strlcpy(m.text, why, sizeof(m.text));
	if (!viewer->has_said_end && SEND_TO_VIEWER(viewer, m, NULL, 0))
		viewer->has_said_end = true;
}

bool viewer_send_frame_link(struct viewer *viewer, int end)
{
	struct keeper_frame_link m = { .header.type = KEEPER_MESSAGE_FRAME_LINK };
	return SEND_TO_VIEWER(viewer, m, &end, 1);
}

bool viewer_send_dbus(struct viewer *viewer, int end)
{
	struct keeper_dbus m = { .header.type = KEEPER_MESSAGE_DBUS };
	return SEND_TO_VIEWER(viewer, m, &end, 1);
}
