/* SPDX-License-Identifier: MIT */
/* history remembers when desktops were restarted, so that a fault that comes again ends it. */
#pragma once

#include <stdbool.h>

#include "guest-tools/recover/limits.h"

struct history {
	unsigned n;
	double times_ms[HISTORY_MAX]; /* the oldest first */
};

/* May there be one more now, where `max` are allowed in `within_ms`? If so it is remembered. */
bool history_add(struct history *history, unsigned max, double within_ms, double now_ms);
