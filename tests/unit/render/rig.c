/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <linux/virtio_ring.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/shm.h"

/* We wait this long, in microseconds, for the renderer to see what it was sent. */
#define EARLY_US 50000
#define ANSWER_ADDR (RIG_LOW_ADDR + (1 << 20))
#define REQUEST_ADDR (RIG_LOW_ADDR + (2 << 20))
#define INDIRECT_ADDR (RIG_LOW_ADDR + (512 << 10))
/* Each place has these sizes. */
#define REQUEST_BYTES (1 << 20)
#define ANSWER_BYTES 4096

static int start_process(struct rig *rig, bool virgl)
{
	const char *argv[] = { "vitrine-render", "--software", NULL, NULL, NULL };
	unsigned n = 2;
	int pair[2];
	if (virgl)
		argv[n++] = "--virgl";
	argv[n] = rig->quota_option;
	g_assert_cmpint(link_pair(pair), ==, 0);
	rig->pid = fork();
	if (rig->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(pair[1], KEEPER_LINK_FD);
		execv(RENDER_PROGRAM, (char **)argv);
		_exit(127);
	}
	close(pair[1]);
	struct keeper_begin begin = { .header.type = KEEPER_MESSAGE_BEGIN };
	g_assert_cmpint(link_send(pair[0], &begin, sizeof(begin), NULL, 0), ==, 0);
	return pair[0];
}

static bool handle_ready(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct rig *rig = user;
	rig->n_capsets = ((const struct keeper_ready *)message)->n_capsets;
	return true;
}

static bool handle_gpu(void *user, const void *message, int *fds, unsigned n_fds)
{
	return ((const struct keeper_gpu *)message)->works;
}

/* It says what it draws with, and then that it is ready. */
static bool wait_ready(struct rig *rig)
{
	static const struct link_handler said[] = {
		{ KEEPER_MESSAGE_GPU, "GPU", sizeof(struct keeper_gpu), 0, 0, handle_gpu },
		{ KEEPER_MESSAGE_READY, "READY", sizeof(struct keeper_ready), 0, 0, handle_ready },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(said); i++) {
		if (!link_wait_readable(rig->keeper_fd, 30000) ||
			link_dispatch(rig->keeper_fd, "render", &said[i], 1, rig) != 1)
			return false;
	}
	return true;
}

static void *map_guest(int *fd, size_t size_bytes)
{
	*fd = memfd_create("guest", MFD_CLOEXEC);
	g_assert_cmpint(ftruncate(*fd, (off_t)size_bytes), ==, 0);
	void *p = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	g_assert_true(p != MAP_FAILED);
	return p;
}

void *rig_host(struct rig *rig, uint64_t guest_addr)
{
	if (guest_addr >= RIG_HIGH_ADDR)
		return rig->high + (guest_addr - RIG_HIGH_ADDR);
	return rig->low + (guest_addr - RIG_LOW_ADDR);
}

void *rig_answer(struct rig *rig)
{
	return rig_host(rig, ANSWER_ADDR + (uint64_t)rig->place * ANSWER_BYTES);
}

#define SEND(rig, message, type_, fds, n)                                                          \
	do {                                                                                       \
		(message).header.type = (type_);                                                   \
		g_assert_cmpint(                                                                   \
			link_send((rig)->keeper_fd, &(message), sizeof(message), fds, n), ==, 0);  \
	} while (0)

static void send_region(struct rig *rig, uint64_t addr, uint64_t size_bytes, int fd)
{
	struct keeper_memory_region region = {
		.guest_addr = addr, .user_addr = addr + RIG_USER_OFFSET, .size_bytes = size_bytes
	};
	SEND(rig, region, KEEPER_MESSAGE_MEMORY_REGION, &fd, 1);
}

void rig_send_memory(struct rig *rig)
{
	struct keeper_memory_begin begin = { .n_regions = rig->without_high ? 1 : 2 };
	struct keeper_memory_commit commit = { 0 };
	SEND(rig, begin, KEEPER_MESSAGE_MEMORY_BEGIN, NULL, 0);
	if (!rig->without_high)
		send_region(rig, RIG_HIGH_ADDR, RIG_HIGH_BYTES, rig->high_fd);
	send_region(rig, RIG_LOW_ADDR, RIG_LOW_BYTES, rig->low_fd);
	SEND(rig, commit, KEEPER_MESSAGE_MEMORY_COMMIT, NULL, 0);
}

void rig_send_ring_start(struct rig *rig, unsigned ring)
{
	const struct rig_ring *r = &rig->rings[ring];
	struct keeper_ring_start start = { .ring = ring,
		.size = r->size,
		.desc_user_addr = r->desc + RIG_USER_OFFSET,
		.avail_user_addr = r->avail + RIG_USER_OFFSET,
		.used_user_addr = r->used + RIG_USER_OFFSET,
		.next_avail = rig->ledger->rings[ring].next_avail };
	int fds[2] = { r->kick_fd, r->call_fd };
	SEND(rig, start, KEEPER_MESSAGE_RING_START, fds, 2);
}

static uint16_t stopped_at;

static bool handle_stopped(void *user, const void *message, int *fds, unsigned n_fds)
{
	stopped_at = ((const struct keeper_ring_stopped *)message)->next_avail;
	return true;
}

uint16_t rig_stop_ring(struct rig *rig, unsigned ring)
{
	static const struct link_handler table[] = {
		{ KEEPER_MESSAGE_RING_STOPPED, "RING_STOPPED", sizeof(struct keeper_ring_stopped),
			0, 0, handle_stopped },
	};
	struct keeper_ring_stop stop = { .ring = ring, .serial = 7 };
	SEND(rig, stop, KEEPER_MESSAGE_RING_STOP, NULL, 0);
	g_assert_true(link_wait_readable(rig->keeper_fd, RIG_WAIT_MS));
	g_assert_cmpint(link_dispatch(rig->keeper_fd, "render", table, 1, rig), ==, 1);
	return stopped_at;
}

void rig_stop_and_reset(struct rig *rig)
{
	struct keeper_reset reset = { 0 };
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		rig_stop_ring(rig, i);
	SEND(rig, reset, KEEPER_MESSAGE_RESET, NULL, 0);
}

void rig_start_anew(struct rig *rig)
{
	for (unsigned i = 0; i < KEEPER_RINGS; i++) {
		struct rig_ring *r = &rig->rings[i];
		r->next_avail = r->next_used = 0;
		memset(rig_host(rig, r->desc), 0, 0x9000);
	}
	rig->ledger->rings[0].next_avail = rig->ledger->rings[1].next_avail = 0;
	rig_send_ring_start(rig, 0);
	rig_send_ring_start(rig, 1);
}

void rig_send_frame_link(struct rig *rig)
{
	int pair[2];
	struct keeper_frame_link message = { 0 };
	struct frame_hello hello = { .header.type = FRAME_MESSAGE_HELLO,
		.version = FRAME_LINK_VERSION };
	if (rig->frame_fd >= 0)
		close(rig->frame_fd);
	g_assert_cmpint(link_pair(pair), ==, 0);
	SEND(rig, message, KEEPER_MESSAGE_FRAME_LINK, &pair[1], 1);
	close(pair[1]);
	rig->frame_fd = pair[0];
	rig->n_buffers = 0;
	g_assert_cmpint(link_send(rig->frame_fd, &hello, sizeof(hello), NULL, 0), ==, 0);
}

static void send_state(struct rig *rig)
{
	struct keeper_ledger ledger = { 0 };
	struct keeper_features features = { .features = rig->features };
	SEND(rig, ledger, KEEPER_MESSAGE_LEDGER, &rig->ledger_fd, 1);
	rig_send_frame_link(rig);
	if (rig->early_rate_mhz > 0) {
		rig_set_rate(rig, 0, rig->early_rate_mhz);
		g_usleep(EARLY_US);
	}
	SEND(rig, features, KEEPER_MESSAGE_FEATURES, NULL, 0);
	rig_send_memory(rig);
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		rig_send_ring_start(rig, i);
}

static void lay_out_ring(struct rig_ring *r, uint32_t size, uint64_t addr)
{
	r->size = size;
	r->desc = addr;
	r->avail = addr + 16 * size;
	r->used = addr + 0x8000;
	r->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

struct rig *rig_start(bool virgl)
{
	return rig_start_limited(virgl, NULL);
}

struct rig *rig_start_limited(bool virgl, const char *quota_option)
{
	struct rig *rig = g_new0(struct rig, 1);
	rig->quota_option = quota_option;
	rig->frame_fd = -1;
	rig->low = map_guest(&rig->low_fd, RIG_LOW_BYTES);
	rig->high = map_guest(&rig->high_fd, RIG_HIGH_BYTES);
	rig->ledger_fd = shm_create("ledger", sizeof(struct ledger));
	rig->ledger = shm_map(rig->ledger_fd, sizeof(struct ledger), true);
	lay_out_ring(&rig->rings[0], 256, RIG_LOW_ADDR);
	lay_out_ring(&rig->rings[1], 16, RIG_LOW_ADDR + 0x10000);
	rig->features = 1ull << VIRTIO_RING_F_EVENT_IDX | 1ull << VIRTIO_RING_F_INDIRECT_DESC;
	rig->keeper_fd = start_process(rig, virgl);
	if (!wait_ready(rig)) {
		rig_stop(rig);
		return NULL;
	}
	send_state(rig);
	return rig;
}

static void end_process(struct rig *rig)
{
	kill(rig->pid, SIGKILL);
	waitpid(rig->pid, NULL, 0);
	close(rig->keeper_fd);
}

void rig_restart(struct rig *rig)
{
	end_process(rig);
	rig->keeper_fd = start_process(rig, rig->n_capsets > 0);
	g_assert_true(wait_ready(rig));
	send_state(rig);
}

void rig_stop(struct rig *rig)
{
	end_process(rig);
	munmap(rig->low, RIG_LOW_BYTES);
	munmap(rig->high, RIG_HIGH_BYTES);
	munmap(rig->ledger, sizeof(struct ledger));
	close(rig->low_fd);
	close(rig->high_fd);
	close(rig->ledger_fd);
	if (rig->frame_fd >= 0)
		close(rig->frame_fd);
	for (unsigned i = 0; i < KEEPER_RINGS; i++) {
		close(rig->rings[i].kick_fd);
		close(rig->rings[i].call_fd);
	}
	g_free(rig);
}

/* ---- the guest's driver ---- */

static unsigned add_parts(struct rig *rig, struct vring_desc *table, unsigned n, uint64_t addr,
	size_t size_bytes, uint16_t flags)
{
	size_t piece = rig->piece_bytes ? rig->piece_bytes : size_bytes;
	for (size_t at = 0; at < size_bytes; at += piece, n++)
		table[n] = (struct vring_desc){ addr + at, (uint32_t)MIN(piece, size_bytes - at),
			(uint16_t)(flags | VRING_DESC_F_NEXT), (uint16_t)(n + 1) };
	return n;
}

uint16_t rig_submit(struct rig *rig, unsigned ring, const void *request, size_t request_bytes,
	size_t answer_bytes)
{
	struct rig_ring *r = &rig->rings[ring];
	struct vring_desc *direct = rig_host(rig, r->desc);
	struct vring_desc *table = rig->indirect ? rig_host(rig, INDIRECT_ADDR) : direct;
	uint16_t *avail = rig_host(rig, r->avail);
	uint64_t request_addr = REQUEST_ADDR + (uint64_t)rig->place * REQUEST_BYTES;
	uint16_t head = (uint16_t)(rig->place * r->size / RIG_PLACES);
	g_assert_true(rig->place < RIG_PLACES && !(rig->indirect && rig->place > 0));
	memcpy(rig_host(rig, request_addr), request, request_bytes);
	memset(rig_answer(rig), 0, ANSWER_BYTES);
	unsigned n = add_parts(rig, table, head, request_addr, request_bytes, 0);
	n = add_parts(rig, table, n, ANSWER_ADDR + (uint64_t)rig->place * ANSWER_BYTES,
		answer_bytes, VRING_DESC_F_WRITE);
	table[n - 1].flags &= (uint16_t)~VRING_DESC_F_NEXT;
	if (rig->indirect)
		direct[0] = (struct vring_desc){ INDIRECT_ADDR,
			(uint32_t)(n * sizeof(struct vring_desc)), VRING_DESC_F_INDIRECT, 0 };
	avail[2 + r->next_avail % r->size] = head;
	r->next_avail++;
	__atomic_store_n(&avail[1], r->next_avail, __ATOMIC_SEQ_CST);
	uint64_t one = 1;
	g_assert_cmpint(write(r->kick_fd, &one, sizeof(one)), ==, sizeof(one));
	return head;
}

bool rig_wait_taken(struct rig *rig, unsigned ring, int timeout_ms)
{
	const uint16_t *taken = &rig->ledger->rings[ring].next_avail;
	gint64 end_us = g_get_monotonic_time() + timeout_ms * 1000;
	while (__atomic_load_n(taken, __ATOMIC_ACQUIRE) != rig->rings[ring].next_avail) {
		if (g_get_monotonic_time() >= end_us)
			return false;
		g_usleep(100);
	}
	return true;
}

bool rig_has_used(struct rig *rig, unsigned ring)
{
	const struct vring_used *used = rig_host(rig, rig->rings[ring].used);
	return __atomic_load_n(&used->idx, __ATOMIC_SEQ_CST) != rig->rings[ring].next_used;
}

bool rig_wait_used(struct rig *rig, unsigned ring, uint32_t *id, uint32_t *length, int timeout_ms)
{
	struct rig_ring *r = &rig->rings[ring];
	struct vring_used *used = rig_host(rig, r->used);
	uint16_t *used_event = (uint16_t *)rig_host(rig, r->avail) + 2 + r->size;
	gint64 end_us = g_get_monotonic_time() + timeout_ms * 1000;
	*used_event = r->next_used;
	while (__atomic_load_n(&used->idx, __ATOMIC_SEQ_CST) == r->next_used) {
		struct pollfd p = { r->call_fd, POLLIN, 0 };
		uint64_t count;
		if (g_get_monotonic_time() >= end_us)
			return false;
		if (poll(&p, 1, 10) > 0)
			g_assert_cmpint(read(r->call_fd, &count, sizeof(count)), ==, sizeof(count));
	}
	*id = used->ring[r->next_used % r->size].id;
	*length = used->ring[r->next_used % r->size].len;
	r->next_used++;
	return true;
}

uint32_t rig_command(struct rig *rig, const void *request, size_t request_bytes, void *answer,
	size_t answer_bytes)
{
	uint32_t id, length;
	struct virtio_gpu_ctrl_hdr *header = rig_answer(rig);
	rig_submit(rig, 0, request, request_bytes, answer ? answer_bytes : sizeof(*header));
	if (!rig_wait_used(rig, 0, &id, &length, 20000))
		return 0;
	if (answer)
		memcpy(answer, header, answer_bytes);
	return header->type;
}

/* ---- display ---- */

static bool on_hello(void *user, const void *message, int *fds, unsigned n_fds)
{
	return ((const struct frame_hello *)message)->version == FRAME_LINK_VERSION;
}

static bool on_buffer_add(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct rig *rig = user;
	g_assert_cmpuint(rig->n_buffers, <, RIG_BUFFERS_MAX);
	struct rig_buffer *b = &rig->buffers[rig->n_buffers++];
	b->add = *(const struct frame_buffer_add *)message;
	b->pixels = shm_map(fds[0], b->add.size_bytes, false);
	return b->pixels != NULL;
}

static bool on_buffer_remove(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct rig *rig = user;
	uint32_t id = ((const struct frame_buffer_remove *)message)->buffer;
	for (unsigned i = 0; i < rig->n_buffers; i++) {
		if (rig->buffers[i].add.buffer != id)
			continue;
		shm_unmap((void *)rig->buffers[i].pixels, rig->buffers[i].add.size_bytes);
		rig->buffers[i] = rig->buffers[--rig->n_buffers];
		return true;
	}
	return false;
}

static bool on_head_on(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct rig *rig = user;
	const struct frame_head_on *on = message;
	rig->head_on[on->head] = *on;
	rig->head_is_on[on->head] = true;
	return true;
}

static bool on_head_off(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct rig *rig = user;
	rig->head_is_on[((const struct frame_head_off *)message)->head] = false;
	return true;
}

void rig_release(struct rig *rig, const struct frame_present *frame)
{
	struct frame_release release = { .header.type = FRAME_MESSAGE_RELEASE,
		.buffer = frame->buffer,
		.head = frame->head,
		.serial = frame->serial };
	g_assert_cmpint(link_send(rig->frame_fd, &release, sizeof(release), NULL, 0), ==, 0);
}

static bool on_frame(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct rig *rig = user;
	struct frame_present before = rig->frame;
	rig->frame = *(const struct frame_present *)message;
	/* We keep the last frame locked so that its pixels can be looked at. */
	if (!rig->keep_frames && rig->n_frames > 0 && before.serial != 0)
		rig_release(rig, &before);
	rig->n_frames++;
	return true;
}

static bool on_cursor_image(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct rig *rig = user;
	rig->cursor_image = *(const struct frame_cursor_image *)message;
	rig->n_cursor_images++;
	return true;
}

static bool on_cursor_move(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct rig *rig = user;
	rig->cursor_move = *(const struct frame_cursor_move *)message;
	rig->n_cursor_moves++;
	return true;
}

static bool on_cursor_hide(void *user, const void *message, int *fds, unsigned n_fds)
{
	((struct rig *)user)->n_cursor_hides++;
	return true;
}

static const struct link_handler display[] = {
	{ FRAME_MESSAGE_HELLO, "HELLO", sizeof(struct frame_hello), 0, 0, on_hello },
	{ FRAME_MESSAGE_BUFFER_ADD, "BUFFER_ADD", sizeof(struct frame_buffer_add), 1, 1,
		on_buffer_add },
	{ FRAME_MESSAGE_BUFFER_REMOVE, "BUFFER_REMOVE", sizeof(struct frame_buffer_remove), 0, 0,
		on_buffer_remove },
	{ FRAME_MESSAGE_HEAD_ON, "HEAD_ON", sizeof(struct frame_head_on), 0, 0, on_head_on },
	{ FRAME_MESSAGE_HEAD_OFF, "HEAD_OFF", sizeof(struct frame_head_off), 0, 0, on_head_off },
	{ FRAME_MESSAGE_PRESENT, "PRESENT", sizeof(struct frame_present), 0, 1, on_frame },
	{ FRAME_MESSAGE_CURSOR_IMAGE, "CURSOR_IMAGE", sizeof(struct frame_cursor_image), 0, 0,
		on_cursor_image },
	{ FRAME_MESSAGE_CURSOR_MOVE, "CURSOR_MOVE", sizeof(struct frame_cursor_move), 0, 0,
		on_cursor_move },
	{ FRAME_MESSAGE_CURSOR_HIDE, "CURSOR_HIDE", sizeof(struct frame_cursor_hide), 0, 0,
		on_cursor_hide },
};

bool rig_receive(struct rig *rig, int timeout_ms)
{
	if (!link_wait_readable(rig->frame_fd, timeout_ms))
		return false;
	int result;
	while ((result = link_dispatch(
			rig->frame_fd, "render", display, G_N_ELEMENTS(display), rig)) == 1)
		;
	g_assert_cmpint(result, ==, 0);
	return true;
}

bool rig_wait_frames(struct rig *rig, unsigned n)
{
	while (rig->n_frames < n) {
		if (!rig_receive(rig, 5000))
			return false;
	}
	return true;
}

void rig_set_rate(struct rig *rig, unsigned head, uint32_t rate_mhz)
{
	struct frame_rate_wanted rate = {
		.header.type = FRAME_MESSAGE_RATE_WANTED, .head = head, .rate_mhz = rate_mhz
	};
	g_assert_cmpint(link_send(rig->frame_fd, &rate, sizeof(rate), NULL, 0), ==, 0);
}

uint32_t rig_pixel(struct rig *rig, uint32_t x, uint32_t y)
{
	for (unsigned i = 0; i < rig->n_buffers; i++) {
		const struct rig_buffer *b = &rig->buffers[i];
		if (b->add.buffer != rig->frame.buffer)
			continue;
		const uint8_t *p = b->pixels +
				   (y + rig->frame.source_y) * (size_t)b->add.stride_bytes +
				   (x + rig->frame.source_x) * 4;
		return (uint32_t)(p[2] << 16 | p[1] << 8 | p[0]);
	}
	g_assert_not_reached();
}

/* ---- commands ---- */

uint32_t rig_create_2d(
	struct rig *rig, uint32_t id, uint32_t format, uint32_t width, uint32_t height)
{
	struct virtio_gpu_resource_create_2d c = { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		.resource_id = id,
		.format = format,
		.width = width,
		.height = height };
	return rig_command(rig, &c, sizeof(c), NULL, 0);
}

uint32_t rig_attach(struct rig *rig, uint32_t id, uint64_t guest_addr, uint64_t size_bytes,
	uint32_t entry_bytes)
{
	uint32_t n = (uint32_t)((size_bytes + entry_bytes - 1) / entry_bytes);
	size_t length = sizeof(struct virtio_gpu_resource_attach_backing) +
			n * sizeof(struct virtio_gpu_mem_entry);
	g_autofree struct virtio_gpu_resource_attach_backing *attach = g_malloc0(length);
	struct virtio_gpu_mem_entry *entries = (void *)(attach + 1);
	attach->hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING;
	attach->resource_id = id;
	attach->nr_entries = n;
	for (uint32_t i = 0; i < n; i++) {
		entries[i].addr = guest_addr + (uint64_t)i * entry_bytes;
		entries[i].length =
			(uint32_t)MIN(size_bytes - (uint64_t)i * entry_bytes, entry_bytes);
	}
	return rig_command(rig, attach, length, NULL, 0);
}

uint32_t rig_set_scanout(
	struct rig *rig, unsigned head, uint32_t id, uint32_t width, uint32_t height)
{
	struct virtio_gpu_set_scanout c = { .hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT,
		.r = { 0, 0, width, height },
		.scanout_id = head,
		.resource_id = id };
	return rig_command(rig, &c, sizeof(c), NULL, 0);
}

uint32_t rig_transfer_2d(struct rig *rig, uint32_t id, uint32_t width, struct virtio_gpu_rect rect)
{
	struct virtio_gpu_transfer_to_host_2d c = { .hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
		.r = rect,
		.offset = ((uint64_t)rect.y * width + rect.x) * 4,
		.resource_id = id };
	return rig_command(rig, &c, sizeof(c), NULL, 0);
}

void rig_begin_long_work(struct rig *rig, uint32_t id)
{
	const uint32_t side = RIG_LONG_WORK_SIDE, entry_bytes = 4 << 20;
	const struct virtio_gpu_rect all = { 0, 0, side, side };
	struct {
		struct virtio_gpu_resource_attach_backing attach;
		struct virtio_gpu_mem_entry entries[16];
	} attach = { .attach = { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
			     .resource_id = id,
			     .nr_entries = 16 } };
	const struct virtio_gpu_transfer_to_host_2d upload = {
		.hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, .r = all, .resource_id = id
	};
	g_assert_cmphex(rig_create_2d(rig, id, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, side, side), ==,
		VIRTIO_GPU_RESP_OK_NODATA);
	for (unsigned i = 0; i < G_N_ELEMENTS(attach.entries); i++)
		attach.entries[i] = (struct virtio_gpu_mem_entry){
			.addr = RIG_LOW_ADDR + entry_bytes * (1 + i % 3), .length = entry_bytes
		};
	g_assert_cmphex(
		rig_command(rig, &attach, sizeof(attach), NULL, 0), ==, VIRTIO_GPU_RESP_OK_NODATA);
	rig_submit(rig, 0, &upload, sizeof(upload), sizeof(struct virtio_gpu_ctrl_hdr));
	g_assert_true(rig_wait_taken(rig, 0, 60000));
}

uint32_t rig_flush(struct rig *rig, uint32_t id, struct virtio_gpu_rect rect)
{
	struct virtio_gpu_resource_flush c = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH, .r = rect, .resource_id = id
	};
	return rig_command(rig, &c, sizeof(c), NULL, 0);
}
