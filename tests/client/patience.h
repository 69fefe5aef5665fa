/* SPDX-License-Identifier: MIT */
/*
 * patience: how long tests and their client wait for what must come. CLIENT_SLOW is a factor on
 * each limit, for sanitizers that make display slower than a client expects, and for busy machines.
 */
#pragma once

#include <glib.h>

int patience_ms(int ms);
/* When a wait that begins now ends, by the monotonic clock. */
gint64 patience_end_us(int ms);
