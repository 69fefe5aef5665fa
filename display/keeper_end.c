/* SPDX-License-Identifier: MIT */
#include "display/keeper_end.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "protocol/stats_writer.h"

struct keeper_end {
	int fd;
	const struct keeper_end_ops *ops;
	void *user;
	guint read_source, write_source;
	struct keeper_pointer_area area;
	/* Passwords that are coming; NULL: none are. */
	struct keeper_ticket *passwords;
	unsigned n_passwords, n_wanted;
};

static void forget_passwords(struct keeper_end *keeper)
{
	if (keeper->passwords)
		explicit_bzero(keeper->passwords, keeper->n_passwords * sizeof(*keeper->passwords));
	g_clear_pointer(&keeper->passwords, g_free);
}

static bool on_passwords(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	const struct keeper_passwords *m = message;
	if (keeper->passwords || m->n_passwords > KEEPER_PASSWORDS_MAX)
		return false;
	if (m->n_passwords == 0)
		return keeper->ops->passwords(keeper->user, NULL, 0);
	keeper->passwords = g_new0(struct keeper_ticket, m->n_passwords);
	keeper->n_passwords = 0;
	keeper->n_wanted = m->n_passwords;
	return true;
}

static bool on_password(struct keeper_end *keeper, const struct keeper_ticket *password)
{
	if (!keeper->passwords)
		return false;
	keeper->passwords[keeper->n_passwords++] = *password;
	if (keeper->n_passwords < keeper->n_wanted)
		return true;
	bool ok = keeper->ops->passwords(keeper->user, keeper->passwords, keeper->n_passwords);
	forget_passwords(keeper);
	return ok;
}

static bool on_ticket(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	struct keeper_ticket m = *(const struct keeper_ticket *)message;
	memset(m.ticket + KEEPER_TICKET_MAX, 0, sizeof(m.ticket) - KEEPER_TICKET_MAX);
	m.user[KEEPER_USER_MAX] = '\0';
	bool ok = (m.flags & ~KEEPER_TICKET_FLAGS) == 0 && m.ticket[0] != '\0';
	if (ok)
		ok = m.flags & KEEPER_TICKET_ONCE ? keeper->ops->ticket(keeper->user, &m) :
						    on_password(keeper, &m);
	explicit_bzero(&m, sizeof(m));
	return ok;
}

static bool on_listener(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	const struct keeper_listener *m = message;
	if (m->kind < KEEPER_LISTENER_TCP || m->kind > KEEPER_LISTENER_TLS) {
		g_warning("keeper: unknown kind of listener %u", m->kind);
		return false;
	}
	return keeper->ops->listener(keeper->user, m->kind, g_steal_fd(&fds[0]));
}

static bool on_stats(void *user, const void *message, int *fds, unsigned n_fds)
{
	return stats_attach(fds[0], STATS_DISPLAY);
}

static bool on_certificate(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	return keeper->ops->certificate(keeper->user, fds[0], fds[1]);
}

static bool on_frame_link(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	return keeper->ops->frame_link(keeper->user, g_steal_fd(&fds[0]));
}

static bool on_dbus(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	return keeper->ops->dbus(keeper->user, g_steal_fd(&fds[0]));
}

static bool on_visitor_judged(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	return keeper->ops->visitor_judged(keeper->user, message);
}

static bool on_ends(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	struct keeper_ends m = *(const struct keeper_ends *)message;
	m.text[sizeof(m.text) - 1] = '\0';
	keeper->ops->ends(keeper->user, m.text);
	return true;
}

static bool on_says(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	struct keeper_says m = *(const struct keeper_says *)message;
	m.text[sizeof(m.text) - 1] = '\0';
	keeper->ops->says(keeper->user, m.text);
	return true;
}

static bool on_switch(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	keeper->ops->switched(keeper->user);
	return true;
}

static bool on_screenshot(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	const struct keeper_screenshot *m = message;
	keeper->ops->screenshot(keeper->user, m->head);
	return true;
}

static bool on_hand_over(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	struct keeper_hand_over m = *(const struct keeper_hand_over *)message;
	m.client[sizeof(m.client) - 1] = '\0';
	keeper->ops->hand_over(keeper->user, m.client);
	return true;
}

static const struct link_handler handlers[] = {
	{ KEEPER_MESSAGE_HAND_OVER, "HAND_OVER", sizeof(struct keeper_hand_over), 0, 0,
		on_hand_over },
	{ KEEPER_MESSAGE_SCREENSHOT, "SCREENSHOT", sizeof(struct keeper_screenshot), 0, 0,
		on_screenshot },
	{ KEEPER_MESSAGE_SWITCH, "SWITCH", sizeof(struct keeper_switch), 0, 0, on_switch },
	{ KEEPER_MESSAGE_SAYS, "SAYS", sizeof(struct keeper_says), 0, 0, on_says },
	{ KEEPER_MESSAGE_ENDS, "ENDS", sizeof(struct keeper_ends), 0, 0, on_ends },
	{ KEEPER_MESSAGE_FRAME_LINK, "FRAME_LINK", sizeof(struct keeper_frame_link), 1, 1,
		on_frame_link },
	{ KEEPER_MESSAGE_STATS, "STATS", sizeof(struct keeper_stats), 1, 1, on_stats },
	{ KEEPER_MESSAGE_LISTENER, "LISTENER", sizeof(struct keeper_listener), 1, 1, on_listener },
	{ KEEPER_MESSAGE_PASSWORDS, "PASSWORDS", sizeof(struct keeper_passwords), 0, 0,
		on_passwords },
	{ KEEPER_MESSAGE_TICKET, "TICKET", sizeof(struct keeper_ticket), 0, 0, on_ticket },
	{ KEEPER_MESSAGE_CERTIFICATE, "CERTIFICATE", sizeof(struct keeper_certificate), 2, 2,
		on_certificate },
	{ KEEPER_MESSAGE_DBUS, "DBUS", sizeof(struct keeper_dbus), 1, 1, on_dbus },
	{ KEEPER_MESSAGE_VISITOR_JUDGED, "VISITOR_JUDGED", sizeof(struct keeper_visitor_judged), 0,
		0, on_visitor_judged },
};

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user)
{
	struct keeper_end *keeper = user;
	int result;
	do
		result = link_dispatch(
			keeper->fd, "keeper", handlers, G_N_ELEMENTS(handlers), keeper);
	while (result > 0);
	if (result == 0)
		return G_SOURCE_CONTINUE;
	keeper->read_source = 0;
	keeper->ops->gone(keeper->user, result != -EPIPE);
	return G_SOURCE_REMOVE;
}

struct keeper_end *keeper_end_create(int fd, const struct keeper_end_ops *ops, void *user)
{
	struct keeper_end *keeper = g_new0(struct keeper_end, 1);
	keeper->fd = fd;
	keeper->ops = ops;
	keeper->user = user;
	keeper->read_source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, keeper);
	return keeper;
}

void keeper_end_destroy(struct keeper_end *keeper)
{
	if (!keeper)
		return;
	g_clear_handle_id(&keeper->read_source, g_source_remove);
	g_clear_handle_id(&keeper->write_source, g_source_remove);
	forget_passwords(keeper);
	close(keeper->fd);
	g_free(keeper);
}

bool keeper_end_say_ready(struct keeper_end *keeper, const struct confine_state *walls,
	const struct confine_state *inner_walls)
{
	struct keeper_ready ready = { .header.type = KEEPER_MESSAGE_READY,
		.version = KEEPER_LINK_VERSION,
		.walls = *walls,
		.inner_walls = *inner_walls };
	return link_send(keeper->fd, &ready, sizeof(ready), NULL, 0) == 0;
}

static gboolean send_area(gint fd, GIOCondition condition, gpointer user)
{
	struct keeper_end *keeper = user;
	if (link_send(keeper->fd, &keeper->area, sizeof(keeper->area), NULL, 0) == -EAGAIN)
		return G_SOURCE_CONTINUE;
	keeper->write_source = 0;
	return G_SOURCE_REMOVE;
}

void keeper_end_say_pointer_area(struct keeper_end *keeper, uint32_t width, uint32_t height)
{
	if (width == keeper->area.width && height == keeper->area.height)
		return;
	keeper->area.header.type = KEEPER_MESSAGE_POINTER_AREA;
	keeper->area.width = width;
	keeper->area.height = height;
	if (!keeper->write_source && send_area(keeper->fd, G_IO_OUT, keeper) == G_SOURCE_CONTINUE)
		keeper->write_source = g_unix_fd_add(keeper->fd, G_IO_OUT, send_area, keeper);
}

bool keeper_end_say_ticket(struct keeper_end *keeper, uint32_t name, enum keeper_ticket_use use)
{
	struct keeper_ticket_used m = {
		.header.type = KEEPER_MESSAGE_TICKET_USED, .name = name, .use = use
	};
	return link_send(keeper->fd, &m, sizeof(m), NULL, 0) == 0;
}

void keeper_end_say_client(struct keeper_end *keeper, const struct keeper_client *client)
{
	struct keeper_client m = *client;
	m.header.type = KEEPER_MESSAGE_CLIENT;
	link_send(keeper->fd, &m, sizeof(m), NULL, 0);
}

/* Where it cannot be sent whoever waits for it is told so by the keeper. */
void keeper_end_say_screenshot(
	struct keeper_end *keeper, struct keeper_screenshot_taken *taken, int fd)
{
	taken->header.type = KEEPER_MESSAGE_SCREENSHOT_TAKEN;
	link_send(keeper->fd, taken, sizeof(*taken), &fd, fd >= 0 ? 1 : 0);
}

bool keeper_end_ask_visitor(struct keeper_end *keeper, struct keeper_visitor *visitor, int fd)
{
	return link_send(keeper->fd, visitor, sizeof(*visitor), &fd, fd >= 0 ? 1 : 0) == 0;
}
