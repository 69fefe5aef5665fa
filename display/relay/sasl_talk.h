/* SPDX-License-Identifier: MIT */
/*
 * sasl talk: is the server's end of a log-in by SASL (RFC 4422), executed by Cyrus' libsasl2. Only
 * this file knows that library.
 *
 * Three mechanisms are on offer. With SCRAM-SHA-256 and SCRAM-SHA-1 (RFC 7677, RFC 5802) the client
 * proves that it knows the secret; with PLAIN (RFC 4616) it says it. So nobody is offered SASL but
 * in TLS: PLAIN asks for that, and stock clients refuse SCRAM without, since it encrypts nothing
 * of what follows (spice-gtk wants an SSF of 56).
 *
 * The library reads no configuration, starts no program and asks no service. Of its plugins the two
 * with these mechanisms are loaded, and no other, also when spice-server starts it later, which
 * finds it started. Secrets
 * come from the caller. A name that nobody has gets a secret that nobody knows: it takes as long,
 * and ends in the same way.
 *
 * Threads: sasl_talk_load() is called on the main thread, before another one uses the library; each
 * talk is used by one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display/relay/spice_sasl.h"
#include "display/tickets/limits.h"

/*
 * Starts the library and loads its plugins, before the process is confined. Before that, and when
 * it returns false (logged), there is no SASL.
 */
bool sasl_talk_load(void);
bool sasl_talk_is_loaded(void);

struct sasl_talk;

/* Gives the secret that a user must know; false: there is no such user. */
typedef bool (*sasl_talk_find)(void *user, const char *name, char secret[TICKETS_SECRET_MAX + 1]);

/* Returns NULL when the library has no memory, or is not loaded. `find` is called by the start. */
struct sasl_talk *sasl_talk_create(sasl_talk_find find, void *user);
void sasl_talk_destroy(struct sasl_talk *talk);

/* Returns whether a mechanism is on the list. */
bool sasl_talk_knows(const char *mechanism);
/* Returns the list of mechanisms as clients are told it. */
const char *sasl_talk_list(struct sasl_talk *talk);

enum sasl_talk_state {
	SASL_TALK_GOES_ON, /* the client is to be told `answer`, and says more */
	SASL_TALK_DONE,    /* the client is to be told `answer`; all that is left is to judge it */
	SASL_TALK_FAILED,  /* it has broken a rule, or does not know the secret */
};

/* The answer's bytes stay until the talk is used again. A talk is started once. */
enum sasl_talk_state sasl_talk_start(struct sasl_talk *talk, const struct spice_sasl_start *start,
	struct spice_sasl_datum *answer);
enum sasl_talk_state sasl_talk_step(struct sasl_talk *talk, const struct spice_sasl_datum *datum,
	struct spice_sasl_datum *answer);

/* Returns the name that the client gave, cut if it is too long to be anybody's; "": none yet. */
const char *sasl_talk_name(const struct sasl_talk *talk);
/*
 * Returns the secret that the client has proven to know, or has said: the caller compares it with
 * what counts now. Before DONE, and of PLAIN with one that is too long, it is one that nobody has.
 */
const char *sasl_talk_secret(const struct sasl_talk *talk);
