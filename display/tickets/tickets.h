/* SPDX-License-Identifier: MIT */
/*
 * tickets: decides who may come in. It holds the passwords and tickets of one desktop, and who has
 * come with which of them, from where and when.
 *
 * A *password* lets anybody in who knows it, as often as they like. A *ticket* lets one session in:
 * it lives from its first connection on, for all channels of that session, and is spent when the
 * session ends, unless that is because display does; it may have a time by which it must have been
 * used first. Either may be view-only. spice-server shows one client, and the next one takes its
 * place, unless the first one is to be kept: who only looks on does not take that of one who may do
 * more.
 *
 * Each may have a user's name. Who logs in by SASL gives one, and what they must know is the secret
 * of that name; a *named* one is of no use without it. A name is no secret, but whether there is
 * one of it is for nobody to know: with one that there is not all goes as with a wrong password.
 *
 * A session's other channels name it, and pass with the password that its main channel came with,
 * also when that has been changed since. Secrets are compared in constant time, with all that are
 * known. Whoever guesses waits (delays.h): tickets_ask() then says TICKETS_LATER, and the caller
 * asks again at the time it was told. It asks before it knows the secret, since what a client sends
 * must be decrypted, and that takes longer than all else that a stranger can make us do.
 *
 * It knows no socket and no clock, and counts what it answers (stats.h): times are the caller's, in
 * microseconds of the monotonic clock.
 *
 * Threads: any; a lock guards it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/peer_address.h"
#include "display/tickets/limits.h"
#include "protocol/keeper_link.h"

struct tickets;

/* A new table asks for a password and knows none: nobody gets in. */
struct tickets *tickets_create(void);
void tickets_destroy(struct tickets *tickets);

bool tickets_is_open(struct tickets *tickets);

struct tickets_terms {
	bool view_only;                  /* may look and listen, and not type or change anything */
	bool once;                       /* is a ticket: lets one session in */
	bool spent;                      /* is a ticket that has been used */
	bool named;                      /* is of no use without the user's name */
	int64_t use_by_us;               /* a ticket must be used first by then; 0: at any time */
	char user[TICKETS_USER_MAX + 1]; /* with which it may be given; "": with none */
};

/*
 * Adds a password or ticket to those that there are, or gives another secret and terms to the one
 * of this name. Returns false when the secret is empty or too long, or when there are TICKETS_MAX.
 * The secret is copied, and its copy is wiped when it goes.
 */
bool tickets_put(struct tickets *tickets, uint32_t name, const char *secret,
	const struct tickets_terms *terms, int64_t now_us);

struct tickets_password {
	uint32_t name;
	char secret[TICKETS_SECRET_MAX + 1];
	struct tickets_terms terms; /* not of a ticket */
};
/*
 * Gives these passwords in the place of all that there are, at once: whoever is judged meanwhile is
 * judged by the old ones or by the new ones. Where there are none nobody is asked. Tickets stay,
 * and so do sessions that came with what has gone. Returns false when they do not fit beside the
 * tickets; then all is as it was.
 */
bool tickets_replace(
	struct tickets *tickets, const struct tickets_password *all, unsigned n, int64_t now_us);
/*
 * From here on this is told when a ticket is used, before it lets anybody in, when it can be used
 * after all, and when its session is over. Where it gives false nothing has changed: nobody comes
 * in with the ticket, or it stays used. It may be called on any thread that judges, and may not
 * call back. NULL: from here on nobody is told.
 */
typedef bool (*tickets_tell_fn)(void *user, uint32_t ticket, enum keeper_ticket_use use);
void tickets_set_teller(struct tickets *tickets, tickets_tell_fn tell, void *user);
/* So many who may only look on may be in at a time, beside one who may do more, from here on; 0, as
 * at first: one, in that one's place, and none beside it. */
void tickets_set_lookers(struct tickets *tickets, unsigned n);
/* Who is in and may do all stays from here on when another one comes. */
void tickets_keep_first(struct tickets *tickets);
/* Returns true when one is named. */
bool tickets_has_users(struct tickets *tickets);

enum tickets_verdict {
	TICKETS_PASS,
	TICKETS_LATER, /* ask again at again_us */
	TICKETS_EMPTY, /* no password was given, and one is asked for; this is no guess */
	TICKETS_WRONG,
	TICKETS_SPENT, /* right once: the ticket's session has begun or is over, or its time is */
	TICKETS_BUSY,  /* not judged: too many guess from there, or everywhere */
	TICKETS_TAKEN, /* right, but view-only, and somebody is in who may do more */
	TICKETS_FULL,  /* right, but view-only, and as many look on as may */
	TICKETS_OCCUPIED, /* right, but somebody is in who stays (tickets_keep_first) */
};

/* What a connection says. */
struct tickets_try {
	struct peer_address from;
	const char *user; /* whose name the client gave; NULL: by means that have none */
	const char
		*secret;  /* as the client gave it, of any length; tickets_ask() does not read it */
	uint32_t session; /* that it names; 0: it is a main channel, and begins one */
	int64_t slot_us;  /* 0, or again_us of the last answer to the same try, if not BUSY */
	bool is_counted;  /* an answer to the same try that was BUSY has been counted */
};

struct tickets_answer {
	enum tickets_verdict verdict;
	int64_t again_us; /* of LATER: when to ask again; of any answer: the try's next slot_us */
	bool view_only;   /* of PASS */
	uint32_t ticket;  /* of PASS: the name of what it came with; 0: nobody is asked */
	/* Of PASS for a main channel: names its visit, which lasts until tickets_leave(). Else 0.
	 */
	uint32_t visit;
};

/* Says whether a connection's secret should be known now (PASS), LATER, or not at all (BUSY). */
struct tickets_answer tickets_ask(
	struct tickets *tickets, const struct tickets_try *said, int64_t now_us);
/*
 * Gives the secret that the user must know who logs in so, without a word on whether it counts.
 * Returns false when nobody has that name. The caller wipes it, and has it judged when the user has
 * proven to know it.
 */
bool tickets_find(struct tickets *tickets, const struct tickets_try *said,
	char secret[TICKETS_SECRET_MAX + 1]);
/* Judges what a connection says, whether tickets_ask() was asked before or not. */
struct tickets_answer tickets_judge(
	struct tickets *tickets, const struct tickets_try *said, int64_t now_us);

/* Says which session a visit's main channel has begun. Must be called before the client reads the
 * session's name, for its other channels name it at once. */
void tickets_begin(struct tickets *tickets, uint32_t visit, uint32_t session);
/*
 * Says that a visit's main channel has ended. A ticket whose session had not begun can be used
 * again. The teller is told which of the two it is.
 */
void tickets_leave(struct tickets *tickets, uint32_t visit);

/* Who is in, for figures. */
struct tickets_visitor {
	struct peer_address from;
	int64_t since_us;
	uint32_t ticket;
	bool view_only;
};
/* Writes up to `max` of them, those that came first first. Returns how many there are. */
unsigned tickets_visitors(struct tickets *tickets, struct tickets_visitor *visitors, unsigned max);

/* The log names the desktop so from now on; NULL: it has no name. It is copied. */
void tickets_set_desktop(struct tickets *tickets, const char *name);
/* Logs that a connection was turned away: from where, from which desktop, who it said it was, and
 * why. Lines of a crowd that guesses are bounded, and none of any other crowd takes their place
 * (peer_log.h). */
void tickets_report(
	struct tickets *tickets, const struct tickets_try *said, enum tickets_verdict verdict);

/* Whoever is judged so knows what lets somebody in. */
bool tickets_is_right(enum tickets_verdict verdict);
/* Says a verdict in words. */
const char *tickets_verdict_text(enum tickets_verdict verdict);
