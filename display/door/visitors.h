/* SPDX-License-Identifier: MIT */
/*
 * visitors: asks the keeper about those who come to a desktop without a password. That is for some
 * users of this host (server/keeper/admission.h), and only the keeper can tell whose a connection
 * is: display has a network and user numbers of its own. An answer takes some 100 us.
 *
 * Threads: all calls are made on the thread that runs `context`, and so are the ops, but for
 * visitors_judged().
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "protocol/keeper_link.h"

struct visitors;

struct visitors_ops {
	/* Sends the keeper this. `fd` is -1, or goes along and stays the caller's. Returns false
	 * when that cannot be done now. */
	bool (*ask)(void *user, struct keeper_visitor *visitor, int fd);
	/* `uid`: KEEPER_UID_UNKNOWN where that is not known. */
	void (*judged)(void *user, void *key, bool welcome, uint32_t uid);
};

/* `context`: NULL is the default one. */
struct visitors *visitors_create(GMainContext *context, const struct visitors_ops *ops, void *user);
/* Called when the context is run no more, or on its thread. */
void visitors_destroy(struct visitors *visitors);

/*
 * Asks about a connected socket, whose answer is to come with `key`. Returns false when it cannot
 * be asked: the client has left, VISITORS_MAX wait, or the keeper does not read.
 */
bool visitors_ask(struct visitors *visitors, void *key, int fd);
/* The key is not to be told any more. It may be one that waits for nothing. */
void visitors_forget(struct visitors *visitors, void *key);

/* Passes the keeper's answer on. Any thread may call it. */
void visitors_judged(struct visitors *visitors, const struct keeper_visitor_judged *judged);
