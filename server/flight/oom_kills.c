/* SPDX-License-Identifier: MIT */
#include "server/flight/oom_kills.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/monotonic.h"

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

static uint64_t count(const struct oom_kills *kills)
{
	char text[KILLS_BYTES];
	ssize_t n = kills->fd >= 0 ? pread(kills->fd, text, sizeof(text) - 1, 0) : -1;
	text[MAX(n, 0)] = '\0';
	const char *line = strstr(text, OOM_KILL);
	return line ? g_ascii_strtoull(line + strlen(OOM_KILL), NULL, 10) : 0;
}

void oom_kills_init(struct oom_kills *kills)
{
	*kills = (struct oom_kills){ .fd = open_kills() };
	kills->n = count(kills);
}

void oom_kills_finish(struct oom_kills *kills)
{
	fd_close(&kills->fd);
}

bool oom_kills_look(struct oom_kills *kills, uint64_t now_ns)
{
	if (now_ns - kills->looked_ns < KILLS_LOOK_MS * MONOTONIC_NS_PER_MS)
		return false;
	kills->looked_ns = now_ns;
	kills->n = count(kills);
	return true;
}

bool oom_kills_rose(struct oom_kills *kills)
{
	uint64_t before = kills->n;
	kills->n = count(kills);
	return kills->n > before;
}
