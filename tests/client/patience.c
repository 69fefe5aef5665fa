/* SPDX-License-Identifier: MIT */
#include "tests/client/patience.h"

#include <stdlib.h>

int patience_ms(int ms)
{
	const char *slow = g_getenv("CLIENT_SLOW");
	int factor = slow ? atoi(slow) : 1;
	return ms * MAX(factor, 1);
}

gint64 patience_end_us(int ms)
{
	return g_get_monotonic_time() + patience_ms(ms) * G_GINT64_CONSTANT(1000);
}
