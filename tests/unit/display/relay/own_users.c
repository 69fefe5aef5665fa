/* SPDX-License-Identifier: MIT */
#include "tests/unit/display/relay/own_users.h"

#include <glib.h>

void own_users_add(struct tickets *tickets)
{
	const struct tickets_terms terms = { .user = "desktop" };
	const struct tickets_terms alice = { .named = true, .user = OWN_USERS_NAME };
	const struct tickets_terms bob = {
		.named = true, .view_only = true, .user = OWN_USERS_VIEWER
	};
	gint64 now_us = g_get_monotonic_time();
	g_assert_true(tickets_put(tickets, 1, OWN_USERS_PASSWORD, &terms, now_us));
	g_assert_true(tickets_put(tickets, 2, OWN_USERS_SECRET, &alice, now_us));
	g_assert_true(tickets_put(tickets, 3, OWN_USERS_VIEWER_SECRET, &bob, now_us));
	tickets_set_open(tickets, false);
}

void own_users_guess(struct tickets *tickets, const struct peer_address *from)
{
	struct tickets_try wrong = { .from = *from, .secret = "wrong" };
	gint64 now_us = g_get_monotonic_time();
	for (unsigned i = 0; i < DELAYS_FREE_TRIES + 4; i++)
		tickets_judge(tickets, &wrong, now_us);
}
