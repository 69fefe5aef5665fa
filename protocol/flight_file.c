/* SPDX-License-Identifier: MIT */
#include "protocol/flight_file.h"

#include <signal.h>
#include <sys/wait.h>

#include "protocol/keeper_link.h"

static const struct {
	const char *name, *phrase;
} causes[FLIGHT_CAUSES] = {
	[FLIGHT_CAUSE_UNKNOWN] = { "unknown", "nobody knows why" },
	[FLIGHT_CAUSE_KILLED] = { "killed", "it was killed from outside (SIGKILL)" },
	[FLIGHT_CAUSE_TOLD] = { "told", "it was told to go by a signal" },
	[FLIGHT_CAUSE_SEGV] = { "segv", "it crashed: memory that it has not (SIGSEGV)" },
	[FLIGHT_CAUSE_ABORT] = { "abort", "it ended itself: abort(), an assertion" },
	[FLIGHT_CAUSE_BUS] = { "bus", "it crashed: memory without a file behind (SIGBUS)" },
	[FLIGHT_CAUSE_SYSCALL] = { "syscall", "a filter of system calls ended it (SIGSYS)" },
	[FLIGHT_CAUSE_SIGNAL] = { "signal", "a signal ended it" },
	[FLIGHT_CAUSE_EXIT] = { "exit", "it left by itself" },
	[FLIGHT_CAUSE_OUT_OF_MEMORY] = { "out-of-memory", "there was no memory" },
	[FLIGHT_CAUSE_HUNG_GPU_THREAD] = { "hung-gpu-thread", "its gpu thread hung" },
	[FLIGHT_CAUSE_HUNG_GPU] = { "hung-gpu", "the GPU hung" },
	[FLIGHT_CAUSE_HUNG_MAIN] = { "hung-main", "its main thread hung" },
	[FLIGHT_CAUSE_HUNG_LOOP] = { "hung-loop", "a thread that serves clients hung" },
	[FLIGHT_CAUSE_STOPPED] = { "stopped", "it was stopped (SIGSTOP)" },
	[FLIGHT_CAUSE_NOT_STARTED] = { "not-started", "it could not start" },
	[FLIGHT_CAUSE_LATE] = { "late", "it was not ready in time" },
	[FLIGHT_CAUSE_PROTOCOL] = { "protocol", "it broke the protocol of its link" },
	[FLIGHT_CAUSE_DEAF] = { "deaf", "it did not read its link" },
	[FLIGHT_CAUSE_RING] = { "ring", "it did not stop a ring" },
	[FLIGHT_CAUSE_REPLACED] = { "replaced", "another one was to take its place" },
	[FLIGHT_CAUSE_GPU_RESET_GUILTY] = { "gpu-reset-guilty",
		"the GPU was reset, by work of this desktop" },
	[FLIGHT_CAUSE_GPU_RESET_INNOCENT] = { "gpu-reset-innocent",
		"the GPU was reset, by no work of this desktop" },
	[FLIGHT_CAUSE_GPU_RESET_UNKNOWN] = { "gpu-reset-unknown",
		"the GPU was reset, and nobody knows by whose work" },
	[FLIGHT_CAUSE_RUNNING] = { "running", "it runs, or was ended without a word" },
	[FLIGHT_CAUSE_ENDED] = { "ended", "it was told to end" },
	[FLIGHT_CAUSE_QEMU] = { "qemu", "QEMU ended, or hung up" },
	[FLIGHT_CAUSE_QEMU_PROTOCOL] = { "qemu-protocol", "QEMU broke the protocol" },
	[FLIGHT_CAUSE_STARTER] = { "starter", "a worker was needed, and the starter is gone" },
	[FLIGHT_CAUSE_WORKER] = { "worker", "a worker could not be started" },
	[FLIGHT_CAUSE_GUEST_SHUTDOWN] = { "guest-shutdown", "its guest has powered off" },
	[FLIGHT_CAUSE_GUEST_PANIC] = { "guest-panic", "the guest's kernel has panicked" },
	[FLIGHT_CAUSE_KEEPER] = { "keeper", "vitrine-gpu ended first" },
	[FLIGHT_CAUSE_RUN] = { "run", "vitrine run ended first" },
	[FLIGHT_CAUSE_NO_DESCRIPTORS] = { "no-descriptors", "it had too many files open" },
};

const char *flight_cause_name(unsigned cause)
{
	return causes[cause < FLIGHT_CAUSES ? cause : FLIGHT_CAUSE_UNKNOWN].name;
}

const char *flight_cause_phrase(unsigned cause)
{
	return causes[cause < FLIGHT_CAUSES ? cause : FLIGHT_CAUSE_UNKNOWN].phrase;
}

const char *flight_process_name(unsigned process)
{
	static const char *const names[FLIGHT_PROCESSES] = {
		[FLIGHT_PROCESS_NONE] = "nobody",
		[FLIGHT_PROCESS_KEEPER] = "vitrine-gpu",
		[FLIGHT_PROCESS_RENDER] = "vitrine-render",
		[FLIGHT_PROCESS_DISPLAY] = "vitrine-display",
		[FLIGHT_PROCESS_RUN] = "vitrine run",
		[FLIGHT_PROCESS_QEMU] = "QEMU",
		[FLIGHT_PROCESS_GUEST] = "the guest",
	};
	return names[process < FLIGHT_PROCESSES ? process : FLIGHT_PROCESS_NONE];
}

static enum flight_cause find_cause_of_exit(int status)
{
	/* Whom the first of them names guilty the heartbeat says; see who calls this. */
	if (status == KEEPER_EXIT_GPU_RESET)
		return FLIGHT_CAUSE_GPU_RESET_INNOCENT;
	return status == KEEPER_EXIT_GPU_LOST ? FLIGHT_CAUSE_GPU_RESET_UNKNOWN : FLIGHT_CAUSE_EXIT;
}

enum flight_cause flight_cause_of_end(int wait_status)
{
	if (WIFEXITED(wait_status))
		return find_cause_of_exit(WEXITSTATUS(wait_status));
	switch (WTERMSIG(wait_status)) {
	case SIGKILL:
		return FLIGHT_CAUSE_KILLED;
	case SIGTERM:
	case SIGINT:
	case SIGHUP:
		return FLIGHT_CAUSE_TOLD;
	case SIGSEGV:
		return FLIGHT_CAUSE_SEGV;
	case SIGABRT:
	case SIGTRAP:
		return FLIGHT_CAUSE_ABORT;
	case SIGBUS:
		return FLIGHT_CAUSE_BUS;
	case SIGSYS:
		return FLIGHT_CAUSE_SYSCALL;
	default:
		return FLIGHT_CAUSE_SIGNAL;
	}
}
