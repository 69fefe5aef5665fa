/* SPDX-License-Identifier: MIT */
#include "render/keeper_end.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "common/own_memory.h"
#include "protocol/flight_events.h"
#include "protocol/heartbeat_writer.h"
#include "protocol/keeper_link.h"
#include "protocol/stats_writer.h"
#include "render/gpu_thread.h"
#include "render/objects/ledger_book.h"
#include "render/ring/memory.h"
#include "render/ring/virtqueue.h"
#include "render/scanout/cursor.h"

enum { RING_CONTROL, RING_CURSOR };

/* The keeper answers READY within this time, unless nobody hears a spare one's. */
#define AWAIT_FIRST_MS 300

struct keeper_end {
	int fd;
	struct gpu *gpu;
	struct virtqueue *rings[KEEPER_RINGS];
	struct memory *building; /* between MEMORY_BEGIN and MEMORY_COMMIT */
	unsigned regions_due;
	bool has_ledger;
};

static bool handle_ledger(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	if (keeper->has_ledger)
		return false;
	struct ledger_book *book = ledger_book_open(fds[0]);
	if (!book)
		return false;
	keeper->has_ledger = true;
	virtqueue_set_ledger(keeper->rings[RING_CURSOR], ledger_book_get_ring(book, RING_CURSOR));
	gpu_set_ledger(keeper->gpu, book);
	return true;
}

static bool handle_stats(void *user, const void *message, int *fds, unsigned n_fds)
{
	return stats_attach(fds[0], STATS_RENDER);
}

static bool handle_frame_link(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	flight_note(FLIGHT_FRAME_LINK, 0, 0, 0);
	gpu_set_frame_link(keeper->gpu, fds[0]);
	fds[0] = -1;
	return true;
}

static bool handle_features(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	const struct keeper_features *features = message;
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		virtqueue_set_features(keeper->rings[i], features->features);
	return true;
}

static bool handle_memory_begin(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	const struct keeper_memory_begin *begin = message;
	if (begin->n_regions > KEEPER_MEMORY_REGIONS_MAX)
		return false;
	memory_unref(keeper->building);
	keeper->building = memory_create();
	keeper->regions_due = begin->n_regions;
	flight_note(FLIGHT_MEMORY_TABLE, begin->n_regions, 0, 0);
	return true;
}

static bool handle_memory_region(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	if (!keeper->building || keeper->regions_due == 0)
		return false;
	keeper->regions_due--;
	return memory_add_region(keeper->building, message, fds[0]);
}

static bool handle_memory_commit(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	if (!keeper->building || keeper->regions_due != 0)
		return false;
	gpu_set_memory(keeper->gpu, keeper->building);
	virtqueue_set_memory(keeper->rings[RING_CURSOR], keeper->building);
	memory_unref(keeper->building);
	keeper->building = NULL;
	return true;
}

static bool handle_ring_start(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	const struct keeper_ring_start *start = message;
	if (start->ring >= KEEPER_RINGS)
		return false;
	int kick_fd = fds[0], call_fd = n_fds > 1 ? fds[1] : -1;
	for (unsigned i = 0; i < n_fds; i++)
		fds[i] = -1;
	flight_note(FLIGHT_RING_STARTED, start->ring, start->size, start->next_avail);
	virtqueue_start(keeper->rings[start->ring], start, kick_fd, call_fd);
	if (start->ring == RING_CONTROL)
		gpu_wake(keeper->gpu);
	return true;
}

static bool handle_ring_call(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	const struct keeper_ring_call *call = message;
	if (call->ring >= KEEPER_RINGS)
		return false;
	virtqueue_set_call(keeper->rings[call->ring], n_fds > 0 ? fds[0] : -1);
	if (n_fds > 0)
		fds[0] = -1;
	return true;
}

static bool handle_ring_stop(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	const struct keeper_ring_stop *stop = message;
	if (stop->ring >= KEEPER_RINGS)
		return false;
	struct keeper_ring_stopped stopped = { .header.type = KEEPER_MESSAGE_RING_STOPPED,
		.ring = stop->ring,
		.serial = stop->serial,
		.next_avail = virtqueue_stop(keeper->rings[stop->ring]),
		.next_used = virtqueue_get_used(keeper->rings[stop->ring]) };
	flight_note(FLIGHT_RING_STOPPED, stop->ring, stopped.next_avail, 0);
	if (stop->ring == RING_CONTROL)
		gpu_wake(keeper->gpu);
	return link_send(keeper->fd, &stopped, sizeof(stopped), NULL, 0) == 0;
}

static bool handle_dirty_log(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	const struct keeper_dirty_log *m = message;
	struct dirty_log *log =
		n_fds > 0 ? dirty_log_open(fds[0], m->offset_bytes, m->size_bytes) : NULL;
	/* A guest whose writing is not told of must not be saved as if it were whole. */
	if (n_fds > 0 && !log)
		return false;
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		virtqueue_set_log(keeper->rings[i], log);
	dirty_log_unref(log);
	return true;
}

static bool handle_first_mode(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	const struct keeper_first_mode *first = message;
	gpu_set_first_mode(keeper->gpu, first->width, first->height, first->refresh_mhz);
	return true;
}

static bool handle_reset(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct keeper_end *keeper = user;
	virtqueue_reset(keeper->rings[RING_CURSOR]);
	gpu_reset(keeper->gpu);
	return true;
}

static const struct link_handler handlers[] = {
	{ KEEPER_MESSAGE_LEDGER, "LEDGER", sizeof(struct keeper_ledger), 1, 1, handle_ledger },
	{ KEEPER_MESSAGE_STATS, "STATS", sizeof(struct keeper_stats), 1, 1, handle_stats },
	{ KEEPER_MESSAGE_FRAME_LINK, "FRAME_LINK", sizeof(struct keeper_frame_link), 1, 1,
		handle_frame_link },
	{ KEEPER_MESSAGE_FEATURES, "FEATURES", sizeof(struct keeper_features), 0, 0,
		handle_features },
	{ KEEPER_MESSAGE_MEMORY_BEGIN, "MEMORY_BEGIN", sizeof(struct keeper_memory_begin), 0, 0,
		handle_memory_begin },
	{ KEEPER_MESSAGE_MEMORY_REGION, "MEMORY_REGION", sizeof(struct keeper_memory_region), 1, 1,
		handle_memory_region },
	{ KEEPER_MESSAGE_MEMORY_COMMIT, "MEMORY_COMMIT", sizeof(struct keeper_memory_commit), 0, 0,
		handle_memory_commit },
	{ KEEPER_MESSAGE_RING_START, "RING_START", sizeof(struct keeper_ring_start), 1, 2,
		handle_ring_start },
	{ KEEPER_MESSAGE_RING_CALL, "RING_CALL", sizeof(struct keeper_ring_call), 0, 1,
		handle_ring_call },
	{ KEEPER_MESSAGE_RING_STOP, "RING_STOP", sizeof(struct keeper_ring_stop), 0, 0,
		handle_ring_stop },
	{ KEEPER_MESSAGE_DIRTY_LOG, "DIRTY_LOG", sizeof(struct keeper_dirty_log), 0, 1,
		handle_dirty_log },
	{ KEEPER_MESSAGE_RESET, "RESET", sizeof(struct keeper_reset), 0, 0, handle_reset },
	{ KEEPER_MESSAGE_FIRST_MODE, "FIRST_MODE", sizeof(struct keeper_first_mode), 0, 0,
		handle_first_mode },
};

static void answer_cursor_orphans(struct virtqueue *vq)
{
	struct chain *chain;
	while ((chain = virtqueue_try_take_orphan(vq)))
		virtqueue_return(vq, chain, NULL, 0);
}

static int serve_link(struct keeper_end *keeper)
{
	int result;
	do
		result = link_dispatch(
			keeper->fd, "keeper", handlers, G_N_ELEMENTS(handlers), keeper);
	while (result == 1);
	return result;
}

/*
 * Reads the link to its end, since the gpu thread wants to know all that the keeper has said so
 * far.
 */
static int serve_request(struct keeper_end *keeper)
{
	unsigned request = gpu_take_request(keeper->gpu);
	int result = serve_link(keeper);
	gpu_keeper_read(keeper->gpu, request);
	return result;
}

/*
 * Who looks for the renderer of a desktop among processes finds the one that is at work by its
 * name.
 */
static void take_name(bool is_spare)
{
	prctl(PR_SET_NAME, is_spare ? "vitrine-spare" : "vitrine-render");
}

/* A process of which nothing is asked at once is a spare one. It says what it costs. */
static void await_first(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	if (poll(&p, 1, AWAIT_FIRST_MS) == 0)
		heartbeat_say_own_kib(own_memory_read_kib());
}

static int serve(struct keeper_end *keeper)
{
	struct virtqueue *cursor = keeper->rings[RING_CURSOR];
	bool is_told = false;
	await_first(keeper->fd);
	for (;;) {
		struct pollfd fds[] = {
			{ keeper->fd, POLLIN, 0 },
			{ virtqueue_kick_fd(cursor), POLLIN, 0 },
			{ gpu_get_ask_fd(keeper->gpu), POLLIN, 0 },
		};
		heartbeat_idle(HEARTBEAT_MAIN);
		int n_ready = poll(fds, G_N_ELEMENTS(fds), -1);
		heartbeat_work(HEARTBEAT_MAIN, "the loop", 0);
		if (n_ready < 0)
			continue;
		if (fds[0].revents && !is_told)
			take_name(false);
		is_told |= fds[0].revents != 0;
		int result = fds[0].revents ? serve_link(keeper) : 0;
		if (result >= 0 && fds[2].revents)
			result = serve_request(keeper);
		if (result < 0)
			return result;
		if (fds[1].revents)
			virtqueue_drain_kick(cursor);
		answer_cursor_orphans(cursor);
		if (cursor_work(gpu_get_cursor(keeper->gpu), cursor,
			    gpu_get_control_queue(keeper->gpu)))
			gpu_wake(keeper->gpu);
	}
}

static bool handle_begin(void *user, const void *message, int *fds, unsigned n_fds)
{
	const struct keeper_begin *m = message;
	bool *is_spare = user;
	*is_spare = m->is_spare;
	take_name(m->is_spare);
	return true;
}

bool keeper_end_await_begin(int fd, void (*prepare)(void), bool *is_spare)
{
	static const struct link_handler begin = { KEEPER_MESSAGE_BEGIN, "BEGIN",
		sizeof(struct keeper_begin), 0, 0, handle_begin };
	int result = link_dispatch(fd, "keeper", &begin, 1, is_spare);
	if (result == 0) {
		take_name(true);
		prepare();
		heartbeat_say_own_kib(own_memory_read_kib());
		do
			result = link_wait_readable(fd, -1) ?
					 link_dispatch(fd, "keeper", &begin, 1, is_spare) :
					 0;
		while (result == 0);
		/* How large it becomes now it has to say again. */
		heartbeat_say_own_kib(0);
	}
	return result == 1;
}

void keeper_end_tell_gpu(int fd, bool works, const char *text)
{
	struct keeper_gpu m = { .header.type = KEEPER_MESSAGE_GPU, .works = works };
	g_strlcpy(m.text, text, sizeof(m.text));
	int result = link_send(fd, &m, sizeof(m), NULL, 0);
	if (result < 0)
		g_warning("keeper link: %s", g_strerror(-result));
}

void keeper_end_tell_lost(int fd, uint32_t context)
{
	struct keeper_context_lost m = { .header.type = KEEPER_MESSAGE_CONTEXT_LOST,
		.context = context };
	int result = link_send(fd, &m, sizeof(m), NULL, 0);
	if (result < 0)
		g_debug("keeper link: %s", g_strerror(-result));
}

void keeper_end_tell_trouble(int fd, enum keeper_trouble trouble)
{
	struct keeper_trouble_told m = { .header.type = KEEPER_MESSAGE_TROUBLE,
		.trouble = trouble };
	int result = link_send(fd, &m, sizeof(m), NULL, 0);
	if (result < 0)
		g_debug("keeper link: %s", g_strerror(-result));
}

int keeper_end_run(int fd, struct gpu *gpu, const struct confine_state *walls)
{
	struct keeper_end keeper = { .fd = fd,
		.gpu = gpu,
		.rings = { gpu_get_control_queue(gpu), virtqueue_create("cursor") } };
	struct keeper_ready ready = { .header.type = KEEPER_MESSAGE_READY,
		.version = KEEPER_LINK_VERSION,
		.n_capsets = gpu_count_capsets(gpu),
		.walls = *walls };
	int result = link_send(fd, &ready, sizeof(ready), NULL, 0);
	if (result < 0) {
		g_warning("keeper link: %s", g_strerror(-result));
		return EXIT_FAILURE;
	}
	return serve(&keeper) == -EPIPE ? EXIT_SUCCESS : EXIT_FAILURE;
}
