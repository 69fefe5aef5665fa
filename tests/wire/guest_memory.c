/* SPDX-License-Identifier: MIT */
#include "tests/wire/guest_memory.h"

#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SMALLEST_CLASS 6 /* 64 bytes */

static int memory_fd(uint64_t size_bytes)
{
	int fd = memfd_create("guest-memory", MFD_CLOEXEC);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(ftruncate(fd, (off_t)size_bytes), ==, 0);
	return fd;
}

static unsigned add_region(struct guest_memory *memory, int fd, uint64_t guest_addr,
	uint64_t user_addr, uint64_t size_bytes, uint64_t offset_bytes)
{
	unsigned i = 0;
	while (i < GUEST_MEMORY_REGIONS_MAX && memory->regions[i].present)
		i++;
	g_assert_cmpuint(i, <, GUEST_MEMORY_REGIONS_MAX);
	void *host =
		mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset_bytes);
	g_assert_true(host != MAP_FAILED);
	memory->regions[i] = (struct guest_memory_region){
		.present = true,
		.fd = fd,
		.guest_addr = guest_addr,
		.user_addr = user_addr,
		.size_bytes = size_bytes,
		.offset_bytes = offset_bytes,
		.host = host,
	};
	for (unsigned c = 0; c < GUEST_MEMORY_CLASSES; c++)
		memory->free_blocks[i][c] = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	return i;
}

struct guest_memory *guest_memory_create(enum guest_memory_layout layout, uint64_t size_bytes)
{
	struct guest_memory *memory = g_new0(struct guest_memory, 1);
	if (layout == GUEST_MEMORY_ONE) {
		add_region(memory, memory_fd(size_bytes), 0, 0x7f1200000000, size_bytes, 0);
		return memory;
	}
	uint64_t third = size_bytes / 3 & ~(uint64_t)0xfffff;
	int fd = memory_fd(2 * third);
	add_region(memory, fd, 0, 0x7f3400000000, third, 0);
	add_region(memory, dup(fd), 0x100000000, 0x7f3400000000 + third, third, third);
	add_region(memory, memory_fd(third), 0x800000000, 0x7e5600000000, third, 0);
	return memory;
}

unsigned guest_memory_add_region(
	struct guest_memory *memory, uint64_t guest_addr, uint64_t user_addr, uint64_t size_bytes)
{
	return add_region(memory, memory_fd(size_bytes), guest_addr, user_addr, size_bytes, 0);
}

void guest_memory_remove_region(struct guest_memory *memory, unsigned index)
{
	struct guest_memory_region *region = &memory->regions[index];
	g_assert_true(region->present);
	munmap(region->host, region->size_bytes);
	close(region->fd);
	for (unsigned c = 0; c < GUEST_MEMORY_CLASSES; c++)
		g_array_unref(memory->free_blocks[index][c]);
	memset(region, 0, sizeof(*region));
}

void guest_memory_destroy(struct guest_memory *memory)
{
	if (!memory)
		return;
	for (unsigned i = 0; i < GUEST_MEMORY_REGIONS_MAX; i++) {
		if (memory->regions[i].present)
			guest_memory_remove_region(memory, i);
	}
	g_free(memory);
}

static unsigned size_class(size_t size_bytes)
{
	unsigned c = SMALLEST_CLASS;
	while (((size_t)1 << c) < size_bytes)
		c++;
	g_assert_cmpuint(c, <, GUEST_MEMORY_CLASSES);
	return c;
}

static bool try_alloc(
	struct guest_memory *memory, unsigned index, size_t size_bytes, uint64_t *guest_addr)
{
	struct guest_memory_region *region = &memory->regions[index];
	if (!region->present)
		return false;
	unsigned c = size_class(size_bytes);
	GArray *blocks = memory->free_blocks[index][c];
	if (blocks->len > 0) {
		*guest_addr = g_array_index(blocks, uint64_t, blocks->len - 1);
		g_array_set_size(blocks, blocks->len - 1);
	} else {
		uint64_t block = (uint64_t)1 << c;
		uint64_t start = (region->used_bytes + block - 1) & ~(block - 1);
		if (start > region->size_bytes || size_bytes > region->size_bytes - start)
			return false;
		region->used_bytes = MIN(start + block, region->size_bytes);
		*guest_addr = region->guest_addr + start;
	}
	memset(guest_memory_at(memory, *guest_addr, size_bytes), 0, size_bytes);
	return true;
}

uint64_t guest_memory_alloc_in(struct guest_memory *memory, unsigned region, size_t size_bytes)
{
	uint64_t guest_addr;
	if (!try_alloc(memory, region, size_bytes, &guest_addr))
		g_error("guest memory: no %zu bytes in region %u", size_bytes, region);
	return guest_addr;
}

uint64_t guest_memory_alloc(struct guest_memory *memory, size_t size_bytes)
{
	uint64_t guest_addr;
	for (unsigned i = 0; i < GUEST_MEMORY_REGIONS_MAX; i++) {
		if (try_alloc(memory, i, size_bytes, &guest_addr))
			return guest_addr;
	}
	g_error("guest memory: no %zu bytes in any region", size_bytes);
}

uint64_t guest_memory_alloc_scattered(struct guest_memory *memory, size_t size_bytes)
{
	uint64_t guest_addr;
	for (unsigned i = 0; i < GUEST_MEMORY_REGIONS_MAX; i++) {
		unsigned region = memory->next_region++ % GUEST_MEMORY_REGIONS_MAX;
		if (try_alloc(memory, region, size_bytes, &guest_addr))
			return guest_addr;
	}
	g_error("guest memory: no %zu bytes in any region", size_bytes);
}

static struct guest_memory_region *find_region(
	const struct guest_memory *memory, uint64_t guest_addr, size_t size_bytes)
{
	for (unsigned i = 0; i < GUEST_MEMORY_REGIONS_MAX; i++) {
		const struct guest_memory_region *r = &memory->regions[i];
		if (r->present && guest_addr >= r->guest_addr &&
			guest_addr - r->guest_addr <= r->size_bytes &&
			size_bytes <= r->size_bytes - (guest_addr - r->guest_addr))
			return (struct guest_memory_region *)r;
	}
	g_error("guest memory: nothing at %#" G_GINT64_MODIFIER "x", guest_addr);
}

void guest_memory_free(struct guest_memory *memory, uint64_t guest_addr, size_t size_bytes)
{
	struct guest_memory_region *region = find_region(memory, guest_addr, size_bytes);
	g_array_append_val(
		(GArray *)memory->free_blocks[region - memory->regions][size_class(size_bytes)],
		guest_addr);
}

void *guest_memory_at(const struct guest_memory *memory, uint64_t guest_addr, size_t size_bytes)
{
	struct guest_memory_region *region = find_region(memory, guest_addr, size_bytes);
	return region->host + (guest_addr - region->guest_addr);
}

uint64_t guest_memory_user_addr(const struct guest_memory *memory, uint64_t guest_addr)
{
	struct guest_memory_region *region = find_region(memory, guest_addr, 0);
	return region->user_addr + (guest_addr - region->guest_addr);
}
