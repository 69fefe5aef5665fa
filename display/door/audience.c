/* SPDX-License-Identifier: MIT */
#include "display/door/audience.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "display/door/limits.h"
#include "protocol/frame_link.h"

struct audience {
	GThread *thread; /* that made it */
	const struct audience_ops *ops;
	void *user;
	unsigned viewers[FRAME_HEADS_MAX]; /* display channels open */
	int held[AUDIENCE_HELD_MAX];
	unsigned n_held;
	guint hold_timer, linger_timer; /* 0: nobody is awaited */
};

struct audience *audience_create(const struct audience_ops *ops, void *user)
{
	struct audience *audience = g_new0(struct audience, 1);
	audience->thread = g_thread_self();
	audience->ops = ops;
	audience->user = user;
	return audience;
}

void audience_destroy(struct audience *audience)
{
	if (!audience)
		return;
	g_assert(audience->thread == g_thread_self());
	g_clear_handle_id(&audience->hold_timer, g_source_remove);
	g_clear_handle_id(&audience->linger_timer, g_source_remove);
	for (unsigned i = 0; i < audience->n_held; i++)
		close(audience->held[i]);
	g_free(audience);
}

static bool anyone_looks(const struct audience *audience)
{
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (audience->viewers[i] > 0)
			return true;
	}
	return false;
}

/* They are taken out first: letting one in may bring the next, who then need not be held. */
static void admit_all(struct audience *audience)
{
	int held[AUDIENCE_HELD_MAX];
	unsigned n_held = audience->n_held;
	g_clear_handle_id(&audience->hold_timer, g_source_remove);
	memcpy(held, audience->held, n_held * sizeof(held[0]));
	audience->n_held = 0;
	for (unsigned i = 0; i < n_held; i++)
		audience->ops->admit(audience->user, held[i]);
}

static gboolean on_hold_over(gpointer user)
{
	struct audience *audience = user;
	audience->hold_timer = 0;
	admit_all(audience);
	return G_SOURCE_REMOVE;
}

static gboolean on_linger_over(gpointer user)
{
	struct audience *audience = user;
	audience->linger_timer = 0;
	audience->ops->rates(audience->user);
	return G_SOURCE_REMOVE;
}

void audience_arrive(struct audience *audience, int fd, bool can_show)
{
	g_assert(audience->thread == g_thread_self() && fd >= 0);
	/* Whoever is held is awaited: a timer says when to let them in without a picture. */
	g_assert((audience->n_held > 0) == (audience->hold_timer != 0));
	bool awake = anyone_looks(audience) || (audience->linger_timer && audience->n_held == 0);
	if (awake || !can_show || audience->n_held == AUDIENCE_HELD_MAX) {
		audience->ops->admit(audience->user, fd);
		return;
	}
	audience->held[audience->n_held++] = fd;
	if (!audience->hold_timer)
		audience->hold_timer = g_timeout_add(AUDIENCE_HOLD_MS, on_hold_over, audience);
	g_clear_handle_id(&audience->linger_timer, g_source_remove);
	audience->linger_timer = g_timeout_add(AUDIENCE_LINGER_MS, on_linger_over, audience);
	audience->ops->rates(audience->user);
}

void audience_frame_shown(struct audience *audience)
{
	g_assert(audience->thread == g_thread_self());
	if (audience->n_held > 0)
		admit_all(audience);
}

void audience_look(struct audience *audience, unsigned head, bool looks)
{
	g_assert(audience->thread == g_thread_self() && head < FRAME_HEADS_MAX);
	if (looks) {
		audience->viewers[head]++;
		g_clear_handle_id(&audience->linger_timer, g_source_remove);
	} else if (audience->viewers[head] > 0) {
		audience->viewers[head]--;
	}
	audience->ops->rates(audience->user);
}

bool audience_looks(const struct audience *audience, unsigned head)
{
	g_assert(head < FRAME_HEADS_MAX);
	return audience->viewers[head] > 0;
}

uint32_t audience_rate_mhz(const struct audience *audience, unsigned head)
{
	g_assert(head < FRAME_HEADS_MAX);
	bool wanted = audience->linger_timer || audience->viewers[head] > 0;
	return wanted ? AUDIENCE_RATE_MHZ : 0;
}
