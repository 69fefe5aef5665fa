/* SPDX-License-Identifier: MIT */
/*
 * stats_snapshot: what one desktop's figures are at one moment, as a reader gets them
 * (protocol/stats.h).
 *
 * The memory is the workers', who may be in a guest's or a client's hands: it is copied once, its
 * header checked, its texts made printable; its numbers may be anything.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "protocol/stats.h"

enum stats_process {
	STATS_PROCESS_KEEPER,
	STATS_PROCESS_RENDER,
	STATS_PROCESS_DISPLAY,
	STATS_PROCESS_QEMU,
	STATS_PROCESSES,
};

/* Program names. */
extern const char *const stats_process_names[STATS_PROCESSES];

struct stats_process_times {
	int pid;              /* 0: does not run, or is not known */
	uint64_t start_ticks; /* since boot: tells a process from another with its pid */
	uint64_t cpu_us;      /* user and system time */
};

struct stats_snapshot {
	char name[STATS_NAME_BYTES];
	int64_t time_us; /* CLOCK_MONOTONIC */
	uint32_t render_starts, display_starts;
	struct stats_process_times processes[STATS_PROCESSES];
	struct stats render, display;
};

/*
 * Asks the keeper that listens on this socket; waits a second at most. `qemu_pid_file` says QEMU's
 * pid when the keeper does not know it; NULL or missing: nobody does. NULL with `error` set when
 * there is nobody, or figures that cannot be read. Freed with g_free().
 */
struct stats_snapshot *stats_snapshot_take(
	const char *socket_path, const char *qemu_pid_file, GError **error);

/* Which of the two holds what this worker fills in. */
static inline const struct stats *stats_snapshot_of(
	const struct stats_snapshot *snapshot, enum stats_worker worker)
{
	return worker == STATS_RENDER ? &snapshot->render : &snapshot->display;
}

/* Copies and checks one worker's memory. For tests, too. */
bool stats_snapshot_copy(int fd, enum stats_worker worker, struct stats *copy, GError **error);

/* Makes a text of untrusted words: printable ASCII, ended within size_bytes (as in the layout). */
void stats_snapshot_text(const uint64_t *words, size_t size_bytes, char *text);
