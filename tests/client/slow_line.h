/* SPDX-License-Identifier: MIT */
/*
 * slow_line: a listening TCP port that passes on what servers say at a given rate, for all
 * connections together, and what clients say at once. It holds little itself: the queue stays at
 * the server, as with a real line.
 *
 * Threads: it has one of its own.
 */
#pragma once

#include <stdint.h>

struct slow_line;

/* Starts a line to 127.0.0.1:port. */
struct slow_line *slow_line_start(uint16_t port, unsigned kbit_per_s);
/* Returns the address as spice-probe takes it; the line owns it. */
const char *slow_line_address(const struct slow_line *line);
/* Cuts all connections and frees the line. */
void slow_line_stop(struct slow_line *line);
