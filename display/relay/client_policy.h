/* SPDX-License-Identifier: MIT */
/* client policy: what whoever runs the desktop has said of its clients. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct relay_policy {
	bool refuse_second; /* who is in stays when another one comes who may do as much */
	uint64_t max_bps;   /* for all that clients are sent (line_cap.h); 0: no bound */
};
