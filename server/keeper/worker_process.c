/* SPDX-License-Identifier: MIT */
#include "server/keeper/worker_process.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/link.h"
#include "common/process.h"
#include "protocol/flight_events.h"
#include "protocol/keeper_link.h"
#include "server/keeper/limits.h"
#include "server/starter/starter_process.h"

static bool make_link(int fds[2], const char *name, GError **error)
{
	int result = link_pair(fds);
	if (result < 0)
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-result),
			"%s: cannot make a link: %s", name, g_strerror(-result));
	return result >= 0;
}

bool worker_process_prepare(struct worker_process *process, GError **error)
{
	g_assert(!process->heartbeat.map);
	return heartbeat_memory_init(&process->heartbeat, "vitrine-heartbeat", error) &&
	       flight_page_init(&process->flight, error);
}

bool worker_process_spawn(struct worker_process *process, const char *name, struct starter *starter,
	unsigned command, GChildWatchFunc on_end, void *user, GError **error)
{
	int fds[2];
	g_assert(process->pid == 0 && process->link < 0 && !process->end_source);
	g_assert(process->heartbeat.map);
	if (!make_link(fds, name, error))
		return false;
	heartbeat_memory_clear(&process->heartbeat);
	flight_page_clear(&process->flight);
	const int handed[SERVANT_FDS] = { [STARTER_FD_LINK] = fds[1],
		[STARTER_FD_HEARTBEAT] = process->heartbeat.fd,
		[STARTER_FD_FLIGHT] = process->flight.fd };
	int pidfd;
	pid_t pid = starter_spawn(starter, command, handed, &pidfd, error);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return false;
	}
	process->pid = pid;
	process->command = command;
	process->has_begun = false;
	process->pidfd = pidfd;
	process->link = fds[0];
	process->end_source = g_child_watch_add(pid, on_end, user);
	return true;
}

void worker_process_note_end(struct worker_process *process)
{
	process->end_source = 0;
	process->pid = 0;
	fd_close(&process->pidfd);
}

static void on_left_behind_end(GPid pid, int wait_status, gpointer user)
{
	g_message("process %d, which was left behind, has ended", (int)pid);
}

void worker_process_leave_behind(struct worker_process *process, const char *name)
{
	g_assert(process->pid > 0 && process->end_source);
	g_warning("%s (pid %d) does not end: left behind", name, (int)process->pid);
	flight_note(FLIGHT_WORKER_LEFT, (uint64_t)process->pid, 0, 0);
	g_clear_handle_id(&process->end_source, g_source_remove);
	g_child_watch_add(process->pid, on_left_behind_end, NULL);
}

void worker_process_tell_begin(struct worker_process *process, bool is_spare)
{
	struct keeper_begin m = { .header.type = KEEPER_MESSAGE_BEGIN, .is_spare = is_spare };
	g_assert(!process->has_begun);
	/* Nothing else was sent before, so it finds room; who is dead is heard of otherwise. */
	int result = link_send(process->link, &m, sizeof(m), NULL, 0);
	process->has_begun = true;
	if (result == 0 || result == -EPIPE)
		return;
	/* It would wait for this for ever. */
	g_warning("process %d cannot be told to begin: %s: killed", (int)process->pid,
		g_strerror(-result));
	worker_process_signal(process, SIGKILL);
}

void worker_process_signal(const struct worker_process *process, int signal_number)
{
	if (process->pidfd >= 0)
		process_signal(process->pidfd, signal_number);
}

bool worker_process_is_stopped(const struct worker_process *process)
{
	siginfo_t info = { 0 };
	if (process->pid <= 0)
		return false;
	/* The news of that is left to whoever else waits for it. */
	const int options = WSTOPPED | WNOHANG | WNOWAIT;
	return waitid(P_PID, (id_t)process->pid, &info, options) == 0 &&
	       info.si_pid == process->pid;
}

bool worker_process_wait_end(const struct worker_process *process, int timeout_ms)
{
	return process_wait_end_of(process->pidfd, timeout_ms);
}

void worker_process_close_link(struct worker_process *process)
{
	if (process->link >= 0)
		close(process->link);
	process->link = -1;
}

static void reap(const struct worker_process *process)
{
	if (!worker_process_wait_end(process, WORKER_END_MS)) {
		g_warning("process %d does not end: left behind", (int)process->pid);
		return;
	}
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void worker_process_finish(struct worker_process *process, int term_wait_ms)
{
	g_clear_handle_id(&process->end_source, g_source_remove);
	worker_process_close_link(process);
	if (process->pid > 0) {
		worker_process_signal(process, SIGTERM);
		if (!worker_process_wait_end(process, term_wait_ms))
			worker_process_signal(process, SIGKILL);
		reap(process);
	}
	worker_process_note_end(process);
	heartbeat_memory_finish(&process->heartbeat);
	flight_page_finish(&process->flight);
}
