/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/gpu_stub.h"

#include <glib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "protocol/keeper_link.h"
#include "render/gpu_thread.h"
#include "render/objects/ledger_book.h"
#include "render/ring/memory.h"
#include "render/ring/virtqueue.h"
#include "render/scanout/cursor.h"

struct gpu {
	struct virtqueue *rings[KEEPER_RINGS];
	unsigned n_rings;
	struct memory *building; /* what was made last and not handed over; not ours to count */
	struct memory *memory;
	struct ledger_book *book;
	int frame_link, ask_fd;
};

static struct gpu *current;

struct virtqueue *__real_virtqueue_create(const char *name);
struct virtqueue *__wrap_virtqueue_create(const char *name);
struct memory *__real_memory_create(void);
struct memory *__wrap_memory_create(void);

struct virtqueue *__wrap_virtqueue_create(const char *name)
{
	g_assert(current->n_rings < KEEPER_RINGS);
	struct virtqueue *ring = __real_virtqueue_create(name);
	current->rings[current->n_rings++] = ring;
	return ring;
}

struct memory *__wrap_memory_create(void)
{
	current->building = __real_memory_create();
	return current->building;
}

struct gpu *gpu_stub_create(void)
{
	struct gpu *gpu = g_new0(struct gpu, 1);
	current = gpu;
	gpu->frame_link = -1;
	gpu->ask_fd = eventfd(0, EFD_CLOEXEC);
	virtqueue_create("control");
	return gpu;
}

void gpu_stub_destroy(struct gpu *gpu)
{
	for (unsigned i = 0; i < gpu->n_rings; i++)
		virtqueue_destroy(gpu->rings[i]);
	memory_unref(gpu->building);
	memory_unref(gpu->memory);
	if (gpu->book)
		ledger_book_close(gpu->book);
	if (gpu->frame_link >= 0)
		close(gpu->frame_link);
	close(gpu->ask_fd);
	g_free(gpu);
}

uint32_t gpu_count_capsets(const struct gpu *gpu)
{
	return 2;
}

struct virtqueue *gpu_get_control_queue(struct gpu *gpu)
{
	return gpu->rings[0];
}

struct cursor *gpu_get_cursor(struct gpu *gpu)
{
	return NULL;
}

bool cursor_work(struct cursor *cursor, struct virtqueue *vq, struct virtqueue *control)
{
	return false;
}

void gpu_wake(struct gpu *gpu)
{
}

void gpu_set_memory(struct gpu *gpu, struct memory *memory)
{
	g_assert(memory == gpu->building);
	gpu->building = NULL;
	memory_unref(gpu->memory);
	gpu->memory = memory_ref(memory);
	virtqueue_set_memory(gpu->rings[0], memory);
}

void gpu_set_ledger(struct gpu *gpu, struct ledger_book *book)
{
	g_assert(!gpu->book);
	gpu->book = book;
}

void gpu_set_first_mode(struct gpu *gpu, uint32_t width, uint32_t height, uint32_t refresh_mhz)
{
}

void gpu_set_frame_link(struct gpu *gpu, int fd)
{
	if (gpu->frame_link >= 0)
		close(gpu->frame_link);
	gpu->frame_link = fd;
}

void gpu_reset(struct gpu *gpu)
{
	virtqueue_reset(gpu->rings[0]);
}

int gpu_get_ask_fd(const struct gpu *gpu)
{
	return gpu->ask_fd;
}

unsigned gpu_take_request(struct gpu *gpu)
{
	return 0;
}

void gpu_keeper_read(struct gpu *gpu, unsigned request)
{
}
