/* SPDX-License-Identifier: MIT */
/*
 * loopback: two ends of a TCP connection of this process with itself. spice-server goes by what
 * kind of socket it has: on a unix one it compresses nothing and measures nothing.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

/*
 * ends[0] has room for about `inner_bytes` of what is written into ends[1], no more, so that what
 * is written late is not old. Both are non-blocking and close-on-exec. Nobody else can come
 * between: the two ends have each other's addresses, or the connection is not used. False with
 * errno set.
 */
bool loopback_pair(int ends[2], int inner_bytes);
