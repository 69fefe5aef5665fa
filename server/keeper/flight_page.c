/* SPDX-License-Identifier: MIT */
#include "server/keeper/flight_page.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "common/fd.h"
#include "common/shm.h"

/* A thread that runs answers at once; one that the kernel holds never does. */
#define STACKS_WAIT_MS 50

bool flight_page_init(struct flight_page *page, GError **error)
{
	*page = FLIGHT_PAGE_NONE;
	int fd = shm_create("vitrine-flight", sizeof(struct flight_memory));
	struct flight_memory *map = fd >= 0 ? shm_map(fd, sizeof(*map), true) : NULL;
	if (!map) {
		int number = fd < 0 ? -fd : errno;
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number),
			"cannot make a flight recorder (%zu bytes): %s", sizeof(*map),
			g_strerror(number));
		fd_close(&fd);
		return false;
	}
	page->fd = fd;
	page->memory = map;
	flight_page_clear(page);
	return true;
}

void flight_page_finish(struct flight_page *page)
{
	shm_unmap(page->memory, sizeof(*page->memory));
	page->memory = NULL;
	fd_close(&page->fd);
}

void flight_page_clear(struct flight_page *page)
{
	if (!page->memory)
		return;
	memset(page->memory, 0, sizeof(*page->memory));
	flight_init(page->memory);
}

static unsigned count_threads(const struct flight_page *page)
{
	unsigned n = page->memory ? __atomic_load_n(&page->memory->n_threads, __ATOMIC_RELAXED) : 0;
	/* Place 0 is of those without a name. */
	return CLAMP(n, 1, FLIGHT_STACKS_MAX) - 1;
}

bool flight_page_can_be_asked(const struct flight_page *page)
{
	return count_threads(page) > 0;
}

void flight_page_wait_stacks(const struct flight_page *page)
{
	for (unsigned i = 0; i < STACKS_WAIT_MS; i++) {
		if (__atomic_load_n(&page->memory->n_stacks, __ATOMIC_RELAXED) >=
			count_threads(page))
			return;
		g_usleep(1000);
	}
}
