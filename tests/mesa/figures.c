/* SPDX-License-Identifier: MIT */
#include "tests/mesa/figures.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

struct counts {
	_Atomic uint64_t figures[FIGURES];
	_Atomic uint64_t commands[FIGURES_COMMANDS_MAX];
};

static struct counts *counts;

bool figures_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || ftruncate(fd, sizeof(*counts)) != 0)
		return false;
	void *map = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return false;
	counts = map;
	return true;
}

void figures_add(enum figure figure, uint64_t n)
{
	if (counts)
		atomic_fetch_add(&counts->figures[figure], n);
}

void figures_add_commands(const uint32_t *words, uint32_t n_words)
{
	for (uint32_t at = 0; counts && at < n_words; at += 1 + (words[at] >> 16)) {
		uint32_t number = words[at] & 0xff;
		figures_add(FIGURE_COMMANDS, 1);
		if (number < FIGURES_COMMANDS_MAX)
			atomic_fetch_add(&counts->commands[number], 1);
	}
}
