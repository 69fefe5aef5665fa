/* SPDX-License-Identifier: MIT */
#include "server/keeper/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "common/process.h"
#include "protocol/flight_events.h"
#include "server/keeper/limits.h"
#include "server/keeper/worker_death.h"

/* SIGKILL ends a process at once, unless it sits in a driver; we do not wait long for that. */
#define KILL_WAIT_MS 200
/* The keeper's own end may wait this long for a worker that was asked to end. */
#define TERM_WAIT_MS 1000
/* A process that hung up is dying; its exit status is worth a short wait. */
#define HANGUP_WAIT_MS 50
/* So many processes in a row may end before READY because the GPU was reset. */
#define RESETS_AT_START_MAX 3
/* So many messages of a process that has ended are handled, which is more than a link holds. */
#define LAST_WORDS_MAX 1024

static bool worker_spawn(struct worker *worker, GError **error);
static void on_child_end(GPid pid, int wait_status, gpointer user);
static void leave_behind(struct worker *worker);
static bool take_spare(struct worker *worker);

void worker_init(struct worker *worker, const struct worker_class *class, void *owner,
	struct starter *starter, unsigned command)
{
	g_assert(class->ready && class->lost && class->failed && starter);
	*worker = (struct worker){
		.class = class,
		.owner = owner,
		.starter = starter,
		.command = command,
		.stats_fd = -1,
		.process = WORKER_PROCESS_NONE,
	};
	spare_init(&worker->spare, class->name, starter, command, class->is_told_to_begin,
		on_child_end, worker);
}

static void close_link(struct worker *worker)
{
	g_clear_handle_id(&worker->link_source, g_source_remove);
	worker_process_close_link(&worker->process);
}

/* The kernel says first that the process has left something of ours unread, if it has. */
static void hear_last_words(struct worker *worker)
{
	const struct worker_class *class = worker->class;
	unsigned n_ends = 0;
	for (unsigned i = 0; i < LAST_WORDS_MAX && n_ends < 2; i++) {
		int result = link_dispatch(worker->process.link, class->name, class->table,
			class->table_length, worker->owner);
		if (result == 0 || result == -EPROTO)
			break;
		n_ends += result == -EPIPE;
	}
}

static gboolean on_end_late(gpointer user)
{
	struct worker *worker = user;
	worker->timer_source = 0;
	leave_behind(worker);
	return G_SOURCE_REMOVE;
}

/* Ends a worker whose link is of no use any more; its process is dead or must die. */
static void drop(struct worker *worker)
{
	bool was_ready = worker->state == WORKER_READY;
	worker->state = WORKER_ENDING;
	worker_process_signal(&worker->process, SIGKILL);
	if (was_ready ? worker->class->has_last_words : worker->class->not_started != NULL)
		hear_last_words(worker);
	close_link(worker);
	g_clear_handle_id(&worker->timer_source, g_source_remove);
	g_clear_handle_id(&worker->look_source, g_source_remove);
	g_clear_handle_id(&worker->answer_source, g_source_remove);
	worker->timer_source = g_timeout_add(WORKER_END_MS, on_end_late, worker);
	if (was_ready)
		worker->class->lost(worker->owner);
}

void worker_kill(struct worker *worker, enum flight_cause cause, const char *reason)
{
	if (worker->state != WORKER_READY && worker->state != WORKER_STARTING)
		return;
	g_warning("%s (pid %d): %s: killed", worker->class->name, (int)worker->process.pid, reason);
	worker_death_note(worker, cause, reason);
	flight_note(
		FLIGHT_WORKER_KILLED, worker->class->process, (uint64_t)worker->process.pid, cause);
	worker_death_ask(worker);
	worker_process_signal(&worker->process, SIGKILL);
	worker_process_wait_end(&worker->process, KILL_WAIT_MS);
	drop(worker);
}

void worker_set_command(struct worker *worker, unsigned command)
{
	worker->command = command;
	spare_set_command(&worker->spare, command);
}

void worker_replace(struct worker *worker, unsigned command)
{
	worker_set_command(worker, command);
	if (worker->process.command != command)
		worker_hand_over(worker);
}

void worker_hand_over(struct worker *worker)
{
	if (worker->state != WORKER_READY && worker->state != WORKER_STARTING)
		return;
	worker->is_replaced = true;
	worker_death_note(worker, FLIGHT_CAUSE_REPLACED, "another one was to take its place");
	/* What it has left in the ledger is read when it can write no more. */
	worker_process_signal(&worker->process, SIGKILL);
	worker_process_wait_end(&worker->process, KILL_WAIT_MS);
	drop(worker);
}

/* ---- is it stuck? ---- */

static gboolean on_look(gpointer user);

/*
 * Looks again in `ns`, to the microsecond, so that looks at both workers that come together cost
 * one wake-up.
 */
static void look_in(struct worker *worker, uint64_t now_ns, uint64_t ns)
{
	g_clear_handle_id(&worker->look_source, g_source_remove);
	worker->look_source = g_timeout_add((unsigned)(ns / 1000000) + 1, on_look, worker);
	GSource *source = g_main_context_find_source_by_id(NULL, worker->look_source);
	g_source_set_ready_time(source, (int64_t)((now_ns + ns + 999) / 1000));
}

static gboolean on_look(gpointer user)
{
	struct worker *worker = user;
	worker->look_source = 0;
	uint64_t now_ns = monotonic_now_ns();
	struct watchdog_verdict verdict = watchdog_look(&worker->watchdog,
		&worker->process.heartbeat, worker_process_is_stopped(&worker->process), now_ns);
	spare_look(&worker->spare);
	if (worker->recorder)
		recorder_look(worker->recorder, now_ns);
	if (verdict.fault == WATCHDOG_NONE) {
		look_in(worker, now_ns, verdict.look_again_ns);
		return G_SOURCE_REMOVE;
	}
	worker->verdict = verdict;
	enum flight_cause cause = worker_death_note_verdict(worker, &verdict);
	worker_kill(worker, cause, worker->death.why);
	return G_SOURCE_REMOVE;
}

void worker_reset_sent(struct worker *worker)
{
	if (worker->state != WORKER_READY)
		return;
	uint64_t now_ns = monotonic_now_ns();
	watchdog_reset_sent(&worker->watchdog, now_ns);
	look_in(worker, now_ns, WATCHDOG_HURRY_MS * UINT64_C(1000000));
}

void worker_driver_started(struct worker *worker)
{
	if (worker->state != WORKER_READY)
		return;
	uint64_t now_ns = monotonic_now_ns();
	watchdog_driver_started(&worker->watchdog, now_ns);
	look_in(worker, now_ns, WATCHDOG_DRIVER_STOPPED_MS * UINT64_C(1000000));
}

/* ---- the process ---- */

static gboolean respawn(gpointer user)
{
	struct worker *worker = user;
	worker->timer_source = 0;
	g_autoptr(GError) error = NULL;
	if (!take_spare(worker) && !worker_spawn(worker, &error)) {
		g_warning("%s", error->message);
		if (starter_is_usable(worker->starter))
			worker->timer_source = g_timeout_add(BACKOFF_MAX_MS, respawn, worker);
		else
			worker->class->failed(worker->owner);
	}
	return G_SOURCE_REMOVE;
}

/*
 * Gives the pause before the next start. A process that worked says nothing against another one;
 * one that could not start does.
 */
static unsigned next_backoff(struct worker *worker)
{
	if (worker->has_started)
		worker->backoff_ms = 0;
	unsigned delay_ms = worker->backoff_ms;
	if (worker->has_started)
		return 0;
	worker->backoff_ms = delay_ms ? MIN(delay_ms * 2, BACKOFF_MAX_MS) : BACKOFF_FIRST_MS;
	return delay_ms;
}

static bool is_loop_starting(const struct worker *worker)
{
	for (unsigned loop = 0; loop < HEARTBEAT_LOOPS; loop++) {
		if (heartbeat_memory_read(&worker->process.heartbeat, loop).state ==
			HEARTBEAT_STARTING)
			return true;
	}
	return false;
}

/*
 * Tells the owner of the end. A process that fails while it takes over from the one before cannot
 * start, although it said READY.
 */
static void tell_end(struct worker *worker, int wait_status)
{
	if (!worker->has_started)
		return;
	enum worker_end end = worker_end_find(wait_status, worker->verdict.fault == WATCHDOG_STUCK);
	if (end != WORKER_ENDED_FROM_OUTSIDE && is_loop_starting(worker))
		worker->has_started = false;
	if (worker->class->ended)
		worker->class->ended(
			worker->owner, end, end == WORKER_HUNG ? &worker->verdict.said : NULL);
}

/* A reset while it started says nothing against its GPU, but for too many of them in a row. */
static bool met_reset(struct worker *worker, int wait_status)
{
	return !worker->has_started && !worker->is_replaced && worker_end_is_reset(wait_status) &&
	       ++worker->n_resets_at_start <= RESETS_AT_START_MAX;
}

/* Gives what a process that did not come to READY was at. */
static char *describe_start(const struct worker *worker, const char *end)
{
	struct heartbeat_said said =
		heartbeat_memory_read(&worker->process.heartbeat, HEARTBEAT_GPU);
	bool has_said = said.state == HEARTBEAT_STARTING && said.what[0];
	const char *at = has_said ? said.what : "starting the program";
	if (worker->is_late)
		return g_strdup_printf("its driver hangs: %s takes more than %u s", at,
			(worker->step_ms ? worker->step_ms : WORKER_READY_TIMEOUT_MS) / 1000);
	return g_strdup_printf("%s ended the renderer: %s", at, end);
}

/* Starts another one at once, if the owner says so. */
static bool start_other(struct worker *worker, const char *end)
{
	bool is_replaced = worker->is_replaced;
	worker->is_replaced = false;
	if (worker->has_started && !is_replaced)
		return false;
	if (is_replaced && worker->has_started && worker->class->ended)
		worker->class->ended(worker->owner, WORKER_REPLACED, NULL);
	if (!is_replaced) {
		g_autofree char *why = describe_start(worker, end);
		if (!worker->class->not_started ||
			!worker->class->not_started(worker->owner, why, worker->is_late))
			return false;
	}
	worker->backoff_ms = 0;
	worker->timer_source = g_timeout_add(0, respawn, worker);
	return true;
}

static void follow_end(struct worker *worker, GPid pid, int wait_status)
{
	g_autofree char *end = worker_end_describe(wait_status);
	worker_process_note_end(&worker->process);
	if (worker_end_is_reset(wait_status))
		spare_drop(&worker->spare);
	if (worker->state != WORKER_ENDING)
		drop(worker);
	g_clear_handle_id(&worker->timer_source, g_source_remove);
	worker->state = WORKER_DOWN;
	bool again = met_reset(worker, wait_status);
	if (!again && start_other(worker, end))
		return;
	if (!worker->was_ready && !again) {
		g_warning("%s ended before it was ready: %s", worker->class->name, end);
		worker->class->failed(worker->owner);
		return;
	}
	tell_end(worker, wait_status);
	unsigned delay_ms = next_backoff(worker);
	g_warning("%s (pid %d) ended%s: %s; starting another in %u ms", worker->class->name,
		(int)pid, worker->has_started ? "" : " before it could work", end, delay_ms);
	flight_note(FLIGHT_WORKER_RETRY, worker->class->process, delay_ms, 0);
	worker->timer_source = g_timeout_add(delay_ms, respawn, worker);
}

static void on_child_end(GPid pid, int wait_status, gpointer user)
{
	struct worker *worker = user;
	if (pid == worker->spare.process.pid) {
		g_autofree char *end = worker_end_describe(wait_status);
		spare_note_end(&worker->spare, end);
		return;
	}
	bool had_started = worker->has_started;
	flight_note(FLIGHT_WORKER_ENDED, worker->class->process, (uint64_t)pid,
		(uint64_t)(unsigned)wait_status);
	follow_end(worker, pid, wait_status);
	worker_death_keep(worker, had_started, wait_status);
}

/* Goes on without a process that SIGKILL does not end, since it hangs in the kernel. */
static void leave_behind(struct worker *worker)
{
	worker_process_leave_behind(&worker->process, worker->class->name);
	on_child_end(worker->process.pid, SIGKILL, worker);
}

/* Gives for how long a process that has not said READY may go on as it does. */
static unsigned find_patience_ms(const struct worker *worker)
{
	int64_t now_us = g_get_monotonic_time();
	int64_t left_ms = WORKER_READY_TIMEOUT_MS - (now_us - worker->begin_time_us) / 1000;
	if (worker->step_ms > 0) {
		struct heartbeat_said said =
			heartbeat_memory_read(&worker->process.heartbeat, HEARTBEAT_GPU);
		/* What a stranger says is not believed to lie in the future. */
		int64_t said_us = MIN((int64_t)(said.since_ns / 1000), now_us);
		int64_t since_us = MAX(said_us, worker->begin_time_us);
		left_ms = MIN(left_ms, worker->step_ms - (now_us - since_us) / 1000);
	}
	return (unsigned)MAX(left_ms, 0);
}

static gboolean on_ready_late(gpointer user)
{
	struct worker *worker = user;
	unsigned patience_ms = find_patience_ms(worker);
	worker->timer_source = 0;
	if (patience_ms > 0) {
		worker->timer_source = g_timeout_add(patience_ms, on_ready_late, worker);
		return G_SOURCE_REMOVE;
	}
	worker->is_late = true;
	if (!worker->class->not_started) {
		worker_kill(worker, FLIGHT_CAUSE_LATE, "not ready in time");
		return G_SOURCE_REMOVE;
	}
	worker_death_note(worker, FLIGHT_CAUSE_LATE, "not ready in time");
	worker_death_ask(worker);
	worker_process_signal(&worker->process, SIGKILL);
	bool is_gone = worker_process_wait_end(&worker->process, KILL_WAIT_MS);
	drop(worker);
	if (!is_gone)
		leave_behind(worker);
	return G_SOURCE_REMOVE;
}

/* Returns what link_dispatch() does. When that is negative the worker is dropped. */
static int dispatch(struct worker *worker)
{
	const struct worker_class *class = worker->class;
	int result = link_dispatch(worker->process.link, class->name, class->table,
		class->table_length, worker->owner);
	if (result < 0 && worker->process.link >= 0) {
		g_info("%s (pid %d): %s", class->name, (int)worker->process.pid,
			result == -EPROTO ? "broke the protocol" : "hung up");
		/*
		 * A process that is dying has its own reason, which is worth more in the log than
		 * our signal.
		 */
		if (result == -EPROTO)
			worker_death_note(worker, FLIGHT_CAUSE_PROTOCOL, "broke the protocol");
		if (result == -EPIPE)
			worker_process_wait_end(&worker->process, HANGUP_WAIT_MS);
		drop(worker);
	}
	return result;
}

static gboolean on_link(int fd, GIOCondition condition, gpointer user)
{
	struct worker *worker = user;
	/* A handler may lose the worker. Then its link and this source are gone. */
	for (unsigned i = 0; i < WORKER_HEARD_MAX && worker->process.link == fd; i++) {
		int result = dispatch(worker);
		if (result < 0)
			return G_SOURCE_REMOVE;
		if (result == 0)
			return G_SOURCE_CONTINUE;
	}
	return worker->process.link == fd ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/*
 * Follows a process that is there, and may have said READY long ago, to a link that nobody has read
 * so far.
 */
static void begin(struct worker *worker)
{
	/* The process before is gone, and its sources with it. */
	g_assert(worker->state == WORKER_DOWN && !worker->link_source && !worker->timer_source);
	worker->n_starts++;
	worker->begin_time_us = g_get_monotonic_time();
	worker_death_begin(worker);
	worker->has_started = worker->is_late = worker->is_replaced = false;
	worker->verdict = (struct watchdog_verdict){ .fault = WATCHDOG_NONE };
	worker->state = WORKER_STARTING;
	worker->link_source = g_unix_fd_add(worker->process.link, G_IO_IN, on_link, worker);
	worker->timer_source = g_timeout_add(find_patience_ms(worker), on_ready_late, worker);
	if (worker->class->is_told_to_begin && !worker->process.has_begun)
		worker_process_tell_begin(&worker->process, false);
}

static bool worker_spawn(struct worker *worker, GError **error)
{
	if (!worker_process_spawn(&worker->process, worker->class->name, worker->starter,
		    worker->command, on_child_end, worker, error))
		return false;
	worker->was_spare = false;
	begin(worker);
	return true;
}

/* ---- the spare ---- */

/*
 * A loop that has begun anything since then has heard of it. One of which nothing is known may
 * have.
 */
static bool has_heard(const struct worker *worker, enum heartbeat_loop loop, uint64_t since_ns)
{
	struct heartbeat_said said = heartbeat_memory_read(&worker->process.heartbeat, loop);
	return said.state == HEARTBEAT_UNUSED || said.since_ns >= since_ns;
}

static gboolean on_answer_due(gpointer user)
{
	struct worker *worker = user;
	worker->answer_source = 0;
	if (!has_heard(worker, HEARTBEAT_MAIN, worker->ready_ns) ||
		!has_heard(worker, HEARTBEAT_GPU, worker->ready_ns))
		worker_kill(worker, FLIGHT_CAUSE_DEAF,
			"was a spare one and does not hear that it is at work");
	return G_SOURCE_REMOVE;
}

/* A spare process may have hung while it waited, which its heartbeat does not show. */
static void await_answer(struct worker *worker, uint64_t now_ns)
{
	worker->ready_ns = now_ns;
	if (worker->was_spare)
		worker->answer_source = g_timeout_add(SPARE_ANSWER_MS, on_answer_due, worker);
}

static bool take_spare(struct worker *worker)
{
	if (!spare_take(&worker->spare, &worker->process))
		return false;
	worker->was_spare = true;
	flight_note(FLIGHT_SPARE_TAKEN, worker->class->process, (uint64_t)worker->process.pid, 0);
	begin(worker);
	return true;
}

void worker_want_spare(struct worker *worker, unsigned for_ms)
{
	spare_want(&worker->spare, for_ms);
}

bool worker_start(struct worker *worker, GError **error)
{
	g_assert(worker->n_starts == 0);
	return worker_process_prepare(&worker->process, error) &&
	       spare_prepare(&worker->spare, error) && worker_spawn(worker, error);
}

static void send_stats(struct worker *worker)
{
	struct keeper_stats m = { .header.type = KEEPER_MESSAGE_STATS };
	if (worker->stats_fd >= 0)
		worker_send(worker, &m, sizeof(m), &worker->stats_fd, 1);
}

bool worker_set_ready(struct worker *worker, const struct keeper_ready *ready)
{
	/* It said so, and ended before that was heard. */
	if (worker->state == WORKER_ENDING)
		return false;
	if (worker->state != WORKER_STARTING || ready->version != KEEPER_LINK_VERSION) {
		g_warning("%s (pid %d): READY of version %u out of place", worker->class->name,
			(int)worker->process.pid, ready->version);
		return false;
	}
	g_clear_handle_id(&worker->timer_source, g_source_remove);
	worker->state = WORKER_READY;
	worker->full_since_us = 0;
	worker->was_ready = true;
	worker->has_started = true;
	worker->n_resets_at_start = 0;
	worker->n_capsets = ready->n_capsets;
	worker->walls = ready->walls;
	confine_clean(&worker->walls);
	worker->inner_walls = ready->inner_walls;
	confine_clean(&worker->inner_walls);
	int64_t after_ms = (g_get_monotonic_time() - worker->begin_time_us) / 1000;
	g_info("%s (pid %d) is ready after %d ms", worker->class->name, (int)worker->process.pid,
		(int)after_ms);
	flight_note(FLIGHT_WORKER_READY, worker->class->process, (uint64_t)worker->process.pid,
		(uint64_t)after_ms);
	uint64_t now_ns = monotonic_now_ns();
	watchdog_begin(&worker->watchdog, now_ns);
	look_in(worker, now_ns, 0);
	await_answer(worker, now_ns);
	send_stats(worker);
	if (worker->state == WORKER_READY)
		worker->class->ready(worker->owner);
	if (worker->state == WORKER_READY)
		spare_begin(&worker->spare);
	return true;
}

bool worker_dispatch_wait(struct worker *worker, int timeout_ms)
{
	g_assert(timeout_ms >= 0);
	if (worker->process.link < 0)
		return false;
	if (!link_wait_readable(worker->process.link, timeout_ms))
		return true;
	return dispatch(worker) >= 0;
}

/* Waits until the link has room. Gives false when it has been full for too long of late. */
static bool wait_room(struct worker *worker)
{
	int64_t now_us = g_get_monotonic_time();
	if (worker->full_since_us == 0 || now_us - worker->full_since_us > SEND_WINDOW_MS * 1000) {
		worker->full_since_us = now_us;
		worker->full_us = 0;
	}
	int64_t left_ms = SEND_TIMEOUT_MS - worker->full_us / 1000;
	struct pollfd p = { .fd = worker->process.link, .events = POLLOUT };
	bool has_room = left_ms > 0 && poll(&p, 1, (int)left_ms) > 0;
	worker->full_us += g_get_monotonic_time() - now_us;
	return has_room;
}

bool worker_send(
	struct worker *worker, void *message, size_t size_bytes, const int *fds, unsigned n_fds)
{
	g_assert(size_bytes >= sizeof(struct link_header) && (n_fds == 0 || fds));
	if (worker->state != WORKER_READY)
		return false;
	g_assert(worker->process.link >= 0);
	int result = link_send(worker->process.link, message, size_bytes, fds, n_fds);
	if (result == -EAGAIN && wait_room(worker))
		result = link_send(worker->process.link, message, size_bytes, fds, n_fds);
	if (result == 0)
		return true;
	if (result == -EAGAIN)
		worker_kill(worker, FLIGHT_CAUSE_DEAF, "does not read its keeper link");
	else
		drop(worker);
	return false;
}

void worker_let_end(struct worker *worker, int wait_ms)
{
	close_link(worker);
	if (worker->process.pid > 0 && worker->state == WORKER_READY)
		worker_process_wait_end(&worker->process, wait_ms);
}

void worker_finish(struct worker *worker)
{
	g_clear_handle_id(&worker->timer_source, g_source_remove);
	g_clear_handle_id(&worker->look_source, g_source_remove);
	g_clear_handle_id(&worker->answer_source, g_source_remove);
	close_link(worker);
	spare_finish(&worker->spare);
	worker_process_finish(&worker->process, TERM_WAIT_MS);
	worker->state = WORKER_DOWN;
}
