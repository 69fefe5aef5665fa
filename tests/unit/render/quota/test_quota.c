/* SPDX-License-Identifier: MIT */
/*
 * quota: checks counting: each quota to its limit and one beyond, what it costs, rates, and what is
 * logged.
 */
#include <glib.h>
#include <string.h>

#include "render/quota/quota.h"
#include "tests/unit/render/quota/warnings.h"

#define SECOND_NS 1000000000ull

static struct quota_limits initial(void)
{
	struct quota_limits limits;
	quotas_set_initial(&limits);
	return limits;
}

static void test_charge(void)
{
	struct quota quota = { .limit = 10 };
	g_assert_true(quota_charge(&quota, 9));
	g_assert_false(quota_charge(&quota, 2));
	g_assert_cmpuint(quota.used, ==, 9);
	g_assert_true(quota_charge(&quota, 1));
	g_assert_true(quota_charge(&quota, 0));
	g_assert_false(quota_charge(&quota, 1));
	g_assert_false(quota_charge(&quota, UINT64_MAX));
	g_assert_false(quota_charge(&quota, UINT64_MAX - 9));
	g_assert_cmpuint(quota_get_room(&quota), ==, 0);
	quota_release(&quota, 10);
	g_assert_cmpuint(quota.used, ==, 0);
}

/* A sum with a limit of 64 bits wraps nowhere. */
static void test_largest(void)
{
	struct quota quota = { .limit = UINT64_MAX };
	g_assert_true(quota_charge(&quota, UINT64_MAX));
	g_assert_false(quota_charge(&quota, 1));
	g_assert_true(quota_charge(&quota, 0));
}

/* Whatever a quota allows, what it costs is a number that 64 bits hold. */
static void test_costs(void)
{
	for (unsigned i = 0; i < QUOTAS; i++)
		g_assert_true(quota_rows[i].cost_bytes == 0 ||
			      quota_rows[i].max <= UINT64_MAX / 2 / quota_rows[i].cost_bytes);
}

static bool is_counted(enum quota_name name)
{
	return quota_rows[name].scope == QUOTA_OF_GUEST ||
	       quota_rows[name].scope == QUOTA_OF_CONTEXT;
}

/* Returns what of the guest's pays for the quota. */
static uint64_t get_paid(const struct quota_account *guest, enum quota_name name)
{
	bool of_textures = quota_rows[name].of_textures;
	return guest->quotas[of_textures ? QUOTA_TEXTURE_BYTES : QUOTA_OTHER_BYTES].used;
}

/* Each quota is tried alone, with other-bytes out of the way. */
static void test_each_edge(void)
{
	struct quota_limits limits = initial();
	struct quota_account guest, context;
	limits.max[QUOTA_OTHER_BYTES] = UINT64_MAX;
	for (unsigned i = 0; i < QUOTAS; i++) {
		if (!is_counted(i) || i == QUOTA_OTHER_BYTES)
			continue;
		uint64_t max = limits.max[i];
		quota_account_init(&guest, &limits);
		quota_account_init_context(&context, &guest, 7);
		g_assert_true(quota_take(&context, i, max - 1));
		g_assert_false(quota_take(&context, i, 2));
		g_assert_true(quota_take(&context, i, 1));
		g_assert_false(quota_take(&context, i, 1));
		g_assert_cmpuint(get_paid(&guest, i), ==, max * quota_rows[i].cost_bytes);
		quota_give(&context, i, max);
		g_assert_cmpuint(get_paid(&guest, i), ==, 0);
		g_assert_true(quota_take(&context, i, max));
	}
}

/* What one context has used is missing to another one only where the guest shares the quota. */
static void test_scopes(void)
{
	struct quota_limits limits = initial();
	struct quota_account guest, one, two;
	limits.max[QUOTA_OTHER_BYTES] = UINT64_MAX;
	for (unsigned i = 0; i < QUOTAS; i++) {
		if (!is_counted(i))
			continue;
		quota_account_init(&guest, &limits);
		quota_account_init_context(&one, &guest, 1);
		quota_account_init_context(&two, &guest, 2);
		bool shared = quota_rows[i].scope == QUOTA_OF_GUEST;
		g_assert_true(quota_take(&one, i, limits.max[i]));
		g_assert_cmpint(quota_take(&two, i, 1), ==, !shared);
	}
}

/* Many contexts that stay below their own limits are held by what all of it costs together. */
static void test_other_bytes(void)
{
	struct quota_limits limits = initial();
	struct quota_account guest, context;
	uint64_t cost = quota_rows[QUOTA_OBJECTS].cost_bytes;
	limits.max[QUOTA_OTHER_BYTES] = 10 * cost + cost - 1;
	quota_account_init(&guest, &limits);
	quota_account_init_context(&context, &guest, 3);
	g_assert_true(quota_take(&context, QUOTA_OBJECTS, 10));
	g_assert_false(quota_take(&context, QUOTA_OBJECTS, 1));
	g_assert_cmpuint(context.quotas[QUOTA_OBJECTS].used, ==, 10);
	g_assert_cmpuint(guest.quotas[QUOTA_OTHER_BYTES].used, ==, 10 * cost);
}

static void test_context_ends(void)
{
	struct quota_limits limits = initial();
	struct quota_account guest, context;
	quota_account_init(&guest, &limits);
	quota_account_init_context(&context, &guest, 3);
	g_assert_true(quota_take(&context, QUOTA_OBJECTS, 10));
	g_assert_true(quota_take(&context, QUOTA_SHADER_BYTES, 5000));
	g_assert_true(quota_take(&context, QUOTA_TEXTURE_BYTES, 77));
	quota_account_finish_context(&context);
	g_assert_cmpuint(guest.quotas[QUOTA_OTHER_BYTES].used, ==, 0);
	/* The rest is the resource's, which may outlive the context. */
	g_assert_cmpuint(guest.quotas[QUOTA_TEXTURE_BYTES].used, ==, 77);
}

static void test_command(void)
{
	struct quota_limits limits = initial();
	struct quota_account guest;
	quota_account_init(&guest, &limits);
	uint64_t max = limits.max[QUOTA_STAGING_BYTES];
	for (unsigned n = 0; n < 3; n++)
		g_assert_true(quota_allows(&guest, QUOTA_STAGING_BYTES, max));
	g_assert_false(quota_allows(&guest, QUOTA_STAGING_BYTES, max + 1));
}

static void test_rate(void)
{
	struct quota_rate rate;
	quota_rate_init(&rate, QUOTA_FLUSHES, 100);
	uint64_t now_ns = 5 * SECOND_NS;
	for (unsigned second = 0; second < 3; second++) {
		for (unsigned n = 0; n < 100; n++)
			g_assert_true(quota_rate_take(&rate, now_ns));
		g_assert_false(quota_rate_take(&rate, now_ns));
		g_assert_false(quota_rate_take(&rate, now_ns + SECOND_NS - 1));
		now_ns += SECOND_NS;
	}
}

/* A refusal is logged once for a context and a quota, with the name, the value and the limit. */
static void test_log(void)
{
	struct quota_limits limits = initial();
	struct quota_account guest, one, two;
	limits.max[QUOTA_RESOURCES] = 300;
	quota_account_init(&guest, &limits);
	quota_account_init_context(&one, &guest, 41);
	quota_account_init_context(&two, &guest, 42);
	warnings_n = 0;
	g_assert_true(quota_take(&one, QUOTA_RESOURCES, 299));
	for (unsigned n = 0; n < 3; n++)
		g_assert_false(quota_take(&one, QUOTA_RESOURCES, 2));
	g_assert_cmpuint(warnings_n, ==, 1);
	g_assert_true(g_pattern_match_simple(
		"context 41: *resources*299 *2 more*300 resources of the guest*", warnings_last));
	g_assert_false(quota_take(&two, QUOTA_RESOURCES, 2));
	g_assert_cmpuint(warnings_n, ==, 2);
	g_assert_false(quota_take(&guest, QUOTA_RESOURCES, 2));
	g_assert_cmpuint(warnings_n, ==, 3);
	g_assert_true(g_str_has_prefix(warnings_last, "guest: "));
	g_assert_false(quota_take(&one, QUOTA_ANSWER_BYTES, UINT64_MAX));
	g_assert_cmpuint(warnings_n, ==, 4);
	g_assert_true(g_pattern_match_simple("*quota answer-bytes is reached*", warnings_last));
	/* What fails for another reason than the quota's has its own words. */
	quota_tell(&two, QUOTA_PICTURE_BYTES, 4096);
	g_assert_cmpuint(warnings_n, ==, 5);
	g_assert_true(g_pattern_match_simple(
		"context 42: no memory, although quota picture-bytes allows it: 0 are in use, and "
		"4096 more would be within *",
		warnings_last));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	warnings_begin();
	/* This test comes first, while the log still says each thing. */
	g_test_add_func("/quota/log", test_log);
	g_test_add_func("/quota/charge", test_charge);
	g_test_add_func("/quota/largest", test_largest);
	g_test_add_func("/quota/costs", test_costs);
	g_test_add_func("/quota/each-edge", test_each_edge);
	g_test_add_func("/quota/scopes", test_scopes);
	g_test_add_func("/quota/other-bytes", test_other_bytes);
	g_test_add_func("/quota/context-ends", test_context_ends);
	g_test_add_func("/quota/command", test_command);
	g_test_add_func("/quota/rate", test_rate);
	int result = g_test_run();
	warnings_end();
	return result;
}
