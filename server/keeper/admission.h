/* SPDX-License-Identifier: MIT */
/*
 * admission decides which users of this host come in where no password is asked for: the one who
 * runs the desktop, the one who started it through sudo, root, and those that --allow-user names.
 * With --no-password everybody does. Whoever is not on this host is nobody here.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/desktop/desktop.h"
#include "server/keeper/socket_owner.h"

struct admission {
	bool open; /* to everybody */
	struct socket_owner owner;
	uid_t users[DESKTOP_USERS_MAX + 3];
	unsigned n_users;
};

#define ADMISSION_NONE ((struct admission){ .owner = SOCKET_OWNER_NONE })

/*
 * Must be called before the walls are up: it opens what tells whose a connection is, and says in
 * the log what is open to all or can not be told. Call admission_finish() in any case.
 */
bool admission_init(struct admission *admission, const struct desktop *desktop, GError **error);
void admission_finish(struct admission *admission);

/*
 * `fd` is the connection where it is one on a unix socket, else -1, and stays the caller's. Gives
 * `uid` as KEEPER_UID_UNKNOWN where nobody was asked for it, or knows it.
 */
bool admission_judge(
	struct admission *admission, const struct keeper_visitor *visitor, int fd, uint32_t *uid);
