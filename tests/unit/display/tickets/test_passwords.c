/* SPDX-License-Identifier: MIT */
/* passwords: gives lists of passwords in the place of others, beside tickets and sessions. */
#include "display/tickets/tickets.h"

#include <glib.h>

enum { PASSWORD = 1, VIEWERS, TICKET };

static const struct tickets_terms view_only = { .view_only = true }, once = { .once = true };

static struct tickets_answer judge(
	struct tickets *tickets, unsigned host, const char *secret, uint32_t session)
{
	const struct tickets_try said = {
		.from = { .kind = PEER_ADDRESS_INET, .bytes = { 192, 0, 2, (uint8_t)host } },
		.secret = secret,
		.session = session,
	};
	return tickets_judge(tickets, &said, 1);
}

#define assert_verdict(tickets, host, secret, session, expected)                                   \
	g_assert_cmpint(judge(tickets, host, secret, session).verdict, ==, expected)

/*
 * A list takes the place of the one before as a whole, or not at all; tickets and sessions are not
 * of it.
 */
static void test_replaced(void)
{
	struct tickets *tickets = tickets_create();
	const struct tickets_password one[] = { { PASSWORD, "secret", { 0 } },
		{ VIEWERS, "look", view_only },
		{ 100, "wonder", { .user = "alice", .named = true } } };
	const struct tickets_password wrong[][2] = { { { PASSWORD, "new", { 0 } },
							     { 2, "", { 0 } } },
		{ { PASSWORD, "new", { 0 } }, { 3, "ticket", once } } };
	g_assert_true(tickets_replace(tickets, one, G_N_ELEMENTS(one), 0));
	tickets_put(tickets, TICKET, "ticket", &once, 0);
	tickets_begin(tickets, judge(tickets, 1, "secret", 0).visit, 77);
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
		g_assert_false(tickets_replace(tickets, wrong[i], 2, 0));
	assert_verdict(tickets, 2, "new", 0, TICKETS_WRONG);
	assert_verdict(tickets, 1, "secret", 0, TICKETS_PASS);
	g_assert_true(tickets_has_users(tickets));
	g_assert_true(tickets_replace(tickets, wrong[0], 1, 0));
	g_assert_false(tickets_has_users(tickets));
	assert_verdict(tickets, 3, "secret", 0, TICKETS_WRONG);
	assert_verdict(tickets, 3, "look", 0, TICKETS_WRONG);
	assert_verdict(tickets, 1, "new", 0, TICKETS_PASS);
	assert_verdict(tickets, 1, "ticket", 0, TICKETS_PASS);
	assert_verdict(tickets, 1, "secret", 77, TICKETS_PASS);
	tickets_destroy(tickets);
}

/* Tickets that fill the table leave no room for more passwords than there were, or else go. */
static void test_full(void)
{
	struct tickets *tickets = tickets_create();
	const struct tickets_password two[] = { { 1000, "secret", { 0 } },
		{ 1001, "look", { 0 } } };
	char secret[16];
	g_assert_true(tickets_replace(tickets, two, 1, 0));
	for (unsigned i = 1; i < TICKETS_MAX; i++) {
		g_snprintf(secret, sizeof(secret), "ticket-%u", i);
		g_assert_true(tickets_put(tickets, i, secret, &once, 0));
	}
	g_assert_true(tickets_replace(tickets, two, 1, 0));
	g_assert_false(tickets_replace(tickets, two, 2, 0));
	assert_verdict(tickets, 1, "secret", 0, TICKETS_PASS);
	assert_verdict(tickets, 1, "ticket-7", 0, TICKETS_PASS);
	g_assert_true(tickets_replace(tickets, two, 2, 0));
	assert_verdict(tickets, 1, "look", 0, TICKETS_PASS);
	tickets_destroy(tickets);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/passwords/replaced", test_replaced);
	g_test_add_func("/passwords/full", test_full);
	return g_test_run();
}
