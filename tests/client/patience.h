/* SPDX-License-Identifier: MIT */
/*
 * patience: how long tests and their client wait for what must come. CLIENT_SLOW is a factor on
 * each limit, for sanitizers that make display slower than a client expects, and for busy machines.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

int patience_ms(int ms);
/* Figures of how quick display is say nothing where it has a sanitizer, as the test then has. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PATIENCE_JUDGES false
#else
#define PATIENCE_JUDGES true
#endif
/* When a wait that begins now ends, by the monotonic clock. */
gint64 patience_end_us(int ms);
