/* SPDX-License-Identifier: MIT */
/*
 * slow_line: a listening TCP port that passes what servers say on at a rate, all connections
 * together, and what clients say at once. Little waits in it: the queue stays at the server, as
 * with a real line.
 *
 * Threads: one of its own.
 */
#pragma once

#include <stdint.h>

struct slow_line;

/* To 127.0.0.1:port. */
struct slow_line *slow_line_start(uint16_t port, unsigned kbit_per_s);
/* As spice-probe takes it; owned by the line. */
const char *slow_line_address(const struct slow_line *line);
/* Cuts all connections. */
void slow_line_stop(struct slow_line *line);
