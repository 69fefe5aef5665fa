/* SPDX-License-Identifier: MIT */
#include "server/starter/starter_process.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/flight.h"
#include "common/process.h"
#include "protocol/heartbeat.h"
#include "protocol/keeper_link.h"
#include "server/starter/isolation.h"
#include "server/starter/program_note.h"
#include "server/starter/servant_process.h"
#include "server/starter/starter.h"
#include "server/starter/starter_walls.h"

/* Display without a client has 20 MiB of its own. */
#define WORKER_BYTES_MIN (16 << 20)

struct starter_process {
	const struct starter_plan *plan;
	struct isolation isolation;
	int live[STARTER_LIVE_MAX]; /* pidfds of workers; -1: a free place */
	/* The commands' programs, open; 0: one that is looked up at each start. Some are the same.
	 */
	int programs[STARTER_COMMANDS_MAX];
	/* What they were before, for as long as others are tried; 0: none is. */
	int before[STARTER_COMMANDS_MAX];
};

/*
 * Gives the program, open, or 0. A script is executed by whom it names, who could not open what
 * only we have open. What lies there may be a FIFO by the time of an upgrade, and the keeper waits.
 */
static int open_program(const char *path)
{
	char magic[SELFMAG];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && pread(fd, magic, SELFMAG, 0) == SELFMAG &&
		memcmp(magic, ELFMAG, SELFMAG) == 0)
		return fd;
	fd_close(&fd);
	return 0;
}

/*
 * Workers are of the keeper's own build for as long as it lives, whatever becomes of the files: a
 * package that is upgraded while its desktops run has other programs by then, whose links may be of
 * another version.
 */
static void hold_programs(struct starter_process *process)
{
	const struct starter_command *commands = process->plan->commands;
	for (unsigned i = 0; i < process->plan->n_commands; i++) {
		unsigned same = 0;
		while (same < i && strcmp(commands[same].argv[0], commands[i].argv[0]) != 0)
			same++;
		process->programs[i] =
			same < i ? process->programs[same] : open_program(commands[i].argv[0]);
	}
}

/* Gives a place for one more worker, or NULL when too many live. */
static int *find_place(struct starter_process *process)
{
	for (unsigned i = 0; i < STARTER_LIVE_MAX; i++) {
		struct pollfd p = { .fd = process->live[i], .events = POLLIN };
		if (p.fd >= 0 && poll(&p, 1, 0) > 0)
			fd_close(&process->live[i]);
		if (process->live[i] < 0)
			return &process->live[i];
	}
	return NULL;
}

/*
 * A program that may have less memory than it begins with dies by a signal that says nothing, when
 * the kernel or the dynamic linker finds none, so it is not executed at all.
 */
static bool has_memory(void)
{
	static const int resources[] = { RLIMIT_DATA, RLIMIT_AS };
	for (unsigned i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
		struct rlimit limit;
		if (getrlimit(resources[i], &limit) == 0 && limit.rlim_cur < WORKER_BYTES_MIN)
			return false;
	}
	return true;
}

static struct servant_answer start(
	struct starter_process *process, const struct servant_request *request, int *sent_fd)
{
	struct process_options options = {
		.sibling = true,
		.death_signal = SIGKILL,
		.own_group = true,
		.no_new_privileges = true,
		.fds = { { request->fds[STARTER_FD_LINK], KEEPER_LINK_FD },
			{ request->fds[STARTER_FD_HEARTBEAT], HEARTBEAT_FD },
			{ request->fds[STARTER_FD_FLIGHT], FLIGHT_FD } },
		.n_fds = SERVANT_FDS,
	};
	int *place = find_place(process);
	if (!place)
		return (struct servant_answer){ .pid = -1, .error = EAGAIN };
	if (!has_memory())
		return (struct servant_answer){ .pid = -1, .error = ENOMEM };
	pid_t pid;
	struct isolation_step step;
	char **argv = process->plan->commands[request->what].argv;
	options.program_fd = process->programs[request->what];
	isolation_apply(&process->isolation, &step, request->what, &options);
	int error = process_start(argv, &options, &pid);
	if (pid < 0 && options.namespaces) {
		isolation_give_up_namespaces(&process->isolation, error);
		isolation_apply(&process->isolation, &step, request->what, &options);
		error = process_start(argv, &options, &pid);
	}
	if (error == 0) {
		*sent_fd = *place = pidfd_open(pid, 0);
		/* Nobody could end it. */
		if (*sent_fd < 0) {
			error = errno;
			tgkill(pid, pid, SIGKILL);
		}
	}
	return (struct servant_answer){ .pid = pid, .error = error };
}

/* For all commands that have this one's program. */
static void exchange(struct starter_process *process, unsigned command, int program, int before)
{
	int old = process->programs[command];
	for (unsigned i = 0; i < process->plan->n_commands; i++) {
		if (process->programs[i] != old)
			continue;
		process->programs[i] = program;
		process->before[i] = before;
	}
}

static bool is_same(int program, int other)
{
	struct stat a, b;
	return fstat(program, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Returns errno: of EPROTO `differs` says what. */
static int take_new_program(
	struct starter_process *process, unsigned command, struct program_difference *differs)
{
	int now = process->programs[command];
	errno = ENOEXEC;
	int program = open_program(process->plan->commands[command].argv[0]);
	if (program == 0)
		return errno;
	int error = is_same(program, now) ? EALREADY : program_note_compare(program, differs);
	if (error == 0)
		exchange(process, command, program, now);
	else
		close(program);
	return error;
}

static int set_program(struct starter_process *process, unsigned command,
	enum starter_program which, struct program_difference *differs)
{
	int now = process->programs[command], before = process->before[command];
	if ((which == STARTER_PROGRAM_NEW) != (before == 0) || now == 0)
		return EINVAL;
	switch (which) {
	case STARTER_PROGRAM_NEW:
		return take_new_program(process, command, differs);
	case STARTER_PROGRAM_OLD:
		exchange(process, command, before, 0);
		close(now);
		break;
	case STARTER_PROGRAM_KEPT:
		exchange(process, command, now, 0);
		close(before);
		break;
	}
	return 0;
}

static struct servant_answer tell_program(
	struct starter_process *process, unsigned command, enum starter_program which)
{
	struct program_difference differs = { 0 };
	int error = set_program(process, command, which, &differs);
	return (struct servant_answer){
		.pid = -1, .error = error, .details = { differs.contract, differs.version }
	};
}

/* Returns false when the keeper has gone, or says what no keeper of ours says. */
static bool serve_one(struct starter_process *process)
{
	struct servant_request request;
	int pidfd = -1;
	if (!servant_process_hear(&request))
		return false;
	unsigned which = request.what >> STARTER_PROGRAM_SHIFT;
	unsigned command = request.what & ((1u << STARTER_PROGRAM_SHIFT) - 1);
	if (command >= process->plan->n_commands || (which == 0) != (request.fds[0] >= 0))
		return false;
	if (which != 0) {
		struct servant_answer told = tell_program(process, command, which);
		return servant_process_answer(&told, -1);
	}
	struct servant_answer answer = start(process, &request, &pidfd);
	for (unsigned i = 0; i < SERVANT_FDS; i++)
		fd_close(&request.fds[i]);
	/* The worker's stays here, to tell how many live. */
	return servant_process_answer(&answer, pidfd);
}

void starter_process_run(int link, const void *plan, pid_t keeper)
{
	struct starter_process process = { .plan = plan };
	struct confine_state walls = { 0 };
	for (unsigned i = 0; i < STARTER_LIVE_MAX; i++)
		process.live[i] = -1;
	if (!servant_process_begin(link, "vitrine-starter", keeper))
		_exit(1);
	hold_programs(&process);
	/* It may be another user after that. */
	if (!isolation_init(&process.isolation, plan) || !servant_process_end_with(keeper))
		_exit(1);
	if (process.plan->apart && !starter_walls_put_up(&process.isolation, &walls))
		_exit(1);
	if (process.plan->apart)
		confine_log(&walls, CONFINE_AUTO);
	bool goes_on = servant_process_tell_walls(&walls);
	while (goes_on)
		goes_on = serve_one(&process);
	_exit(0);
}
