/* SPDX-License-Identifier: MIT */
#include "server/keeper/worker_death.h"

#include <sys/wait.h>

#include "common/monotonic.h"
#include "protocol/flight_events.h"
#include "server/keeper/limits.h"

void worker_death_begin(struct worker *worker)
{
	worker->death = (struct flight_head){ .process = worker->class->process,
		.pid = (int32_t)worker->process.pid,
		.n_start = worker->n_starts,
		.began_ns = monotonic_now_ns() };
	flight_note(FLIGHT_WORKER_STARTED, worker->class->process, (uint64_t)worker->process.pid,
		worker->n_starts);
}

void worker_death_note(struct worker *worker, enum flight_cause cause, const char *why)
{
	if (worker->death.cause != FLIGHT_CAUSE_UNKNOWN)
		return;
	worker->death.cause = cause;
	if (why && why != worker->death.why)
		g_strlcpy(worker->death.why, why, sizeof(worker->death.why));
}

/* A process that is stopped, or that the kernel holds, does not answer. */
void worker_death_ask(const struct worker *worker)
{
	if (worker->death.cause == FLIGHT_CAUSE_STOPPED ||
		!flight_page_can_be_asked(&worker->process.flight))
		return;
	worker_process_signal(&worker->process, flight_signal());
	flight_page_wait_stacks(&worker->process.flight);
}

char *worker_describe_work(const struct worker *worker, const struct heartbeat_said *said)
{
	if (said->context == 0 || !worker->class->name_context)
		return g_strdup(said->what);
	g_autofree char *name = worker->class->name_context(worker->owner, said->context);
	return g_strdup_printf("%s of context %u%s%s%s", said->what, said->context,
		name ? " (" : "", name ? name : "", name ? ")" : "");
}

static char *describe_loop(enum heartbeat_loop loop)
{
	static const char *const names[] = {
		[HEARTBEAT_MAIN] = "main thread",
		[HEARTBEAT_GPU] = "gpu thread",
		[HEARTBEAT_GPU_WORK] = "GPU",
		[HEARTBEAT_RELAY] = "relay",
	};
	if (loop < G_N_ELEMENTS(names))
		return g_strdup(names[loop]);
	return g_strdup_printf("spice-server's worker of head %u", loop - HEARTBEAT_SPICE);
}

static char *describe_fault(const struct worker *worker, const struct watchdog_verdict *verdict)
{
	double s = (double)verdict->for_ns / 1e9;
	if (verdict->fault == WATCHDOG_STOPPED)
		return g_strdup_printf("stopped for about %.1f s", s);
	g_autofree char *loop = describe_loop(verdict->loop);
	g_autofree char *work = worker_describe_work(worker, &verdict->said);
	return g_strdup_printf("%s has been at %s for %.1f s", loop, work, s);
}

static enum flight_cause find_cause(const struct watchdog_verdict *verdict)
{
	if (verdict->fault == WATCHDOG_STOPPED)
		return FLIGHT_CAUSE_STOPPED;
	switch (verdict->loop) {
	case HEARTBEAT_GPU:
		return FLIGHT_CAUSE_HUNG_GPU_THREAD;
	case HEARTBEAT_GPU_WORK:
		return FLIGHT_CAUSE_HUNG_GPU;
	case HEARTBEAT_MAIN:
		return FLIGHT_CAUSE_HUNG_MAIN;
	default:
		return FLIGHT_CAUSE_HUNG_LOOP;
	}
}

enum flight_cause worker_death_note_verdict(
	struct worker *worker, const struct watchdog_verdict *verdict)
{
	g_autofree char *work = worker_describe_work(worker, &verdict->said);
	g_autofree char *why = describe_fault(worker, verdict);
	struct flight_head *death = &worker->death;
	g_strlcpy(death->why, why, sizeof(death->why));
	death->for_ns = verdict->for_ns;
	death->loop = (uint32_t)verdict->loop;
	death->context = verdict->said.context;
	g_strlcpy(death->work, work, sizeof(death->work));
	return find_cause(verdict);
}

/*
 * Of processes that cannot start, one after the other, the first end is kept, and so is none of
 * those that are tried on a GPU and say that they cannot have it.
 */
static bool is_worth_keeping(const struct worker *worker, bool had_started, int wait_status)
{
	if (had_started || worker->is_late)
		return true;
	bool tells = worker->class->not_started && WIFEXITED(wait_status) && worker->timer_source;
	return !tells && worker->backoff_ms <= BACKOFF_FIRST_MS;
}

void worker_death_keep(struct worker *worker, bool had_started, int wait_status)
{
	worker->death.wait_status = wait_status;
	worker->death.has_wait_status = 1;
	/* What a successor did not survive taking over is a start that failed. */
	worker->death.was_ready = worker->has_started;
	if (worker->recorder && is_worth_keeping(worker, had_started, wait_status))
		recorder_keep(worker->recorder, &worker->death, &worker->process);
}
