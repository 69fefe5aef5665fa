/* SPDX-License-Identifier: MIT */
/* tickets room: who may come in beside whom. */
#include "display/tickets/tickets.h"

#include <glib.h>

enum { PASSWORD = 1, VIEWERS, TICKET };

static const struct tickets_terms plain, view_only = { .view_only = true }, once = { .once = true };

static struct tickets_answer judge(struct tickets *tickets, unsigned host, const char *secret,
	uint32_t session, int64_t now_us)
{
	struct tickets_try said = {
		.from = { .kind = PEER_ADDRESS_INET, .bytes = { 192, 0, 2, (uint8_t)host } },
		.secret = secret,
		.session = session,
	};
	return tickets_judge(tickets, &said, now_us);
}

#define assert_verdict(tickets, host, secret, session, now_us, expected)                           \
	g_assert_cmpint(judge(tickets, host, secret, session, now_us).verdict, ==, expected)

/* Who is in stays, whoever comes; one whose ticket was refused may come with it later. */
static void test_first_kept(void)
{
	struct tickets *tickets = tickets_create();
	tickets_keep_first(tickets);
	g_assert_true(tickets_put(tickets, PASSWORD, "secret", &plain, 0));
	g_assert_true(tickets_put(tickets, VIEWERS, "look", &view_only, 0));
	g_assert_true(tickets_put(tickets, TICKET, "once", &once, 0));
	struct tickets_answer looker = judge(tickets, 1, "look", 0, 1);
	struct tickets_answer first = judge(tickets, 2, "secret", 0, 1);
	g_assert_cmpint(looker.verdict, ==, TICKETS_PASS);
	g_assert_cmpint(first.verdict, ==, TICKETS_PASS);
	tickets_leave(tickets, looker.visit);
	assert_verdict(tickets, 3, "secret", 0, 1, TICKETS_OCCUPIED);
	assert_verdict(tickets, 3, "once", 0, 1, TICKETS_OCCUPIED);
	assert_verdict(tickets, 3, "look", 0, 1, TICKETS_TAKEN);
	assert_verdict(tickets, 3, "wrong", 0, 1, TICKETS_WRONG);
	tickets_leave(tickets, first.visit);
	assert_verdict(tickets, 3, "once", 0, 1, TICKETS_PASS);
	tickets_destroy(tickets);
}

/* So many look on beside one who drives, and not one more; that one's place is another matter. */
static void test_lookers(void)
{
	struct tickets *tickets = tickets_create();
	struct tickets_answer lookers[2];
	tickets_set_lookers(tickets, G_N_ELEMENTS(lookers));
	g_assert_true(tickets_put(tickets, PASSWORD, "secret", &plain, 0));
	g_assert_true(tickets_put(tickets, VIEWERS, "look", &view_only, 0));
	lookers[0] = judge(tickets, 1, "look", 0, 1);
	struct tickets_answer driver = judge(tickets, 2, "secret", 0, 1);
	lookers[1] = judge(tickets, 3, "look", 0, 1);
	for (unsigned i = 0; i < G_N_ELEMENTS(lookers); i++) {
		g_assert_cmpint(lookers[i].verdict, ==, TICKETS_PASS);
		g_assert_true(lookers[i].view_only);
	}
	g_assert_cmpint(driver.verdict, ==, TICKETS_PASS);
	assert_verdict(tickets, 4, "look", 0, 1, TICKETS_FULL);
	assert_verdict(tickets, 4, "secret", 0, 1, TICKETS_PASS);
	tickets_leave(tickets, lookers[0].visit);
	assert_verdict(tickets, 4, "look", 0, 1, TICKETS_PASS);
	assert_verdict(tickets, 5, "look", 0, 1, TICKETS_FULL);
	tickets_destroy(tickets);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tickets-room/first-kept", test_first_kept);
	g_test_add_func("/tickets-room/lookers", test_lookers);
	return g_test_run();
}
