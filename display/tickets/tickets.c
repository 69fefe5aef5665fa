/* SPDX-License-Identifier: MIT */
#include "display/tickets/tickets.h"

#include <glib.h>
#include <string.h>

#include "display/tickets/delays.h"
#include "display/tickets/limits.h"
#include "display/tickets/turned_away.h"
#include "protocol/stats_writer.h"

/* A secret, filled up with zeros: all are as long as each other, so comparing takes as long. */
struct secret {
	uint8_t bytes[TICKETS_SECRET_MAX + 1];
};

struct ticket {
	uint32_t name;
	struct tickets_terms terms;
	struct secret secret;
	bool spent; /* its session has begun, or is about to */
};

struct visit {
	uint32_t id;
	uint32_t session; /* 0: not begun yet */
	struct tickets_visitor visitor;
	struct secret secret;
	char user[TICKETS_USER_MAX + 1]; /* who gave it; "": by means that have none */
	bool once;                       /* it was a ticket */
	unsigned tries;                  /* wrong passwords of connections that named the session */
};

struct tickets {
	GMutex lock; /* guards all */
	bool open, keeps_first;
	unsigned n_lookers; /* who may be in beside somebody who may do more */
	char *desktop;      /* its name, for the log; NULL: none */
	struct delays *delays;
	GArray *all;    /* struct ticket */
	GArray *visits; /* struct visit */
	/* NULL: nobody wants to know of tickets. */
	tickets_tell_fn tell;
	void *tell_user;
	uint32_t last_visit;
};

/* ---- secrets ---- */

static void wipe_ticket(gpointer ticket)
{
	explicit_bzero(&((struct ticket *)ticket)->secret, sizeof(struct secret));
}

static void wipe_visit(gpointer visit)
{
	explicit_bzero(&((struct visit *)visit)->secret, sizeof(struct secret));
}

/* One that is too long becomes one that no ticket has: tickets end before the last byte. */
static struct secret make_secret(const char *text)
{
	struct secret secret = { { 0 } };
	size_t bytes = strnlen(text, sizeof(secret.bytes));
	memcpy(secret.bytes, text, bytes);
	return secret;
}

/* Takes as long for any two secrets. `volatile` keeps the compiler from ending it early. */
static bool is_equal(const struct secret *one, const struct secret *other)
{
	volatile uint8_t differs = 0;
	for (size_t i = 0; i < sizeof(one->bytes); i++)
		differs |= one->bytes[i] ^ other->bytes[i];
	return differs == 0;
}

/*
 * A name is not a secret, but all of the table is looked through each time. Nobody is called "",
 * which is what others have who have no name.
 */
static bool is_named(const char *user, const char *name)
{
	return name[0] != '\0' && strcmp(user, name) == 0;
}

/* ---- the table ---- */

struct tickets *tickets_create(void)
{
	struct tickets *tickets = g_new0(struct tickets, 1);
	g_mutex_init(&tickets->lock);
	tickets->delays = delays_create();
	/* Rows are made once: a larger array elsewhere would leave secrets in freed memory. */
	tickets->all = g_array_sized_new(FALSE, TRUE, sizeof(struct ticket), TICKETS_MAX);
	tickets->visits = g_array_sized_new(FALSE, TRUE, sizeof(struct visit), TICKETS_VISITS_MAX);
	return tickets;
}

void tickets_destroy(struct tickets *tickets)
{
	if (!tickets)
		return;
	for (guint i = 0; i < tickets->all->len; i++)
		wipe_ticket(&g_array_index(tickets->all, struct ticket, i));
	for (guint i = 0; i < tickets->visits->len; i++)
		wipe_visit(&g_array_index(tickets->visits, struct visit, i));
	g_array_unref(tickets->all);
	g_array_unref(tickets->visits);
	delays_destroy(tickets->delays);
	g_free(tickets->desktop);
	g_mutex_clear(&tickets->lock);
	g_free(tickets);
}

bool tickets_is_open(struct tickets *tickets)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	return tickets->open;
}

static struct ticket *find_ticket(const struct tickets *tickets, uint32_t name)
{
	for (guint i = 0; i < tickets->all->len; i++) {
		struct ticket *ticket = &g_array_index(tickets->all, struct ticket, i);
		if (ticket->name == name)
			return ticket;
	}
	return NULL;
}

static void remove_ticket(struct tickets *tickets, struct ticket *ticket)
{
	struct ticket *last = &g_array_index(tickets->all, struct ticket, tickets->all->len - 1);
	*ticket = *last;
	wipe_ticket(last);
	g_array_set_size(tickets->all, tickets->all->len - 1);
}

static bool is_over(const struct ticket *ticket, int64_t now_us)
{
	return ticket->terms.use_by_us != 0 && now_us > ticket->terms.use_by_us;
}

/* Tickets that are of no more use make room for a new one. */
static void drop_used_up(struct tickets *tickets, int64_t now_us)
{
	for (guint i = tickets->all->len; i-- > 0;) {
		struct ticket *ticket = &g_array_index(tickets->all, struct ticket, i);
		if (ticket->spent || is_over(ticket, now_us))
			remove_ticket(tickets, ticket);
	}
}

/* Returns false when there is no room for so many more. */
static bool make_room(struct tickets *tickets, unsigned n, int64_t now_us)
{
	if (tickets->all->len + n > TICKETS_MAX)
		drop_used_up(tickets, now_us);
	return tickets->all->len + n <= TICKETS_MAX;
}

static bool may_be_secret(const char *secret)
{
	size_t bytes = strlen(secret);
	return bytes > 0 && bytes <= TICKETS_SECRET_MAX;
}

static void set(struct tickets *tickets, uint32_t name, const char *secret,
	const struct tickets_terms *terms)
{
	struct ticket *ticket = find_ticket(tickets, name);
	if (!ticket) {
		g_array_set_size(tickets->all, tickets->all->len + 1);
		ticket = &g_array_index(tickets->all, struct ticket, tickets->all->len - 1);
	}
	*ticket = (struct ticket){
		.name = name, .terms = *terms, .secret = make_secret(secret), .spent = terms->spent
	};
}

bool tickets_put(struct tickets *tickets, uint32_t name, const char *secret,
	const struct tickets_terms *terms, int64_t now_us)
{
	if (!may_be_secret(secret))
		return false;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	if (!find_ticket(tickets, name) && !make_room(tickets, 1, now_us))
		return false;
	set(tickets, name, secret, terms);
	return true;
}

bool tickets_replace(
	struct tickets *tickets, const struct tickets_password *all, unsigned n, int64_t now_us)
{
	unsigned n_before = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!may_be_secret(all[i].secret) || all[i].terms.once)
			return false;
	}
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	for (guint i = 0; i < tickets->all->len; i++)
		n_before += !g_array_index(tickets->all, struct ticket, i).terms.once;
	if (n > n_before && !make_room(tickets, n - n_before, now_us))
		return false;
	for (guint i = tickets->all->len; i-- > 0;) {
		struct ticket *ticket = &g_array_index(tickets->all, struct ticket, i);
		if (!ticket->terms.once)
			remove_ticket(tickets, ticket);
	}
	for (unsigned i = 0; i < n; i++)
		set(tickets, all[i].name, all[i].secret, &all[i].terms);
	tickets->open = n == 0;
	return true;
}

void tickets_set_teller(struct tickets *tickets, tickets_tell_fn tell, void *user)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	tickets->tell = tell;
	tickets->tell_user = user;
}

void tickets_set_lookers(struct tickets *tickets, unsigned n)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	tickets->n_lookers = n;
}

void tickets_keep_first(struct tickets *tickets)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	tickets->keeps_first = true;
}

bool tickets_has_users(struct tickets *tickets)
{
	bool has = false;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	for (guint i = 0; i < tickets->all->len; i++)
		has |= g_array_index(tickets->all, struct ticket, i).terms.named;
	return has;
}

static bool say(const struct tickets *tickets, uint32_t name, enum keeper_ticket_use use)
{
	return !tickets->tell || tickets->tell(tickets->tell_user, name, use);
}

/* Returns false when nothing has changed. */
static bool set_spent(struct tickets *tickets, struct ticket *ticket, bool spent)
{
	if (!say(tickets, ticket->name, spent ? KEEPER_TICKET_IN_SESSION : KEEPER_TICKET_UNUSED))
		return false;
	ticket->spent = spent;
	return true;
}

/* ---- visits ---- */

static struct visit *find_visit(const struct tickets *tickets, uint32_t id)
{
	for (guint i = 0; i < tickets->visits->len; i++) {
		struct visit *visit = &g_array_index(tickets->visits, struct visit, i);
		if (visit->id == id)
			return visit;
	}
	return NULL;
}

static struct visit *find_session(const struct tickets *tickets, uint32_t session)
{
	for (guint i = 0; session != 0 && i < tickets->visits->len; i++) {
		struct visit *visit = &g_array_index(tickets->visits, struct visit, i);
		if (visit->session == session)
			return visit;
	}
	return NULL;
}

static uint32_t next_visit(struct tickets *tickets)
{
	do
		tickets->last_visit++;
	while (tickets->last_visit == 0 || find_visit(tickets, tickets->last_visit));
	return tickets->last_visit;
}

void tickets_begin(struct tickets *tickets, uint32_t id, uint32_t session)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	struct visit *visit = find_visit(tickets, id);
	g_assert(visit);
	visit->session = session;
}

void tickets_leave(struct tickets *tickets, uint32_t id)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	struct visit *visit = find_visit(tickets, id);
	g_assert(visit);
	struct ticket *ticket = find_ticket(tickets, visit->visitor.ticket);
	if (ticket && ticket->spent && visit->session == 0)
		set_spent(tickets, ticket, false);
	else if (visit->once)
		say(tickets, visit->visitor.ticket, KEEPER_TICKET_OVER);
	wipe_visit(visit);
	g_array_remove_index(
		tickets->visits, (guint)(visit - (struct visit *)(void *)tickets->visits->data));
	memset(tickets->visits->data + tickets->visits->len * sizeof(*visit), 0, sizeof(*visit));
}

unsigned tickets_visitors(struct tickets *tickets, struct tickets_visitor *visitors, unsigned max)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	for (guint i = 0; i < MIN(max, tickets->visits->len); i++)
		visitors[i] = g_array_index(tickets->visits, struct visit, i).visitor;
	return tickets->visits->len;
}

/* ---- judging ---- */

/* Returns whether a ticket can be given with this name; NULL: with none. */
static bool is_for(const struct ticket *ticket, const char *user)
{
	return user ? is_named(ticket->terms.user, user) : !ticket->terms.named;
}

/* Compares with every ticket, so that the time tells nothing; NULL: none is equal. */
static struct ticket *find_secret(
	const struct tickets *tickets, const struct secret *secret, const char *user)
{
	struct ticket *found = NULL;
	for (guint i = 0; i < tickets->all->len; i++) {
		struct ticket *ticket = &g_array_index(tickets->all, struct ticket, i);
		if (is_equal(&ticket->secret, secret) & is_for(ticket, user))
			found = ticket;
	}
	return found;
}

static void pass(const struct visit *visit, struct tickets_answer *answer)
{
	answer->verdict = TICKETS_PASS;
	answer->ticket = visit->visitor.ticket;
	answer->view_only = visit->visitor.view_only;
}

static unsigned count_visits(const struct tickets *tickets, bool view_only)
{
	unsigned n = 0;
	for (guint i = 0; i < tickets->visits->len; i++)
		n += g_array_index(tickets->visits, struct visit, i).visitor.view_only == view_only;
	return n;
}

/* Says whether there is room for one more of the kind, or why there is none. */
static enum tickets_verdict find_room(const struct tickets *tickets, bool view_only)
{
	bool has_user = count_visits(tickets, false) > 0;
	if (!view_only)
		return has_user && tickets->keeps_first ? TICKETS_OCCUPIED : TICKETS_PASS;
	if (tickets->n_lookers == 0)
		return has_user ? TICKETS_TAKEN : TICKETS_PASS;
	return count_visits(tickets, true) >= tickets->n_lookers ? TICKETS_FULL : TICKETS_PASS;
}

/*
 * Lets a main channel in; `ticket` is NULL where nobody is asked. A ticket is spent from here on,
 * so that of two connections with it only one gets in.
 */
static void let_in(struct tickets *tickets, const struct tickets_try *said, struct ticket *ticket,
	int64_t now_us, struct tickets_answer *answer)
{
	bool once = ticket && ticket->terms.once;
	answer->verdict = find_room(tickets, ticket && ticket->terms.view_only);
	if (answer->verdict != TICKETS_PASS)
		return;
	if (tickets->visits->len == TICKETS_VISITS_MAX ||
		(once && !set_spent(tickets, ticket, true))) {
		answer->verdict = TICKETS_BUSY;
		return;
	}
	uint32_t id = next_visit(tickets);
	g_array_set_size(tickets->visits, tickets->visits->len + 1);
	struct visit *visit =
		&g_array_index(tickets->visits, struct visit, tickets->visits->len - 1);
	visit->id = id;
	visit->visitor.from = said->from;
	visit->visitor.since_us = now_us;
	if (said->user)
		g_strlcpy(visit->user, said->user, sizeof(visit->user));
	if (ticket) {
		visit->secret = ticket->secret;
		visit->visitor.ticket = ticket->name;
		visit->visitor.view_only = ticket->terms.view_only;
		visit->once = once;
	}
	pass(visit, answer);
	answer->visit = id;
}

static void judge_secret(struct tickets *tickets, const struct tickets_try *said,
	const struct secret *secret, int64_t now_us, struct tickets_answer *answer)
{
	struct ticket *ticket = find_secret(tickets, secret, said->user);
	if (!ticket || said->session != 0)
		return;
	if (ticket->spent || is_over(ticket, now_us))
		answer->verdict = TICKETS_SPENT;
	else
		let_in(tickets, said, ticket, now_us, answer);
}

/* Who came by name may have channels that give none: those outside of TLS do. */
static bool passes_session(const struct visit *visit, const struct tickets_try *said,
	const struct secret *secret, struct tickets_answer *answer)
{
	if (!visit || !is_equal(&visit->secret, secret) ||
		(said->user && !is_named(visit->user, said->user)))
		return false;
	pass(visit, answer);
	return true;
}

/*
 * A session's channels come many at a time, and do not wait for whoever guesses behind the same
 * router. The session's name is no secret on a line without TLS, so this ends after a few wrong
 * passwords: from then on its channels wait as all others do.
 */
static bool passes_at_once(struct visit *visit, const struct tickets_try *said,
	const struct secret *secret, struct tickets_answer *answer)
{
	if (!visit || visit->tries >= DELAYS_FREE_TRIES)
		return false;
	bool passes = passes_session(visit, said, secret, answer);
	visit->tries += !passes;
	return passes;
}

/* Returns true when the try may be compared now; otherwise the answer says what is the matter. */
static bool has_slot(struct tickets *tickets, const struct tickets_try *said, int64_t now_us,
	struct tickets_answer *answer)
{
	uint64_t network = peer_address_network(&said->from);
	answer->again_us =
		said->slot_us != 0 ? said->slot_us : delays_try(tickets->delays, network, now_us);
	if (answer->again_us >= 0 && answer->again_us <= now_us)
		return true;
	answer->verdict = answer->again_us < 0 ? TICKETS_BUSY : TICKETS_LATER;
	return false;
}

bool tickets_is_right(enum tickets_verdict verdict)
{
	return verdict == TICKETS_PASS || verdict == TICKETS_TAKEN || verdict == TICKETS_OCCUPIED ||
	       verdict == TICKETS_FULL;
}

static void judge_asked(struct tickets *tickets, const struct tickets_try *said,
	const struct secret *secret, int64_t now_us, struct tickets_answer *answer)
{
	uint64_t network = peer_address_network(&said->from);
	struct visit *visit = find_session(tickets, said->session);
	if (said->slot_us == 0 && passes_at_once(visit, said, secret, answer))
		return;
	if (!has_slot(tickets, said, now_us, answer))
		return;
	if (!passes_session(visit, said, secret, answer))
		judge_secret(tickets, said, secret, now_us, answer);
	if (tickets_is_right(answer->verdict))
		delays_right(tickets->delays, network, now_us);
}

/* Stock clients without a password try this first; it is no guess, but it takes time to decrypt. */
static void judge_empty(
	struct tickets *tickets, const struct tickets_try *said, struct tickets_answer *answer)
{
	answer->verdict = TICKETS_EMPTY;
	if (said->slot_us != 0)
		delays_empty(tickets->delays, peer_address_network(&said->from));
}

/* A session that came with a view-only password stays what it is when nobody is asked any more. */
static void judge_open(struct tickets *tickets, const struct tickets_try *said, int64_t now_us,
	struct tickets_answer *answer)
{
	const struct visit *visit = find_session(tickets, said->session);
	if (said->session == 0)
		let_in(tickets, said, NULL, now_us, answer);
	else if (visit)
		pass(visit, answer);
	else
		answer->verdict = TICKETS_PASS;
}

static void count(enum tickets_verdict verdict)
{
	static const enum stats_door_count counts[] = {
		[TICKETS_PASS] = STATS_PASSWORDS_RIGHT,
		[TICKETS_LATER] = STATS_PASSWORDS_DELAYED,
		[TICKETS_WRONG] = STATS_PASSWORDS_WRONG,
		[TICKETS_SPENT] = STATS_PASSWORDS_WRONG,
		[TICKETS_BUSY] = STATS_PASSWORDS_REFUSED,
		[TICKETS_TAKEN] = STATS_PASSWORDS_RIGHT,
		[TICKETS_OCCUPIED] = STATS_PASSWORDS_RIGHT,
		[TICKETS_FULL] = STATS_PASSWORDS_RIGHT,
	};
	if (verdict != TICKETS_EMPTY)
		stats_add_door(counts[verdict], 1);
}

struct tickets_answer tickets_ask(
	struct tickets *tickets, const struct tickets_try *said, int64_t now_us)
{
	struct tickets_answer answer = { .verdict = TICKETS_PASS };
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	const struct visit *visit = find_session(tickets, said->session);
	bool at_once = said->slot_us == 0 && visit && visit->tries < DELAYS_FREE_TRIES;
	if (!tickets->open && !at_once)
		has_slot(tickets, said, now_us, &answer);
	/* What passes here is judged yet, and who asks again has been counted. */
	if (answer.verdict != TICKETS_PASS && said->slot_us == 0 &&
		!(said->is_counted && answer.verdict == TICKETS_BUSY))
		count(answer.verdict);
	return answer;
}

/* A session's channels go on with what its main channel gave. */
bool tickets_find(struct tickets *tickets, const struct tickets_try *said,
	char secret[TICKETS_SECRET_MAX + 1])
{
	const struct secret *found = NULL;
	g_assert(said->user);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	for (guint i = 0; i < tickets->all->len; i++) {
		const struct ticket *ticket = &g_array_index(tickets->all, struct ticket, i);
		if (is_for(ticket, said->user))
			found = &ticket->secret;
	}
	const struct visit *visit = find_session(tickets, said->session);
	if (visit && is_named(visit->user, said->user))
		found = &visit->secret;
	if (found)
		memcpy(secret, found->bytes, sizeof(found->bytes));
	return found != NULL;
}

struct tickets_answer tickets_judge(
	struct tickets *tickets, const struct tickets_try *said, int64_t now_us)
{
	struct tickets_answer answer = { .verdict = TICKETS_WRONG };
	struct secret secret = make_secret(said->secret);
	g_mutex_lock(&tickets->lock);
	if (tickets->open)
		judge_open(tickets, said, now_us, &answer);
	else if (!said->user && said->secret[0] == '\0')
		judge_empty(tickets, said, &answer);
	else
		judge_asked(tickets, said, &secret, now_us, &answer);
	if (!tickets->open && !(answer.verdict == TICKETS_LATER && said->slot_us != 0))
		count(answer.verdict);
	g_mutex_unlock(&tickets->lock);
	explicit_bzero(&secret, sizeof(secret));
	return answer;
}

void tickets_set_desktop(struct tickets *tickets, const char *name)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	g_free(tickets->desktop);
	tickets->desktop = g_strdup(name);
}

void tickets_report(
	struct tickets *tickets, const struct tickets_try *said, enum tickets_verdict verdict)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&tickets->lock);
	turned_away_log(tickets->desktop ? tickets->desktop : "the desktop", said, verdict);
}
