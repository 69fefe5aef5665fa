/* SPDX-License-Identifier: MIT */
/*
 * loopback: makes a TCP connection of this process with itself. The relay and spice-server each get
 * one end. A unix socket would not do: spice-server compresses nothing and measures nothing on one.
 *
 * All connections are made to one port, which is known before the process is confined, so that it
 * need be able to connect to no other.
 *
 * Threads: any, but for loopback_open().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Takes the port, which is the process's until its end, and returns it; 0 with errno set when there
 * is none. loopback_pair() does so where nobody has.
 */
uint16_t loopback_open(void);

/*
 * Makes both ends, non-blocking and close-on-exec. The kernel keeps only about `inner_bytes` of
 * what is written into ends[1] and not read from ends[0] yet, so that what waits there is never
 * old. A stranger who connects to our listening socket meanwhile is sent away: an end is used only
 * if its peer's address is the other end's. Returns false with errno set.
 */
bool loopback_pair(int ends[2], int inner_bytes);
