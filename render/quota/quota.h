/* SPDX-License-Identifier: MIT */
/*
 * quota: counts what a guest uses of its quotas (protocol/quotas.h has the table).
 *
 * A guest has one account for all that it shares, and one for each virgl context. What is taken of
 * one is given back to the same. The functions are pure but for the log, and each account belongs
 * to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/quotas.h"
#include "render/quota/making.h"

struct quota {
	enum quota_name name;
	uint32_t context; /* 0: the guest's own */
	uint64_t limit, used;
	bool is_told; /* it has been logged that this account asked for too much */
};

/* Charges n. Returns false and charges nothing when the limit would be passed. */
bool quota_charge(struct quota *quota, uint64_t n);
void quota_release(struct quota *quota, uint64_t n);
/* Returns how much more can be charged. */
uint64_t quota_get_room(const struct quota *quota);

struct quota_account {
	struct quota_account *guest; /* the guest's own, which may be this one */
	struct quota quotas[QUOTAS];
	struct making making;
};

void quota_account_init(struct quota_account *account, const struct quota_limits *limits);
/* Makes the log tell again what is asked for too much, since the guest is new. */
void quota_account_forget_told(struct quota_account *account);
/* Begins the account of a context. The guest's account must outlive it. */
void quota_account_init_context(
	struct quota_account *account, struct quota_account *guest, uint32_t context);
/*
 * Gives back to the guest's account what the context has taken of it, and leaves the context's
 * account empty.
 */
void quota_account_finish_context(struct quota_account *account);

/*
 * Takes n of a quota, of the guest's account or of the context's, as the table says, and takes its
 * cost of the guest's other-bytes or texture-bytes. When one of the two has not that much, that is
 * logged, nothing is taken and false is returned: the answer is ERR_OUT_OF_MEMORY. The same happens
 * to what takes time to make when the account is late (making.h).
 */
bool quota_take(struct quota_account *account, enum quota_name name, uint64_t n);
void quota_give(struct quota_account *account, enum quota_name name, uint64_t n);
/*
 * Returns whether one command may need n while it is executed, and logs if not. Nothing is taken.
 */
bool quota_allows(struct quota_account *account, enum quota_name name, uint64_t n);
/*
 * Logs that n more would pass the limit, once for each account and quota. Whoever uses
 * quota_charge() calls it; the calls above do so themselves.
 */
void quota_tell(struct quota_account *account, enum quota_name name, uint64_t n);

/* Bounds how often something may happen in a second. */
struct quota_rate {
	struct quota quota;
	uint64_t began_ns; /* the second that is counted */
};

void quota_rate_init(struct quota_rate *rate, enum quota_name name, uint64_t limit);
/*
 * Counts one. Returns false when this second has had as many as the limit, which is logged once.
 * `now_ns` never goes back.
 */
bool quota_rate_take(struct quota_rate *rate, uint64_t now_ns);
