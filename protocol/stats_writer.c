/* SPDX-License-Identifier: MIT */
#include "protocol/stats_writer.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "common/monotonic.h"
#include "common/shm.h"

static struct stats unread;

struct stats *stats_memory = &unread;

void stats_store_text(uint64_t *words, size_t size_bytes, const char *text)
{
	char bytes[STATS_ADDRESS_BYTES] = { 0 };
	size_t n_words = MIN(size_bytes, sizeof(bytes)) / sizeof(*words);
	g_strlcpy(bytes, text, n_words * sizeof(*words));
	for (size_t i = 0; i < n_words; i++) {
		uint64_t word;
		memcpy(&word, bytes + i * sizeof(word), sizeof(word));
		__atomic_store_n(&words[i], word, __ATOMIC_RELAXED);
	}
}

static void clear(uint64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		__atomic_store_n(&values[i], 0, __ATOMIC_RELAXED);
}

/* Clears what was true of a predecessor that is dead. */
static void clear_state(struct stats *memory)
{
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		clear(memory->heads[i].gauges, STATS_GAUGES);
		clear(memory->heads[i].encoder, G_N_ELEMENTS(memory->heads[i].encoder));
	}
	for (unsigned i = 0; i < STATS_CLIENTS_MAX; i++)
		clear((uint64_t *)&memory->clients[i],
			sizeof(memory->clients[i]) / sizeof(uint64_t));
}

bool stats_attach(int fd, enum stats_worker worker)
{
	struct stats *memory = NULL;
	g_assert(worker == STATS_RENDER || worker == STATS_DISPLAY);
	if (stats_memory != &unread) {
		g_warning("stats: the memory came twice");
		return false;
	}
	memory = shm_map(fd, sizeof(*memory), true);
	if (!memory) {
		g_warning("stats: the memory cannot be mapped: %s", g_strerror(errno));
		return false;
	}
	if (memory->magic != STATS_MAGIC || memory->version != STATS_VERSION ||
		memory->size_bytes != sizeof(*memory) || memory->worker != worker) {
		g_warning("stats: the memory is of another version or worker");
		shm_unmap(memory, sizeof(*memory));
		return false;
	}
	clear_state(memory);
	__atomic_store_n(&stats_memory, memory, __ATOMIC_RELEASE);
	return true;
}

void stats_record_since_ns(unsigned head, enum stats_stage stage, uint64_t start_ns)
{
	uint64_t now_ns = monotonic_now_ns();
	stats_record_us(head, stage, now_ns > start_ns ? (now_ns - start_ns) / 1000 : 0);
}

void stats_set_encoder(unsigned head, const char *name)
{
	if (head < FRAME_HEADS_MAX)
		stats_store_text(
			stats_get_memory()->heads[head].encoder, STATS_ENCODER_BYTES, name);
}
