/* SPDX-License-Identifier: MIT */
#include "render/gpu_thread.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "protocol/stats_writer.h"
#include "render/commands/command.h"
#include "render/rebuild.h"
#include "render/gl/virgl.h"

/* Commands taken before looking at display and fences again. */
#define BATCH 32
/* How often to look at fences when virglrenderer offers nothing to sleep on. */
#define FENCE_POLL_NS (2 * 1000 * 1000)
#define NS_PER_S UINT64_C(1000000000)
/* How long the main thread may take to read the keeper link to its end. */
#define CATCH_UP_US (200 * 1000)
/* How long the keeper may hold a memory table back, and how often a guest may make us wait for
 * that. */
#define MEMORY_WAIT_US (50 * 1000)
#define MEMORY_WAIT_INTERVAL_US G_USEC_PER_SEC

/* ---- objects ---- */

struct resource *gpu_find_resource(struct gpu *gpu, uint32_t id)
{
	return g_hash_table_lookup(gpu->resources, GUINT_TO_POINTER(id));
}

bool gpu_has_context(const struct gpu *gpu, uint32_t id)
{
	return g_hash_table_contains(gpu->contexts, GUINT_TO_POINTER(id));
}

void gpu_remove_resource(struct gpu *gpu, struct resource *resource)
{
	uint32_t id = resource->id;
	scanout_forget_resource(gpu, resource);
	ledger_book_remove_resource(gpu->ledger, id);
	cursor_remove_resource(gpu->cursor, id);
	g_hash_table_remove(gpu->resources, GUINT_TO_POINTER(id));
	if (resource->description.is_3d)
		virgl_destroy_resource(id);
	resource_destroy(resource);
}

void gpu_clear(struct gpu *gpu)
{
	GHashTableIter iter;
	gpointer key, value;
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		scanout_disable(gpu, head);
	g_hash_table_iter_init(&iter, gpu->contexts);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		virgl_destroy_context(GPOINTER_TO_UINT(key));
	answer_queue_renew(gpu->answers);
	painters_clear(&gpu->painters);
	g_hash_table_remove_all(gpu->contexts);
	g_autoptr(GList) resources = g_hash_table_get_values(gpu->resources);
	for (GList *l = resources; l; l = l->next) {
		value = l->data;
		gpu_remove_resource(gpu, value);
	}
	ledger_book_clear_objects(gpu->ledger);
}

/* ---- what the main thread hands over ---- */

struct handover {
	struct memory *memory;
	struct ledger_book *ledger;
	int frame_link;
	bool reset;
};

static struct handover take_handover(struct gpu *gpu)
{
	struct handover h;
	g_mutex_lock(&gpu->lock);
	h = (struct handover){ gpu->new_memory, gpu->new_ledger, gpu->new_frame_link,
		gpu->reset_wanted };
	gpu->new_memory = NULL;
	gpu->new_ledger = NULL;
	gpu->new_frame_link = -1;
	gpu->reset_wanted = false;
	__atomic_store_n(&gpu->handover, 0, __ATOMIC_RELAXED);
	g_mutex_unlock(&gpu->lock);
	return h;
}

static void attach_frame_link(struct gpu *gpu, int fd)
{
	frame_sender_attach(gpu->frames, fd);
	cursor_set_link(gpu->cursor, fd);
	if (!cursor_send_waiting(gpu->cursor))
		frame_sender_ask_room(gpu->frames);
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		scanout_change_formats(gpu, head);
		scanout_damage_all(gpu, head);
	}
}

static void use_memory(struct gpu *gpu, struct memory *memory)
{
	memory_unref(gpu->memory);
	gpu->memory = memory;
	if (!gpu->rebuild_wanted)
		return;
	gpu->rebuild_wanted = false;
	rebuild_objects(gpu);
	/* Display may have asked for pictures before there was one. */
	scanout_pump_all(gpu);
}

static void accept_handover(struct gpu *gpu)
{
	struct handover h = take_handover(gpu);
	if (h.ledger) {
		ledger_book_close(gpu->ledger);
		gpu->ledger = h.ledger;
		gpu->rebuild_wanted = true;
	}
	if (h.reset) {
		answer_queue_clear(gpu->answers);
		gpu_clear(gpu);
		gpu->rebuild_wanted = false;
	}
	if (h.frame_link >= 0)
		attach_frame_link(gpu, h.frame_link);
	if (h.memory)
		use_memory(gpu, h.memory);
}

static bool has_handover(const struct gpu *gpu)
{
	return __atomic_load_n(&gpu->handover, __ATOMIC_ACQUIRE);
}

static void read_keeper(struct gpu *gpu)
{
	gint64 deadline_us = g_get_monotonic_time() + CATCH_UP_US;
	uint64_t one = 1;
	g_mutex_lock(&gpu->lock);
	gpu->catch_up_wanted = true;
	if (write(gpu->catch_up_fd, &one, sizeof(one)) < 0)
		g_debug("gpu: catch up: %s", g_strerror(errno));
	while (gpu->catch_up_wanted)
		if (!g_cond_wait_until(&gpu->caught_up, &gpu->lock, deadline_us))
			break;
	g_mutex_unlock(&gpu->lock);
	if (has_handover(gpu))
		accept_handover(gpu);
}

static void wait_for_keeper(struct gpu *gpu)
{
	gint64 now_us = g_get_monotonic_time();
	if (gpu->last_wait_us != 0 && now_us - gpu->last_wait_us < MEMORY_WAIT_INTERVAL_US)
		return;
	gpu->last_wait_us = now_us;
	g_mutex_lock(&gpu->lock);
	while (!gpu->new_memory)
		if (!g_cond_wait_until(&gpu->handed_over, &gpu->lock, now_us + MEMORY_WAIT_US))
			break;
	g_mutex_unlock(&gpu->lock);
	if (has_handover(gpu))
		accept_handover(gpu);
}

bool gpu_catch_up(struct gpu *gpu)
{
	const struct memory *before = gpu->memory;
	read_keeper(gpu);
	if (gpu->memory == before)
		wait_for_keeper(gpu);
	return gpu->memory != before;
}

/* ---- the thread ---- */

/*
 * What was handed over before the ring started is in force before its first chain is executed: it
 * is looked at after the chain was taken. A reset in between makes the chain worthless.
 */
static void execute(struct gpu *gpu, struct chain *chain)
{
	if (has_handover(gpu)) {
		accept_handover(gpu);
		if (!virtqueue_is_current(gpu->control, chain)) {
			virtqueue_return(gpu->control, chain, NULL, 0);
			return;
		}
	}
	if (chain->fault && gpu_catch_up(gpu))
		chain = virtqueue_read_again(gpu->control, chain);
	command_execute(gpu, chain);
}

/* True when there may be more. */
static bool work_control(struct gpu *gpu)
{
	struct chain *chain;
	virtqueue_quiet(gpu->control);
	rebuild_answer_orphans(gpu);
	for (int n = 0; n < BATCH; n++) {
		chain = virtqueue_try_take(gpu->control);
		if (!chain)
			return virtqueue_listen(gpu->control);
		execute(gpu, chain);
	}
	return true;
}

static void fetch_cursor(struct gpu *gpu, uint32_t id)
{
	struct resource *resource = gpu_find_resource(gpu, id);
	uint8_t pixels[FRAME_CURSOR_SIZE * FRAME_CURSOR_SIZE * 4] = { 0 };
	if (!resource) {
		cursor_remove_resource(gpu->cursor, id);
		return;
	}
	if (!resource->description.is_3d) {
		cursor_publish(gpu->cursor, id, resource_peek_pixels(resource), false);
		return;
	}
	struct rect all = { 0, 0, FRAME_CURSOR_SIZE, FRAME_CURSOR_SIZE };
	struct texture texture;
	if (virgl_resource_get_texture(&resource->description, &texture))
		readback_texture(&texture, &all, pixels, FRAME_CURSOR_SIZE * 4);
	cursor_publish(gpu->cursor, id, pixels, false);
}

static void serve_cursor(struct gpu *gpu)
{
	uint32_t id;
	while ((id = cursor_take_request(gpu->cursor)))
		fetch_cursor(gpu, id);
	if (!cursor_send_waiting(gpu->cursor))
		frame_sender_ask_room(gpu->frames);
}

enum {
	POLL_WAKE,
	POLL_KICK,
	POLL_FRAMES,
	POLL_FENCES,
	POLL_HEADS,
	POLL_N = POLL_HEADS + FRAME_HEADS_MAX
};

static void prepare_poll(struct gpu *gpu, struct pollfd fds[POLL_N])
{
	bool out = frame_sender_wants_room(gpu->frames);
	fds[POLL_WAKE] = (struct pollfd){ gpu->wake_fd, POLLIN, 0 };
	fds[POLL_KICK] = (struct pollfd){ virtqueue_kick_fd(gpu->control), POLLIN, 0 };
	fds[POLL_FRAMES] = (struct pollfd){ frame_sender_get_fd(gpu->frames),
		(short)(POLLIN | (out ? POLLOUT : 0)), 0 };
	fds[POLL_FENCES] = (struct pollfd){ gpu->fence_fd, POLLIN, 0 };
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		fds[POLL_HEADS + head] =
			(struct pollfd){ scanout_get_pending_fd(gpu, head), POLLIN, 0 };
}

static void drain_wake(struct gpu *gpu)
{
	uint64_t count;
	if (read(gpu->wake_fd, &count, sizeof(count)) < 0)
		g_debug("gpu: wake: %s", g_strerror(errno));
}

static void serve_frames(struct gpu *gpu, short events)
{
	if (events & (POLLIN | POLLHUP | POLLERR))
		frame_sender_receive(gpu->frames);
	if (events & POLLOUT) {
		frame_sender_send_waiting(gpu->frames);
		if (!cursor_send_waiting(gpu->cursor))
			frame_sender_ask_room(gpu->frames);
		scanout_pump_all(gpu);
	}
}

/* How long to sleep; NULL: until something happens. */
static const struct timespec *poll_timeout(
	const struct gpu *gpu, bool more, struct timespec *timeout)
{
	uint64_t due_ns = answer_queue_get_due_ns(gpu->answers),
		 now_ns = due_ns ? pacing_now_ns() : 0;
	uint64_t left_ns = due_ns ? due_ns - MIN(now_ns, due_ns) : UINT64_MAX;
	if (more || has_handover(gpu))
		left_ns = 0;
	else if (gpu->options.virgl && gpu->fence_fd < 0 && answer_queue_is_waiting(gpu->answers))
		left_ns = MIN(left_ns, FENCE_POLL_NS);
	*timeout = (struct timespec){ .tv_sec = (time_t)(left_ns / NS_PER_S),
		.tv_nsec = (long)(left_ns % NS_PER_S) };
	return left_ns == UINT64_MAX ? NULL : timeout;
}

static void run_once(struct gpu *gpu)
{
	struct pollfd fds[POLL_N];
	if (has_handover(gpu))
		accept_handover(gpu);
	bool more = work_control(gpu);
	prepare_poll(gpu, fds);
	struct timespec timeout;
	if (ppoll(fds, POLL_N, poll_timeout(gpu, more, &timeout), NULL) < 0)
		return;
	answer_queue_release(gpu->answers);
	if (fds[POLL_WAKE].revents) {
		drain_wake(gpu);
		serve_cursor(gpu);
	}
	if (fds[POLL_KICK].revents)
		virtqueue_drain_kick(gpu->control);
	if (fds[POLL_FENCES].revents || (gpu->options.virgl && gpu->fence_fd < 0))
		virgl_poll();
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		if (fds[POLL_HEADS + head].revents)
			scanout_complete(gpu, head);
	}
	if (fds[POLL_FRAMES].revents)
		serve_frames(gpu, fds[POLL_FRAMES].revents);
}

static void on_fence(void *user, uint32_t sequence)
{
	struct gpu *gpu = user;
	answer_queue_signal(gpu->answers, sequence);
}

static bool use_software(struct gpu *gpu)
{
	if (!egl_choose(&gpu->choice, NULL, true) || !virgl_init(&gpu->choice, on_fence, gpu))
		return false;
	g_message("the GPU does not work: drawing with the CPU instead");
	return true;
}

/* A render node that was asked for by name must work, the first time. */
static bool choose_and_init(struct gpu *gpu)
{
	const struct gpu_options *options = &gpu->options;
	bool chosen = egl_choose(&gpu->choice, options->render_node, options->software);
	if (chosen && virgl_init(&gpu->choice, on_fence, gpu))
		return true;
	bool was_node = chosen ? gpu->choice.render_node_fd >= 0 : options->render_node != NULL;
	egl_abandon(&gpu->choice);
	return was_node && (options->fall_back || !options->render_node) && use_software(gpu);
}

static bool start_virgl(struct gpu *gpu)
{
	const char *render_node = gpu->options.render_node;
	if (!gpu->options.virgl) {
		g_message("2D only: no virgl asked for");
		return !render_node || egl_check_node(render_node) || gpu->options.fall_back;
	}
	if (!choose_and_init(gpu))
		return false;
	gpu->fence_fd = virgl_get_poll_fd();
	gpu->buffers = egl_buffer_interface(&gpu->choice);
	gpu->gpu_buffers = egl_display_get_gbm() != NULL;
	g_message("virgl on %s; pictures in %s%s", gpu->choice.description, gpu->buffers->name,
		gpu->gpu_buffers ? ", or in GPU buffers for who takes them" : "");
	return true;
}

static gpointer thread_main(gpointer data)
{
	struct gpu *gpu = data;
	bool ok = start_virgl(gpu);
	g_mutex_lock(&gpu->lock);
	gpu->start_done = true;
	gpu->start_ok = ok;
	g_cond_signal(&gpu->started);
	g_mutex_unlock(&gpu->lock);
	while (ok)
		run_once(gpu);
	return NULL;
}

/* ---- frame link events ---- */

static void heads_wanted(void *user, const struct frame_heads_wanted *wanted)
{
	struct gpu *gpu = user;
	modes_set(&gpu->modes, wanted);
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		scanout_tell_head(gpu, head);
}

static void rate_changed(void *user, unsigned head, uint32_t was_mhz)
{
	struct gpu *gpu = user;
	stats_set(head, STATS_WANTED_MHZ, frame_sender_get_rate(gpu->frames, head));
	if (was_mhz == 0)
		scanout_damage_all(gpu, head);
	scanout_pump(gpu, head);
}

static void released(void *user, unsigned head)
{
	scanout_pump(user, head);
}

static void formats_changed(void *user, unsigned head)
{
	scanout_change_formats(user, head);
}

static const struct frame_sender_listener listener = {
	.formats_changed = formats_changed,
	.heads_wanted = heads_wanted,
	.rate_changed = rate_changed,
	.released = released,
};

/* ---- main thread ---- */

static struct gpu *create(const struct gpu_options *options)
{
	struct gpu *gpu = g_new0(struct gpu, 1);
	gpu->options = *options;
	gpu->control = virtqueue_create("control");
	gpu->cursor = cursor_create();
	gpu->resources = g_hash_table_new(NULL, NULL);
	gpu->contexts = g_hash_table_new(NULL, NULL);
	gpu->buffers = &buffer_memfd;
	gpu->quota_2d.limit_bytes = options->quota_2d_bytes;
	gpu->quota_3d.limit_bytes = QUOTA_TEXTURES_BYTES;
	modes_init(&gpu->modes);
	gpu->pacing.off = options->no_pacing;
	painters_init(&gpu->painters);
	gpu->answers = answer_queue_create(gpu->control);
	gpu->frames = frame_sender_create(&listener, gpu);
	gpu->new_frame_link = gpu->fence_fd = -1;
	gpu->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	gpu->catch_up_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g_mutex_init(&gpu->lock);
	g_cond_init(&gpu->caught_up);
	g_cond_init(&gpu->handed_over);
	g_cond_init(&gpu->started);
	return gpu;
}

struct gpu *gpu_start(const struct gpu_options *options)
{
	struct gpu *gpu = create(options);
	gpu->thread = g_thread_new("gpu", thread_main, gpu);
	g_mutex_lock(&gpu->lock);
	while (!gpu->start_done)
		g_cond_wait(&gpu->started, &gpu->lock);
	g_mutex_unlock(&gpu->lock);
	return gpu->start_ok ? gpu : NULL;
}

uint32_t gpu_count_capsets(const struct gpu *gpu)
{
	struct virgl_capset capset;
	uint32_t n = 0;
	while (gpu->options.virgl && virgl_get_capset(n, &capset))
		n++;
	return n;
}

void gpu_wake(struct gpu *gpu)
{
	uint64_t one = 1;
	if (write(gpu->wake_fd, &one, sizeof(one)) < 0)
		g_debug("gpu: wake: %s", g_strerror(errno));
}

/* The lock is held by the caller. */
static void announce_handover(struct gpu *gpu)
{
	__atomic_store_n(&gpu->handover, 1, __ATOMIC_RELEASE);
	g_cond_signal(&gpu->handed_over);
	gpu_wake(gpu);
}

void gpu_caught_up(struct gpu *gpu)
{
	uint64_t count;
	if (read(gpu->catch_up_fd, &count, sizeof(count)) < 0)
		return;
	g_mutex_lock(&gpu->lock);
	gpu->catch_up_wanted = false;
	g_cond_signal(&gpu->caught_up);
	g_mutex_unlock(&gpu->lock);
}

void gpu_set_memory(struct gpu *gpu, struct memory *memory)
{
	g_mutex_lock(&gpu->lock);
	memory_unref(gpu->new_memory);
	gpu->new_memory = memory_ref(memory);
	announce_handover(gpu);
	g_mutex_unlock(&gpu->lock);
	virtqueue_set_memory(gpu->control, memory);
}

void gpu_set_ledger(struct gpu *gpu, struct ledger_book *book)
{
	virtqueue_set_ledger(gpu->control, ledger_book_get_ring(book, 0));
	g_mutex_lock(&gpu->lock);
	ledger_book_close(gpu->new_ledger);
	gpu->new_ledger = book;
	announce_handover(gpu);
	g_mutex_unlock(&gpu->lock);
}

void gpu_set_frame_link(struct gpu *gpu, int fd)
{
	g_mutex_lock(&gpu->lock);
	if (gpu->new_frame_link >= 0)
		close(gpu->new_frame_link);
	gpu->new_frame_link = fd;
	announce_handover(gpu);
	g_mutex_unlock(&gpu->lock);
}

void gpu_reset(struct gpu *gpu)
{
	g_mutex_lock(&gpu->lock);
	gpu->reset_wanted = true;
	announce_handover(gpu);
	g_mutex_unlock(&gpu->lock);
	virtqueue_reset(gpu->control);
	cursor_reset(gpu->cursor);
}
