/* SPDX-License-Identifier: MIT */
#include "render/gpu_thread.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#include "protocol/stats_writer.h"
#include "render/commands/command.h"
#include "render/rebuild.h"
#include "render/gl/virgl.h"

/* Commands taken before looking at display and fences again. */
#define BATCH 32
/* How often to look at fences when virglrenderer offers nothing to sleep on. */
#define FENCE_POLL_NS (2 * 1000 * 1000)
#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_US UINT64_C(1000)

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

/* ---- news of the main thread: see handover.h ---- */

void gpu_use_ledger(struct gpu *gpu, struct ledger_book *book)
{
	ledger_book_close(gpu->ledger);
	gpu->ledger = book;
	rebuild_want(&gpu->rebuild);
}

void gpu_forget_guest(struct gpu *gpu)
{
	rebuild_drop(&gpu->rebuild);
	command_drop_parked(gpu);
	memory_wait_finish(&gpu->wait);
	answer_queue_clear(gpu->answers);
	gpu_clear(gpu);
}

void gpu_use_frame_link(struct gpu *gpu, int fd)
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

void gpu_use_memory(struct gpu *gpu, struct memory *memory)
{
	memory_unref(gpu->memory);
	gpu->memory = memory;
	memory_wait_new_table(&gpu->wait);
}

/* Whether the link was read is asked first: what came with it is news by then. */
static void hear_keeper(struct gpu *gpu)
{
	bool keeper_read = handover_is_keeper_read(gpu->handover);
	if (handover_has_news(gpu->handover))
		handover_accept(gpu->handover, gpu);
	if (keeper_read)
		memory_wait_keeper_read(&gpu->wait, g_get_monotonic_time());
}

/* ---- work ---- */

static void wait_for_memory(struct gpu *gpu)
{
	memory_wait_begin(&gpu->wait, g_get_monotonic_time());
	handover_ask_keeper(gpu->handover);
}

/* False while it waits for memory. */
static bool work_rebuild(struct gpu *gpu)
{
	if (!rebuild_is_wanted(&gpu->rebuild))
		return true;
	if (!gpu->memory)
		return false;
	if (!rebuild_work(&gpu->rebuild, gpu, memory_wait_is_allowed(&gpu->wait))) {
		wait_for_memory(gpu);
		return false;
	}
	memory_wait_finish(&gpu->wait);
	/* Display may have asked for pictures before there was one. */
	scanout_pump_all(gpu);
	return true;
}

/*
 * What was handed over before the ring started is in force before its first chain is executed: it
 * is looked at after the chain was taken. A reset in between makes the chain worthless, and a
 * rebuild comes first.
 */
static struct chain *take_command(struct gpu *gpu)
{
	struct chain *chain = command_take(gpu);
	if (!chain || !handover_has_news(gpu->handover))
		return chain;
	handover_accept(gpu->handover, gpu);
	if (!virtqueue_is_current(gpu->control, chain)) {
		virtqueue_return(gpu->control, chain, NULL, 0);
		return take_command(gpu);
	}
	if (work_rebuild(gpu))
		return chain;
	command_park(gpu, chain);
	return NULL;
}

static bool execute(struct gpu *gpu, struct chain *chain)
{
	if (!command_execute(gpu, chain, memory_wait_is_allowed(&gpu->wait))) {
		wait_for_memory(gpu);
		return false;
	}
	memory_wait_finish(&gpu->wait);
	return true;
}

/* True when there may be more. */
static bool work_control(struct gpu *gpu)
{
	virtqueue_quiet(gpu->control);
	rebuild_answer_orphans(gpu);
	for (int n = 0; n < BATCH; n++) {
		struct chain *chain = take_command(gpu);
		if (!chain)
			return !command_is_parked(gpu) && virtqueue_listen(gpu->control);
		if (!execute(gpu, chain))
			return false;
	}
	return true;
}

/* What waits for memory holds back all that comes after it: the guest's commands keep their order.
 */
static bool work(struct gpu *gpu)
{
	if (memory_wait_goes_on(&gpu->wait, g_get_monotonic_time()) || !work_rebuild(gpu))
		return false;
	return work_control(gpu);
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
	fds[POLL_WAKE] = (struct pollfd){ handover_get_wake_fd(gpu->handover), POLLIN, 0 };
	fds[POLL_KICK] = (struct pollfd){ virtqueue_kick_fd(gpu->control), POLLIN, 0 };
	fds[POLL_FRAMES] = (struct pollfd){ frame_sender_get_fd(gpu->frames),
		(short)(POLLIN | (out ? POLLOUT : 0)), 0 };
	fds[POLL_FENCES] = (struct pollfd){ gpu->fence_fd, POLLIN, 0 };
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		fds[POLL_HEADS + head] =
			(struct pollfd){ scanout_get_pending_fd(gpu, head), POLLIN, 0 };
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
	int64_t wait_us = memory_wait_left_us(&gpu->wait, g_get_monotonic_time());
	if (wait_us >= 0)
		left_ns = MIN(left_ns, (uint64_t)wait_us * NS_PER_US);
	if (more || handover_has_news(gpu->handover))
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
	hear_keeper(gpu);
	bool more = work(gpu);
	prepare_poll(gpu, fds);
	struct timespec timeout;
	if (ppoll(fds, POLL_N, poll_timeout(gpu, more, &timeout), NULL) < 0)
		return;
	answer_queue_release(gpu->answers);
	if (fds[POLL_WAKE].revents) {
		handover_drain_wake(gpu->handover);
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
	gpu->fence_fd = -1;
	gpu->handover = handover_create();
	g_mutex_init(&gpu->lock);
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
	handover_wake(gpu->handover);
}

void gpu_set_memory(struct gpu *gpu, struct memory *memory)
{
	handover_set_memory(gpu->handover, memory);
	virtqueue_set_memory(gpu->control, memory);
}

void gpu_set_ledger(struct gpu *gpu, struct ledger_book *book)
{
	virtqueue_set_ledger(gpu->control, ledger_book_get_ring(book, 0));
	handover_set_ledger(gpu->handover, book);
}

void gpu_set_frame_link(struct gpu *gpu, int fd)
{
	handover_set_frame_link(gpu->handover, fd);
}

/*
 * Chains are worthless before the objects go: one that the gpu thread holds is executed among the
 * objects of before, or not at all.
 */
void gpu_reset(struct gpu *gpu)
{
	virtqueue_reset(gpu->control);
	handover_set_reset(gpu->handover);
	cursor_reset(gpu->cursor);
}
