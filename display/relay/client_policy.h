/* SPDX-License-Identifier: MIT */
/* client policy: what whoever runs the desktop has said of its clients. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* So long before who does nothing is cut off they are told, or half of the time before. */
#define RELAY_WARNING_US (60 * INT64_C(1000000))

static inline int64_t relay_warning_us(int64_t idle_us)
{
	return idle_us / 2 < RELAY_WARNING_US ? idle_us / 2 : RELAY_WARNING_US;
}

/* One drives, and so many others may look on. */
#define RELAY_SEATS_MAX 8

struct relay_policy {
	bool refuse_second; /* who is in stays when another one comes who may do as much */
	uint64_t max_bps;   /* for all that clients are sent (line_cap.h); 0: no bound */
	unsigned idle_s;    /* who does nothing for so long is cut off; 0: nobody is */
	unsigned n_lookers; /* so many look on beside who may do more; 0: none */
};
