/* SPDX-License-Identifier: MIT */
/*
 * planted is preloaded into the programs under test. It stands for code that somebody has brought
 * into a process: it waits for the test's signal, and then tries to get out.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/climbs/planted.h"

static struct planted_memory *memory;

static void on_order(int signal_number, siginfo_t *info, void *context)
{
	unsigned number = (unsigned)info->si_value.sival_int;
	int saved = errno;
	if (number >= PLANTED_CELLS)
		return;
	struct planted_cell *cell = &memory->cells[number];
	if (__atomic_load_n(&cell->state, __ATOMIC_ACQUIRE) != PLANTED_ASKED)
		return;
	__atomic_store_n(&cell->state, PLANTED_BEGUN, __ATOMIC_RELEASE);
	cell->error = climb_groups[cell->group]->climbs[cell->row].go(&memory->targets);
	__atomic_store_n(&cell->state, PLANTED_DONE, __ATOMIC_RELEASE);
	errno = saved;
}

__attribute__((constructor)) static void plant(void)
{
	const char *path = getenv(PLANTED_VARIABLE);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *map = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return;
	memory = map;
	struct sigaction action = { .sa_sigaction = on_order, .sa_flags = SA_SIGINFO | SA_RESTART };
	sigaction(PLANTED_SIGNAL, &action, NULL);
}
