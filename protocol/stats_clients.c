/* SPDX-License-Identifier: MIT */
#include "protocol/stats_clients.h"

#include <glib.h>
#include <string.h>

static __thread unsigned thread_head = FRAME_HEADS_MAX;

void stats_set_thread_head(unsigned head)
{
	thread_head = head;
}

unsigned stats_get_thread_head(void)
{
	return thread_head;
}

/*
 * For each head this is when the guest flushed the newest frame that is being sent
 * (CLOCK_MONOTONIC); 0: all is on the wire.
 */
static uint64_t begun_ns[FRAME_HEADS_MAX];

void stats_frame_begun(unsigned head, uint64_t flush_time_ns)
{
	if (head < FRAME_HEADS_MAX)
		__atomic_store_n(&begun_ns[head], flush_time_ns, __ATOMIC_RELAXED);
}

void stats_wire_idle(unsigned head)
{
	uint64_t flush_time_ns = head < FRAME_HEADS_MAX ?
					 __atomic_exchange_n(&begun_ns[head], 0, __ATOMIC_RELAXED) :
					 0;
	if (flush_time_ns)
		stats_record_since_ns(head, STATS_FLUSH_TO_WIRE, flush_time_ns);
}

static struct stats_client *get_client(int client)
{
	return client >= 0 && client < STATS_CLIENTS_MAX ? &stats_get_memory()->clients[client] :
							   NULL;
}

static bool try_take(struct stats_client *c)
{
	uint64_t expected = 0;
	return __atomic_compare_exchange_n(
		&c->connected, &expected, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

int stats_client_open(const char *address)
{
	for (int i = 0; i < STATS_CLIENTS_MAX; i++) {
		struct stats_client *c = get_client(i);
		if (!try_take(c))
			continue;
		for (unsigned j = 0; j < STATS_CLIENT_COUNTS; j++)
			__atomic_store_n(&c->counts[j], 0, __ATOMIC_RELAXED);
		for (unsigned j = 0; j < STATS_CLIENT_GAUGES; j++)
			__atomic_store_n(&c->gauges[j], 0, __ATOMIC_RELAXED);
		stats_store_text(c->address, STATS_ADDRESS_BYTES, address);
		return i;
	}
	return -1;
}

void stats_client_close(int client)
{
	struct stats_client *c = get_client(client);
	if (c)
		__atomic_store_n(&c->connected, 0, __ATOMIC_RELEASE);
}

void stats_client_add(int client, enum stats_client_count count, uint64_t n)
{
	struct stats_client *c = get_client(client);
	g_assert(count < STATS_CLIENT_COUNTS);
	if (c)
		__atomic_fetch_add(&c->counts[count], n, __ATOMIC_RELAXED);
}

void stats_client_set(int client, enum stats_client_gauge gauge, uint64_t value)
{
	struct stats_client *c = get_client(client);
	g_assert(gauge < STATS_CLIENT_GAUGES);
	if (c)
		__atomic_store_n(&c->gauges[gauge], value, __ATOMIC_RELAXED);
}
