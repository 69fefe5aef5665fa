/* SPDX-License-Identifier: MIT */
#include "render/ring/memory.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct memory_region {
	uint64_t guest_addr, user_addr, size_bytes;
	uint8_t *host;
	void *mapping;
	size_t mapping_bytes;
};

struct memory {
	gatomicrefcount refs;
	unsigned n_regions;
	struct memory_region regions[KEEPER_MEMORY_REGIONS_MAX]; /* by guest address */
};

struct memory *memory_create(void)
{
	struct memory *memory = g_new0(struct memory, 1);
	g_atomic_ref_count_init(&memory->refs);
	return memory;
}

struct memory *memory_ref(struct memory *memory)
{
	g_atomic_ref_count_inc(&memory->refs);
	return memory;
}

void memory_unref(struct memory *memory)
{
	if (!memory || !g_atomic_ref_count_dec(&memory->refs))
		return;
	for (unsigned i = 0; i < memory->n_regions; i++)
		munmap(memory->regions[i].mapping, memory->regions[i].mapping_bytes);
	g_free(memory);
}

static bool ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b ? b - a < a_size : a - b < b_size;
}

static bool region_is_sane(const struct memory *memory, const struct keeper_memory_region *r)
{
	if (memory->n_regions == KEEPER_MEMORY_REGIONS_MAX || r->size_bytes == 0)
		return false;
	if (r->size_bytes - 1 > UINT64_MAX - r->guest_addr ||
		r->size_bytes - 1 > UINT64_MAX - r->user_addr ||
		r->size_bytes > UINT64_MAX - r->offset_bytes)
		return false;
	for (unsigned i = 0; i < memory->n_regions; i++) {
		const struct memory_region *o = &memory->regions[i];
		if (ranges_overlap(r->guest_addr, r->size_bytes, o->guest_addr, o->size_bytes) ||
			ranges_overlap(r->user_addr, r->size_bytes, o->user_addr, o->size_bytes))
			return false;
	}
	return true;
}

/*
 * Maps whole pages of the file's own page size, which st_blksize tells, because files of huge pages
 * want offset and length in it.
 */
static bool map_region(struct memory_region *out, const struct keeper_memory_region *r, int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || st.st_size < 0)
		return false;
	if (r->offset_bytes + r->size_bytes > (uint64_t)st.st_size) {
		errno = EINVAL;
		return false;
	}
	uint64_t page_bytes = MAX((uint64_t)st.st_blksize, 4096);
	uint64_t start = r->offset_bytes / page_bytes * page_bytes;
	uint64_t lead = r->offset_bytes - start;
	uint64_t length = (lead + r->size_bytes + page_bytes - 1) / page_bytes * page_bytes;
	void *mapping = mmap(
		NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, (off_t)start);
	if (mapping == MAP_FAILED)
		return false;
	madvise(mapping, length, MADV_DONTDUMP);
	*out = (struct memory_region){ .guest_addr = r->guest_addr,
		.user_addr = r->user_addr,
		.size_bytes = r->size_bytes,
		.host = (uint8_t *)mapping + lead,
		.mapping = mapping,
		.mapping_bytes = length };
	return true;
}

bool memory_add_region(struct memory *memory, const struct keeper_memory_region *region, int fd)
{
	struct memory_region mapped;
	/* Nobody else may be looking up in it yet. */
	g_assert(g_atomic_ref_count_compare(&memory->refs, 1));
	if (!region_is_sane(memory, region)) {
		g_warning("memory: region at guest address 0x%" PRIx64 ", %" PRIu64
			  " bytes: overlaps, wraps or is one too many",
			region->guest_addr, region->size_bytes);
		return false;
	}
	if (!map_region(&mapped, region, fd)) {
		g_warning("memory: region at guest address 0x%" PRIx64 ", %" PRIu64 " bytes: %s",
			region->guest_addr, region->size_bytes, g_strerror(errno));
		return false;
	}
	unsigned at = memory->n_regions;
	while (at > 0 && memory->regions[at - 1].guest_addr > mapped.guest_addr) {
		memory->regions[at] = memory->regions[at - 1];
		at--;
	}
	memory->regions[at] = mapped;
	memory->n_regions++;
	return true;
}

void *memory_at_user(const struct memory *memory, uint64_t user_addr, uint64_t size_bytes)
{
	for (unsigned i = 0; i < memory->n_regions; i++) {
		const struct memory_region *r = &memory->regions[i];
		uint64_t into = user_addr - r->user_addr;
		if (user_addr >= r->user_addr && into < r->size_bytes &&
			size_bytes <= r->size_bytes - into)
			return r->host + into;
	}
	return NULL;
}

bool memory_is_zero(const void *host, uint64_t size_bytes)
{
	const uint8_t *b = host;
	return size_bytes == 0 || (b[0] == 0 && memcmp(b, b + 1, size_bytes - 1) == 0);
}

void memory_mark(
	const struct memory *memory, struct dirty_log *log, const void *host, uint64_t size_bytes)
{
	const uint8_t *at = host;
	for (unsigned i = 0; i < memory->n_regions; i++) {
		const struct memory_region *r = &memory->regions[i];
		if (at >= r->host && at < r->host + r->size_bytes)
			dirty_log_mark(log, r->guest_addr + (uint64_t)(at - r->host), size_bytes);
	}
}

static const struct memory_region *find_guest(const struct memory *memory, uint64_t guest_addr)
{
	unsigned low = 0, high = memory->n_regions;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct memory_region *r = &memory->regions[middle];
		if (guest_addr < r->guest_addr)
			high = middle;
		else if (guest_addr - r->guest_addr >= r->size_bytes)
			low = middle + 1;
		else
			return r;
	}
	return NULL;
}

static bool append(struct iovec *iov, unsigned *n_iov, unsigned max, uint8_t *host, size_t length)
{
	if (*n_iov > 0) {
		struct iovec *last = &iov[*n_iov - 1];
		if ((uint8_t *)last->iov_base + last->iov_len == host) {
			last->iov_len += length;
			return true;
		}
	}
	if (*n_iov == max)
		return false;
	iov[(*n_iov)++] = (struct iovec){ host, length };
	return true;
}

bool memory_translate(const struct memory *memory, uint64_t guest_addr, uint64_t size_bytes,
	struct iovec *iov, unsigned *n_iov, unsigned max)
{
	while (size_bytes > 0) {
		const struct memory_region *r = find_guest(memory, guest_addr);
		if (!r)
			return false;
		uint64_t into = guest_addr - r->guest_addr;
		uint64_t part = MIN(size_bytes, r->size_bytes - into);
		if (!append(iov, n_iov, max, r->host + into, part))
			return false;
		guest_addr += part;
		size_bytes -= part;
	}
	return true;
}
