/* SPDX-License-Identifier: MIT */
/* users reads who may come in with a name and a password of their own. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "protocol/keeper_link.h"
#include "server/desktop/limits.h"

/* With these names the desktop's two passwords count, so that nobody else is called so. */
#define USERS_DESKTOP "desktop"
#define USERS_VIEW "view"
/* A ticket's name is this many bytes of its beginning. */
#define USERS_TICKET_BYTES 6

struct user {
	char name[KEEPER_USER_MAX + 1];
	char password[KEEPER_TICKET_MAX + 1];
	bool view_only;
};

struct users {
	struct user all[USERS_MAX]; /* those behind the last are all zero */
	unsigned n;
};

/*
 * Reads all of a file: NAME:PASSWORD a line, or NAME/view:PASSWORD of one who may only look on;
 * empty lines and those that begin with # are passed over. Returns false with `error` set, which
 * names the line and not what is in it, and then there are no users.
 */
bool users_read_fd(int fd, const char *what, struct users *users, GError **error);
/* Does the same with a plain file that --users-file names. */
bool users_read(const char *path, struct users *users, GError **error);

/* Wipes them. */
void users_finish(struct users *users);
