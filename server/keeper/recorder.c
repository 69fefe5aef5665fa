/* SPDX-License-Identifier: MIT */
#include "server/keeper/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/monotonic.h"
#include "protocol/flight_events.h"
#include "server/keeper/worker_end.h"

/*
 * How often the kernel has killed a process of our control group to have memory (Linux 4.13), or
 * where that has no such file, as the root has not, one of this machine.
 */
#define GROUPS "/sys/fs/cgroup"
#define GROUP_EVENTS "memory.events"
#define VMSTAT "/proc/vmstat"
#define KILLS_BYTES 16384
#define OOM_KILL "\noom_kill "
/* It is looked at no more often than this. */
#define KILLS_LOOK_MS 2000

static int open_kills(void)
{
	g_autofree char *groups = NULL;
	int fd = -1;
	if (g_file_get_contents("/proc/self/cgroup", &groups, NULL, NULL) &&
		g_str_has_prefix(groups, "0::/")) {
		groups[strcspn(groups, "\n")] = '\0';
		g_autofree char *path =
			g_build_filename(GROUPS, groups + strlen("0::"), GROUP_EVENTS, NULL);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	return fd >= 0 ? fd : open(VMSTAT, O_RDONLY | O_CLOEXEC);
}

static uint64_t count_oom_kills(const struct recorder *recorder)
{
	char text[KILLS_BYTES];
	ssize_t n =
		recorder->kills_fd >= 0 ? pread(recorder->kills_fd, text, sizeof(text) - 1, 0) : -1;
	text[MAX(n, 0)] = '\0';
	const char *line = strstr(text, OOM_KILL);
	return line ? g_ascii_strtoull(line + strlen(OOM_KILL), NULL, 10) : 0;
}

static void fill(const struct recorder *recorder, struct flight_head *head)
{
	memcpy(head->desktop, recorder->desktop, sizeof(head->desktop));
	memcpy(head->kernel, recorder->kernel, sizeof(head->kernel));
	memcpy(head->gpu, recorder->gpu, sizeof(head->gpu));
	g_strlcpy(head->program, VITRINE_VERSION, sizeof(head->program));
	head->link_version = KEEPER_LINK_VERSION;
}

/* The keeper's own file says that it runs until it says why not. */
static void begin_own(struct recorder *recorder)
{
	struct flight_head *own = flight_folder_map(&recorder->folder, &recorder->own_slot);
	if (!own) {
		g_warning("what the keeper does is not kept: %s", g_strerror(errno));
		return;
	}
	own->process = FLIGHT_PROCESS_KEEPER;
	own->cause = FLIGHT_CAUSE_RUNNING;
	own->pid = (int32_t)getpid();
	own->n_start = 1;
	own->began_ns = own->written_ns;
	fill(recorder, own);
	recorder->own = own;
	flight_use(flight_folder_memory(own));
	flight_set_text(FLIGHT_TEXT_PROGRAM, "vitrine-gpu " VITRINE_VERSION);
	flight_begin_thread("main");
	flight_find_modules();
	flight_watch_crashes();
	flight_note(FLIGHT_STARTED, (uint64_t)getpid(), 0, 0);
}

void recorder_init(struct recorder *recorder, const struct desktop *desktop)
{
	struct utsname machine;
	g_autoptr(GError) error = NULL;
	*recorder = (struct recorder){ .folder = FLIGHT_FOLDER_NONE, .kills_fd = -1 };
	if (strcmp(desktop->name, DESKTOP_NAMELESS) == 0)
		return;
	g_strlcpy(recorder->desktop, desktop->name, sizeof(recorder->desktop));
	if (uname(&machine) == 0)
		g_strlcpy(recorder->kernel, machine.release, sizeof(recorder->kernel));
	if (!flight_folder_open(&recorder->folder, desktop->name, &error)) {
		g_message("ends of processes are not kept: %s", error->message);
		return;
	}
	recorder->kills_fd = open_kills();
	recorder->n_oom_kills = count_oom_kills(recorder);
	begin_own(recorder);
}

void recorder_note_quit(struct recorder *recorder, enum flight_cause cause, const char *why)
{
	struct flight_head *own = recorder->own;
	if (!own || own->cause != FLIGHT_CAUSE_RUNNING)
		return;
	flight_note(FLIGHT_QUITS, cause, 0, 0);
	g_strlcpy(own->why, why, sizeof(own->why));
	own->written_ns = monotonic_now_ns();
	own->realtime_ns = (uint64_t)g_get_real_time() * 1000;
	own->cause = cause;
}

void recorder_finish(struct recorder *recorder)
{
	recorder_note_quit(recorder, FLIGHT_CAUSE_ENDED, "");
	flight_use(NULL);
	flight_folder_unmap(recorder->own);
	recorder->own = NULL;
	flight_folder_close(&recorder->folder);
	fd_close(&recorder->kills_fd);
}

void recorder_set_gpu(struct recorder *recorder, const char *gpu)
{
	g_strlcpy(recorder->gpu, gpu, sizeof(recorder->gpu));
	if (recorder->own)
		memcpy(recorder->own->gpu, recorder->gpu, sizeof(recorder->gpu));
}

void recorder_look(struct recorder *recorder, uint64_t now_ns)
{
	if (now_ns - recorder->looked_ns < KILLS_LOOK_MS * MONOTONIC_NS_PER_MS)
		return;
	recorder->looked_ns = now_ns;
	recorder->n_oom_kills = count_oom_kills(recorder);
}

/* ---- ends ---- */

static enum flight_cause find_cause(struct recorder *recorder, const struct flight_head *death)
{
	uint64_t n_oom_kills = count_oom_kills(recorder);
	bool killed_for_memory = n_oom_kills > recorder->n_oom_kills;
	recorder->n_oom_kills = n_oom_kills;
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
	if (recorder->folder.lock_fd < 0)
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
	if (recorder->own)
		parts[n++] = (struct flight_bytes){ FLIGHT_SECTION_KEEPER_FLIGHT,
			flight_folder_memory(recorder->own), sizeof(struct flight_memory) };
	int slot = flight_folder_write(&recorder->folder, death, parts, n);
	flight_note(
		FLIGHT_DEATH_KEPT, death->process, (uint64_t)MAX(slot, 0), (uint64_t)MAX(-slot, 0));
	if (slot < 0 && !recorder->is_warned)
		g_warning("the end of %s is not kept: %s", flight_process_name(death->process),
			g_strerror(-slot));
	recorder->is_warned = slot < 0;
}
