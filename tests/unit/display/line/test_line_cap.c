/* SPDX-License-Identifier: MIT */
/* line cap: has channels of all kinds send as much as they may, at a clock of the test's own. */
#include "display/line/line_cap.h"

#include <glib.h>

#define CHUNK_BYTES 16384
#define BEGIN_US 1000
#define SECOND_US G_USEC_PER_SEC

struct sender {
	struct line_cap_user user;
	uint64_t sent_bytes;
	uint64_t wants_bytes; /* at a time */
	int64_t every_us;     /* 0: without a pause */
	int64_t next_us;
	int64_t waited_us, begun_us; /* the longest wait; since when it waits now */
};

static void offer(struct line_cap *cap, struct sender *sender, int64_t now_us)
{
	if (now_us < sender->next_us)
		return;
	if (!sender->begun_us)
		sender->begun_us = now_us;
	if (!line_cap_may(cap, &sender->user, now_us)) {
		int64_t next_us = line_cap_next_us(cap, &sender->user, now_us);
		g_assert_cmpint(next_us, >, now_us - SECOND_US);
		return;
	}
	g_assert_cmpint(line_cap_next_us(cap, &sender->user, now_us), ==, -1);
	line_cap_spend(cap, &sender->user, now_us, sender->wants_bytes);
	sender->sent_bytes += sender->wants_bytes;
	sender->waited_us = MAX(sender->waited_us, now_us - sender->begun_us);
	sender->begun_us = 0;
	sender->next_us = sender->every_us ? now_us + sender->every_us : 0;
}

/* Runs them for so long; the first is always asked first. Gives what all have sent. */
static uint64_t run(struct line_cap *cap, struct sender *senders, unsigned n, int64_t span_us)
{
	uint64_t bytes = 0;
	for (int64_t now_us = BEGIN_US; now_us < BEGIN_US + span_us; now_us += 250) {
		for (unsigned i = 0; i < n; i++)
			offer(cap, &senders[i], now_us);
	}
	for (unsigned i = 0; i < n; i++) {
		bytes += senders[i].sent_bytes;
		line_cap_leave(cap, &senders[i].user);
	}
	g_assert_cmpuint(cap->waiting.length, ==, 0);
	return bytes;
}

static void assert_near(uint64_t is, uint64_t should, uint64_t slack)
{
	g_assert_cmpuint(is, <=, should + slack);
	g_assert_cmpuint(is + slack, >=, should);
}

static void test_rate(void)
{
	static const uint64_t rates_mbit[] = { 1, 5, 20, 200 };
	for (unsigned i = 0; i < G_N_ELEMENTS(rates_mbit); i++) {
		struct line_cap cap;
		struct sender sender = { .wants_bytes = CHUNK_BYTES };
		line_cap_init(&cap, rates_mbit[i] * 1000000);
		uint64_t bytes = run(&cap, &sender, 1, 4 * SECOND_US);
		assert_near(bytes, rates_mbit[i] * 500000,
			rates_mbit[i] * 1000000 / 8 / 40 + CHUNK_BYTES);
	}
}

static void test_unbounded(void)
{
	struct line_cap cap;
	struct sender sender = { .wants_bytes = CHUNK_BYTES };
	line_cap_init(&cap, 0);
	g_assert_cmpuint(run(&cap, &sender, 1, SECOND_US), ==, 4000 * CHUNK_BYTES);
}

/* Two heads have as much as each other, though one is always asked first. */
static void test_turns(void)
{
	struct line_cap cap;
	struct sender heads[3] = { { .wants_bytes = CHUNK_BYTES }, { .wants_bytes = CHUNK_BYTES },
		{ .wants_bytes = CHUNK_BYTES } };
	line_cap_init(&cap, 20000000);
	run(&cap, heads, 3, 2 * SECOND_US);
	assert_near(heads[0].sent_bytes, heads[2].sent_bytes, 2 * CHUNK_BYTES);
	assert_near(heads[0].sent_bytes, heads[1].sent_bytes, 2 * CHUNK_BYTES);
}

/* What is small and what sounds waits for no picture, and is not added to what they may send. */
static void test_first(void)
{
	struct line_cap cap;
	struct sender senders[3] = {
		{ .wants_bytes = CHUNK_BYTES },
		{ .user.kind = LINE_CAP_SMALL, .wants_bytes = 50, .every_us = 10000 },
		{ .user.kind = LINE_CAP_SOUND, .wants_bytes = 1920, .every_us = 10000 },
	};
	line_cap_init(&cap, 5000000);
	assert_near(run(&cap, senders, 3, 4 * SECOND_US), 2500000, 2 * CHUNK_BYTES);
	g_assert_cmpint(senders[1].waited_us, ==, 0);
	g_assert_cmpint(senders[2].waited_us, ==, 0);
	g_assert_cmpuint(senders[0].sent_bytes, >, 1500000);
}

/* A copy of many megabytes leaves pictures their half. */
static void test_copy(void)
{
	struct line_cap cap;
	struct sender senders[2] = {
		{ .wants_bytes = CHUNK_BYTES },
		{ .user.kind = LINE_CAP_SMALL, .wants_bytes = CHUNK_BYTES },
	};
	line_cap_init(&cap, 5000000);
	assert_near(run(&cap, senders, 2, 4 * SECOND_US), 2500000, 4 * CHUNK_BYTES);
	g_assert_cmpuint(senders[0].sent_bytes, >, 800000);
	g_assert_cmpuint(senders[1].sent_bytes, >, 800000);
}

/* Sound that takes more than all there is leaves the others little, but does not stop them for
 * ever. */
static void test_debt(void)
{
	struct line_cap cap;
	struct sender sound = {
		.user.kind = LINE_CAP_SOUND, .wants_bytes = 1920, .every_us = 10000
	};
	struct sender head = { .wants_bytes = CHUNK_BYTES };
	line_cap_init(&cap, 1000000);
	run(&cap, &sound, 1, 10 * SECOND_US);
	int64_t now_us = BEGIN_US + 10 * SECOND_US;
	for (; !line_cap_may(&cap, &head.user, now_us); now_us += 1000)
		g_assert_cmpint(now_us, <, BEGIN_US + 10 * SECOND_US + LINE_CAP_DEBT_US + 2000);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/line-cap/rate", test_rate);
	g_test_add_func("/line-cap/unbounded", test_unbounded);
	g_test_add_func("/line-cap/turns", test_turns);
	g_test_add_func("/line-cap/first", test_first);
	g_test_add_func("/line-cap/copy", test_copy);
	g_test_add_func("/line-cap/debt", test_debt);
	return g_test_run();
}
