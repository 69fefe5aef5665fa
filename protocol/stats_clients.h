/* SPDX-License-Identifier: MIT */
/*
 * stats: display's figures: those of heads by the calls in protocol/stats_writer.h (stats_add,
 * stats_set, stats_set_encoder, stats_record_us, stats_record_since_ns), those of clients by these.
 *
 * A client is one person's connection; whoever accepts it opens an entry and closes it. Entries are
 * few: past STATS_CLIENTS_MAX there is none, -1, which every call takes and ignores. Any thread.
 */
#pragma once

#include "protocol/stats_writer.h"

/*
 * For what knows no head, in a thread that serves one: an encoder that spice-server makes in the
 * head's worker. FRAME_HEADS_MAX, which every call ignores, in other threads.
 */
void stats_set_thread_head(unsigned head);
unsigned stats_get_thread_head(void);

/*
 * The way to the wire. A frame that was flushed at that time is being sent; everything that
 * spice-server wrote has gone out. Frames overlap on a line that is full: then the newest counts.
 */
void stats_frame_begun(unsigned head, uint64_t flush_time_ns);
void stats_wire_idle(unsigned head);

/* `address`: where it comes from, for people to read. */
int stats_client_open(const char *address);
void stats_client_close(int client);
void stats_client_add(int client, enum stats_client_count count, uint64_t n);
void stats_client_set(int client, enum stats_client_gauge gauge, uint64_t value);
