/* SPDX-License-Identifier: MIT */
/* quotas: checks what their table promises, and limits as text. */
#include <glib.h>
#include <string.h>

#include "protocol/quotas.h"

#define MIB (1024ull * 1024)
#define GIB (1024 * MIB)

static void test_rows(void)
{
	for (unsigned i = 0; i < QUOTAS; i++) {
		const struct quota_row *row = &quota_rows[i];
		g_assert_nonnull(row->name);
		g_assert_true(row->unit && row->refused);
		g_assert_null(strpbrk(row->name, "=, "));
		g_assert_cmpuint(row->min, >=, 1);
		g_assert_cmpuint(row->min, <=, row->initial);
		g_assert_cmpuint(row->initial, <=, row->max);
		for (unsigned j = 0; j < i; j++)
			g_assert_cmpstr(quota_rows[j].name, !=, row->name);
	}
}

/* The memory is that of textures and pictures, and 1 GiB for everything else. */
static void test_memory(void)
{
	struct quota_limits limits;
	quotas_set_initial(&limits);
	g_assert_cmpuint(quotas_get_memory_bytes(&limits), ==, 6 * GIB);
	g_assert_null(quotas_parse(&limits, "texture-bytes=1G,picture-bytes=128M"));
	g_assert_cmpuint(quotas_get_memory_bytes(&limits), ==, 2 * GIB + 128 * MIB);
}

static void test_largest_sum(void)
{
	struct quota_limits limits;
	for (unsigned i = 0; i < QUOTAS; i++)
		limits.max[i] = quota_rows[i].max;
	g_assert_cmpuint(quotas_get_memory_bytes(&limits), <, INT64_MAX);
}

static void test_text_comes_back(void)
{
	struct quota_limits limits, again;
	quotas_set_initial(&limits);
	quotas_set_initial(&again);
	g_assert_null(quotas_format(&limits));
	for (unsigned i = 0; i < QUOTAS; i++)
		limits.max[i] = i % 2 ? quota_rows[i].min : quota_rows[i].max;
	g_autofree char *text = quotas_format(&limits);
	g_test_message("%s", text);
	g_assert_null(quotas_parse(&again, text));
	g_assert_cmpmem(&again, sizeof(again), &limits, sizeof(limits));
}

static void test_edges(void)
{
	for (unsigned i = 0; i < QUOTAS; i++) {
		const struct quota_row *row = &quota_rows[i];
		const struct {
			uint64_t value;
			bool good;
		} cases[] = { { row->min, true }, { row->max, true }, { row->min - 1, false },
			{ row->max + 1, false } };
		for (unsigned c = 0; c < G_N_ELEMENTS(cases); c++) {
			struct quota_limits limits;
			quotas_set_initial(&limits);
			g_autofree char *text =
				g_strdup_printf("%s=%" G_GUINT64_FORMAT, row->name, cases[c].value);
			g_autofree char *reason = quotas_parse(&limits, text);
			g_assert_cmpint(!reason, ==, cases[c].good);
			g_assert_cmpuint(
				limits.max[i], ==, cases[c].good ? cases[c].value : row->initial);
		}
	}
}

static const struct {
	const char *text, *reason;
} mistakes[] = {
	{ "", "is not NAME=VALUE" },
	{ "contexts", "is not NAME=VALUE" },
	{ "contexts=64,", "is not NAME=VALUE" },
	{ "context=64", "is none of contexts, sub-contexts, objects, *, making-time" },
	{ "=64", "is none of *" },
	{ "contexts=", "contexts: from 8 to 1K virgl contexts of the guest" },
	{ "contexts=-8", "contexts: from 8 to *" },
	{ "contexts= 64", "contexts: from 8 to *" },
	{ "contexts=0x40", "contexts: from 8 to *" },
	{ "contexts=64k", "contexts: from 8 to *" },
	{ "contexts=64KB", "contexts: from 8 to *" },
	/* Both would be 64 if they wrapped round at 64 bits. */
	{ "contexts=18446744073709551680", "contexts: from 8 to *" },
	{ "texture-bytes=16777217T", "texture-bytes: from 64M to 1T *" },
};

static void test_mistakes(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		struct quota_limits limits, before;
		quotas_set_initial(&limits);
		before = limits;
		g_autofree char *text = g_strdup_printf("objects=2048,%s", mistakes[i].text);
		g_autofree char *reason = quotas_parse(&limits, text);
		if (!reason || !g_pattern_match_simple(mistakes[i].reason, reason))
			g_error("\"%s\": %s", mistakes[i].text, reason);
		g_assert_cmpmem(&before, sizeof(before), &limits, sizeof(limits));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/quotas/rows", test_rows);
	g_test_add_func("/quotas/memory", test_memory);
	g_test_add_func("/quotas/largest-sum", test_largest_sum);
	g_test_add_func("/quotas/text-comes-back", test_text_comes_back);
	g_test_add_func("/quotas/edges", test_edges);
	g_test_add_func("/quotas/mistakes", test_mistakes);
	return g_test_run();
}
