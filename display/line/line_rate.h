/* SPDX-License-Identifier: MIT */
/*
 * line rate: estimates what a line carries, from what the kernel says of one TCP connection.
 *
 * The kernel's rate is that of a burst: a proxy on this machine takes a megabyte at memory's speed
 * and sends it on for seconds. So bytes acknowledged are counted as well, in spans of
 * LINE_RATE_SPAN_US or a round trip. When, during a whole span, more was under way than flies
 * through the least round trip at the span's rate, there was a queue, and the span's rate is what
 * the line can carry. Any other span only says that the line carries at least that. The result is
 * the kernel's rate, but at most LINE_RATE_TRUST_PERCENT of the spans'.
 *
 * It is a plain value, and is told the time. Threads: one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LINE_RATE_SPAN_US 100000
/* After a silence of more microseconds than this the span under way is begun anew. */
#define LINE_RATE_SILENCE_US 500000
/*
 * There is a queue when this many bytes (a few packets) are under way above what flies through the
 * round trip.
 */
#define LINE_RATE_QUEUE_BYTES 8192u
/* It is more than 100, or it would never be found out that the line carries more. */
#define LINE_RATE_TRUST_PERCENT 110u

struct line_rate_sample {
	uint64_t kernel_bps; /* of the last round trip (tcpi_delivery_rate); 0: none */
	bool app_limited;    /* the rate is low because there was no more to send */
	uint64_t acked_bytes, backlog_bytes; /* as in struct line_figures */
	uint32_t rtt_min_us;
};

/* When all is 0 nothing is known. */
struct line_rate {
	uint64_t kernel_bps;         /* smoothed */
	bool is_floor;               /* the line was not full yet */
	uint64_t kernel_acked_bytes; /* as of the last measurement of it */
	uint64_t carried_bps;        /* 0: not known */
	int64_t last_us;             /* 0: no span has begun */
	/*
	 * These say when the span under way began, what was acknowledged then, and its least
	 * backlog.
	 */
	int64_t since_us;
	uint64_t since_acked_bytes;
	uint64_t least_backlog_bytes;
};

void line_rate_note(struct line_rate *rate, int64_t now_us, const struct line_rate_sample *sample);

/*
 * Returns bits per second; 0: nothing was seen yet. *is_floor says that the line was not full yet
 * and may carry more.
 */
uint64_t line_rate_get(const struct line_rate *rate, bool *is_floor);
