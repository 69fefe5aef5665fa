/* SPDX-License-Identifier: MIT */
#include "render/quota/making.h"

#include <glib.h>

#include "common/peer_log.h"
#include "render/quota/quota.h"

#define NS_PER_MS 1000000
#define MS_PER_S 1000
/*
 * A guest owes at most this part of what it can save, so that new programs begin 3 s after a
 * flood's end.
 */
#define MAKING_DEBT_PART 16

static int64_t get_rate_ms(const struct quota_account *account)
{
	return (int64_t)account->quotas[QUOTA_MAKING_TIME].limit;
}

static int64_t get_most_ns(const struct quota_account *guest)
{
	return get_rate_ms(guest) * MAKING_SAVED_S * NS_PER_MS;
}

void making_init(struct quota_account *guest)
{
	g_assert(guest->guest == guest);
	guest->making = (struct making){ .left_ns = get_most_ns(guest), .turn = 1 };
}

void making_init_context(struct quota_account *context)
{
	const struct making *guest = &context->guest->making;
	g_assert(context->guest != context);
	context->making =
		(struct making){ .used_ns = guest->used_ns, .used_at_ns = guest->used_at_ns };
}

/*
 * Returns what is regained in a time. No product overflows, since a longer time than fills any
 * account is cut to that.
 */
static int64_t regain_ns(const struct quota_account *account, uint64_t elapsed_ns)
{
	uint64_t most_ns = UINT64_C(4) * MAKING_SAVED_S * MS_PER_S * NS_PER_MS;
	return (int64_t)MIN(elapsed_ns, most_ns) / MS_PER_S * get_rate_ms(account);
}

static void refill(struct quota_account *guest, uint64_t now_ns)
{
	struct making *making = &guest->making;
	g_assert(now_ns >= making->filled_ns);
	making->left_ns += regain_ns(guest, now_ns - making->filled_ns);
	making->left_ns = MIN(making->left_ns, get_most_ns(guest));
	making->filled_ns = now_ns;
}

static uint64_t count_contexts(const struct quota_account *account)
{
	return MAX(account->guest->quotas[QUOTA_CONTEXTS].used, 1);
}

/* Takes off what the account has regained. All contexts together forget what the guest regains. */
static void forget(struct quota_account *account, uint64_t now_ns)
{
	struct making *making = &account->making;
	uint64_t n_contexts = account == account->guest ? 1 : count_contexts(account);
	uint64_t regained_ns =
		(uint64_t)regain_ns(account, now_ns - making->used_at_ns) / n_contexts;
	making->used_ns -= MIN(making->used_ns, regained_ns);
	making->used_at_ns = now_ns;
}

static void use(struct quota_account *account, uint64_t ns, uint64_t now_ns)
{
	forget(account, now_ns);
	account->making.used_ns += ns;
}

static void note_own(struct quota_account *account, uint64_t ns)
{
	struct making *making = &account->making;
	uint64_t turn = account->guest->making.turn;
	making->own_unwaited_ns = ns + (making->own_turn == turn ? making->own_unwaited_ns : 0);
	making->own_turn = turn;
}

void making_note(struct quota_account *account, uint64_t ns, uint64_t now_ns)
{
	use(account->guest, ns, now_ns);
	if (account != account->guest)
		making_move(account, ns, now_ns);
	account->guest->making.unwaited_ns += ns;
}

void making_move(struct quota_account *context, uint64_t ns, uint64_t now_ns)
{
	g_assert(context->guest != context);
	use(context, ns, now_ns);
	note_own(context, ns);
}

static uint64_t get_own_ns(const struct quota_account *guest, const struct quota_account *account)
{
	bool has = account && account->making.own_turn == guest->making.turn;
	return has ? account->making.own_unwaited_ns : 0;
}

void making_take_turn(
	struct quota_account *guest, const struct quota_account *waiter, uint64_t now_ns)
{
	struct making *making = &guest->making;
	uint64_t own_ns = MIN(get_own_ns(guest, waiter), making->unwaited_ns);
	uint64_t others_ns = making->unwaited_ns - own_ns;
	if (others_ns < MAKING_WAIT_MIN_NS)
		return;
	refill(guest, now_ns);
	making->left_ns =
		MAX(making->left_ns - (int64_t)others_ns, -get_most_ns(guest) / MAKING_DEBT_PART);
	making->waited_ns += others_ns;
	making_rest(guest);
}

void making_rest(struct quota_account *guest)
{
	guest->making.unwaited_ns = 0;
	guest->making.turn++;
}

static bool is_used_up(const struct quota_account *guest)
{
	const struct making *making = &guest->making;
	bool is_low = making->left_ns < get_most_ns(guest) / 2;
	return making->left_ns <= (is_low ? (int64_t)making->unwaited_ns : 0);
}

/* Whoever allows all of each second wants nothing to be refused. */
static bool is_unlimited(const struct quota_account *guest)
{
	return get_rate_ms(guest) >= MS_PER_S;
}

static bool has_used_much(const struct quota_account *account)
{
	uint64_t half_ns = account->guest->making.used_ns / count_contexts(account) / 2;
	return account->making.used_ns >= MAX(MAKING_OWN_NS, half_ns);
}

void making_look(struct quota_account *account, uint64_t now_ns)
{
	struct quota_account *guest = account->guest;
	refill(guest, now_ns);
	forget(guest, now_ns);
	forget(account, now_ns);
	account->making.is_late = !is_unlimited(guest) && is_used_up(guest) &&
				  !account->making.is_spared &&
				  (account == guest || has_used_much(account));
}

static void tell(struct quota *quota)
{
	if (quota->is_told)
		return;
	quota->is_told = true;
	g_autofree char *who =
		quota->context ? g_strdup_printf("context %u", quota->context) : g_strdup("guest");
	peer_warning(PEER_GUEST,
		"%s: quota %s is reached: others have waited %" G_GUINT64_FORMAT
		" ms for what programs make, beyond the %" G_GUINT64_FORMAT
		" ms of each second that are allowed; until they have caught up more is refused "
		"without a word",
		who, quota_rows[quota->name].name, quota->limit * MAKING_SAVED_S, quota->limit);
}

void making_refuse(struct quota_account *account)
{
	account->guest->making.n_refused++;
	tell(&account->quotas[QUOTA_MAKING_TIME]);
}

void making_refuse_long(struct quota_account *account)
{
	struct quota *quota = &account->quotas[QUOTA_MAKING_TIME];
	account->guest->making.n_refused++;
	if (account->making.is_long_told)
		return;
	account->making.is_long_told = true;
	peer_warning(PEER_GUEST,
		"context %u: one submission had things compiled for %" G_GUINT64_FORMAT
		" ms, and none may for longer: draws after that are left out of it, and of others "
		"like it without a word",
		quota->context, MAKING_COMPILE_MAX_NS / NS_PER_MS);
}

bool making_allows(struct quota_account *account)
{
	if (account->making.is_late)
		making_refuse(account);
	return !account->making.is_late;
}

void making_note_drawn(struct quota_account *context, uint64_t now_ns)
{
	struct making *guest = &context->guest->making;
	if (guest->drawer != context)
		guest->other_drawn_ns = guest->drawn_ns;
	guest->drawer = context;
	guest->drawn_ns = now_ns;
}

static bool is_other_likely_waiting(const struct making *guest, uint64_t now_ns)
{
	return guest->other_drawn_ns != 0 &&
	       now_ns - guest->other_drawn_ns <= guest->unwaited_ns + MAKING_DREW_NS;
}

uint64_t making_get_compile_ns(struct quota_account *account, uint64_t now_ns)
{
	const struct making *guest = &account->guest->making;
	if (is_unlimited(account->guest))
		return UINT64_MAX;
	bool is_likely = is_other_likely_waiting(guest, now_ns) && !account->making.is_spared;
	int64_t left_ns = guest->left_ns - (int64_t)guest->unwaited_ns;
	account->making.is_late |= is_likely && left_ns <= 0 && has_used_much(account);
	if (account->making.compiles && account->making.is_late)
		return 0;
	return is_likely ? (uint64_t)CLAMP(left_ns, (int64_t)MAKING_COMPILE_MIN_NS,
				   (int64_t)MAKING_COMPILE_MAX_NS) :
			   MAKING_COMPILE_MAX_NS;
}

void making_note_compiled(struct quota_account *account, uint64_t ns)
{
	account->making.compiles = ns >= MAKING_COMPILED_NS;
	account->making.compiled_ns += ns;
}
