/* SPDX-License-Identifier: MIT */
#include "guest-tools/recover/history.h"

#include <string.h>

static void forget_oldest(struct history *history)
{
	history->n--;
	memmove(history->times_ms, history->times_ms + 1, history->n * sizeof history->times_ms[0]);
}

bool history_add(struct history *history, unsigned max, double within_ms, double now_ms)
{
	while (history->n > 0 && now_ms - history->times_ms[0] > within_ms)
		forget_oldest(history);
	if (history->n >= max || history->n == HISTORY_MAX)
		return false;
	history->times_ms[history->n++] = now_ms;
	return true;
}
