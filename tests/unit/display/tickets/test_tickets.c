/* SPDX-License-Identifier: MIT */
/* tickets: plays clients that come with passwords and tickets, right and wrong ones. */
#include "display/tickets/tickets.h"
#include "display/tickets/limits.h"
#include "protocol/stats_writer.h"

#include <glib.h>
#include <string.h>

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

static void test_nobody(void)
{
	struct tickets *tickets = tickets_create();
	assert_verdict(tickets, 1, "", 0, 1, TICKETS_EMPTY);
	assert_verdict(tickets, 1, "x", 0, 1, TICKETS_WRONG);
	g_assert_false(tickets_is_open(tickets));
	g_assert_true(tickets_replace(tickets, NULL, 0, 0));
	g_assert_true(tickets_is_open(tickets));
	struct tickets_answer answer = judge(tickets, 1, "", 0, 1);
	g_assert_cmpint(answer.verdict, ==, TICKETS_PASS);
	g_assert_cmpuint(answer.ticket, ==, 0);
	g_assert_cmpuint(answer.visit, !=, 0);
	tickets_begin(tickets, answer.visit, 77);
	assert_verdict(tickets, 1, "any", 77, 1, TICKETS_PASS);
	tickets_leave(tickets, answer.visit);
	tickets_destroy(tickets);
}

static void test_passwords(void)
{
	struct tickets *tickets = tickets_create();
	g_assert_true(tickets_put(tickets, PASSWORD, "secret", &plain, 0));
	g_assert_true(tickets_put(tickets, VIEWERS, "look", &view_only, 0));
	struct tickets_answer answer = judge(tickets, 1, "secret", 0, 1);
	g_assert_cmpint(answer.verdict, ==, TICKETS_PASS);
	g_assert_cmpuint(answer.ticket, ==, PASSWORD);
	g_assert_false(answer.view_only);
	tickets_leave(tickets, answer.visit);
	answer = judge(tickets, 1, "look", 0, 1);
	g_assert_cmpint(answer.verdict, ==, TICKETS_PASS);
	g_assert_cmpuint(answer.ticket, ==, VIEWERS);
	g_assert_true(answer.view_only);
	const char *const wrong[] = { "secre", "secrets", "Secret", "secret ", " ", "look\n" };
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
		assert_verdict(tickets, 10 + i, wrong[i], 0, 1, TICKETS_WRONG);
	const struct tickets_password looks = { VIEWERS, "look", { .view_only = true } };
	g_assert_true(tickets_replace(tickets, &looks, 1, 0));
	assert_verdict(tickets, 2, "secret", 0, 1, TICKETS_WRONG);
	assert_verdict(tickets, 2, "look", 0, 1, TICKETS_PASS);
	tickets_destroy(tickets);
}

/* No password is right because it is as long as the longest, or longer than it. */
static void test_lengths(void)
{
	struct tickets *tickets = tickets_create();
	char longest[TICKETS_SECRET_MAX + 3];
	memset(longest, 'x', sizeof(longest));
	longest[TICKETS_SECRET_MAX + 2] = '\0';
	g_assert_false(tickets_put(tickets, PASSWORD, longest, &plain, 0));
	g_assert_false(tickets_put(tickets, PASSWORD, "", &plain, 0));
	assert_verdict(tickets, 1, longest, 0, 1, TICKETS_WRONG);
	longest[TICKETS_SECRET_MAX] = '\0';
	g_assert_true(tickets_put(tickets, PASSWORD, longest, &plain, 0));
	assert_verdict(tickets, 2, longest, 0, 1, TICKETS_PASS);
	longest[TICKETS_SECRET_MAX] = 'x';
	assert_verdict(tickets, 2, longest, 0, 1, TICKETS_WRONG);
	tickets_destroy(tickets);
}

static void test_ticket(void)
{
	struct tickets *tickets = tickets_create();
	const struct tickets_terms soon = { .once = true, .use_by_us = 100 };
	tickets_put(tickets, TICKET, "ticket", &soon, 0);
	struct tickets_answer first = judge(tickets, 1, "ticket", 0, 50);
	g_assert_cmpint(first.verdict, ==, TICKETS_PASS);
	/* It is taken from the first moment on, and free again when no session has begun. */
	assert_verdict(tickets, 2, "ticket", 0, 50, TICKETS_SPENT);
	tickets_leave(tickets, first.visit);
	struct tickets_answer main_channel = judge(tickets, 1, "ticket", 0, 60);
	g_assert_cmpint(main_channel.verdict, ==, TICKETS_PASS);
	tickets_begin(tickets, main_channel.visit, 77);
	/* All channels of the session pass, however late, also from another address. */
	for (unsigned i = 0; i < 20; i++)
		assert_verdict(tickets, 3, "ticket", 77, 5000000, TICKETS_PASS);
	assert_verdict(tickets, 4, "ticket", 78, 200, TICKETS_WRONG);
	assert_verdict(tickets, 4, "ticket", 0, 200, TICKETS_SPENT);
	tickets_leave(tickets, main_channel.visit);
	assert_verdict(tickets, 5, "ticket", 77, 200, TICKETS_WRONG);
	assert_verdict(tickets, 5, "ticket", 0, 200, TICKETS_SPENT);
	/* Its time is over before it was used. */
	tickets_put(tickets, TICKET + 1, "late", &soon, 0);
	assert_verdict(tickets, 6, "late", 0, 101, TICKETS_SPENT);
	tickets_destroy(tickets);
}

struct told {
	uint32_t ticket;
	enum keeper_ticket_use use;
	bool refuse;
	unsigned n;
};

static bool tell(void *user, uint32_t ticket, enum keeper_ticket_use use)
{
	struct told *told = user;
	if (told->refuse)
		return false;
	*told = (struct told){ .ticket = ticket, .use = use, .n = told->n + 1 };
	return true;
}

/* Of tickets alone it is told, before anybody comes in, and nobody does where it cannot be told. */
static void test_told(void)
{
	struct tickets *tickets = tickets_create();
	struct told told = { .n = 0 };
	const struct tickets_terms spent = { .once = true, .spent = true };
	tickets_set_teller(tickets, tell, &told);
	tickets_put(tickets, PASSWORD, "secret", &plain, 0);
	tickets_put(tickets, TICKET, "ticket", &once, 0);
	tickets_put(tickets, TICKET + 1, "used", &spent, 0);
	tickets_leave(tickets, judge(tickets, 1, "secret", 0, 1).visit);
	assert_verdict(tickets, 1, "used", 0, 1, TICKETS_SPENT);
	g_assert_cmpuint(told.n, ==, 0);
	told.refuse = true;
	assert_verdict(tickets, 1, "ticket", 0, 1, TICKETS_BUSY);
	told.refuse = false;
	struct tickets_answer first = judge(tickets, 1, "ticket", 0, 1);
	g_assert_true(first.verdict == TICKETS_PASS && told.ticket == TICKET);
	g_assert_true(told.use == KEEPER_TICKET_IN_SESSION);
	tickets_leave(tickets, first.visit);
	g_assert_true(told.use == KEEPER_TICKET_UNUSED && told.ticket == TICKET && told.n == 2);
	struct tickets_answer second = judge(tickets, 1, "ticket", 0, 1);
	tickets_begin(tickets, second.visit, 77);
	g_assert_true(told.use == KEEPER_TICKET_IN_SESSION && told.n == 3);
	tickets_leave(tickets, second.visit);
	g_assert_true(told.use == KEEPER_TICKET_OVER && told.ticket == TICKET && told.n == 4);
	assert_verdict(tickets, 2, "ticket", 0, 1, TICKETS_SPENT);
	tickets_destroy(tickets);
}

/* What could not be given back stays used. */
static void test_not_given_back(void)
{
	struct tickets *tickets = tickets_create();
	struct told told = { .n = 0 };
	tickets_set_teller(tickets, tell, &told);
	tickets_put(tickets, TICKET, "ticket", &once, 0);
	struct tickets_answer answer = judge(tickets, 1, "ticket", 0, 1);
	told.refuse = true;
	tickets_leave(tickets, answer.visit);
	assert_verdict(tickets, 1, "ticket", 0, 1, TICKETS_SPENT);
	tickets_destroy(tickets);
}

/* A channel passes with its own session's password only, also when that has changed. */
static void test_sessions(void)
{
	struct tickets *tickets = tickets_create();
	tickets_put(tickets, PASSWORD, "secret", &plain, 0);
	tickets_put(tickets, VIEWERS, "look", &view_only, 0);
	struct tickets_answer viewer = judge(tickets, 2, "look", 0, 1);
	struct tickets_answer full = judge(tickets, 1, "secret", 0, 1);
	tickets_begin(tickets, full.visit, 77);
	tickets_begin(tickets, viewer.visit, 78);
	g_assert_false(judge(tickets, 1, "secret", 77, 1).view_only);
	g_assert_true(judge(tickets, 2, "look", 78, 1).view_only);
	assert_verdict(tickets, 3, "look", 77, 1, TICKETS_WRONG);
	assert_verdict(tickets, 4, "secret", 78, 1, TICKETS_WRONG);
	tickets_put(tickets, PASSWORD, "another", &plain, 0);
	assert_verdict(tickets, 1, "secret", 77, 1, TICKETS_PASS);
	assert_verdict(tickets, 5, "another", 77, 1, TICKETS_WRONG);
	assert_verdict(tickets, 5, "secret", 0, 1, TICKETS_WRONG);
	/* Nobody is asked any more: who only looked on still only looks on. */
	g_assert_true(tickets_replace(tickets, NULL, 0, 0));
	g_assert_true(judge(tickets, 2, "", 78, 1).view_only);
	tickets_destroy(tickets);
}

static void test_visitors(void)
{
	struct tickets *tickets = tickets_create();
	struct tickets_visitor visitors[TICKETS_VISITS_MAX];
	struct tickets_answer answers[TICKETS_VISITS_MAX];
	tickets_put(tickets, VIEWERS, "look", &view_only, 0);
	for (unsigned i = 0; i < TICKETS_VISITS_MAX; i++) {
		answers[i] = judge(tickets, 1, "look", 0, i + 1);
		g_assert_cmpint(answers[i].verdict, ==, TICKETS_PASS);
	}
	assert_verdict(tickets, 2, "look", 0, 100, TICKETS_BUSY);
	tickets_leave(tickets, answers[0].visit);
	assert_verdict(tickets, 2, "look", 0, 101, TICKETS_PASS);
	g_assert_cmpuint(tickets_visitors(tickets, visitors, 2), ==, TICKETS_VISITS_MAX);
	g_assert_cmpint(visitors[0].since_us, ==, 2);
	g_assert_cmpint(visitors[1].since_us, ==, 3);
	g_assert_cmpuint(visitors[0].ticket, ==, VIEWERS);
	g_assert_true(visitors[0].view_only);
	g_assert_cmpuint(visitors[0].from.bytes[3], ==, 1);
	tickets_destroy(tickets);
}

/* Asking first costs as much as judging, and what it gave is what judging takes. */
static void test_asking(void)
{
	struct tickets *tickets = tickets_create();
	struct tickets_try said = {
		.from = { .kind = PEER_ADDRESS_INET, .bytes = { 192, 0, 2, 1 } }, .secret = "guess"
	};
	int64_t now_us = 1;
	tickets_put(tickets, PASSWORD, "secret", &plain, 0);
	for (unsigned i = 0; i < 50; i++) {
		said.slot_us = 0;
		struct tickets_answer answer = tickets_ask(tickets, &said, now_us);
		said.slot_us = answer.again_us;
		if (answer.verdict == TICKETS_LATER) {
			now_us = answer.again_us;
			answer = tickets_ask(tickets, &said, now_us);
		}
		g_assert_cmpint(answer.verdict, ==, TICKETS_PASS);
		g_assert_cmpint(tickets_judge(tickets, &said, now_us).verdict, ==, TICKETS_WRONG);
	}
	g_assert_cmpint(now_us, >, 60 * G_USEC_PER_SEC);
	for (unsigned i = 0; i < 20; i++) {
		said.slot_us = 0;
		tickets_ask(tickets, &said, now_us);
	}
	g_assert_cmpint(tickets_ask(tickets, &said, now_us).verdict, ==, TICKETS_BUSY);
	/* However often somebody asks who is put off, it is counted once. */
	uint64_t n_refused = stats_get_memory()->door[STATS_PASSWORDS_REFUSED];
	said.is_counted = true;
	for (unsigned i = 0; i < 10; i++)
		g_assert_cmpint(tickets_ask(tickets, &said, now_us).verdict, ==, TICKETS_BUSY);
	said.is_counted = false;
	g_assert_cmpuint(stats_get_memory()->door[STATS_PASSWORDS_REFUSED], ==, n_refused);
	/* A session's channels are known at once, and nobody is asked where none has to be. */
	said.from.bytes[3] = 2;
	said.secret = "secret";
	said.slot_us = tickets_ask(tickets, &said, now_us).again_us;
	tickets_begin(tickets, tickets_judge(tickets, &said, now_us).visit, 77);
	said.from.bytes[3] = 1;
	said.session = 77;
	said.slot_us = 0;
	g_assert_cmpint(tickets_ask(tickets, &said, now_us).verdict, ==, TICKETS_PASS);
	g_assert_true(tickets_replace(tickets, NULL, 0, 0));
	said.session = 78;
	g_assert_cmpint(tickets_ask(tickets, &said, now_us).verdict, ==, TICKETS_PASS);
	tickets_destroy(tickets);
}

/* Who only looks on takes nobody's place who may do more; anybody else takes any place. */
static void test_taken(void)
{
	struct tickets *tickets = tickets_create();
	tickets_put(tickets, PASSWORD, "secret", &plain, 0);
	tickets_put(tickets, VIEWERS, "look", &view_only, 0);
	struct tickets_answer viewer = judge(tickets, 1, "look", 0, 1);
	assert_verdict(tickets, 2, "look", 0, 1, TICKETS_PASS);
	struct tickets_answer full = judge(tickets, 3, "secret", 0, 1);
	g_assert_cmpint(full.verdict, ==, TICKETS_PASS);
	tickets_leave(tickets, viewer.visit);
	for (unsigned i = 0; i < 20; i++)
		assert_verdict(tickets, 4, "look", 0, 1, TICKETS_TAKEN);
	assert_verdict(tickets, 4, "secret", 0, 1, TICKETS_PASS);
	tickets_leave(tickets, full.visit);
	assert_verdict(tickets, 4, "look", 0, 1, TICKETS_TAKEN);
	tickets_destroy(tickets);
}

/* Guesses as a client does that waits when it is told to. Returns when all were judged. */
static int64_t guess(
	struct tickets *tickets, unsigned host, uint32_t session, unsigned n, int64_t now_us)
{
	while (n-- > 0) {
		struct tickets_answer answer = judge(tickets, host, "guess", session, now_us);
		if (answer.verdict == TICKETS_LATER) {
			g_assert_cmpint(answer.again_us, >, now_us);
			now_us = answer.again_us;
			struct tickets_try again = {
				.from = { .kind = PEER_ADDRESS_INET,
					.bytes = { 192, 0, 2, (uint8_t)host } },
				.secret = "guess",
				.session = session,
				.slot_us = now_us,
			};
			g_assert_cmpint(tickets_judge(tickets, &again, now_us - 1).verdict, ==,
				TICKETS_LATER);
			answer = tickets_judge(tickets, &again, now_us);
		}
		g_assert_cmpint(answer.verdict, ==, TICKETS_WRONG);
	}
	return now_us;
}

static void test_guessing(void)
{
	struct tickets *tickets = tickets_create();
	tickets_put(tickets, PASSWORD, "secret", &plain, 0);
	int64_t now_us = guess(tickets, 1, 0, 100, 1);
	g_assert_cmpint(now_us, >, 60 * G_USEC_PER_SEC);
	assert_verdict(tickets, 2, "secret", 0, now_us, TICKETS_PASS);
	/* The right one waits as the wrong ones do, or waiting would tell which is which. */
	struct tickets_answer answer = judge(tickets, 1, "secret", 0, now_us);
	g_assert_cmpint(answer.verdict, ==, TICKETS_LATER);
	g_assert_cmpint(answer.again_us - now_us, <=, DELAYS_LONGEST_US);
	/* A password that is not given is no guess. */
	for (unsigned i = 0; i < 100; i++)
		assert_verdict(tickets, 3, "", 0, now_us, TICKETS_EMPTY);
	assert_verdict(tickets, 3, "secret", 0, now_us, TICKETS_PASS);
	tickets_destroy(tickets);
}

/* Who guesses behind the same router holds up no channel of a session, and naming it is no way
 * around the delay. */
static void test_guessing_beside(void)
{
	struct tickets *tickets = tickets_create();
	tickets_put(tickets, PASSWORD, "secret", &plain, 0);
	struct tickets_answer main_channel = judge(tickets, 1, "secret", 0, 1);
	tickets_begin(tickets, main_channel.visit, 77);
	int64_t now_us = guess(tickets, 1, 0, 100, 1);
	for (unsigned i = 0; i < 20; i++)
		assert_verdict(tickets, 1, "secret", 77, now_us, TICKETS_PASS);
	int64_t begun_us = now_us;
	now_us = guess(tickets, 2, 77, 100, now_us);
	g_assert_cmpint(now_us - begun_us, >, 60 * G_USEC_PER_SEC);
	/* Now the session's channels wait as everybody does, and pass. */
	assert_verdict(tickets, 2, "secret", 77, now_us, TICKETS_LATER);
	assert_verdict(tickets, 3, "secret", 77, now_us, TICKETS_PASS);
	tickets_destroy(tickets);
}

static void test_report(void)
{
	struct tickets *tickets = tickets_create();
	const struct tickets_try said = {
		.from = { .kind = PEER_ADDRESS_INET, .bytes = { 192, 0, 2, 7 }, .port = 4242 }
	};
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING,
		"client 192.0.2.7:4242: not let in to the desktop: wrong password");
	tickets_report(tickets, &said, TICKETS_WRONG);
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING,
		"client 192.0.2.7:4242: not let in to work: the ticket *");
	tickets_set_desktop(tickets, "work");
	tickets_report(tickets, &said, TICKETS_SPENT);
	g_test_assert_expected_messages();
	tickets_destroy(tickets);
}

static uint64_t counted(enum stats_door_count count)
{
	return stats_get_memory()->door[count];
}

/* Each connection is counted once, however often it asks. */
static void test_counts(void)
{
	struct tickets *tickets = tickets_create();
	uint64_t before[STATS_DOOR_COUNTS];
	memcpy(before, stats_get_memory()->door, sizeof(before));
	tickets_put(tickets, PASSWORD, "secret", &plain, 0);
	assert_verdict(tickets, 1, "", 0, 1, TICKETS_EMPTY);
	assert_verdict(tickets, 1, "secret", 0, 1, TICKETS_PASS);
	guess(tickets, 1, 0, DELAYS_FREE_TRIES + 3, 1);
	g_assert_cmpuint(counted(STATS_PASSWORDS_RIGHT) - before[STATS_PASSWORDS_RIGHT], ==, 1);
	g_assert_cmpuint(counted(STATS_PASSWORDS_WRONG) - before[STATS_PASSWORDS_WRONG], ==,
		DELAYS_FREE_TRIES + 3);
	g_assert_cmpuint(counted(STATS_PASSWORDS_DELAYED) - before[STATS_PASSWORDS_DELAYED], ==, 2);
	for (unsigned i = 0; i < 100; i++)
		judge(tickets, 1, "guess", 0, 1);
	g_assert_cmpuint(
		counted(STATS_PASSWORDS_REFUSED) - before[STATS_PASSWORDS_REFUSED], >=, 90);
	tickets_destroy(tickets);
}

static void test_many(void)
{
	struct tickets *tickets = tickets_create();
	char secret[16];
	for (unsigned i = 0; i < TICKETS_MAX; i++) {
		g_snprintf(secret, sizeof(secret), "ticket-%u", i);
		g_assert_true(tickets_put(tickets, i, secret, &once, 0));
	}
	g_assert_false(tickets_put(tickets, TICKETS_MAX, "more", &once, 0));
	/* The one that is used makes room, and its session goes on. */
	struct tickets_answer answer = judge(tickets, 1, "ticket-7", 0, 1);
	tickets_begin(tickets, answer.visit, 77);
	g_assert_true(tickets_put(tickets, TICKETS_MAX, "more", &once, 0));
	assert_verdict(tickets, 1, "ticket-7", 77, 1, TICKETS_PASS);
	assert_verdict(tickets, 2, "more", 0, 1, TICKETS_PASS);
	assert_verdict(tickets, 2, "ticket-255", 0, 1, TICKETS_PASS);
	tickets_leave(tickets, answer.visit);
	tickets_destroy(tickets);
}

/* ---- users ---- */

static struct tickets_answer judge_user(struct tickets *tickets, unsigned host, const char *user,
	const char *secret, uint32_t session)
{
	struct tickets_try said = {
		.from = { .kind = PEER_ADDRESS_INET, .bytes = { 192, 0, 2, (uint8_t)host } },
		.user = user,
		.secret = secret,
		.session = session,
	};
	return tickets_judge(tickets, &said, 1);
}

static char *find_user(struct tickets *tickets, const char *user, uint32_t session)
{
	char secret[TICKETS_SECRET_MAX + 1];
	const struct tickets_try said = { .user = user, .session = session };
	return tickets_find(tickets, &said, secret) ? g_strdup(secret) : NULL;
}

#define assert_found(tickets, user, session, expected)                                             \
	do {                                                                                       \
		g_autofree char *found = find_user(tickets, user, session);                        \
		g_assert_cmpstr(found, ==, expected);                                              \
	} while (0)

static struct tickets *create_users(void)
{
	struct tickets *tickets = tickets_create();
	const struct tickets_terms all = { .user = "desktop" };
	const struct tickets_terms alice = { .user = "alice", .named = true };
	const struct tickets_terms bob = { .user = "bob", .named = true, .view_only = true };
	tickets_put(tickets, PASSWORD, "secret", &all, 0);
	g_assert_false(tickets_has_users(tickets));
	tickets_put(tickets, TICKET, "nameless", &plain, 0);
	tickets_put(tickets, 100, "wonder", &alice, 0);
	tickets_put(tickets, 101, "land", &bob, 0);
	g_assert_true(tickets_has_users(tickets));
	return tickets;
}

/* What one has a name for is right with that name, and named ones are wrong without. */
static void test_users(void)
{
	static const struct {
		const char *user, *secret;
		enum tickets_verdict verdict;
	} cases[] = {
		{ "alice", "wonder", TICKETS_PASS },
		{ "bob", "land", TICKETS_PASS },
		{ "desktop", "secret", TICKETS_PASS },
		{ NULL, "secret", TICKETS_PASS },
		{ NULL, "nameless", TICKETS_PASS },
		{ NULL, "wonder", TICKETS_WRONG },
		{ NULL, "", TICKETS_EMPTY },
		{ "alice", "land", TICKETS_WRONG },
		{ "alice", "secret", TICKETS_WRONG },
		{ "alice", "", TICKETS_WRONG },
		{ "Alice", "wonder", TICKETS_WRONG },
		{ "", "nameless", TICKETS_WRONG },
		{ "", "", TICKETS_WRONG },
		{ "carol", "wonder", TICKETS_WRONG },
	};
	struct tickets *tickets = create_users();
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tickets_answer answer =
			judge_user(tickets, i + 1, cases[i].user, cases[i].secret, 0);
		g_test_message("%s, %s", cases[i].user, cases[i].secret);
		g_assert_cmpint(answer.verdict, ==, cases[i].verdict);
		if (answer.verdict != TICKETS_PASS)
			continue;
		g_assert_cmpint(answer.view_only, ==, g_strcmp0(cases[i].user, "bob") == 0);
		tickets_leave(tickets, answer.visit);
	}
	assert_found(tickets, "alice", 0, "wonder");
	assert_found(tickets, "desktop", 0, "secret");
	assert_found(tickets, "carol", 0, NULL);
	assert_found(tickets, "", 0, NULL);
	tickets_destroy(tickets);
}

/* A session goes on with its user and what that knew when it began, and with nobody else's. */
static void test_users_session(void)
{
	struct tickets *tickets = create_users();
	const struct tickets_terms alice = { .user = "alice", .named = true };
	struct tickets_answer answer = judge_user(tickets, 1, "alice", "wonder", 0);
	tickets_begin(tickets, answer.visit, 77);
	tickets_put(tickets, 100, "changed", &alice, 0);
	assert_found(tickets, "alice", 0, "changed");
	assert_found(tickets, "alice", 77, "wonder");
	assert_found(tickets, "alice", 78, "changed");
	assert_found(tickets, "bob", 77, "land");
	g_assert_cmpint(judge_user(tickets, 1, "alice", "wonder", 77).verdict, ==, TICKETS_PASS);
	g_assert_cmpint(judge_user(tickets, 1, NULL, "wonder", 77).verdict, ==, TICKETS_PASS);
	g_assert_cmpint(judge_user(tickets, 2, "bob", "wonder", 77).verdict, ==, TICKETS_WRONG);
	g_assert_cmpint(judge_user(tickets, 3, "bob", "land", 77).verdict, ==, TICKETS_WRONG);
	g_assert_cmpint(judge_user(tickets, 4, "", "wonder", 77).verdict, ==, TICKETS_WRONG);
	g_assert_cmpint(judge_user(tickets, 5, "alice", "wonder", 0).verdict, ==, TICKETS_WRONG);
	tickets_leave(tickets, answer.visit);
	assert_found(tickets, "alice", 77, "changed");
	const struct tickets_password all = { .name = PASSWORD, .secret = "secret" };
	g_assert_true(tickets_replace(tickets, &all, 1, 0));
	assert_found(tickets, "alice", 0, NULL);
	g_assert_false(tickets_has_users(tickets));
	tickets_destroy(tickets);
}

/* Names are a stranger's: they end no line, no quotation and no terminal's mode. */
static void test_users_report(void)
{
	struct tickets *tickets = create_users();
	struct tickets_try said = { .from = { .kind = PEER_ADDRESS_INET,
					    .bytes = { 192, 0, 2, 1 } },
		.user = "a\n\"b\\c\x1b\x1f"
			"0m\xff d" };
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING,
		"client 192.0.2.1*: not let in to the desktop as \"a\?\?b\?c\?\?0m\?\?d\": "
		"wrong name or password");
	tickets_report(tickets, &said, TICKETS_WRONG);
	g_test_assert_expected_messages();
	said.user = "alice";
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING,
		"*as \"alice\": the ticket has been used, or its time is over");
	tickets_report(tickets, &said, TICKETS_SPENT);
	g_test_assert_expected_messages();
	tickets_destroy(tickets);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tickets/nobody", test_nobody);
	g_test_add_func("/tickets/passwords", test_passwords);
	g_test_add_func("/tickets/lengths", test_lengths);
	g_test_add_func("/tickets/ticket", test_ticket);
	g_test_add_func("/tickets/told", test_told);
	g_test_add_func("/tickets/not_given_back", test_not_given_back);
	g_test_add_func("/tickets/sessions", test_sessions);
	g_test_add_func("/tickets/visitors", test_visitors);
	g_test_add_func("/tickets/taken", test_taken);
	g_test_add_func("/tickets/asking", test_asking);
	g_test_add_func("/tickets/guessing", test_guessing);
	g_test_add_func("/tickets/guessing_beside", test_guessing_beside);
	g_test_add_func("/tickets/report", test_report);
	g_test_add_func("/tickets/counts", test_counts);
	g_test_add_func("/tickets/many", test_many);
	g_test_add_func("/tickets/users", test_users);
	g_test_add_func("/tickets/users/session", test_users_session);
	g_test_add_func("/tickets/users/report", test_users_report);
	return g_test_run();
}
