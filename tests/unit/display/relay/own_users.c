/* SPDX-License-Identifier: MIT */
#include "tests/unit/display/relay/own_users.h"

#include <glib.h>

void own_users_add(struct tickets *tickets)
{
	const struct tickets_password all[] = {
		{ 1, OWN_USERS_PASSWORD, { .user = "desktop" } },
		{ 2, OWN_USERS_SECRET, { .named = true, .user = OWN_USERS_NAME } },
		{ 3, OWN_USERS_VIEWER_SECRET,
			{ .named = true, .view_only = true, .user = OWN_USERS_VIEWER } },
	};
	g_assert_true(tickets_replace(tickets, all, G_N_ELEMENTS(all), g_get_monotonic_time()));
}

void own_users_guess(struct tickets *tickets, const struct peer_address *from)
{
	struct tickets_try wrong = { .from = *from, .secret = "wrong" };
	gint64 now_us = g_get_monotonic_time();
	for (unsigned i = 0; i < DELAYS_FREE_TRIES + 4; i++)
		tickets_judge(tickets, &wrong, now_us);
}
