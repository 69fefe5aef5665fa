/* SPDX-License-Identifier: MIT */
#include "display/relay/offers.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/relay/inner_maker.h"

struct offer {
	struct offers *offers;
	enum offers_state state;
	struct spice_login_capabilities words;
	gint64 again_us; /* while NONE: when it may be asked for again */
	int fd;          /* while ASKED */
	GSource *source;
	uint8_t heard[SPICE_LOGIN_ANSWER_BYTES_MAX];
	size_t heard_bytes;
};

struct offers {
	const struct offers_ops *ops;
	void *user;
	struct offer all[SPICE_LOGIN_TYPES]; /* by the channel's type */
};

struct offers *offers_create(const struct offers_ops *ops, void *user)
{
	struct offers *offers = g_new0(struct offers, 1);
	offers->ops = ops;
	offers->user = user;
	for (unsigned i = 0; i < SPICE_LOGIN_TYPES; i++) {
		offers->all[i].offers = offers;
		offers->all[i].fd = -1;
	}
	return offers;
}

static void hang_up(struct offer *offer)
{
	if (offer->source) {
		g_source_destroy(offer->source);
		g_clear_pointer(&offer->source, g_source_unref);
	}
	if (offer->fd >= 0)
		close(offer->fd);
	offer->fd = -1;
}

void offers_destroy(struct offers *offers)
{
	if (!offers)
		return;
	for (unsigned i = 0; i < SPICE_LOGIN_TYPES; i++)
		hang_up(&offers->all[i]);
	g_free(offers);
}

static void settle(struct offer *offer, enum offers_state state)
{
	hang_up(offer);
	offer->state = state;
	offer->again_us = g_get_monotonic_time() + OFFERS_AGAIN_MS * 1000;
	offer->offers->ops->ready(offer->offers->user);
}

static gboolean on_answer(gint fd, GIOCondition condition, gpointer user)
{
	struct offer *offer = user;
	struct spice_login_answer answer;
	ssize_t n = recv(fd, offer->heard + offer->heard_bytes,
		sizeof(offer->heard) - offer->heard_bytes, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n > 0)
		offer->heard_bytes += (size_t)n;
	ssize_t size_bytes = spice_login_read_answer(offer->heard, offer->heard_bytes, &answer);
	if (size_bytes == 0 && n > 0 && offer->heard_bytes < sizeof(offer->heard))
		return G_SOURCE_CONTINUE;
	bool good = size_bytes > 0 && answer.error == SPICE_LOGIN_OK;
	if (good)
		offer->words = answer.capabilities;
	settle(offer, good ? OFFERS_KNOWN : OFFERS_NONE);
	return G_SOURCE_REMOVE;
}

static bool ask(struct offer *offer, uint8_t type)
{
	uint8_t question[SPICE_LINK_BYTES_MAX + 4];
	ssize_t size_bytes = (ssize_t)spice_login_make_question(type, question);
	int ends[2];
	if (!inner_maker_pair(ends))
		return false;
	/* A new connection has room for it. */
	if (send(ends[0], question, (size_t)size_bytes, MSG_NOSIGNAL) != size_bytes) {
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	offer->fd = ends[0];
	offer->heard_bytes = 0;
	offer->source = g_unix_fd_source_new(offer->fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
	g_source_set_callback(offer->source, G_SOURCE_FUNC(on_answer), offer, NULL);
	g_source_attach(offer->source, g_main_context_get_thread_default());
	offer->offers->ops->ask(offer->offers->user, ends[1]);
	return true;
}

enum offers_state offers_get(
	struct offers *offers, uint8_t type, const struct spice_login_capabilities **words)
{
	if (!spice_login_knows(type))
		return OFFERS_NONE;
	struct offer *offer = &offers->all[type];
	gint64 now_us = g_get_monotonic_time();
	if (offer->state == OFFERS_NONE && now_us >= offer->again_us) {
		offer->again_us = now_us + OFFERS_AGAIN_MS * 1000;
		offer->state = ask(offer, type) ? OFFERS_ASKED : OFFERS_NONE;
	}
	*words = &offer->words;
	return offer->state;
}
