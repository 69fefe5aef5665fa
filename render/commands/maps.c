/* SPDX-License-Identifier: MIT */
#include "render/commands/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

/* This is Linux's DEFAULT_MAX_MAP_COUNT. */
#define USUAL_MOST 65530
#define READ_BYTES (64 * 1024)

struct maps {
	int fd; /* -1: nothing is counted */
	uint64_t most, n;
	unsigned n_compiled; /* since it was counted */
	char bytes[READ_BYTES];
};

uint64_t maps_read_most(const char *path)
{
	g_autofree char *text = NULL;
	uint64_t most = 0;
	if (g_file_get_contents(path, &text, NULL, NULL))
		most = g_ascii_strtoull(text, NULL, 10);
	return most > 0 ? most : USUAL_MOST;
}

struct maps *maps_create(const char *path, uint64_t most)
{
	struct maps *maps = g_new0(struct maps, 1);
	maps->fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (path && maps->fd < 0)
		g_warning("%s: %s: how much is compiled is bounded by memory alone", path,
			g_strerror(errno));
	maps->most = most;
	maps_forget(maps);
	return maps;
}

void maps_destroy(struct maps *maps)
{
	if (!maps)
		return;
	if (maps->fd >= 0)
		close(maps->fd);
	g_free(maps);
}

void maps_forget(struct maps *maps)
{
	maps->n_compiled = MAPS_INTERVAL;
}

/* Each of them is a line. */
static uint64_t count(struct maps *maps)
{
	uint64_t n = 0;
	ssize_t length;
	off_t at = 0;
	while ((length = pread(maps->fd, maps->bytes, sizeof(maps->bytes), at)) > 0) {
		for (ssize_t i = 0; i < length; i++)
			n += maps->bytes[i] == '\n';
		at += length;
	}
	return n;
}

enum maps_state maps_note_compiled(struct maps *maps)
{
	if (maps->fd < 0)
		return MAPS_FEW;
	if (++maps->n_compiled > MAPS_INTERVAL) {
		maps->n = count(maps);
		maps->n_compiled = 0;
	}
	if (maps->n >= maps->most / 4 * 3)
		return MAPS_FULL;
	return maps->n >= maps->most / 2 ? MAPS_MANY : MAPS_FEW;
}
