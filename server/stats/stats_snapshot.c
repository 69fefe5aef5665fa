/* SPDX-License-Identifier: MIT */
#include "server/stats/stats_snapshot.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/listen.h"
#include "common/shm.h"

#define ANSWER_TIMEOUT_MS 1000

const char *const stats_process_names[STATS_PROCESSES] = {
	[STATS_PROCESS_KEEPER] = "vitrine-gpu",
	[STATS_PROCESS_RENDER] = "vitrine-render",
	[STATS_PROCESS_DISPLAY] = "vitrine-display",
	[STATS_PROCESS_QEMU] = "qemu",
};

void stats_snapshot_text(const uint64_t *words, size_t size_bytes, char *text)
{
	g_assert(size_bytes > 0);
	memcpy(text, words, size_bytes);
	text[size_bytes - 1] = '\0';
	for (char *c = text; *c; c++) {
		if (!g_ascii_isprint(*c))
			*c = '?';
	}
}

bool stats_snapshot_copy(int fd, enum stats_worker worker, struct stats *copy, GError **error)
{
	const char *name = stats_process_names[worker == STATS_RENDER ? STATS_PROCESS_RENDER :
									STATS_PROCESS_DISPLAY];
	g_assert(worker == STATS_RENDER || worker == STATS_DISPLAY);
	uint64_t *map = shm_map(fd, sizeof(*copy), false);
	if (!map) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
			"the figures of %s cannot be read (of another version?): %s", name,
			g_strerror(errno));
		return false;
	}
	uint64_t *words = (uint64_t *)copy;
	for (size_t i = 0; i < sizeof(*copy) / sizeof(*words); i++)
		words[i] = __atomic_load_n(&map[i], __ATOMIC_RELAXED);
	shm_unmap(map, sizeof(*copy));
	if (copy->magic == STATS_MAGIC && copy->version == STATS_VERSION &&
		copy->size_bytes == sizeof(*copy) && copy->worker == worker)
		return true;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
		"the figures of %s are of another version, or damaged", name);
	return false;
}

/* ---- processes ---- */

/* The name in parentheses may hold anything (proc(5)), so we read on behind the last of them. */
static bool read_times(struct stats_process_times *times, int pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
	g_autofree char *text = NULL;
	unsigned long long user, system, start;
	if (pid <= 0 || !g_file_get_contents(path, &text, NULL, NULL))
		return false;
	const char *rest = strrchr(text, ')');
	if (!rest || sscanf(rest + 1,
			     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu "
			     "%*d %*d %*d %*d %*d %*d %llu",
			     &user, &system, &start) != 3)
		return false;
	uint64_t ticks_per_s = (uint64_t)MAX(sysconf(_SC_CLK_TCK), 1);
	*times = (struct stats_process_times){ .pid = pid,
		.start_ticks = start,
		.cpu_us = (user + system) * (G_USEC_PER_SEC / ticks_per_s) };
	return true;
}

static int read_pid_file(const char *path)
{
	g_autofree char *text = NULL;
	if (!path || !g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	gint64 pid = g_ascii_strtoll(text, NULL, 10);
	return pid > 0 && pid <= G_MAXINT ? (int)pid : 0;
}

/* ---- the keeper's answer ---- */

struct reading {
	struct stats_snapshot *snapshot;
	const char *qemu_pid_file;
	GError **error;
	bool done;
};

/* Both are of the same size. */
static void take_text(char *to, const char *from, size_t size_bytes)
{
	uint64_t words[STATS_GPU_WHY_BYTES / 8];
	g_assert(size_bytes <= sizeof(words));
	memcpy(words, from, size_bytes);
	stats_snapshot_text(words, size_bytes, to);
}

static void take_answer(struct reading *reading, const struct stats_answer *answer)
{
	struct stats_snapshot *snapshot = reading->snapshot;
	take_text(snapshot->name, answer->name, sizeof(answer->name));
	take_text(snapshot->gpu, answer->gpu, sizeof(answer->gpu));
	take_text(snapshot->gpu_why, answer->gpu_why, sizeof(answer->gpu_why));
	snapshot->render_starts = answer->render_starts;
	snapshot->display_starts = answer->display_starts;
	snapshot->spare = MIN(answer->spare_state, STATS_SPARE_READY);
	snapshot->spare_pid = answer->spare_pid;
	snapshot->spare_own_kib = answer->spare_own_kib;
	snapshot->walls[STATS_PROCESS_KEEPER] = answer->keeper_walls;
	snapshot->walls[STATS_PROCESS_RENDER] = answer->render_walls;
	snapshot->walls[STATS_PROCESS_DISPLAY] = answer->display_walls;
	for (unsigned i = 0; i < STATS_PROCESSES; i++)
		confine_clean(&snapshot->walls[i]);
	snapshot->inner_walls = answer->inner_walls;
	snapshot->starter_walls = answer->starter_walls;
	snapshot->fetcher_walls = answer->fetcher_walls;
	confine_clean(&snapshot->inner_walls);
	confine_clean(&snapshot->starter_walls);
	confine_clean(&snapshot->fetcher_walls);
	int pids[STATS_PROCESSES] = {
		[STATS_PROCESS_KEEPER] = answer->keeper_pid,
		[STATS_PROCESS_RENDER] = answer->render_pid,
		[STATS_PROCESS_DISPLAY] = answer->display_pid,
		[STATS_PROCESS_QEMU] = answer->qemu_pid > 0 ? answer->qemu_pid :
							      read_pid_file(reading->qemu_pid_file),
	};
	for (unsigned i = 0; i < STATS_PROCESSES; i++)
		read_times(&snapshot->processes[i], pids[i]);
}

static bool on_answer(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct reading *reading = user;
	const struct stats_answer *answer = message;
	if (answer->version != STATS_VERSION) {
		g_set_error(reading->error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
			"its figures are of version %u, this program reads version %d",
			answer->version, STATS_VERSION);
		return false;
	}
	struct stats_snapshot *snapshot = reading->snapshot;
	snapshot->time_us = g_get_monotonic_time();
	reading->done =
		stats_snapshot_copy(fds[0], STATS_RENDER, &snapshot->render, reading->error) &&
		stats_snapshot_copy(fds[1], STATS_DISPLAY, &snapshot->display, reading->error);
	if (reading->done)
		take_answer(reading, answer);
	return true;
}

static const struct link_handler table[] = {
	{ STATS_MESSAGE_ANSWER, "ANSWER", sizeof(struct stats_answer), 2, 2, on_answer },
};

struct stats_snapshot *stats_snapshot_take(
	const char *socket_path, const char *qemu_pid_file, GError **error)
{
	g_autofree struct stats_snapshot *snapshot = g_new0(struct stats_snapshot, 1);
	g_autoptr(GError) inner = NULL;
	struct reading reading = { snapshot, qemu_pid_file, &inner, false };
	g_assert(socket_path && (!error || !*error));
	int fd = listen_connect_packets(socket_path, ANSWER_TIMEOUT_MS, error);
	if (fd < 0)
		return NULL;
	bool answered = link_wait_readable(fd, ANSWER_TIMEOUT_MS);
	if (answered)
		link_dispatch(fd, socket_path, table, G_N_ELEMENTS(table), &reading);
	close(fd);
	if (reading.done)
		return g_steal_pointer(&snapshot);
	if (inner)
		g_propagate_error(error, g_steal_pointer(&inner));
	else
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
			answered ? "no answer that can be understood" : "no answer");
	return NULL;
}
