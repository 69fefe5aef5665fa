/* SPDX-License-Identifier: MIT */
#include "render/quota/quota.h"

#include <glib.h>

#include "common/peer_log.h"

#define NS_PER_SECOND 1000000000ull

/* ---- one quota ---- */

uint64_t quota_get_room(const struct quota *quota)
{
	g_assert(quota->used <= quota->limit);
	return quota->limit - quota->used;
}

bool quota_charge(struct quota *quota, uint64_t n)
{
	if (n > quota_get_room(quota))
		return false;
	quota->used += n;
	return true;
}

void quota_release(struct quota *quota, uint64_t n)
{
	g_assert(n <= quota->used);
	quota->used -= n;
}

static void tell(struct quota *asker, const struct quota *quota, uint64_t n)
{
	const struct quota_row *row = &quota_rows[quota->name];
	if (asker->is_told)
		return;
	asker->is_told = true;
	/* What there is room for was refused by the machine. */
	bool is_reached = n > quota_get_room(quota);
	g_autofree char *limit = quotas_format_number(quota->limit);
	g_autofree char *who =
		asker->context ? g_strdup_printf("context %u", asker->context) : g_strdup("guest");
	g_autofree char *what =
		is_reached ? g_strdup_printf("quota %s is reached", row->name) :
			     g_strdup_printf("no memory, although quota %s allows it", row->name);
	peer_warning(PEER_GUEST,
		"%s: %s: %" G_GUINT64_FORMAT " are in use, and %" G_GUINT64_FORMAT
		" more would be %s %s %s; from now on this is refused without a word",
		who, what, quota->used, n, is_reached ? "over" : "within", limit, row->unit);
}

/* ---- accounts ---- */

static void init_quota(struct quota *quota, enum quota_name name, uint32_t context, uint64_t limit)
{
	*quota = (struct quota){ .name = name, .context = context, .limit = limit };
}

void quota_account_init(struct quota_account *account, const struct quota_limits *limits)
{
	account->guest = account;
	for (unsigned i = 0; i < QUOTAS; i++)
		init_quota(&account->quotas[i], i, 0, limits->max[i]);
	making_init(account);
}

void quota_account_forget_told(struct quota_account *account)
{
	for (unsigned i = 0; i < QUOTAS; i++)
		account->quotas[i].is_told = false;
}

void quota_account_init_context(
	struct quota_account *account, struct quota_account *guest, uint32_t context)
{
	g_assert(context != 0 && guest->guest == guest);
	account->guest = guest;
	making_init_context(account);
	for (unsigned i = 0; i < QUOTAS; i++)
		init_quota(&account->quotas[i], i, context, guest->quotas[i].limit);
}

static struct quota *find(struct quota_account *account, enum quota_name name)
{
	g_assert(name < QUOTAS);
	bool guests = quota_rows[name].scope == QUOTA_OF_GUEST;
	return guests ? &account->guest->quotas[name] : &account->quotas[name];
}

void quota_account_finish_context(struct quota_account *account)
{
	g_assert(account->guest != account);
	for (unsigned i = 0; i < QUOTAS; i++) {
		if (quota_rows[i].scope == QUOTA_OF_CONTEXT)
			quota_give(account, i, account->quotas[i].used);
	}
}

void quota_tell(struct quota_account *account, enum quota_name name, uint64_t n)
{
	tell(&account->quotas[name], find(account, name), n);
}

/* Returns the quota of the guest's that what is counted by number, or measured, is charged to. */
static enum quota_name get_payer(enum quota_name name)
{
	return quota_rows[name].of_textures ? QUOTA_TEXTURE_BYTES : QUOTA_OTHER_BYTES;
}

static bool charge_or_tell(struct quota_account *account, enum quota_name name, uint64_t n)
{
	bool ok = quota_charge(find(account, name), n);
	if (!ok)
		quota_tell(account, name, n);
	return ok;
}

/*
 * No product overflows, since what was charged is no more than a limit; test_costs() checks that
 * for the largest limits.
 */
bool quota_take(struct quota_account *account, enum quota_name name, uint64_t n)
{
	bool takes_time = quota_rows[name].takes_time;
	if ((takes_time && !making_allows(account)) || !charge_or_tell(account, name, n))
		return false;
	account->making.n_made += takes_time;
	if (charge_or_tell(account, get_payer(name), n * quota_rows[name].cost_bytes))
		return true;
	quota_release(find(account, name), n);
	return false;
}

void quota_give(struct quota_account *account, enum quota_name name, uint64_t n)
{
	quota_release(find(account, name), n);
	quota_release(find(account, get_payer(name)), n * quota_rows[name].cost_bytes);
}

bool quota_allows(struct quota_account *account, enum quota_name name, uint64_t n)
{
	g_assert(quota_rows[name].scope == QUOTA_OF_COMMAND);
	bool ok = n <= quota_get_room(find(account, name));
	if (!ok)
		quota_tell(account, name, n);
	return ok;
}

/* ---- rates ---- */

void quota_rate_init(struct quota_rate *rate, enum quota_name name, uint64_t limit)
{
	g_assert(quota_rows[name].scope == QUOTA_OF_SECOND);
	*rate = (struct quota_rate){ 0 };
	init_quota(&rate->quota, name, 0, limit);
}

bool quota_rate_take(struct quota_rate *rate, uint64_t now_ns)
{
	g_assert(now_ns >= rate->began_ns);
	if (now_ns - rate->began_ns >= NS_PER_SECOND) {
		rate->began_ns = now_ns;
		rate->quota.used = 0;
	}
	bool ok = quota_charge(&rate->quota, 1);
	if (!ok)
		tell(&rate->quota, &rate->quota, 1);
	return ok;
}
