/* SPDX-License-Identifier: MIT */
/*
 * spare_users finds user IDs for workers that nobody else has, where root starts a desktop: those
 * that /etc/subuid and /etc/subgid give to root, or else a range of ours that neither Debian nor
 * systemd hands out (systemd's "Users, Groups, UIDs and GIDs": 1879048192 and on is unused).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define SPARE_USERS_FIRST 1879048192u
#define SPARE_USERS_N 65536u

/*
 * Gives the first of `n` consecutive IDs, which are users and groups alike. They are always the
 * same for a desktop's name, since its shader cache is theirs, and others' for another name: two
 * names have the same ones with a chance of one in some thousands.
 */
uid_t spare_users_find(const char *name, unsigned n);

/* The same for other files than /etc/subuid and /etc/subgid, for tests. */
uid_t spare_users_find_in(const char *users, const char *groups, const char *name, unsigned n);

/*
 * Makes a folder of `user` for what its worker keeps from one start to the next, below
 * /var/cache/vitrine. Returns its path, which may not be there when the machine does not let us;
 * the caller frees it.
 */
char *spare_users_make_cache(uid_t user);
/* Returns its path, and makes nothing. */
char *spare_users_find_cache(uid_t user);

/*
 * Returns false when there is a render node that only root may open, as where no udev gives nodes
 * to a group: a worker that is another user could not draw with that GPU.
 */
bool spare_users_reach_gpus(void);

/* The same for another folder than /dev/dri, for tests. */
bool spare_users_reach_gpus_in(const char *folder);

/*
 * Takes the groups that own the machine's render nodes, and gives up all others, for us and who we
 * start. The groups of other nodes there, as video, have cameras and consoles, too.
 */
bool spare_users_take_gpu_groups(void);
