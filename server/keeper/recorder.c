/* SPDX-License-Identifier: MIT */
#include "server/keeper/recorder.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "protocol/flight_events.h"
#include "server/keeper/worker_end.h"

static void fill(const struct recorder *recorder, struct flight_head *head)
{
	memcpy(head->desktop, recorder->desktop, sizeof(head->desktop));
	memcpy(head->kernel, recorder->kernel, sizeof(head->kernel));
	memcpy(head->gpu, recorder->gpu, sizeof(head->gpu));
	g_strlcpy(head->program, VITRINE_VERSION, sizeof(head->program));
	head->link_version = KEEPER_LINK_VERSION;
}

static struct flight_head make_own(const struct recorder *recorder)
{
	struct flight_head own = { .process = FLIGHT_PROCESS_KEEPER,
		.pid = (int32_t)getpid(),
		.n_start = 1,
		.began_ns = monotonic_now_ns() };
	fill(recorder, &own);
	return own;
}

void recorder_init(struct recorder *recorder, const struct desktop *desktop)
{
	struct utsname machine;
	g_autoptr(GError) error = NULL;
	*recorder = (struct recorder){ .kills = OOM_KILLS_NONE };
	if (strcmp(desktop->name, DESKTOP_NAMELESS) == 0)
		return;
	g_strlcpy(recorder->desktop, desktop->name, sizeof(recorder->desktop));
	if (uname(&machine) == 0)
		g_strlcpy(recorder->kernel, machine.release, sizeof(recorder->kernel));
	const struct flight_head own = make_own(recorder);
	recorder->writer = flight_writer_create(desktop->name, FLIGHT_PART_KEEPER, &own, &error);
	if (!recorder->writer) {
		g_message("ends of processes are not kept: %s", error->message);
		return;
	}
	oom_kills_init(&recorder->kills);
	flight_set_text(FLIGHT_TEXT_PROGRAM, "vitrine-gpu " VITRINE_VERSION);
	flight_begin_thread("main");
	flight_find_modules();
	flight_watch_crashes();
	flight_note(FLIGHT_STARTED, (uint64_t)getpid(), 0, 0);
}

void recorder_start(struct recorder *recorder)
{
	if (recorder->writer)
		flight_writer_start(recorder->writer);
}

void recorder_note_quit(struct recorder *recorder, enum flight_cause cause, const char *why)
{
	if (recorder->writer)
		flight_writer_set_end(recorder->writer, cause, why);
}

void recorder_finish(struct recorder *recorder)
{
	recorder_note_quit(recorder, FLIGHT_CAUSE_ENDED, "");
	flight_writer_finish(recorder->writer);
	recorder->writer = NULL;
	oom_kills_finish(&recorder->kills);
}

void recorder_set_gpu(struct recorder *recorder, const char *gpu)
{
	g_strlcpy(recorder->gpu, gpu, sizeof(recorder->gpu));
	if (recorder->writer)
		flight_writer_set_gpu(recorder->writer, gpu);
}

void recorder_look(struct recorder *recorder, uint64_t now_ns)
{
	if (oom_kills_look(&recorder->kills, now_ns) && recorder->writer)
		flight_writer_poke(recorder->writer);
}

/* ---- ends ---- */

static enum flight_cause find_cause(struct recorder *recorder, const struct flight_head *death)
{
	bool killed_for_memory = oom_kills_rose(&recorder->kills);
	if (death->cause != FLIGHT_CAUSE_UNKNOWN)
		return death->cause;
	enum flight_cause cause = flight_cause_of_end(death->wait_status);
	if (cause == FLIGHT_CAUSE_KILLED && killed_for_memory)
		return FLIGHT_CAUSE_OUT_OF_MEMORY;
	return death->was_ready ? cause : FLIGHT_CAUSE_NOT_STARTED;
}

void recorder_keep(
	struct recorder *recorder, struct flight_head *death, const struct worker_process *process)
{
	if (!recorder->writer)
		return;
	death->cause = find_cause(recorder, death);
	fill(recorder, death);
	if (!death->why[0]) {
		g_autofree char *end = worker_end_describe(death->wait_status);
		g_strlcpy(death->why, end, sizeof(death->why));
	}
	struct flight_bytes parts[FLIGHT_SECTIONS_MAX];
	unsigned n = 0;
	if (process->flight.memory)
		parts[n++] = (struct flight_bytes){ FLIGHT_SECTION_FLIGHT, process->flight.memory,
			sizeof(*process->flight.memory) };
	if (process->heartbeat.map)
		parts[n++] = (struct flight_bytes){ FLIGHT_SECTION_HEARTBEAT,
			process->heartbeat.map, sizeof(*process->heartbeat.map) };
	parts[n++] = (struct flight_bytes){ FLIGHT_SECTION_KEEPER_FLIGHT,
		flight_writer_memory(recorder->writer), sizeof(struct flight_memory) };
	flight_writer_keep(recorder->writer, death, parts, n);
}
