/* SPDX-License-Identifier: MIT */
/*
 * feed: gives a fuzz target its input piece by piece, and looks after what outlives one input: the
 * log and descriptors.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

struct feed {
	const uint8_t *data;
	size_t left_bytes;
};

/* Each takes what is left when there is less; numbers are then filled up with zeros. */
uint8_t feed_u8(struct feed *feed);
uint32_t feed_u32(struct feed *feed);
/* Copies up to size_bytes, fills up with zeros, and returns how many were there. */
size_t feed_copy(struct feed *feed, void *to, size_t size_bytes);
/* Returns the next bytes, at most size_bytes, and how many they are. */
const uint8_t *feed_take(struct feed *feed, size_t size_bytes, size_t *taken_bytes);

/* Returns numbers that follow from `state` alone; it must not be 0. */
uint32_t feed_random(uint32_t *state);

/*
 * Drops what is logged: a stranger's mistakes are, and here there is nothing else. A critical or an
 * error is a finding.
 */
void feed_drop_log(void);

/* Returns the number that the next descriptor will have: where it grows, one has leaked. */
int feed_next_fd(void);
