/* SPDX-License-Identifier: MIT */
/*
 * line rate: what a line carries, from what the kernel says of one TCP connection.
 *
 * The kernel's rate is that of a burst: a proxy on this machine takes a megabyte at memory's speed
 * and sends it on for seconds. So bytes acknowledged are counted as well, in spans of
 * LINE_RATE_SPAN_US or a round trip. A span in which more was under way all the time than its rate
 * needs for the least round trip had a queue: what it carried is what the line can carry. Any other
 * span says that it can carry so much at least. The result is the kernel's, but not more than
 * LINE_RATE_TRUST_PERCENT of that.
 *
 * Pure: time is passed in. Threads: any one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LINE_RATE_SPAN_US 100000
/* After a longer silence a span says nothing. */
#define LINE_RATE_SILENCE_US 500000
/* So much more than what flies through the round trip is a queue: some packets. */
#define LINE_RATE_QUEUE_BYTES 8192u
/* Room to find out that there is more. */
#define LINE_RATE_TRUST_PERCENT 110u

struct line_rate_sample {
	uint64_t kernel_bps; /* of the last round trip (tcpi_delivery_rate); 0: none */
	bool app_limited;    /* as there was no more to send: the line may carry more */
	uint64_t acked_bytes, backlog_bytes; /* as in struct line_figures */
	uint32_t rtt_min_us;
};

/* All 0: nothing is known. */
struct line_rate {
	uint64_t kernel_bps;         /* smoothed */
	bool is_floor;               /* the line was not full yet */
	uint64_t kernel_acked_bytes; /* as of the last measurement of it */
	uint64_t carried_bps;        /* 0: not known */
	int64_t last_us;             /* 0: no span has begun */
	int64_t since_us;            /* the present span: */
	uint64_t since_acked_bytes;
	uint64_t least_backlog_bytes;
};

void line_rate_note(struct line_rate *rate, int64_t now_us, const struct line_rate_sample *sample);

/* Bits a second; 0: nothing seen yet. *is_floor: the line was not full yet, it may be more. */
uint64_t line_rate_get(const struct line_rate *rate, bool *is_floor);
