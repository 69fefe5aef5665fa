/* SPDX-License-Identifier: MIT */
#include "server/keeper/spare.h"

#include <poll.h>
#include <signal.h>

#include "protocol/flight_events.h"
#include "server/keeper/limits.h"

static void start_in(struct spare *spare, unsigned ms);

void spare_init(struct spare *spare, const char *name, struct starter *starter, unsigned command,
	bool is_told, GChildWatchFunc on_end, void *user)
{
	g_assert(starter && on_end);
	*spare = (struct spare){
		.name = name,
		.starter = starter,
		.on_end = on_end,
		.user = user,
		.is_told = is_told,
		.process = WORKER_PROCESS_NONE,
		.command = command,
		.kept = DESKTOP_SPARE_NONE,
	};
}

bool spare_prepare(struct spare *spare, GError **error)
{
	return worker_process_prepare(&spare->process, error);
}

void spare_finish(struct spare *spare)
{
	g_clear_handle_id(&spare->want_source, g_source_remove);
	g_clear_handle_id(&spare->start_source, g_source_remove);
	g_clear_handle_id(&spare->end_source, g_source_remove);
	worker_process_finish(&spare->process, 0);
}

/* Gives how far one is to come now. */
static enum desktop_spare find_kind(const struct spare *spare)
{
	return spare->want_source ? DESKTOP_SPARE_READY : spare->kept;
}

static bool is_running(const struct spare *spare)
{
	return spare->process.link >= 0;
}

/* ---- one that is there ---- */

static gboolean on_end_late(gpointer user)
{
	struct spare *spare = user;
	spare->end_source = 0;
	worker_process_leave_behind(&spare->process, spare->name);
	spare_note_end(spare, "left behind");
	return G_SOURCE_REMOVE;
}

void spare_drop(struct spare *spare)
{
	if (spare->process.pid == 0)
		return;
	worker_process_close_link(&spare->process);
	worker_process_signal(&spare->process, SIGKILL);
	if (!spare->end_source)
		spare->end_source = g_timeout_add(WORKER_END_MS, on_end_late, spare);
}

void spare_renew(struct spare *spare)
{
	spare->backoff_ms = 0;
	spare_drop(spare);
}

/* Makes the process what it is to be now. One that has come too far goes. */
static void update(struct spare *spare)
{
	enum desktop_spare kind = find_kind(spare);
	bool has_begun = spare->process.has_begun;
	if (!is_running(spare)) {
		if (spare->process.pid == 0 && !spare->start_source)
			start_in(spare, SPARE_DELAY_MS);
		return;
	}
	if (spare->process.command != spare->command || kind == DESKTOP_SPARE_NONE ||
		(kind == DESKTOP_SPARE_FORK && has_begun))
		spare_drop(spare);
	else if (kind == DESKTOP_SPARE_READY && !has_begun) {
		spare->step_us = g_get_monotonic_time();
		worker_process_tell_begin(&spare->process, true);
	}
}

void spare_note_end(struct spare *spare, const char *end)
{
	int64_t lived_ms = (g_get_monotonic_time() - spare->start_us) / 1000;
	bool was_dropped = !is_running(spare);
	if (!was_dropped)
		g_warning("spare %s (pid %d) ended: %s", spare->name, (int)spare->process.pid, end);
	g_clear_handle_id(&spare->end_source, g_source_remove);
	worker_process_close_link(&spare->process);
	worker_process_note_end(&spare->process);
	if (was_dropped || lived_ms > SPARE_BACKOFF_MAX_MS)
		spare->backoff_ms = 0;
	else
		spare->backoff_ms =
			CLAMP(spare->backoff_ms * 2, SPARE_BACKOFF_MIN_MS, SPARE_BACKOFF_MAX_MS);
	start_in(spare, MAX(spare->backoff_ms, SPARE_DELAY_MS));
}

enum stats_spare spare_get_state(const struct spare *spare)
{
	if (!is_running(spare))
		return STATS_SPARE_NONE;
	if (heartbeat_memory_read_own_kib(&spare->process.heartbeat) == 0)
		return STATS_SPARE_STARTING;
	return spare->process.has_begun ? STATS_SPARE_READY : STATS_SPARE_LOADED;
}

bool spare_is_ready(const struct spare *spare)
{
	if (spare->is_told)
		return spare_get_state(spare) == STATS_SPARE_READY;
	/* The first that it says is READY, and nobody reads that yet. */
	struct pollfd p = { .fd = spare->process.link, .events = POLLIN };
	return is_running(spare) && poll(&p, 1, 0) == 1 && p.revents == POLLIN;
}

/* ---- one that is to be ---- */

static gboolean on_start(gpointer user)
{
	struct spare *spare = user;
	g_autoptr(GError) error = NULL;
	enum desktop_spare kind = find_kind(spare);
	spare->start_source = 0;
	if (!spare->is_due || kind == DESKTOP_SPARE_NONE || !starter_is_usable(spare->starter))
		return G_SOURCE_REMOVE;
	spare->start_us = spare->step_us = g_get_monotonic_time();
	if (!worker_process_spawn(&spare->process, spare->name, spare->starter, spare->command,
		    spare->on_end, spare->user, &error)) {
		g_warning("%s", error->message);
		start_in(spare, SPARE_BACKOFF_MAX_MS);
		return G_SOURCE_REMOVE;
	}
	/* There is nobody to tell it to workers that begin by themselves. */
	spare->process.has_begun = !spare->is_told;
	if (spare->is_told && kind == DESKTOP_SPARE_READY)
		worker_process_tell_begin(&spare->process, true);
	flight_note(FLIGHT_SPARE_STARTED, (uint64_t)spare->process.pid, 0, 0);
	g_info("%s: pid %d is a spare one", spare->name, (int)spare->process.pid);
	return G_SOURCE_REMOVE;
}

static void start_in(struct spare *spare, unsigned ms)
{
	g_clear_handle_id(&spare->start_source, g_source_remove);
	if (spare->is_due && find_kind(spare) != DESKTOP_SPARE_NONE)
		spare->start_source = g_timeout_add(ms, on_start, spare);
}

void spare_keep(struct spare *spare, enum desktop_spare kind)
{
	g_assert(kind != DESKTOP_SPARE_FORK || spare->is_told);
	spare->kept = kind;
	update(spare);
}

static gboolean on_unwanted(gpointer user)
{
	struct spare *spare = user;
	spare->want_source = 0;
	update(spare);
	return G_SOURCE_REMOVE;
}

void spare_want(struct spare *spare, unsigned for_ms)
{
	g_clear_handle_id(&spare->want_source, g_source_remove);
	spare->want_source = g_timeout_add(for_ms, on_unwanted, spare);
	update(spare);
}

void spare_set_command(struct spare *spare, unsigned command)
{
	spare->command = command;
	update(spare);
}

void spare_begin(struct spare *spare)
{
	spare->is_due = true;
	update(spare);
}

static bool is_late(const struct spare *spare)
{
	int64_t for_us = g_get_monotonic_time() - spare->step_us;
	return spare->is_told && spare_get_state(spare) == STATS_SPARE_STARTING &&
	       for_us > SPARE_START_MS * INT64_C(1000);
}

/* Gives what is wrong with a process that is there, or NULL. */
static const char *find_fault(const struct spare *spare)
{
	if (worker_process_is_stopped(&spare->process))
		return "is stopped";
	return is_late(spare) ? "hangs in its start" : NULL;
}

void spare_look(struct spare *spare)
{
	const char *fault = is_running(spare) ? find_fault(spare) : NULL;
	if (!fault)
		return;
	g_warning("spare %s (pid %d) %s: killed", spare->name, (int)spare->process.pid, fault);
	spare_drop(spare);
}

static bool take(struct spare *spare, struct worker_process *ended)
{
	spare_look(spare);
	if (!is_running(spare))
		return false;
	if (spare->process.command != spare->command) {
		spare_drop(spare);
		return false;
	}
	struct worker_process dead = *ended;
	*ended = spare->process;
	spare->process = dead;
	return true;
}

bool spare_take(struct spare *spare, struct worker_process *ended)
{
	g_assert(ended->pid == 0);
	bool is_taken = take(spare, ended);
	g_clear_handle_id(&spare->start_source, g_source_remove);
	/* Who crashes one crashes the next one soon. */
	spare->is_due = spare->want_source != 0;
	if (spare->process.pid == 0)
		start_in(spare, 0);
	return is_taken;
}
