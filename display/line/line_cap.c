/* SPDX-License-Identifier: MIT */
#include "display/line/line_cap.h"

#define BITS 8

void line_cap_init(struct line_cap *cap, uint64_t max_bps)
{
	*cap = (struct line_cap){ .max_bps = max_bps };
	g_queue_init(&cap->waiting);
}

static int64_t bytes_in(uint64_t bps, int64_t span_us)
{
	return (int64_t)(bps / BITS * (uint64_t)span_us / G_USEC_PER_SEC);
}

static int64_t us_of(uint64_t bps, int64_t bytes)
{
	return bytes * BITS * G_USEC_PER_SEC / (int64_t)bps;
}

/* One that was not used for long is full; parts of a byte are not lost, however often it is asked.
 */
static void fill(struct line_cap_bucket *bucket, uint64_t bps, int64_t most_bytes, int64_t now_us)
{
	int64_t span_us = MIN(now_us - bucket->filled_us, G_USEC_PER_SEC);
	int64_t bytes = bytes_in(bps, span_us);
	if (bucket->filled_us == 0 || bucket->left_bytes + bytes >= most_bytes) {
		bucket->left_bytes = most_bytes;
		bucket->filled_us = now_us;
	} else if (bytes > 0) {
		bucket->left_bytes += bytes;
		bucket->filled_us = now_us - span_us + us_of(bps, bytes);
	}
}

static int64_t most_saved(const struct line_cap *cap)
{
	return MAX(bytes_in(cap->max_bps, LINE_CAP_SAVED_US), 1);
}

static bool is_small(const struct line_cap *cap, struct line_cap_user *user, int64_t now_us)
{
	if (user->kind != LINE_CAP_SMALL)
		return user->kind == LINE_CAP_SOUND;
	fill(&user->small, cap->max_bps / LINE_CAP_SMALL_SHARE, LINE_CAP_SMALL_BYTES, now_us);
	return user->small.left_bytes > 0;
}

static void wait_for_turn(struct line_cap *cap, struct line_cap_user *user)
{
	if (user->waits)
		return;
	user->waits = true;
	user->link = (GList){ .data = user };
	g_queue_push_tail_link(&cap->waiting, &user->link);
}

void line_cap_leave(struct line_cap *cap, struct line_cap_user *user)
{
	if (user->waits)
		g_queue_unlink(&cap->waiting, &user->link);
	user->waits = false;
}

bool line_cap_may(struct line_cap *cap, struct line_cap_user *user, int64_t now_us)
{
	if (cap->max_bps == 0)
		return true;
	fill(&cap->bucket, cap->max_bps, most_saved(cap), now_us);
	const GList *first = cap->waiting.head;
	bool its_turn = !first || first->data == user;
	if (is_small(cap, user, now_us) || (its_turn && cap->bucket.left_bytes > 0)) {
		line_cap_leave(cap, user);
		return true;
	}
	wait_for_turn(cap, user);
	return false;
}

void line_cap_spend(
	struct line_cap *cap, struct line_cap_user *user, int64_t now_us, uint64_t bytes)
{
	if (cap->max_bps == 0)
		return;
	fill(&cap->bucket, cap->max_bps, most_saved(cap), now_us);
	int64_t least = -bytes_in(cap->max_bps, LINE_CAP_DEBT_US);
	cap->bucket.left_bytes = MAX(cap->bucket.left_bytes - (int64_t)bytes, least);
	if (user->kind == LINE_CAP_SMALL)
		user->small.left_bytes -= MIN((int64_t)bytes, LINE_CAP_SMALL_BYTES);
}

int64_t line_cap_next_us(
	const struct line_cap *cap, const struct line_cap_user *user, int64_t now_us)
{
	if (!user->waits)
		return -1;
	int64_t missing = MAX(1 - cap->bucket.left_bytes, 1);
	return MAX(cap->bucket.filled_us, now_us - G_USEC_PER_SEC) + us_of(cap->max_bps, missing) +
	       1;
}
