/* SPDX-License-Identifier: MIT */
/*
 * consumer_link: the test's end towards the frame consumer (consumer.c), which the keeper starts in
 * vitrine-display's place.
 *
 * It is made before the backend, because the consumer connects while the backend starts. It asks
 * the newest consumer, and tells a new one again what it has told the last.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/wire/consumer_protocol.h"

struct consumer_link {
	int listener;
	int fd; /* -1 until a consumer has come */
	int timeout_ms;
	pid_t pid;
	uint32_t rates[FRAME_HEADS_MAX];
	struct consumer_heads heads;
	bool answered;
	struct consumer_picture picture;
	uint32_t *pixels; /* of `picture`; NULL when it is off */
	struct consumer_state_answer state;
	uint64_t bench_number; /* newest frame that was checked */
};

/*
 * Makes `directory` fit for --worker-dir: writes a vitrine-display into it that starts the consumer
 * program, and a vitrine-render that is the real one.
 */
struct consumer_link *consumer_link_create(
	const char *directory, const char *consumer, const char *render, int timeout_ms);
void consumer_link_destroy(struct consumer_link *link);

/* Waits for a consumer other than the last known one. */
bool consumer_link_accept(struct consumer_link *link);

void consumer_link_rate(struct consumer_link *link, uint32_t head, uint32_t rate_mhz);
void consumer_link_heads(
	struct consumer_link *link, const struct frame_head_mode *heads, uint32_t n_heads);
void consumer_link_mode(struct consumer_link *link, bool hold, bool sleep);
/* Tells the consumer to compare nothing from now on, since comparing would be measured too. */
void consumer_link_trust(struct consumer_link *link);
void consumer_link_bench(struct consumer_link *link, uint32_t width, uint32_t height);
/* Waits until a frame with this number or a later one has been checked. */
void consumer_link_bench_wait(struct consumer_link *link, uint64_t number);
/* Both return memory of the link, which is valid until the next call. */
const struct consumer_picture *consumer_link_snapshot(struct consumer_link *link, uint32_t head);
const struct consumer_state_answer *consumer_link_state(struct consumer_link *link);
