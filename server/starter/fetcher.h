/* SPDX-License-Identifier: MIT */
/*
 * The fetcher is the servant (servant.h) that opens what has a path, since the keeper may open
 * nothing: it connects to QEMU's monitor, and copies the files of passwords, users, certificate
 * and key when they are to be read again. It is told these at the start and knows no others, so
 * that a keeper that was taken over gets by it what it had anyway. The files' bytes do not pass
 * through its memory.
 *
 * It is not the starter, whose workers would inherit what is allowed to it.
 */
#pragma once

#include "server/starter/servant.h"

/* Two passwords, users, certificate, key. */
#define FETCHER_FILES_MAX 5

/* All that the fetcher will ever reach for. */
struct fetcher_plan {
	const char *monitor;                  /* a unix socket; NULL: none */
	const char *files[FETCHER_FILES_MAX]; /* NULL: none */
	size_t file_max_bytes;
	bool confined; /* false: no walls (--confine=off) */
};

struct fetcher {
	struct servant servant;
};

#define FETCHER_NONE ((struct fetcher){ SERVANT_NONE })

/* Forks the fetcher, as servant_init() does. */
bool fetcher_init(struct fetcher *fetcher, const struct fetcher_plan *plan, GError **error);
void fetcher_finish(struct fetcher *fetcher);
/* From here on its end is told in the log. */
void fetcher_watch(struct fetcher *fetcher);

/* Connects to the monitor. Returns a non-blocking socket, or -1 when nobody listens, or not yet. */
int fetcher_connect(struct fetcher *fetcher);

/*
 * Copies one of the files, as it is now. Returns memory that nobody can change (common/shm.h), or
 * -errno.
 */
int fetcher_copy_file(struct fetcher *fetcher, unsigned file);
