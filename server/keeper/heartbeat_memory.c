/* SPDX-License-Identifier: MIT */
#include "server/keeper/heartbeat_memory.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "common/fd.h"
#include "common/shm.h"

bool heartbeat_memory_init(struct heartbeat_memory *memory, const char *name, GError **error)
{
	*memory = HEARTBEAT_MEMORY_NONE;
	int fd = shm_create(name, sizeof(struct heartbeat));
	struct heartbeat *map = fd >= 0 ? shm_map(fd, sizeof(*map), true) : NULL;
	if (!map) {
		int number = fd < 0 ? -fd : errno;
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number),
			"cannot make %s (%zu bytes): %s", name, sizeof(*map), g_strerror(number));
		fd_close(&fd);
		return false;
	}
	memory->fd = fd;
	memory->map = map;
	heartbeat_memory_clear(memory);
	return true;
}

void heartbeat_memory_finish(struct heartbeat_memory *memory)
{
	shm_unmap(memory->map, sizeof(*memory->map));
	memory->map = NULL;
	fd_close(&memory->fd);
}

void heartbeat_memory_clear(struct heartbeat_memory *memory)
{
	if (!memory->map)
		return;
	memset(memory->map, 0, sizeof(*memory->map));
	memory->map->magic = HEARTBEAT_MAGIC;
	memory->map->version = HEARTBEAT_VERSION;
	memory->map->encoders.refused = memory->encoders_refused;
}

void heartbeat_memory_refuse_encoders(struct heartbeat_memory *memory, uint32_t encoders)
{
	memory->encoders_refused |= encoders;
	if (memory->map)
		__atomic_store_n(
			&memory->map->encoders.refused, memory->encoders_refused, __ATOMIC_RELAXED);
}

static void read_text(char text[HEARTBEAT_TEXT_BYTES], const uint64_t *words)
{
	for (unsigned i = 0; i < HEARTBEAT_TEXT_BYTES / sizeof(*words); i++) {
		uint64_t word = __atomic_load_n(&words[i], __ATOMIC_RELAXED);
		memcpy(text + i * sizeof(word), &word, sizeof(word));
	}
	text[HEARTBEAT_TEXT_BYTES - 1] = '\0';
	for (char *c = text; *c; c++) {
		if (!g_ascii_isprint(*c))
			*c = '?';
	}
}

struct heartbeat_said heartbeat_memory_read(
	const struct heartbeat_memory *memory, enum heartbeat_loop loop)
{
	struct heartbeat_said said = { .state = HEARTBEAT_UNUSED };
	g_assert(loop < HEARTBEAT_LOOPS);
	if (!memory->map)
		return said;
	const struct heartbeat_beat *beat = &memory->map->beats[loop];
	uint32_t state = __atomic_load_n(&beat->state, __ATOMIC_ACQUIRE);
	said.state = state <= HEARTBEAT_WORKING ? (enum heartbeat_state)state : HEARTBEAT_UNUSED;
	said.since_ns = __atomic_load_n(&beat->since_ns, __ATOMIC_RELAXED);
	said.context = __atomic_load_n(&beat->context, __ATOMIC_RELAXED);
	read_text(said.what, beat->text);
	return said;
}

bool heartbeat_memory_read_gone(
	const struct heartbeat_memory *memory, char name[HEARTBEAT_NAME_BYTES])
{
	if (!memory->map || !__atomic_load_n(&memory->map->is_gone, __ATOMIC_ACQUIRE))
		return false;
	for (unsigned i = 0; i < G_N_ELEMENTS(memory->map->gone_name); i++) {
		uint64_t word = __atomic_load_n(&memory->map->gone_name[i], __ATOMIC_RELAXED);
		memcpy(name + i * sizeof(word), &word, sizeof(word));
	}
	return true;
}

uint64_t heartbeat_memory_read_resets(const struct heartbeat_memory *memory)
{
	return memory->map ? __atomic_load_n(&memory->map->resets, __ATOMIC_ACQUIRE) : 0;
}

static bool is_at_work(const struct heartbeat_encoders *encoders, unsigned encoder)
{
	return __atomic_load_n(&encoders->n_at_work[encoder], __ATOMIC_RELAXED) > 0;
}

enum heartbeat_encoder_use heartbeat_memory_read_encoder(
	const struct heartbeat_memory *memory, unsigned encoder)
{
	g_assert(encoder < HEARTBEAT_ENCODERS);
	if (!memory->map)
		return HEARTBEAT_ENCODER_UNUSED;
	const struct heartbeat_encoders *encoders = &memory->map->encoders;
	if (__atomic_load_n(&encoders->tried, __ATOMIC_RELAXED) == encoder + 1)
		return HEARTBEAT_ENCODER_TRIED;
	if (!is_at_work(encoders, encoder))
		return HEARTBEAT_ENCODER_UNUSED;
	if (__atomic_load_n(&encoders->hardware, __ATOMIC_RELAXED) >> encoder & 1)
		return HEARTBEAT_ENCODER_AT_WORK_ON_GPU;
	for (unsigned i = 0; i < HEARTBEAT_ENCODERS; i++) {
		if (i != encoder && is_at_work(encoders, i))
			return HEARTBEAT_ENCODER_AT_WORK;
	}
	return HEARTBEAT_ENCODER_AT_WORK_ALONE;
}

bool heartbeat_memory_is_rebuilt(const struct heartbeat_memory *memory)
{
	return memory->map && __atomic_load_n(&memory->map->is_rebuilt, __ATOMIC_ACQUIRE);
}

uint64_t heartbeat_memory_read_own_kib(const struct heartbeat_memory *memory)
{
	return memory->map ? __atomic_load_n(&memory->map->own_kib, __ATOMIC_RELAXED) : 0;
}
