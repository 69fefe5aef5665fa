/* SPDX-License-Identifier: MIT */
#include "render/commands/growth.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "render/quota/quota.h"

#define STATM_BYTES_MAX 256
/* Proc(5) has the pages of data and stack as the sixth number. */
#define STATM_NUMBERS_BEFORE 5

struct growth {
	int fd; /* -1: nothing is measured */
	uint64_t page_bytes;
	uint64_t data_bytes, counted_bytes; /* when it was measured last */
	bool is_stale;                      /* other things than draws have changed it since */
};

struct growth *growth_create(const char *path)
{
	struct growth *growth = g_new0(struct growth, 1);
	growth->fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (path && growth->fd < 0)
		g_warning("%s: %s: what draws make is bounded by the process's limit alone", path,
			g_strerror(errno));
	growth->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	growth->is_stale = true;
	return growth;
}

void growth_destroy(struct growth *growth)
{
	if (!growth)
		return;
	if (growth->fd >= 0)
		close(growth->fd);
	g_free(growth);
}

void growth_forget(struct growth *growth)
{
	growth->is_stale = true;
}

/* Returns what the guest's quotas count of the process's memory. */
static uint64_t get_counted_bytes(const struct quota_account *guest)
{
	return guest->quotas[QUOTA_TEXTURE_BYTES].used + guest->quotas[QUOTA_PICTURE_BYTES].used +
	       guest->quotas[QUOTA_OTHER_BYTES].used;
}

static uint64_t read_data_bytes(const struct growth *growth)
{
	char text[STATM_BYTES_MAX];
	ssize_t n = pread(growth->fd, text, sizeof(text) - 1, 0);
	text[MAX(n, 0)] = 0;
	char *at = text;
	for (unsigned i = 0; i < STATM_NUMBERS_BEFORE; i++)
		strtoull(at, &at, 10);
	return strtoull(at, NULL, 10) * growth->page_bytes;
}

static void measure(struct growth *growth, const struct quota_account *guest)
{
	growth->data_bytes = read_data_bytes(growth);
	growth->counted_bytes = get_counted_bytes(guest);
	growth->is_stale = false;
}

void growth_begin(struct growth *growth, const struct quota_account *guest)
{
	if (growth->fd >= 0 && growth->is_stale)
		measure(growth, guest);
}

bool growth_charge(struct growth *growth, struct quota_account *context)
{
	if (growth->fd < 0)
		return true;
	uint64_t data_bytes = growth->data_bytes, counted_bytes = growth->counted_bytes;
	measure(growth, context->guest);
	uint64_t allowed_bytes =
		growth->counted_bytes > counted_bytes ? growth->counted_bytes - counted_bytes : 0;
	if (growth->data_bytes <= data_bytes + allowed_bytes)
		return true;
	uint64_t more_bytes = growth->data_bytes - data_bytes - allowed_bytes;
	bool has_room = quota_take(context, QUOTA_PROGRAM_BYTES, more_bytes);
	growth->counted_bytes = get_counted_bytes(context->guest);
	return has_room;
}
