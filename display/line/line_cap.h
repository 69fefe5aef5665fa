/* SPDX-License-Identifier: MIT */
/*
 * line cap: bounds how many bits per second a desktop's clients are sent, all channels of all of
 * them together.
 *
 * Pictures (*bulk*) are sent while something of the allowance is left, in the order in which they
 * have come to wait, so that no head starves another. Sound goes on at once, and so does of each
 * other channel what is small: up to an eighth of the rate, so that an answer to a key waits for no
 * picture. Past that the channel waits as pictures do: a copy of many megabytes is no more than
 * they are. What went on at once is taken from what is left for the others.
 *
 * What clients say is not bounded.
 *
 * It is told the time, in microseconds. Threads: one at a time.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What is not used is saved up for so many microseconds at the full rate. */
#define LINE_CAP_SAVED_US 20000
/* What went on at once is made up for in so many microseconds at most, however much it was. */
#define LINE_CAP_DEBT_US 200000
/* So many bytes of a small channel go on at once after a quiet time, and an eighth of the rate. */
#define LINE_CAP_SMALL_BYTES 16384
#define LINE_CAP_SMALL_SHARE 8

enum line_cap_kind {
	LINE_CAP_BULK,
	LINE_CAP_SMALL,
	LINE_CAP_SOUND,
};

struct line_cap_bucket {
	int64_t left_bytes;
	int64_t filled_us; /* as of when */
};

/* All zeros: nothing is bounded. */
struct line_cap {
	uint64_t max_bps;
	struct line_cap_bucket bucket;
	GQueue waiting; /* struct line_cap_user */
};

/* One channel. All zeros: not yet. */
struct line_cap_user {
	enum line_cap_kind kind;
	struct line_cap_bucket small;
	bool waits;
	GList link; /* in line_cap.waiting */
};

void line_cap_init(struct line_cap *cap, uint64_t max_bps);
/* Says whether the user may send now; otherwise it waits for its turn. */
bool line_cap_may(struct line_cap *cap, struct line_cap_user *user, int64_t now_us);
/* Notes that the user has sent so many bytes, whether it might or not. */
void line_cap_spend(
	struct line_cap *cap, struct line_cap_user *user, int64_t now_us, uint64_t bytes);
/* Returns when one that waits should ask again; -1: it does not wait. */
int64_t line_cap_next_us(
	const struct line_cap *cap, const struct line_cap_user *user, int64_t now_us);
/* The user waits no more. It must be called before it is freed. */
void line_cap_leave(struct line_cap *cap, struct line_cap_user *user);
