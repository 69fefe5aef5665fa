/* SPDX-License-Identifier: MIT */
/*
 * link keys: gives out the link key (link_key.h) of the minute. All clients that come while it is
 * young are given the same one, since a key takes longer to make than everything else that a
 * stranger can ask for. A thread makes each, so that no loop waits for it; whoever comes meanwhile
 * gets the one before it. While nobody comes none is made.
 *
 * Threads: the one that makes it, whose main context tells when there is a key.
 */
#pragma once

#include "display/relay/link_key.h"

/* A key is given out for this long; those who have got it may use it later, too. */
#define LINK_KEYS_AGE_S 60

struct link_keys;

/* Begins with the first key. `ready` is called when there is one where there was none. */
struct link_keys *link_keys_create(void (*ready)(void *user), void *user);
/* Waits for a key that is being made. */
void link_keys_destroy(struct link_keys *keys);

/* Returns a reference, or NULL while the first key is being made. */
struct link_key *link_keys_get(struct link_keys *keys);
