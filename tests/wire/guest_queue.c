/* SPDX-License-Identifier: MIT */
#include "tests/wire/guest_queue.h"

#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define NO_DESCRIPTOR 0xffff

struct guest_buffer {
	uint64_t guest_addr;
	uint32_t size_bytes;
	bool device_writes;
};

const struct guest_shape GUEST_SHAPE_DIRECT = { "direct", false, 0 };
const struct guest_shape GUEST_SHAPE_INDIRECT = { "indirect", true, 0 };
const struct guest_shape GUEST_SHAPE_PIECES = { "pieces", false, 4096 };
const struct guest_shape GUEST_SHAPE_INDIRECT_PIECES = { "indirect-pieces", true, 4096 };
const struct guest_shape GUEST_SHAPE_CRUMBS = { "crumbs", true, 7 };

/* Return the event words, which lie behind the rings' entries (virtio 1.2, 2.7.7 and 2.7.8). */
static uint16_t *used_event(struct guest_queue *queue)
{
	return &queue->avail->ring[queue->size];
}

static uint16_t *avail_event(struct guest_queue *queue)
{
	return (uint16_t *)&queue->used->ring[queue->size];
}

static void empty_rings(struct guest_queue *queue)
{
	memset(queue->desc, 0, sizeof(struct vring_desc) * queue->size);
	memset(queue->avail, 0, sizeof(uint16_t) * (3 + queue->size));
	memset(queue->used, 0, sizeof(uint16_t) * 3 + sizeof(struct vring_used_elem) * queue->size);
	for (unsigned i = 0; i < queue->size; i++)
		queue->desc[i].next = i + 1 < queue->size ? (uint16_t)(i + 1) : NO_DESCRIPTOR;
	queue->free_head = 0;
	queue->n_free = (uint16_t)queue->size;
	queue->avail_index = queue->kicked_index = queue->last_used = 0;
}

struct guest_queue *guest_queue_create(struct guest_memory *memory, unsigned index, unsigned size,
	struct guest_shape shape, bool event_idx)
{
	struct guest_queue *queue = g_new0(struct guest_queue, 1);
	size_t desc_bytes = sizeof(struct vring_desc) * size;
	size_t avail_bytes = sizeof(uint16_t) * (3 + size);
	size_t used_bytes = sizeof(uint16_t) * 3 + sizeof(struct vring_used_elem) * size;
	queue->memory = memory;
	queue->index = index;
	queue->size = size;
	queue->shape = shape;
	queue->event_idx = event_idx;
	queue->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	queue->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/*
	 * We scatter the three parts, as they may lie anywhere: not side by side, not in one
	 * region.
	 */
	queue->desc_addr = guest_memory_alloc_scattered(memory, desc_bytes);
	queue->avail_addr = guest_memory_alloc_scattered(memory, avail_bytes);
	queue->used_addr = guest_memory_alloc_scattered(memory, used_bytes);
	queue->desc = guest_memory_at(memory, queue->desc_addr, desc_bytes);
	queue->avail = guest_memory_at(memory, queue->avail_addr, avail_bytes);
	queue->used = guest_memory_at(memory, queue->used_addr, used_bytes);
	queue->requests = g_new0(struct guest_request *, size);
	empty_rings(queue);
	return queue;
}

void guest_queue_reset(struct guest_queue *queue)
{
	for (unsigned i = 0; i < queue->size; i++) {
		if (queue->requests[i])
			queue->requests[i]->queue = NULL;
		queue->requests[i] = NULL;
	}
	empty_rings(queue);
}

void guest_queue_destroy(struct guest_queue *queue)
{
	if (!queue)
		return;
	guest_queue_reset(queue);
	close(queue->kick_fd);
	close(queue->call_fd);
	g_free(queue->requests);
	g_free(queue);
}

/*
 * Appends the buffers of one direction to a chain, in pieces of the shape's size, and writes
 * `data`.
 */
static void add_buffers(struct guest_queue *queue, GArray *buffers, const uint8_t *data,
	size_t size_bytes, bool device_writes)
{
	size_t piece = queue->shape.piece_bytes;
	/*
	 * We enlarge the pieces of a large buffer, since its small ones would not fit a table of
	 * ring size.
	 */
	if (piece && size_bytes / piece >= queue->size / 2)
		piece = MAX(piece, (size_bytes / (queue->size / 4)) | 1);
	while (size_bytes > 0) {
		size_t n = piece ? MIN(piece, size_bytes) : size_bytes;
		struct guest_buffer b = {
			.size_bytes = (uint32_t)n,
			.device_writes = device_writes,
			.guest_addr = piece ? guest_memory_alloc_scattered(queue->memory, n) :
					      guest_memory_alloc(queue->memory, n),
		};
		if (data) {
			memcpy(guest_memory_at(queue->memory, b.guest_addr, n), data, n);
			data += n;
		}
		g_array_append_val(buffers, b);
		size_bytes -= n;
	}
}

static struct vring_desc describe(const struct guest_buffer *buffer, bool last, unsigned next)
{
	return (struct vring_desc){
		.addr = buffer->guest_addr,
		.len = buffer->size_bytes,
		.flags = (uint16_t)((buffer->device_writes ? VRING_DESC_F_WRITE : 0) |
				    (last ? 0 : VRING_DESC_F_NEXT)),
		.next = last ? 0 : (uint16_t)next,
	};
}

static uint16_t take_descriptor(struct guest_queue *queue)
{
	uint16_t head = queue->free_head;
	queue->free_head = queue->desc[head].next;
	queue->n_free--;
	return head;
}

static void give_descriptors(struct guest_queue *queue, const uint16_t *taken, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		queue->desc[taken[i]].next = queue->free_head;
		queue->free_head = taken[i];
		queue->n_free++;
	}
}

static void put_in_ring(struct guest_queue *queue, GArray *buffers, uint16_t *taken)
{
	for (guint i = 0; i < buffers->len; i++)
		taken[i] = take_descriptor(queue);
	for (guint i = 0; i < buffers->len; i++) {
		bool last = i + 1 == buffers->len;
		queue->desc[taken[i]] = describe(&g_array_index(buffers, struct guest_buffer, i),
			last, last ? 0 : taken[i + 1]);
	}
}

static void put_in_table(struct guest_queue *queue, GArray *buffers, uint16_t *taken)
{
	guint n = buffers->len;
	struct guest_buffer table = { .size_bytes = (uint32_t)(n * sizeof(struct vring_desc)) };
	table.guest_addr = guest_memory_alloc(queue->memory, table.size_bytes);
	struct vring_desc *entries =
		guest_memory_at(queue->memory, table.guest_addr, table.size_bytes);
	for (guint i = 0; i < n; i++)
		entries[i] = describe(
			&g_array_index(buffers, struct guest_buffer, i), i + 1 == n, i + 1);
	g_array_append_val(buffers, table);
	taken[0] = take_descriptor(queue);
	queue->desc[taken[0]] = (struct vring_desc){
		.addr = table.guest_addr,
		.len = table.size_bytes,
		.flags = VRING_DESC_F_INDIRECT,
	};
}

static void free_buffers(GArray *buffers, struct guest_memory *memory)
{
	for (guint i = 0; i < buffers->len; i++) {
		struct guest_buffer *b = &g_array_index(buffers, struct guest_buffer, i);
		guest_memory_free(memory, b->guest_addr, b->size_bytes);
	}
	g_array_unref(buffers);
}

/*
 * Writes the request's head into the available ring and announces it. Takes ownership of `buffers`
 * and `taken`.
 */
static struct guest_request *publish(struct guest_queue *queue, GArray *buffers, uint16_t *taken,
	unsigned n_taken, size_t response_bytes)
{
	struct guest_request *request = g_new0(struct guest_request, 1);
	request->queue = queue;
	request->head = taken[0];
	request->taken = taken;
	request->n_taken = n_taken;
	request->buffers = buffers;
	request->response_bytes = response_bytes;
	request->response = g_malloc0(response_bytes + 1);
	queue->requests[request->head] = request;
	queue->avail->ring[queue->avail_index % queue->size] = request->head;
	queue->avail_index++;
	/*
	 * The device must see the entry before the index that announces it (virtio 1.2,
	 * 2.7.13.1.1).
	 */
	__atomic_store_n(&queue->avail->idx, queue->avail_index, __ATOMIC_RELEASE);
	return request;
}

struct guest_request *guest_queue_add(
	struct guest_queue *queue, const void *command, size_t command_bytes, size_t response_bytes)
{
	GArray *buffers = g_array_new(FALSE, TRUE, sizeof(struct guest_buffer));
	add_buffers(queue, buffers, command, command_bytes, false);
	add_buffers(queue, buffers, NULL, response_bytes, true);
	g_assert_cmpuint(buffers->len, >, 0);
	unsigned n = queue->shape.indirect ? 1 : buffers->len;
	if (queue->n_free < n) {
		free_buffers(buffers, queue->memory);
		return NULL;
	}
	uint16_t *taken = g_new(uint16_t, n);
	if (queue->shape.indirect)
		put_in_table(queue, buffers, taken);
	else
		put_in_ring(queue, buffers, taken);
	return publish(queue, buffers, taken, n, response_bytes);
}

struct guest_request *guest_queue_send(
	struct guest_queue *queue, const void *command, size_t command_bytes, size_t response_bytes)
{
	struct guest_request *request =
		guest_queue_add(queue, command, command_bytes, response_bytes);
	if (request)
		guest_queue_kick(queue);
	return request;
}

struct guest_request *guest_queue_add_raw(
	struct guest_queue *queue, const struct vring_desc *chain, unsigned n)
{
	if (queue->n_free < n)
		return NULL;
	uint16_t *taken = g_new(uint16_t, n);
	for (unsigned i = 0; i < n; i++)
		taken[i] = take_descriptor(queue);
	for (unsigned i = 0; i < n; i++) {
		queue->desc[taken[i]] = chain[i];
		if (chain[i].next < n)
			queue->desc[taken[i]].next = taken[chain[i].next];
	}
	GArray *buffers = g_array_new(FALSE, TRUE, sizeof(struct guest_buffer));
	return publish(queue, buffers, taken, n, 0);
}

void guest_queue_kick(struct guest_queue *queue)
{
	/*
	 * The device must see the index before we read whether it sleeps (virtio 1.2, 2.7.13.4.1).
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	bool needed;
	if (queue->event_idx) {
		uint16_t event = __atomic_load_n(avail_event(queue), __ATOMIC_RELAXED);
		needed = vring_need_event(event, queue->avail_index, queue->kicked_index);
	} else {
		needed = !(__atomic_load_n(&queue->used->flags, __ATOMIC_RELAXED) &
			   VRING_USED_F_NO_NOTIFY);
	}
	queue->kicked_index = queue->avail_index;
	if (needed) {
		queue->kicks++;
		g_assert_cmpint(eventfd_write(queue->kick_fd, 1), ==, 0);
	}
}

static void copy_response(struct guest_request *request, struct guest_memory *memory)
{
	GArray *buffers = request->buffers;
	size_t at = 0;
	for (guint i = 0; i < buffers->len; i++) {
		struct guest_buffer *b = &g_array_index(buffers, struct guest_buffer, i);
		if (!b->device_writes)
			continue;
		memcpy(request->response + at,
			guest_memory_at(memory, b->guest_addr, b->size_bytes), b->size_bytes);
		at += b->size_bytes;
	}
}

static void complete(struct guest_queue *queue, const struct vring_used_elem *element)
{
	g_assert_cmpuint(element->id, <, queue->size);
	struct guest_request *request = queue->requests[element->id];
	if (!request)
		g_error("queue %u: descriptor %u returned, but it was not given", queue->index,
			element->id);
	queue->requests[element->id] = NULL;
	request->done = true;
	request->used_bytes = element->len;
	request->completed_as = ++queue->completions;
	copy_response(request, queue->memory);
	give_descriptors(queue, request->taken, request->n_taken);
	free_buffers(request->buffers, queue->memory);
	request->buffers = NULL;
}

unsigned guest_queue_collect(struct guest_queue *queue)
{
	unsigned n = 0;
	uint16_t index = __atomic_load_n(&queue->used->idx, __ATOMIC_ACQUIRE);
	while (queue->last_used != index) {
		complete(queue, &queue->used->ring[queue->last_used % queue->size]);
		queue->last_used++;
		n++;
	}
	return n;
}

static void arm_interrupt(struct guest_queue *queue)
{
	if (queue->event_idx)
		__atomic_store_n(used_event(queue), queue->last_used, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

bool guest_queue_wait(struct guest_queue *queue, struct guest_request *request, int timeout_ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
	guest_queue_collect(queue);
	while (!request->done) {
		arm_interrupt(queue);
		if (guest_queue_collect(queue) > 0)
			continue;
		gint64 left = end - g_get_monotonic_time();
		struct pollfd p = { .fd = queue->call_fd, .events = POLLIN };
		eventfd_t value;
		if (left > 0 && poll(&p, 1, (int)(left / 1000) + 1) > 0) {
			eventfd_read(queue->call_fd, &value);
			queue->interrupts++;
		} else if (left <= 0) {
			if (guest_queue_collect(queue) > 0)
				g_error("queue %u: answered without an interrupt", queue->index);
			return false;
		}
		guest_queue_collect(queue);
	}
	return true;
}

unsigned guest_queue_wait_any(struct guest_queue *queue, int timeout_ms)
{
	struct pollfd p = { .fd = queue->call_fd, .events = POLLIN };
	eventfd_t value;
	unsigned n = guest_queue_collect(queue);
	if (n > 0)
		return n;
	arm_interrupt(queue);
	n = guest_queue_collect(queue);
	if (n > 0 || poll(&p, 1, timeout_ms) <= 0)
		return n;
	eventfd_read(queue->call_fd, &value);
	queue->interrupts++;
	return guest_queue_collect(queue);
}

void guest_request_free(struct guest_request *request)
{
	if (!request)
		return;
	if (!request->done && request->queue)
		g_error("queue %u: request freed while the device holds it", request->queue->index);
	if (request->buffers)
		g_array_unref(request->buffers);
	g_free(request->taken);
	g_free(request->response);
	g_free(request);
}
