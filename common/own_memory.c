/* SPDX-License-Identifier: MIT */
#include "common/own_memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Both files are shorter. */
#define TEXT_BYTES 4096

/* Gives the number behind a word at the beginning of a line, or 0. */
static uint64_t read_kib(const char *path, const char *word)
{
	char text[TEXT_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	const char *line = strstr(text, word);
	return line ? strtoull(line + strlen(word), NULL, 10) : 0;
}

uint64_t own_memory_read_kib(void)
{
	uint64_t written = read_kib("/proc/self/smaps_rollup", "\nPrivate_Dirty:");
	return written ? written + read_kib("/proc/self/status", "\nVmPTE:") : 0;
}
