/* SPDX-License-Identifier: MIT */
#include "common/flight.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <link.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/flight_parts.h"
#include "common/monotonic.h"
#include "common/shm.h"

static struct flight_memory unread;
struct flight_memory *flight_memory = &unread;
__thread unsigned flight_thread_number;

void flight_init(struct flight_memory *memory)
{
	memory->version = FLIGHT_VERSION;
	memory->size_bytes = sizeof(*memory);
	memory->n_threads = 1; /* number 0 is whoever has no name */
	memory->magic = FLIGHT_MAGIC;
}

bool flight_attach(void)
{
	struct flight_memory *map = shm_map(FLIGHT_FD, sizeof(*map), true);
	if (!map && errno == ENOMEM) {
		g_warning("no flight recorder: %s", g_strerror(errno));
		close(FLIGHT_FD);
	}
	if (!map)
		return false;
	if (map->magic != FLIGHT_MAGIC || map->version != FLIGHT_VERSION ||
		map->size_bytes != sizeof(*map)) {
		shm_unmap(map, sizeof(*map));
		return false;
	}
	close(FLIGHT_FD);
	flight_use(map);
	return true;
}

void flight_use(struct flight_memory *memory)
{
	flight_memory = memory ? memory : &unread;
}

/* ---- events ---- */

static inline void put(struct flight_event *ring, unsigned n_places, uint64_t *count,
	uint16_t event, uint64_t time_ns, const uint64_t args[FLIGHT_ARGS])
{
	uint64_t serial = __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
	struct flight_event *place = &ring[serial % n_places];
	__atomic_store_n(&place->time_ns, time_ns, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < FLIGHT_ARGS; i++)
		__atomic_store_n(&place->args[i], args[i], __ATOMIC_RELAXED);
	uint64_t tag = event | (uint64_t)flight_thread_number << 16 | (serial + 1) << 32;
	__atomic_store_n(&place->tag, tag, __ATOMIC_RELEASE);
}

void flight_note(uint16_t event, uint64_t a, uint64_t b, uint64_t c)
{
	struct flight_memory *memory = flight_memory;
	put(memory->rare, FLIGHT_RARE_MAX, &memory->n_rare, event, monotonic_now_ns(),
		(const uint64_t[]){ a, b, c });
}

void flight_note_often(uint16_t event, uint64_t time_ns, uint64_t a, uint64_t b, uint64_t c)
{
	struct flight_memory *memory = flight_memory;
	put(memory->often, FLIGHT_OFTEN_MAX, &memory->n_often, event, time_ns,
		(const uint64_t[]){ a, b, c });
}

static void clean(char *to, const char *from, size_t size_bytes)
{
	for (size_t i = 0; i < size_bytes && from[i]; i++)
		to[i] = g_ascii_isprint(from[i]) ? from[i] : '?';
}

void flight_note_name(uint16_t event, uint64_t a, const char *name)
{
	uint64_t words[2] = { 0 };
	clean((char *)words, name, sizeof(words));
	flight_note(event, a, words[0], words[1]);
}

void flight_note_refused(size_t bytes)
{
	struct flight_memory *memory = flight_memory;
	__atomic_fetch_add(&memory->n_refused, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&memory->refused_bytes, bytes, __ATOMIC_RELAXED);
	__atomic_store_n(&memory->refused_ns, monotonic_now_ns(), __ATOMIC_RELAXED);
}

/* ---- what stands beside them ---- */

void flight_begin_thread(const char *name)
{
	struct flight_memory *memory = flight_memory;
	unsigned number = __atomic_fetch_add(&memory->n_threads, 1, __ATOMIC_RELAXED);
	if (number >= FLIGHT_THREADS_MAX)
		return;
	struct flight_thread *thread = &memory->threads[number];
	clean(thread->name, name, FLIGHT_THREAD_BYTES - 1);
	__atomic_store_n(&thread->tid, (uint32_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	flight_thread_number = number;
}

void flight_set_text(enum flight_text text, const char *words)
{
	char *to = flight_memory->texts[text];
	memset(to, 0, FLIGHT_TEXT_BYTES);
	clean(to, words, FLIGHT_TEXT_BYTES - 1);
}

static void find_build_id(struct flight_module *module, const ElfW(Phdr) * note, ElfW(Addr) base)
{
	const char *at = (const char *)(base + note->p_vaddr);
	size_t left_bytes = note->p_memsz;
	while (left_bytes >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *header = (const void *)at;
		size_t name_bytes = (header->n_namesz + 3u) & ~3u;
		size_t all_bytes = sizeof(*header) + name_bytes + ((header->n_descsz + 3u) & ~3u);
		if (header->n_type == NT_GNU_BUILD_ID && header->n_descsz >= FLIGHT_BUILD_ID_BYTES)
			memcpy(module->build_id, at + sizeof(*header) + name_bytes,
				FLIGHT_BUILD_ID_BYTES);
		if (all_bytes > left_bytes)
			break;
		at += all_bytes;
		left_bytes -= all_bytes;
	}
}

static int add_module(struct dl_phdr_info *info, size_t size_bytes, void *user)
{
	unsigned *n = user;
	if (*n == FLIGHT_MODULES_MAX)
		return 1;
	struct flight_module module = { .begin = info->dlpi_addr };
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uint64_t end = info->dlpi_addr + header->p_vaddr + header->p_memsz;
		if (header->p_type == PT_LOAD)
			module.end = MAX(module.end, end);
		if (header->p_type == PT_NOTE)
			find_build_id(&module, header, info->dlpi_addr);
	}
	/* The program itself comes first, and without a name. */
	const char *path = info->dlpi_name && *info->dlpi_name ? info->dlpi_name : g_get_prgname();
	const char *slash = path ? strrchr(path, '/') : NULL;
	clean(module.name, slash ? slash + 1 : path ? path : "?", sizeof(module.name) - 1);
	flight_memory->modules[(*n)++] = module;
	return 0;
}

void flight_find_modules(void)
{
	unsigned n = 0;
	dl_iterate_phdr(add_module, &n);
	__atomic_store_n(&flight_memory->n_modules, n, __ATOMIC_RELEASE);
}
