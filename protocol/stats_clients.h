/* SPDX-License-Identifier: MIT */
/*
 * stats_clients counts what only display knows: the figures of clients and of the way to the wire.
 * Heads' figures are counted by stats_writer.h.
 *
 * A client is one person's connection. Whoever accepts it opens an entry and closes it. There are
 * STATS_CLIENTS_MAX entries; past that there is none, which is -1, and every call takes and ignores
 * that.
 *
 * Any thread may call it.
 */
#pragma once

#include "protocol/stats_writer.h"

/*
 * This is the head that the calling thread serves, for code that knows only its thread: an encoder
 * that spice-server makes in a head's worker. In other threads it is FRAME_HEADS_MAX, which every
 * call ignores.
 */
void stats_set_thread_head(unsigned head);
unsigned stats_get_thread_head(void);

/*
 * STATS_FLUSH_TO_WIRE is measured from a frame that begins to be sent, which the guest had flushed
 * at that time, to the moment when all that spice-server wrote for the head has gone out. On a line
 * that is full frames overlap: then the newest counts.
 */
void stats_frame_begun(unsigned head, uint64_t flush_time_ns);
void stats_wire_idle(unsigned head);

/* `address` says where the client comes from, for people to read. Returns the entry, or -1. */
int stats_client_open(const char *address);
void stats_client_close(int client);
void stats_client_add(int client, enum stats_client_count count, uint64_t n);
void stats_client_set(int client, enum stats_client_gauge gauge, uint64_t value);
