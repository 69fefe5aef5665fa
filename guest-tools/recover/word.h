/* SPDX-License-Identifier: MIT */
/*
 * word tells people what has happened: the journal at once, and each of these users by a
 * notification in their session, once it is there. Where none can be shown everybody logged in gets
 * it by wall(1).
 */
#pragma once

#include <sys/types.h>

#define WORD_USERS_MAX 8

struct word {
	unsigned n_users;
	uid_t users[WORD_USERS_MAX];
	unsigned delay_ms; /* until the desktop that is to end does not take the word any more */
	char summary[128], body[512];
};

void word_add_user(struct word *word, uid_t uid);
/* Goes on in a process of its own, for as long as a desktop may take to come up. */
void word_tell(const struct word *word);
