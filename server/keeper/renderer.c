/* SPDX-License-Identifier: MIT */
#include "server/keeper/renderer.h"

#include <string.h>

#include "common/monotonic.h"
#include "protocol/flight_events.h"
#include "server/keeper/limits.h"
#include "server/keeper/worker_death.h"
#include "server/keeper/worker_plan.h"

#define SEND_TO_RENDERER(renderer, message, fds, n_fds)                                            \
	worker_send(&(renderer)->worker, &(message), sizeof(message), fds, n_fds)

static bool on_ready(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct renderer *renderer = user;
	return worker_set_ready(&renderer->worker, message);
}

static void set_place(
	struct renderer *renderer, unsigned index, uint16_t next_avail, uint16_t next_used)
{
	struct device_ring *ring = &renderer->device->rings[index];
	ring->next_avail = next_avail;
	ring->next_used = device_is_packed(renderer->device) ? next_used : 0;
}

static bool on_ring_stopped(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct renderer *renderer = user;
	const struct keeper_ring_stopped *m = message;
	if (m->ring >= KEEPER_RINGS)
		return false;
	if (renderer->rings[m->ring].state != RENDERER_RING_STOPPING ||
		renderer->rings[m->ring].stop_serial != m->serial)
		return false;
	renderer->rings[m->ring].state = RENDERER_RING_STOPPED;
	set_place(renderer, m->ring, m->next_avail, m->next_used);
	return true;
}

static bool on_gpu(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct renderer *renderer = user;
	const struct keeper_gpu *m = message;
	if (renderer->worker.has_started)
		return false;
	struct renderer_gpu *said = &renderer->said;
	*said = (struct renderer_gpu){ .by = renderer->worker.n_starts, .works = m->works };
	g_snprintf(said->text, sizeof(said->text), "%.*s", (int)sizeof(m->text), m->text);
	for (char *c = said->text; *c; c++)
		*c = g_ascii_isprint(*c) ? *c : '?';
	return true;
}

/* Gives this process's text that its GPU works, or that it does not; NULL: it has said none. */
static const char *find_said(const struct renderer *renderer, bool works)
{
	const struct renderer_gpu *said = &renderer->said;
	bool is_that = said->by == renderer->worker.n_starts && said->works == works;
	return is_that && said->text[0] ? said->text : NULL;
}

/* Gives false when it has told of so many already: a guest's programs may lose contexts for ever.
 */
static bool may_tell_refused(struct renderer *renderer)
{
	uint64_t now_ns = monotonic_now_ns();
	if (now_ns - renderer->refused_since_ns >= REFUSED_TOLD_S * MONOTONIC_NS_PER_S) {
		renderer->refused_since_ns = now_ns;
		renderer->n_refused = 0;
	}
	return renderer->n_refused++ < REFUSED_TOLD_MAX;
}

static bool on_context_lost(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct renderer *renderer = user;
	const struct keeper_context_lost *m = message;
	if (!renderer->events.contexts_lost || !may_tell_refused(renderer))
		return true;
	g_autofree struct lost_contexts *lost = g_new0(struct lost_contexts, 1);
	lost_contexts_add_refused(lost, renderer->ledger, m->context);
	if (lost->n > 0)
		renderer->events.contexts_lost(renderer->events.user, lost);
	return true;
}

static bool on_trouble(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct renderer *renderer = user;
	const struct keeper_trouble_told *m = message;
	if (m->trouble != KEEPER_TROUBLE_RING_EMPTY && m->trouble != KEEPER_TROUBLE_BUFFERS_OUTSIDE)
		return false;
	troubles_tell(&renderer->troubles, m->trouble);
	return true;
}

static const struct link_handler table[] = {
	{ KEEPER_MESSAGE_READY, "READY", sizeof(struct keeper_ready), 0, 0, on_ready },
	{ KEEPER_MESSAGE_RING_STOPPED, "RING_STOPPED", sizeof(struct keeper_ring_stopped), 0, 0,
		on_ring_stopped },
	{ KEEPER_MESSAGE_GPU, "GPU", sizeof(struct keeper_gpu), 0, 0, on_gpu },
	{ KEEPER_MESSAGE_CONTEXT_LOST, "CONTEXT_LOST", sizeof(struct keeper_context_lost), 0, 0,
		on_context_lost },
	{ KEEPER_MESSAGE_TROUBLE, "TROUBLE", sizeof(struct keeper_trouble_told), 0, 0, on_trouble },
};

static void tell_lost(struct renderer *renderer)
{
	if (renderer->lost.n > 0 && renderer->events.contexts_lost)
		renderer->events.contexts_lost(renderer->events.user, &renderer->lost);
	lost_contexts_clear(&renderer->lost);
}

static void send_log(struct renderer *renderer)
{
	const struct device *device = renderer->device;
	bool on = device->log >= 0 && (device->features & DEVICE_F_LOG_ALL);
	struct keeper_dirty_log m = { .header.type = KEEPER_MESSAGE_DIRTY_LOG,
		.offset_bytes = device->log_offset_bytes,
		.size_bytes = device->log_size_bytes };
	if (on || renderer->is_logging)
		SEND_TO_RENDERER(renderer, m, &device->log, on ? 1 : 0);
	renderer->is_logging = on;
}

static void on_worker_ready(void *owner)
{
	struct renderer *renderer = owner;
	const char *chosen = find_said(renderer, true);
	gpu_search_succeed(&renderer->search, chosen ? chosen : "");
	renderer->worker.step_ms = gpu_search_step_ms(&renderer->search);
	ledger_memory_save(renderer->ledger);
	struct keeper_ledger ledger = { .header.type = KEEPER_MESSAGE_LEDGER };
	SEND_TO_RENDERER(renderer, ledger, &renderer->ledger->fd, 1);
	renderer->events.ready(renderer->events.user);
	renderer_update_features(renderer);
	renderer_update_first_mode(renderer);
	renderer_update_memory(renderer);
	send_log(renderer);
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		renderer_update_ring(renderer, i);
	tell_lost(renderer);
}

static void on_worker_lost(void *owner)
{
	struct renderer *renderer = owner;
	for (unsigned i = 0; i < KEEPER_RINGS; i++) {
		if (renderer->rings[i].state == RENDERER_RING_STOPPED)
			continue;
		renderer->rings[i].state = RENDERER_RING_STOPPED;
		set_place(renderer, i, ledger_memory_read_next_avail(renderer->ledger, i),
			ledger_memory_read_next_used(renderer->ledger, i));
	}
	if (heartbeat_memory_is_rebuilt(&renderer->worker.process.heartbeat))
		ledger_memory_forget_saved(renderer->ledger);
	else
		ledger_memory_restore(renderer->ledger);
	/* The renderer may have died before it forgot the old guest, so we forget for it. */
	if (watchdog_has_reset_left(
		    &renderer->worker.watchdog, &renderer->worker.process.heartbeat))
		ledger_memory_clear(renderer->ledger);
}

/* ---- whose work ended it ---- */

_Static_assert(HEARTBEAT_NAME_BYTES == LEDGER_NAME_BYTES, "a name is as long in both");

/* What its id says in the ledger is not asked: it may be another one's by now. */
static char *describe_gone(const struct heartbeat_said *at, const char name[LEDGER_NAME_BYTES])
{
	g_autofree char *text = g_strndup(name, LEDGER_NAME_BYTES);
	for (char *c = text; *c; c++)
		*c = g_ascii_isprint(*c) ? *c : '?';
	return g_strdup_printf("%s of context %u (%s), which is gone", at->what, at->context, text);
}

static void note_judgement(struct flight_head *death, const struct heartbeat_said *at,
	const char *work, const struct blame_judgement *j)
{
	death->context = at->context;
	death->judged = FLIGHT_JUDGED | (j->lose_context ? FLIGHT_JUDGED_CONTEXT_LOST : 0) |
			(j->lose_name ? FLIGHT_JUDGED_NAME_LOST : 0) |
			(j->lose_unseen ? FLIGHT_JUDGED_UNSEEN_LOST : 0);
	death->n_crashes = j->n_crashes;
	death->refused_s = j->refused_s;
	death->all_refused_s = j->all_refused_s;
	g_strlcpy(death->work, work, sizeof(death->work));
	flight_note(FLIGHT_WORKER_JUDGED, at->context, j->n_crashes, j->refused_s);
}

static void judge(struct renderer *renderer, const struct heartbeat_said *at, enum worker_end end)
{
	char name[LEDGER_NAME_BYTES] = { 0 };
	uint64_t now_ns = monotonic_now_ns();
	bool gone = end == WORKER_GPU_RESET &&
		    heartbeat_memory_read_gone(&renderer->worker.process.heartbeat, name);
	if (!gone)
		ledger_memory_find_name(renderer->ledger, at->context, name);
	g_autofree char *work =
		gone ? describe_gone(at, name) : worker_describe_work(&renderer->worker, at);
	struct blame_judgement judgement =
		blame_judge(&renderer->blame, at->context, name, end == WORKER_HUNG, now_ns);
	judgement.lose_context = judgement.lose_context && !gone;
	blame_tell(work, end, &judgement);
	note_judgement(&renderer->worker.death, at, work, &judgement);
	if (judgement.lose_context)
		ledger_memory_lose_context(renderer->ledger, at->context);
	if (judgement.lose_name)
		ledger_memory_lose_name(renderer->ledger, name);
	if (judgement.lose_unseen)
		ledger_memory_lose_unseen(renderer->ledger);
	blame_fill(&renderer->blame, ledger_memory_get_refusals(renderer->ledger), now_ns);
}

static bool draws_by_gpu(const struct renderer *renderer)
{
	return renderer->search.candidates->nodes[renderer->search.current] != NULL;
}

/*
 * A GPU does the work of all desktops in turn. Where one's does not end, every renderer finds its
 * own standing still, so whose the oldest is says nothing. The CPU works for each one alone, and a
 * gpu thread that is stuck itself is at fault, too: the kernel would have freed it.
 */
static bool is_anybodys(const struct renderer *renderer, const struct heartbeat_said *at)
{
	const struct watchdog_verdict *verdict = &renderer->worker.verdict;
	return draws_by_gpu(renderer) && verdict->fault == WATCHDOG_STUCK &&
	       verdict->loop == HEARTBEAT_GPU_WORK && at->context == verdict->said.context &&
	       at->since_ns == verdict->said.since_ns;
}

/* Gives false, with a line, while the GPU's end by nobody knows whom is forgiven. */
static bool is_silence_over(struct renderer *renderer, const char *line)
{
	if (blame_count_silent(&renderer->blame, monotonic_now_ns()))
		return true;
	g_warning("%s", line);
	return false;
}

static bool is_unwanted(const struct renderer *renderer, const struct heartbeat_said *at)
{
	return watchdog_is_unwanted(
		&renderer->worker.watchdog, &renderer->worker.process.heartbeat, at);
}

static bool find_hung(struct renderer *renderer, enum worker_end *end,
	const struct heartbeat_said *hung_at, struct heartbeat_said *at)
{
	if (!blame_find(&renderer->worker.process.heartbeat, hung_at, at))
		return false;
	if (is_unwanted(renderer, at) || !is_anybodys(renderer, at))
		return true;
	*end = WORKER_GPU_LOST;
	return is_silence_over(renderer, "the GPU stood still: nobody knows whose work it was");
}

/*
 * Finds out whose work has ended the renderer, and makes of the end what it is to be judged as.
 * Gives false when nobody is to be judged for it.
 */
static bool find_blame(struct renderer *renderer, enum worker_end *end,
	const struct heartbeat_said *hung_at, struct heartbeat_said *at)
{
	const struct heartbeat_memory *heartbeat = &renderer->worker.process.heartbeat;
	if (*end == WORKER_HUNG)
		return find_hung(renderer, end, hung_at, at);
	if (*end == WORKER_GPU_RESET) {
		if (blame_find_guilty(heartbeat, at)) {
			worker_death_note(&renderer->worker, FLIGHT_CAUSE_GPU_RESET_GUILTY, NULL);
			return true;
		}
		g_warning("GPU reset: innocent: it was no work of this desktop");
		return false;
	}
	if (*end == WORKER_GPU_LOST &&
		!is_silence_over(renderer, "GPU reset: the driver does not say whose work it was"))
		return false;
	return blame_find(heartbeat, NULL, at);
}

/* Gives false when nobody is judged. */
static bool blame_somebody(struct renderer *renderer, enum worker_end end,
	const struct heartbeat_said *hung_at, struct heartbeat_said *at)
{
	bool found = find_blame(renderer, &end, hung_at, at);
	if (renderer->worker.has_started && (end == WORKER_CRASHED || end == WORKER_HUNG))
		worker_want_spare(&renderer->worker, RENDERER_SPARE_MS);
	/* Of a guest that is gone nobody is left to be judged. */
	if (!found || is_unwanted(renderer, at))
		return false;
	judge(renderer, at, end);
	return true;
}

static void on_worker_ended(void *owner, enum worker_end end, const struct heartbeat_said *hung_at)
{
	struct renderer *renderer = owner;
	struct heartbeat_said at;
	unsigned n_before = renderer->lost.n;
	lost_contexts_add(&renderer->lost, renderer->ledger, end);
	renderer->n_lost += renderer->lost.n - n_before;
	bool judged = end != WORKER_ENDED_FROM_OUTSIDE && end != WORKER_REPLACED &&
		      blame_somebody(renderer, end, hung_at, &at);
	lost_contexts_judge(&renderer->lost, renderer->ledger, judged ? at.context : 0);
}

static char *name_context(void *owner, uint32_t context)
{
	const struct renderer *renderer = owner;
	return ledger_memory_name_context(renderer->ledger, context);
}

static void on_worker_failed(void *owner)
{
	struct renderer *renderer = owner;
	renderer->events.failed(renderer->events.user);
}

/*
 * On a GPU the kernel has its time on top: it resets one that hangs, and only that sets free those
 * who wait for another's work, be it in the driver.
 */
static void set_limits(struct renderer *renderer)
{
	uint64_t limit_ns = renderer->submit_limit_s * MONOTONIC_NS_PER_S;
	uint64_t reset_ns = GPU_RESET_GRACE_MS * MONOTONIC_NS_PER_MS;
	struct watchdog_limits *limits = &renderer->worker.watchdog.limits;
	*limits = (struct watchdog_limits){ .stopped_ns = limit_ns,
		.starting_ns = WORKER_READY_TIMEOUT_MS * MONOTONIC_NS_PER_MS };
	limits->loops_ns[HEARTBEAT_MAIN] = limit_ns;
	limits->loops_ns[HEARTBEAT_GPU] = limit_ns + (draws_by_gpu(renderer) ? reset_ns : 0);
	limits->loops_ns[HEARTBEAT_GPU_WORK] = limits->loops_ns[HEARTBEAT_GPU];
}

static void take_candidate(struct renderer *renderer)
{
	set_limits(renderer);
	worker_set_command(&renderer->worker, WORKER_COMMAND_RENDER(renderer->search.current));
	renderer->worker.step_ms = gpu_search_step_ms(&renderer->search);
}

static void change_candidate(struct renderer *renderer)
{
	take_candidate(renderer);
	if (renderer->events.gpu_changed)
		renderer->events.gpu_changed(renderer->events.user, renderer->search.current);
}

static bool on_worker_not_started(void *owner, const char *why, bool hung)
{
	struct renderer *renderer = owner;
	struct gpu_search *search = &renderer->search;
	const char *failed = gpu_candidates_name(search->candidates, search->current);
	const char *said = find_said(renderer, false);
	const char *reason = said ? said : why;
	enum gpu_search_step step = gpu_search_fail(search, reason, hung);
	if (step == GPU_SEARCH_OVER)
		g_warning("%s: %s%s", failed, reason,
			search->candidates->named ? ": it was named, so nothing else is tried" :
						    "");
	if (step != GPU_SEARCH_NEXT)
		return false;
	const char *next = gpu_candidates_name(search->candidates, search->current);
	g_warning("%s: %s: %s %s instead", failed, reason,
		search->candidates->nodes[search->current] ? "trying" : "drawing with", next);
	change_candidate(renderer);
	return true;
}

/* A new guest has nothing to lose, and a GPU that was lost may be back. */
static void go_back(struct renderer *renderer)
{
	const struct gpu_search *search = &renderer->search;
	if (renderer->worker.state != WORKER_READY ||
		!gpu_search_go_back(&renderer->search, monotonic_now_ns()))
		return;
	g_message("%s: tried again, for a guest that begins anew",
		gpu_candidates_name(search->candidates, search->current));
	change_candidate(renderer);
	worker_replace(&renderer->worker, renderer->worker.command);
}

static const struct worker_class class = {
	.name = "vitrine-render",
	.process = FLIGHT_PROCESS_RENDER,
	.table = table,
	.table_length = G_N_ELEMENTS(table),
	.ready = on_worker_ready,
	.lost = on_worker_lost,
	.failed = on_worker_failed,
	.ended = on_worker_ended,
	.not_started = on_worker_not_started,
	.is_told_to_begin = true,
	.name_context = name_context,
};

void renderer_init(struct renderer *renderer, struct starter *starter,
	const struct gpu_candidates *gpus, struct device *device, struct ledger_memory *ledger,
	unsigned submit_limit_s, const struct renderer_events *events)
{
	g_assert(device && ledger && submit_limit_s > 0 && events->ready && events->failed);
	*renderer = (struct renderer){ .device = device,
		.ledger = ledger,
		.events = *events,
		.submit_limit_s = submit_limit_s };
	gpu_search_init(&renderer->search, gpus);
	worker_init(&renderer->worker, &class, renderer, starter, WORKER_COMMAND_RENDER(0));
	take_candidate(renderer);
}

bool renderer_start(struct renderer *renderer, GError **error)
{
	return worker_start(&renderer->worker, error);
}

void renderer_finish(struct renderer *renderer)
{
	worker_finish(&renderer->worker);
}

void renderer_update_features(struct renderer *renderer)
{
	if (!renderer->device->have_features)
		return;
	struct keeper_features m = { .header.type = KEEPER_MESSAGE_FEATURES,
		.features = renderer->device->features & ~DEVICE_F_PROTOCOL_FEATURES };
	SEND_TO_RENDERER(renderer, m, NULL, 0);
}

void renderer_update_first_mode(struct renderer *renderer)
{
	struct keeper_first_mode m = { .header.type = KEEPER_MESSAGE_FIRST_MODE,
		.width = renderer->device->first_width,
		.height = renderer->device->first_height,
		.refresh_mhz = renderer->refresh_hz * 1000 };
	SEND_TO_RENDERER(renderer, m, NULL, 0);
}

void renderer_update_memory(struct renderer *renderer)
{
	const struct device *device = renderer->device;
	struct keeper_memory_begin begin = { .header.type = KEEPER_MESSAGE_MEMORY_BEGIN,
		.n_regions = device->n_regions };
	if (!SEND_TO_RENDERER(renderer, begin, NULL, 0))
		return;
	for (unsigned i = 0; i < device->n_regions; i++) {
		const struct device_region *r = &device->regions[i];
		struct keeper_memory_region m = { .header.type = KEEPER_MESSAGE_MEMORY_REGION,
			.guest_addr = r->guest_addr,
			.user_addr = r->user_addr,
			.size_bytes = r->size_bytes,
			.offset_bytes = r->offset_bytes };
		if (!SEND_TO_RENDERER(renderer, m, &r->fd, 1))
			return;
	}
	struct keeper_memory_commit commit = { .header.type = KEEPER_MESSAGE_MEMORY_COMMIT };
	SEND_TO_RENDERER(renderer, commit, NULL, 0);
}

void renderer_update_log(struct renderer *renderer)
{
	if (renderer->worker.state != WORKER_READY)
		return;
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		renderer_stop_ring_wait(renderer, i);
	send_log(renderer);
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		renderer_update_ring(renderer, i);
}

void renderer_update_call(struct renderer *renderer, unsigned ring)
{
	g_assert(ring < KEEPER_RINGS);
	if (renderer->rings[ring].state != RENDERER_RING_RUNNING)
		return;
	struct keeper_ring_call m = { .header.type = KEEPER_MESSAGE_RING_CALL, .ring = ring };
	int call = renderer->device->rings[ring].call;
	SEND_TO_RENDERER(renderer, m, &call, call >= 0 ? 1 : 0);
}

static void stop_ring(struct renderer *renderer, unsigned ring)
{
	if (renderer->rings[ring].state != RENDERER_RING_RUNNING)
		return;
	/*
	 * The state comes first. If sending loses the renderer, on_worker_lost() has settled
	 * everything when it returns.
	 */
	renderer->rings[ring].state = RENDERER_RING_STOPPING;
	renderer->rings[ring].stop_serial = ++renderer->last_serial;
	struct keeper_ring_stop m = { .header.type = KEEPER_MESSAGE_RING_STOP,
		.ring = ring,
		.serial = renderer->last_serial };
	SEND_TO_RENDERER(renderer, m, NULL, 0);
}

void renderer_stop_ring_wait(struct renderer *renderer, unsigned ring)
{
	g_assert(ring < KEEPER_RINGS);
	int64_t deadline_us = g_get_monotonic_time() + RENDERER_STOP_TIMEOUT_MS * 1000;
	stop_ring(renderer, ring);
	while (renderer->rings[ring].state == RENDERER_RING_STOPPING) {
		int64_t left_us = deadline_us - g_get_monotonic_time();
		if (left_us <= 0)
			worker_kill(&renderer->worker, FLIGHT_CAUSE_RING,
				"does not stop a ring in time");
		else
			worker_dispatch_wait(&renderer->worker, (int)(left_us / 1000) + 1);
	}
}

static void start_ring(struct renderer *renderer, unsigned index)
{
	if (renderer->worker.state != WORKER_READY)
		return;
	renderer_stop_ring_wait(renderer, index);
	g_assert(renderer->rings[index].state == RENDERER_RING_STOPPED);
	const struct device_ring *ring = &renderer->device->rings[index];
	struct keeper_ring_start m = { .header.type = KEEPER_MESSAGE_RING_START,
		.ring = index,
		.size = ring->size,
		.desc_user_addr = ring->desc_user_addr,
		.avail_user_addr = ring->avail_user_addr,
		.used_user_addr = ring->used_user_addr,
		.next_avail = ring->next_avail,
		.next_used = ring->next_used };
	int fds[2] = { ring->kick, ring->call };
	ledger_memory_write_next_avail(renderer->ledger, index, ring->next_avail);
	if (SEND_TO_RENDERER(renderer, m, fds, ring->call >= 0 ? 2 : 1))
		renderer->rings[index].state = RENDERER_RING_RUNNING;
	renderer->used = true;
}

void renderer_update_ring(struct renderer *renderer, unsigned ring)
{
	g_assert(ring < KEEPER_RINGS);
	bool runnable = device_ring_runnable(renderer->device, ring);
	bool running = renderer->rings[ring].state == RENDERER_RING_RUNNING;
	if (runnable && !running)
		start_ring(renderer, ring);
	else if (!runnable && running)
		stop_ring(renderer, ring);
}

void renderer_reset(struct renderer *renderer)
{
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		stop_ring(renderer, i);
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		renderer_stop_ring_wait(renderer, i);
	if (!renderer->used)
		return;
	renderer->used = false;
	blame_clear(&renderer->blame);
	lost_contexts_clear(&renderer->lost);
	go_back(renderer);
	if (renderer->worker.state != WORKER_READY) {
		ledger_memory_clear(renderer->ledger);
		return;
	}
	/* What was saved is the old guest's. */
	ledger_memory_forget_saved(renderer->ledger);
	struct keeper_reset m = { .header.type = KEEPER_MESSAGE_RESET };
	worker_reset_sent(&renderer->worker);
	SEND_TO_RENDERER(renderer, m, NULL, 0);
}

bool renderer_send_frame_link(struct renderer *renderer, int end)
{
	struct keeper_frame_link m = { .header.type = KEEPER_MESSAGE_FRAME_LINK };
	return SEND_TO_RENDERER(renderer, m, &end, 1);
}
