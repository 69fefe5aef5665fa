/* SPDX-License-Identifier: MIT */
#include "render/gpu_thread.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "protocol/flight_events.h"
#include "protocol/heartbeat_writer.h"
#include "protocol/keeper_link.h"
#include "protocol/stats_writer.h"
#include "render/buffers/buffer.h"
#include "render/commands/commands.h"
#include "render/gl/egl.h"
#include "render/gl/egl_gbm.h"
#include "render/gl/gpu_reset.h"
#include "render/gl/virgl.h"
#include "render/handover.h"
#include "render/memory_wait.h"
#include "render/objects/ledger_book.h"
#include "render/objects/objects.h"
#include "render/rebuild.h"
#include "render/ring/virtqueue.h"
#include "render/scanout/cursor.h"
#include "render/scanout/pacing.h"
#include "render/scanout/scanouts.h"

/* At most this many commands are taken before the loop looks at display and fences again. */
#define BATCH 32
/* Answers that are due wait no longer than this, and one command. */
#define BATCH_NS UINT64_C(4000000)
/* The loop looks at fences this often when virglrenderer offers nothing to sleep on. */
#define FENCE_POLL_NS (2 * 1000 * 1000)
/* A ring that is kicked may stay blank for so long before we take it for one that we do not see. */
#define BLANK_NS UINT64_C(3000000000)
#define NS_PER_US UINT64_C(1000)

struct gpu {
	/* These are constant once the thread has started. */
	const GThread *thread;
	struct gpu_options options;
	struct egl_choice choice;
	int fence_fd; /* readable: virgl_poll(); -1: none */
	struct objects *objects;
	struct scanouts *scanouts;
	struct commands *commands;
	struct virtqueue *control; /* of commands; locks itself */
	struct cursor *cursor;     /* of scanouts; locks itself */
	struct handover *handover; /* shared with the main thread, locks itself */

	/* The gpu thread alone touches these. */
	struct rebuild rebuild;
	struct memory_wait wait; /* of the rebuild, or of the command that is parked */
	bool has_drawn;          /* a fence has passed, and the GPU was well */
	bool has_taken;          /* a command: we see the guest's memory */
	uint64_t blank_due_ns;   /* when a ring that was kicked must not be blank any more; 0 */
	unsigned troubles_told;  /* a bit for each enum keeper_trouble */

	/* These belong to the thread's start. The lock guards them. */
	GMutex lock;
	GCond started;
	bool start_done, start_ok;
	char verdict[GPU_VERDICT_BYTES];
};

static bool is_gpu_thread(const struct gpu *gpu)
{
	return g_thread_self() == gpu->thread;
}

/* ---- work ---- */

static void accept_news(struct gpu *gpu)
{
	struct handover_takers takers = { gpu->objects, gpu->scanouts, gpu->commands, &gpu->rebuild,
		&gpu->wait };
	handover_accept(gpu->handover, &takers);
}

/*
 * Accepts what the keeper has said. It asks first whether the link was read: if so, all that it
 * brought is among the news.
 */
static void hear_keeper(struct gpu *gpu)
{
	bool keeper_read = handover_is_keeper_read(gpu->handover);
	if (handover_has_news(gpu->handover))
		accept_news(gpu);
	if (keeper_read)
		memory_wait_keeper_read(&gpu->wait, g_get_monotonic_time());
}

static void wait_for_memory(struct gpu *gpu)
{
	memory_wait_begin(&gpu->wait, g_get_monotonic_time());
	handover_ask_keeper(gpu->handover);
}

static void tell_trouble(struct gpu *gpu, enum keeper_trouble trouble)
{
	if (!gpu->options.trouble || (gpu->troubles_told & (1u << trouble)))
		return;
	gpu->troubles_told |= 1u << trouble;
	gpu->options.trouble(trouble);
}

/* Returns false while the rebuild waits for memory. */
static bool work_rebuild(struct gpu *gpu)
{
	if (!rebuild_is_wanted(&gpu->rebuild))
		return true;
	if (!objects_has_memory(gpu->objects))
		return false;
	heartbeat_start(HEARTBEAT_GPU, "rebuild");
	flight_note(FLIGHT_REBUILD, 0, 0, 0);
	if (!rebuild_work(&gpu->rebuild, memory_wait_is_allowed(&gpu->wait))) {
		wait_for_memory(gpu);
		return false;
	}
	memory_wait_finish(&gpu->wait);
	heartbeat_note_rebuilt();
	flight_note(FLIGHT_REBUILT, 0, 0, 0);
	/* Display may have asked for pictures before there was one. */
	scanouts_pump(gpu->scanouts);
	heartbeat_work(HEARTBEAT_GPU, "the loop", 0);
	return true;
}

/*
 * Takes the next command. We look for news after a chain was taken, so that what the main thread
 * handed over before it started the ring is in force before the ring's first command. If a reset
 * was among it, the chain belongs to the guest of before and is returned unanswered. If a ledger
 * was, the rebuild comes first and the chain is parked.
 */
static struct chain *take_command(struct gpu *gpu)
{
	struct chain *chain = commands_take(gpu->commands);
	gpu->has_taken |= chain != NULL;
	if (!chain || !handover_has_news(gpu->handover))
		return chain;
	accept_news(gpu);
	if (!virtqueue_is_current(gpu->control, chain)) {
		virtqueue_return(gpu->control, chain, NULL, 0);
		return take_command(gpu);
	}
	if (work_rebuild(gpu))
		return chain;
	commands_park(gpu->commands, chain);
	return NULL;
}

static bool execute(struct gpu *gpu, struct chain *chain)
{
	if (!commands_execute(gpu->commands, chain, memory_wait_is_allowed(&gpu->wait))) {
		wait_for_memory(gpu);
		return false;
	}
	if (gpu->wait.in_vain)
		tell_trouble(gpu, KEEPER_TROUBLE_BUFFERS_OUTSIDE);
	memory_wait_finish(&gpu->wait);
	return true;
}

/* Works the control queue for a while. Returns true when there may be more to do at once. */
static bool work_control(struct gpu *gpu)
{
	virtqueue_quiet(gpu->control);
	commands_answer_orphans(gpu->commands);
	uint64_t end_ns = monotonic_now_ns() + BATCH_NS;
	for (int n = 0; n < BATCH && monotonic_now_ns() < end_ns; n++) {
		struct chain *chain = take_command(gpu);
		if (!chain)
			return !commands_have_parked(gpu->commands) &&
			       virtqueue_listen(gpu->control);
		if (!execute(gpu, chain))
			return false;
	}
	return true;
}

/*
 * Does what there is to do, but what waits for memory holds back all that comes after it, since the
 * guest's commands keep their order.
 */
static bool work(struct gpu *gpu)
{
	if (memory_wait_goes_on(&gpu->wait, g_get_monotonic_time()) || !work_rebuild(gpu))
		return false;
	return work_control(gpu);
}

/* ---- the loop ---- */

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
	short frame_events;
	int frames = scanouts_get_poll(gpu->scanouts, &frame_events);
	fds[POLL_WAKE] = (struct pollfd){ handover_get_wake_fd(gpu->handover), POLLIN, 0 };
	fds[POLL_KICK] = (struct pollfd){ virtqueue_kick_fd(gpu->control), POLLIN, 0 };
	fds[POLL_FRAMES] = (struct pollfd){ frames, frame_events, 0 };
	fds[POLL_FENCES] = (struct pollfd){ gpu->fence_fd, POLLIN, 0 };
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		fds[POLL_HEADS + head] =
			(struct pollfd){ scanout_get_pending_fd(gpu->scanouts, head), POLLIN, 0 };
}

static uint64_t get_left_ns(const struct gpu *gpu)
{
	uint64_t due_ns = commands_get_due_ns(gpu->commands), left_ns = UINT64_MAX;
	if (gpu->blank_due_ns)
		due_ns = due_ns ? MIN(due_ns, gpu->blank_due_ns) : gpu->blank_due_ns;
	int64_t wait_us = memory_wait_left_us(&gpu->wait, g_get_monotonic_time());
	if (due_ns)
		left_ns = due_ns - MIN(monotonic_now_ns(), due_ns);
	if (gpu->options.virgl && gpu->fence_fd < 0 && commands_wait_for_gpu(gpu->commands))
		left_ns = MIN(left_ns, FENCE_POLL_NS);
	if (wait_us >= 0)
		left_ns = MIN(left_ns, (uint64_t)wait_us * NS_PER_US);
	return left_ns;
}

/* Returns how long to sleep, in *timeout, or NULL to sleep until something happens. */
static const struct timespec *poll_timeout(
	const struct gpu *gpu, bool more, struct timespec *timeout)
{
	bool now = more || handover_has_news(gpu->handover);
	uint64_t left_ns = now ? 0 : get_left_ns(gpu);
	*timeout = (struct timespec){ .tv_sec = (time_t)(left_ns / MONOTONIC_NS_PER_S),
		.tv_nsec = (long)(left_ns % MONOTONIC_NS_PER_S) };
	return left_ns == UINT64_MAX ? NULL : timeout;
}

/* A command that is parked was taken and is not executed. */
static void serve_cursor(struct gpu *gpu)
{
	uint16_t n_executed = virtqueue_get_taken(gpu->control);
	if (commands_have_parked(gpu->commands))
		n_executed--;
	scanouts_serve_cursor(gpu->scanouts, n_executed);
}

/*
 * Drivers write before they kick. But QEMU kicks by itself when it has started a ring, so who only
 * has not written yet is given time.
 */
static void take_kick(struct gpu *gpu)
{
	virtqueue_drain_kick(gpu->control);
	if (!gpu->has_taken && !gpu->blank_due_ns && virtqueue_is_blank(gpu->control))
		gpu->blank_due_ns = monotonic_now_ns() + BLANK_NS;
}

static void judge_blank(struct gpu *gpu)
{
	if (!gpu->blank_due_ns || monotonic_now_ns() < gpu->blank_due_ns)
		return;
	gpu->blank_due_ns = 0;
	if (!gpu->has_taken && virtqueue_is_blank(gpu->control))
		tell_trouble(gpu, KEEPER_TROUBLE_RING_EMPTY);
}

static void serve(struct gpu *gpu, const struct pollfd fds[POLL_N])
{
	if (fds[POLL_WAKE].revents) {
		handover_drain_wake(gpu->handover);
		serve_cursor(gpu);
	}
	if (fds[POLL_KICK].revents)
		take_kick(gpu);
	judge_blank(gpu);
	if (fds[POLL_FENCES].revents || (gpu->options.virgl && gpu->fence_fd < 0))
		virgl_poll();
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++) {
		if (fds[POLL_HEADS + head].revents)
			scanout_complete(gpu->scanouts, head);
	}
	if (fds[POLL_FRAMES].revents)
		scanouts_serve_link(gpu->scanouts, fds[POLL_FRAMES].revents);
}

static void run_once(struct gpu *gpu)
{
	struct pollfd fds[POLL_N];
	struct timespec timeout;
	g_assert(is_gpu_thread(gpu));
	hear_keeper(gpu);
	bool more = work(gpu);
	commands_settle(gpu->commands);
	if (cursor_is_open(gpu->cursor))
		serve_cursor(gpu);
	scanouts_follow_display(gpu->scanouts);
	prepare_poll(gpu, fds);
	const struct timespec *left = poll_timeout(gpu, more, &timeout);
	heartbeat_idle(HEARTBEAT_GPU);
	int n_ready = ppoll(fds, POLL_N, left, NULL);
	heartbeat_work(HEARTBEAT_GPU, "the loop", 0);
	if (n_ready < 0)
		return;
	commands_release(gpu->commands);
	serve(gpu, fds);
	scanouts_follow_display(gpu->scanouts);
}

/* ---- start ---- */

static void on_fence(void *user, uint32_t sequence)
{
	struct gpu *gpu = user;
	gpu->has_drawn = true;
	commands_work_is_done(gpu->commands, sequence);
}

/*
 * Ends the process, since nothing that the guest has drawn is sure any more, and the keeper makes
 * another one. A renderer that finds the GPU reset before it could do anything has not started: the
 * keeper pauses before it tries again, if that goes on. Who is guilty is told in any case.
 */
static void on_gpu_reset(
	void *user, enum gpu_reset_blame blame, uint32_t context, const char *gone_name)
{
	const struct gpu *gpu = user;
	bool unknown = blame == GPU_RESET_UNKNOWN;
	stats_add_guest(STATS_GPU_RESETS, 1);
	flight_note(FLIGHT_GPU_RESET, (uint64_t)blame, context, 0);
	if (!gpu->has_drawn && context == 0)
		heartbeat_start(HEARTBEAT_GPU, "GPU reset");
	else if (!unknown)
		heartbeat_work(HEARTBEAT_GPU, "GPU reset", context);
	if (gone_name)
		heartbeat_name_gone(gone_name);
	_exit(unknown ? KEEPER_EXIT_GPU_LOST : KEEPER_EXIT_GPU_RESET);
}

/*
 * A GPU may be reset while we start. That must not look like one that does not work, or a desktop
 * would be drawn by another one from then on. The CPU is never reset.
 */
static bool init_virgl(struct gpu *gpu)
{
	if (!gpu->choice.software)
		gpu_reset_watch(on_gpu_reset, gpu);
	bool ok = virgl_init(&gpu->choice, on_fence, gpu);
	gpu_reset_ask();
	return ok;
}

static bool fail(struct gpu *gpu, const char *why)
{
	g_strlcpy(gpu->verdict, why, sizeof(gpu->verdict));
	return false;
}

/* Each step has a beat of its own: it is the last word of a driver that crashes or hangs in it. */
static bool choose_and_init(struct gpu *gpu)
{
	const struct gpu_options *options = &gpu->options;
	heartbeat_start(HEARTBEAT_GPU, "starting OpenGL");
	if (!egl_choose(&gpu->choice, options->render_node, options->hardware))
		return fail(gpu, gpu->choice.description);
	heartbeat_start(HEARTBEAT_GPU, "starting virglrenderer");
	if (!init_virgl(gpu))
		return fail(gpu, "virglrenderer does not start on it");
	return true;
}

static bool start_2d(struct gpu *gpu)
{
	const char *render_node = gpu->options.render_node;
	g_strlcpy(gpu->verdict, "2D only: no virgl asked for", sizeof(gpu->verdict));
	if (render_node && !egl_check_node(render_node))
		return fail(gpu, g_strerror(errno));
	return true;
}

static bool start_virgl(struct gpu *gpu)
{
	if (!gpu->options.virgl)
		return start_2d(gpu);
	if (!choose_and_init(gpu))
		return false;
	gpu->fence_fd = virgl_get_poll_fd();
	commands_use_gl(gpu->commands);
	const struct buffer_interface *buffers = buffer_choose_for_cpu(&gpu->choice);
	const char *why = "";
	virgl_enter_gl();
	bool gpu_buffers = egl_gbm_is_usable(&why);
	if (!gpu_buffers && gpu->choice.platform == EGL_ON_GBM)
		g_message("no GPU buffers: %s", why);
	scanouts_use_gl(gpu->scanouts, buffers, gpu_buffers);
	g_strlcpy(gpu->verdict, gpu->choice.description, sizeof(gpu->verdict));
	g_message("virgl on %s; pictures in %s%s", gpu->choice.description, buffers->name,
		gpu_buffers ? ", or in GPU buffers for who takes them" : "");
	return true;
}

static gpointer thread_main(gpointer data)
{
	struct gpu *gpu = data;
	gpu->thread = g_thread_self();
	flight_begin_thread("gpu");
	bool ok = start_virgl(gpu);
	if (ok && gpu->options.is_spare)
		buffer_prepare();
	g_mutex_lock(&gpu->lock);
	gpu->start_done = true;
	gpu->start_ok = ok;
	g_cond_signal(&gpu->started);
	g_mutex_unlock(&gpu->lock);
	if (!ok)
		return NULL;
	for (;;)
		run_once(gpu);
}

/* ---- main thread ---- */

static struct gpu *create(const struct gpu_options *options)
{
	struct gpu *gpu = g_new0(struct gpu, 1);
	gpu->options = *options;
	gpu->fence_fd = -1;
	gpu->objects = objects_create(&options->quotas);
	gpu->scanouts = scanouts_create(gpu->objects, options->no_pacing);
	gpu->commands = commands_create(gpu->objects, gpu->scanouts, options->virgl);
	commands_tell_lost(gpu->commands, options->context_lost);
	gpu->control = commands_get_queue(gpu->commands);
	gpu->cursor = scanouts_get_cursor(gpu->scanouts);
	gpu->handover = handover_create();
	rebuild_init(&gpu->rebuild, gpu->objects, gpu->scanouts, options->virgl);
	g_mutex_init(&gpu->lock);
	g_cond_init(&gpu->started);
	return gpu;
}

struct gpu *gpu_start(const struct gpu_options *options, char verdict[GPU_VERDICT_BYTES])
{
	struct gpu *gpu = create(options);
	if (!gpu->handover) {
		g_strlcpy(
			verdict, "no descriptor is left to wake its thread by", GPU_VERDICT_BYTES);
		return NULL;
	}
	g_thread_unref(g_thread_new("gpu", thread_main, gpu));
	g_mutex_lock(&gpu->lock);
	while (!gpu->start_done)
		g_cond_wait(&gpu->started, &gpu->lock);
	g_mutex_unlock(&gpu->lock);
	memcpy(verdict, gpu->verdict, sizeof(gpu->verdict));
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

struct virtqueue *gpu_get_control_queue(struct gpu *gpu)
{
	return gpu->control;
}

struct cursor *gpu_get_cursor(struct gpu *gpu)
{
	return gpu->cursor;
}

void gpu_wake(struct gpu *gpu)
{
	handover_wake(gpu->handover);
}

void gpu_set_memory(struct gpu *gpu, struct memory *memory)
{
	g_assert(!is_gpu_thread(gpu));
	handover_set_memory(gpu->handover, memory);
	virtqueue_set_memory(gpu->control, memory);
}

void gpu_set_ledger(struct gpu *gpu, struct ledger_book *book)
{
	g_assert(!is_gpu_thread(gpu));
	virtqueue_set_ledger(gpu->control, ledger_book_get_ring(book, 0));
	handover_set_ledger(gpu->handover, book);
}

void gpu_set_frame_link(struct gpu *gpu, int fd)
{
	handover_set_frame_link(gpu->handover, fd);
}

/*
 * Resets the ring before it hands over the reset, so that the chains are worthless before the
 * objects go. So a chain that the gpu thread holds is executed among the old objects, or not at
 * all.
 */
void gpu_set_first_mode(struct gpu *gpu, uint32_t width, uint32_t height, uint32_t refresh_mhz)
{
	handover_set_first_mode(gpu->handover, width, height, refresh_mhz);
}

void gpu_reset(struct gpu *gpu)
{
	g_assert(!is_gpu_thread(gpu));
	virtqueue_reset(gpu->control);
	handover_set_reset(gpu->handover);
	cursor_reset(gpu->cursor);
}

int gpu_get_ask_fd(const struct gpu *gpu)
{
	return handover_get_ask_fd(gpu->handover);
}

unsigned gpu_take_request(struct gpu *gpu)
{
	return handover_take_request(gpu->handover);
}

void gpu_keeper_read(struct gpu *gpu, unsigned request)
{
	g_assert(!is_gpu_thread(gpu));
	handover_keeper_read(gpu->handover, request);
}
