/* SPDX-License-Identifier: MIT */
/*
 * stats_snapshot is what one desktop's figures are at one moment, as a reader gets them
 * (protocol/stats.h).
 *
 * The memory belongs to the workers, which may be in a guest's or a client's hands. So it is copied
 * once, its header is checked, and its texts are made printable; its numbers may be anything.
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

/* These are the names of the programs. */
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
	enum stats_spare spare;
	int spare_pid;
	uint64_t spare_own_kib; /* 0: not known */
	struct stats_process_times processes[STATS_PROCESSES];
	struct confine_state walls[STATS_PROCESSES]; /* of QEMU: none */
	struct confine_state inner_walls, starter_walls, fetcher_walls;
	char gpu[STATS_GPU_BYTES], gpu_why[STATS_GPU_WHY_BYTES]; /* printable */
	struct stats render, display;
};

/*
 * Asks the keeper that listens on this socket, and waits a second at most. The file at
 * `qemu_pid_file` says QEMU's pid when the keeper does not know it; it may be NULL or missing.
 * Gives NULL with `error` set when nobody answers, or when the figures cannot be read. Free the
 * snapshot with g_free().
 */
struct stats_snapshot *stats_snapshot_take(
	const char *socket_path, const char *qemu_pid_file, GError **error);

/* Gives the memory that this worker fills in. */
static inline const struct stats *stats_snapshot_of(
	const struct stats_snapshot *snapshot, enum stats_worker worker)
{
	return worker == STATS_RENDER ? &snapshot->render : &snapshot->display;
}

/* Copies and checks one worker's memory. Tests call it, too. */
bool stats_snapshot_copy(int fd, enum stats_worker worker, struct stats *copy, GError **error);

/* Makes a text of untrusted bytes: printable ASCII that ends within size_bytes. */
void stats_snapshot_text(const uint64_t *words, size_t size_bytes, char *text);
