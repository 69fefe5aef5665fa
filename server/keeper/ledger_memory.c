/* SPDX-License-Identifier: MIT */
#include "server/keeper/ledger_memory.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "common/shm.h"
#include "server/keeper/limits.h"

static void write_header(struct ledger *map)
{
	map->magic = LEDGER_MAGIC;
	map->version = LEDGER_VERSION;
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		map->rings[i].returning = LEDGER_NO_CHAIN;
}

bool ledger_memory_init(struct ledger_memory *memory, GError **error)
{
	int fd = shm_create("vitrine-ledger", sizeof(struct ledger));
	struct ledger *map = fd >= 0 ? shm_map(fd, sizeof(struct ledger), true) : NULL;
	if (!map) {
		int number = fd < 0 ? -fd : errno;
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number),
			"cannot make the ledger (%zu bytes): %s", sizeof(struct ledger),
			g_strerror(number));
		if (fd >= 0)
			close(fd);
		return false;
	}
	memory->fd = fd;
	memory->map = map;
	memory->saved = g_malloc0(sizeof(struct ledger));
	write_header(map);
	return true;
}

void ledger_memory_finish(struct ledger_memory *memory)
{
	shm_unmap(memory->map, sizeof(struct ledger));
	memory->map = NULL;
	g_clear_pointer(&memory->saved, g_free);
	if (memory->fd >= 0)
		close(memory->fd);
	memory->fd = -1;
}

/*
 * What is cleared here says which parts of the arena of backings are in use, so the arena's pages
 * need not be touched.
 */
void ledger_memory_clear(struct ledger_memory *memory)
{
	g_assert(memory->map);
	memset(memory->map, 0, G_STRUCT_OFFSET(struct ledger, backing));
	write_header(memory->map);
	ledger_memory_forget_saved(memory);
}

/* Most slots are free, and pages that have only these are not written to. */
static void copy_slots(struct ledger *to, const struct ledger *from)
{
	for (unsigned i = 0; i < LEDGER_CONTEXTS_MAX; i++) {
		if (to->contexts[i].id || from->contexts[i].id)
			to->contexts[i] = from->contexts[i];
	}
	for (unsigned i = 0; i < LEDGER_RESOURCES_MAX; i++) {
		if (to->resources[i].id || from->resources[i].id)
			to->resources[i] = from->resources[i];
	}
}

static void copy_ledger(struct ledger *to, const struct ledger *from)
{
	/* Whoever has the memory may change it meanwhile. */
	uint32_t said = __atomic_load_n(&from->backing_used, __ATOMIC_RELAXED);
	uint32_t used = MIN(said, LEDGER_BACKING_MAX);
	copy_slots(to, from);
	memcpy(to->scanouts, from->scanouts, sizeof(to->scanouts));
	memcpy(to->backing, from->backing, used * sizeof(to->backing[0]));
	to->backing_used = used;
	to->overflowed = from->overflowed;
}

void ledger_memory_save(struct ledger_memory *memory)
{
	copy_ledger(memory->saved, memory->map);
	memory->is_saved = true;
}

void ledger_memory_restore(struct ledger_memory *memory)
{
	if (!memory->is_saved || memory->n_restored >= LEDGER_RESTORES_MAX)
		return;
	memory->n_restored++;
	copy_ledger(memory->map, memory->saved);
}

void ledger_memory_forget_saved(struct ledger_memory *memory)
{
	memory->is_saved = false;
	memory->n_restored = 0;
}

bool ledger_memory_read_context(
	const struct ledger_memory *memory, unsigned slot, struct ledger_context *context)
{
	g_assert(memory->map);
	if (slot < LEDGER_CONTEXTS_MAX)
		*context = memory->map->contexts[slot];
	return slot < LEDGER_CONTEXTS_MAX;
}

static struct ledger_context *find_context(const struct ledger_memory *memory, uint32_t context)
{
	g_assert(memory->map);
	for (unsigned i = 0; i < LEDGER_CONTEXTS_MAX; i++) {
		struct ledger_context *entry = &memory->map->contexts[i];
		if (__atomic_load_n(&entry->id, __ATOMIC_ACQUIRE) == context)
			return entry;
	}
	return NULL;
}

bool ledger_memory_find_name(
	const struct ledger_memory *memory, uint32_t context, char name[LEDGER_NAME_BYTES])
{
	const struct ledger_context *entry = context ? find_context(memory, context) : NULL;
	if (entry)
		memcpy(name, entry->name, LEDGER_NAME_BYTES);
	return entry != NULL;
}

void ledger_memory_lose_context(struct ledger_memory *memory, uint32_t context)
{
	struct ledger_context *entry = context ? find_context(memory, context) : NULL;
	if (entry)
		entry->id = 0;
}

void ledger_memory_lose_name(struct ledger_memory *memory, const char name[LEDGER_NAME_BYTES])
{
	for (unsigned i = 0; i < LEDGER_CONTEXTS_MAX; i++) {
		struct ledger_context *entry = &memory->map->contexts[i];
		if (strncmp(entry->name, name, LEDGER_NAME_BYTES) == 0)
			entry->id = 0;
	}
}

unsigned ledger_memory_lose_unseen(struct ledger_memory *memory)
{
	unsigned n_lost = 0;
	for (unsigned i = 0; i < LEDGER_CONTEXTS_MAX; i++) {
		struct ledger_context *entry = &memory->map->contexts[i];
		if (entry->id == 0 || entry->has_painted)
			continue;
		entry->id = 0;
		n_lost++;
	}
	return n_lost;
}

struct ledger_refusal *ledger_memory_get_refusals(struct ledger_memory *memory)
{
	g_assert(memory->map);
	return memory->map->refusals;
}

char *ledger_memory_name_context(const struct ledger_memory *memory, uint32_t context)
{
	char name[LEDGER_NAME_BYTES + 1] = { 0 };
	if (!ledger_memory_find_name(memory, context, name))
		return NULL;
	for (char *c = name; *c; c++) {
		if (!g_ascii_isprint(*c))
			*c = '?';
	}
	return g_strdup(name);
}

uint16_t ledger_memory_read_next_avail(const struct ledger_memory *memory, unsigned ring)
{
	g_assert(ring < KEEPER_RINGS);
	return __atomic_load_n(&memory->map->rings[ring].next_avail, __ATOMIC_ACQUIRE);
}

uint16_t ledger_memory_read_next_used(const struct ledger_memory *memory, unsigned ring)
{
	g_assert(ring < KEEPER_RINGS);
	return __atomic_load_n(&memory->map->rings[ring].used_index, __ATOMIC_ACQUIRE);
}

void ledger_memory_write_next_avail(
	struct ledger_memory *memory, unsigned ring, uint16_t next_avail)
{
	g_assert(ring < KEEPER_RINGS);
	__atomic_store_n(&memory->map->rings[ring].next_avail, next_avail, __ATOMIC_RELEASE);
}
