/* SPDX-License-Identifier: MIT */
#include "tests/unit/server/ways_to_die.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/flight.h"
#include "protocol/heartbeat_writer.h"
#include "protocol/keeper_link.h"

#define CONTEXT 10

/* Shared memory whose file has nothing there. */
static void touch_nothing(void)
{
	int fd = memfd_create("nothing", 0);
	volatile char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	at[0] = 1;
}

static void say_nonsense(void)
{
	struct link_header header = { .type = 0xdead };
	link_send(KEEPER_LINK_FD, &header, sizeof(header), NULL, 0);
}

static void eat_memory(void)
{
	for (;;) {
		size_t size_bytes = 1 << 20;
		char *at = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (at != MAP_FAILED)
			memset(at, 1, size_bytes);
	}
}

static void hang(enum heartbeat_loop loop)
{
	heartbeat_work(loop, "SUBMIT_3D", CONTEXT);
	for (;;)
		pause();
}

static void leave(int status)
{
	heartbeat_work(HEARTBEAT_GPU, "GPU reset", status == KEEPER_EXIT_GPU_RESET ? CONTEXT : 0);
	_exit(status);
}

static void die(int signal_number, siginfo_t *info, void *context)
{
	switch (info->si_value.sival_int) {
	case WAY_EXIT:
		_exit(7);
	case WAY_SEGV:
		*(volatile int *)24 = 1;
		return;
	case WAY_ABORT:
		abort();
	case WAY_BUS:
		touch_nothing();
		return;
	case WAY_HANG_GPU_THREAD:
		hang(HEARTBEAT_GPU);
		return;
	case WAY_HANG_GPU:
		heartbeat_work(HEARTBEAT_GPU_WORK, "work of the GPU", CONTEXT);
		return;
	case WAY_HANG_MAIN:
		hang(HEARTBEAT_MAIN);
		return;
	case WAY_HANG_RELAY:
		hang(HEARTBEAT_RELAY);
		return;
	case WAY_HANG_SPICE:
		hang(HEARTBEAT_SPICE);
		return;
	case WAY_RESET_GUILTY:
		leave(KEEPER_EXIT_GPU_RESET);
		return;
	case WAY_RESET_INNOCENT:
		heartbeat_idle(HEARTBEAT_GPU);
		_exit(KEEPER_EXIT_GPU_RESET);
	case WAY_RESET_UNKNOWN:
		leave(KEEPER_EXIT_GPU_LOST);
		return;
	case WAY_NONSENSE:
		say_nonsense();
		return;
	case WAY_DEAF:
		for (;;)
			pause();
	case WAY_EAT_MEMORY:
		eat_memory();
		return;
	case WAY_REFUSED_MEMORY:
		flight_note_refused(1 << 20);
		abort();
	default:
		return;
	}
}

void ways_to_die_watch(void)
{
	struct sigaction action = { .sa_sigaction = die, .sa_flags = SA_SIGINFO | SA_RESTART };
	flight_attach();
	flight_begin_thread("main");
	flight_find_modules();
	flight_watch_crashes();
	sigaction(WAY_SIGNAL, &action, NULL);
}
