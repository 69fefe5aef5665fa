/* SPDX-License-Identifier: MIT */
/* growth: tests what draws are charged with, for a heap that is as large as a test says. */
#include <glib.h>

#include "render/commands/growth.h"
#include "render/quota/heap.h"
#include "render/quota/quota.h"

#define MIB (1 << 20)

static struct heap_use said;
static struct quota_account guest, context, other;
static struct growth *growth;

static bool read_said(struct heap_use *use)
{
	*use = said;
	return true;
}

static bool read_nothing(struct heap_use *use)
{
	*use = (struct heap_use){ 0 };
	return false;
}

static void begin(const char *quotas)
{
	struct quota_limits limits;
	quotas_set_initial(&limits);
	g_assert_null(quotas_parse(&limits, quotas));
	quota_account_init(&guest, &limits);
	quota_account_init_context(&context, &guest, 7);
	quota_account_init_context(&other, &guest, 8);
	said = (struct heap_use){ .bytes = 100 * MIB };
	growth = growth_create(read_said);
}

/* Says that so much comes, or goes, while the account's program draws. */
static bool draw(struct quota_account *account, int mib)
{
	growth_begin(growth, &guest);
	said.bytes += (int64_t)mib * MIB;
	return growth_charge(growth, account);
}

static uint64_t get_mib(const struct quota_account *account)
{
	return account->quotas[QUOTA_PROGRAM_BYTES].used / MIB;
}

static uint64_t get_textures_mib(void)
{
	return guest.quotas[QUOTA_TEXTURE_BYTES].used / MIB;
}

static void test_charged(void)
{
	begin("program-bytes=64M");
	g_assert_true(draw(&context, 0));
	g_assert_cmpuint(get_mib(&context), ==, 0);
	g_assert_true(draw(&context, 30));
	g_assert_cmpuint(get_mib(&context), ==, 30);
	g_assert_cmpuint(get_textures_mib(), ==, 30);
	g_assert_true(draw(&context, -10));
	g_assert_cmpuint(get_mib(&context), ==, 20);
	g_assert_true(draw(&context, 44));
	g_assert_false(draw(&context, 1));
	g_assert_cmpuint(get_mib(&context), ==, 64);
	g_assert_true(draw(&other, 5));
	g_assert_cmpuint(get_mib(&other), ==, 5);
	quota_account_finish_context(&context);
	quota_account_finish_context(&other);
	g_assert_cmpuint(get_textures_mib(), ==, 0);
	growth_destroy(growth);
}

/*
 * A program that ends and begins anew has what it left charged again, though the process is no
 * larger than before.
 */
static void test_anew(void)
{
	begin("program-bytes=64M");
	for (unsigned i = 0; i < 100; i++) {
		g_assert_true(draw(&context, 60));
		g_assert_false(draw(&context, 5));
		g_assert_cmpuint(get_mib(&context), ==, 60);
		said.bytes -= 65 * MIB;
		quota_account_finish_context(&context);
		quota_account_init_context(&context, &guest, 7);
		growth_trim(growth);
	}
	growth_destroy(growth);
}

/* What commands ask for has quotas of its own. */
static void test_counted_elsewhere(void)
{
	begin("program-bytes=64M");
	growth_begin(growth, &guest);
	g_assert_true(quota_take(&context, QUOTA_TEXTURE_BYTES, 20 * MIB));
	said.bytes += 25 * MIB;
	g_assert_true(growth_charge(growth, &context));
	g_assert_cmpuint(get_mib(&context), ==, 5);
	/* What was charged is not taken for something that was asked for. */
	said.bytes += 5 * MIB;
	g_assert_true(growth_charge(growth, &context));
	g_assert_cmpuint(get_mib(&context), ==, 10);
	/* Nor do draws pay for what others made since. */
	said.bytes += 20 * MIB;
	g_assert_true(draw(&context, 1));
	g_assert_cmpuint(get_mib(&context), ==, 11);
	growth_destroy(growth);
}

/* What drivers free when they like is given back to whoever draws next and has something. */
static void test_stray(void)
{
	begin("program-bytes=64M");
	g_assert_true(draw(&context, 30));
	said.bytes -= 10 * MIB;
	g_assert_true(draw(&other, 0));
	g_assert_cmpuint(get_mib(&other), ==, 0);
	g_assert_true(draw(&context, 0));
	g_assert_cmpuint(get_mib(&context), ==, 20);
	/* What came while nobody drew may go again, and nobody has paid for it. */
	said.bytes += 10 * MIB;
	g_assert_true(draw(&context, 0));
	said.bytes -= 15 * MIB;
	g_assert_true(draw(&context, 4));
	g_assert_cmpuint(get_mib(&context), ==, 19);
	growth_destroy(growth);
}

/* A desktop that compiles for days is charged with what there is. */
static void test_days(void)
{
	begin("program-bytes=64M");
	for (unsigned i = 0; i < 10000; i++) {
		g_assert_true(draw(&context, 3));
		g_assert_true(draw(&other, 1));
		said.bytes -= 2 * MIB;
		g_assert_true(draw(&other, -2));
	}
	g_assert_cmpuint(get_mib(&context) + get_mib(&other), <=, 4);
	growth_destroy(growth);
}

/* Programs find no room where textures have taken all. */
static void test_guests_limit(void)
{
	begin("texture-bytes=64M");
	g_assert_true(quota_take(&context, QUOTA_TEXTURE_BYTES, 60 * MIB));
	said.bytes += 60 * MIB;
	g_assert_true(draw(&context, 3));
	g_assert_false(draw(&context, 3));
	g_assert_cmpuint(get_mib(&context), ==, 3);
	growth_destroy(growth);
}

static void test_compiled(void)
{
	begin("program-bytes=64M");
	growth_begin(growth, &guest);
	said.n_taken += GROWTH_COMPILED_TAKEN - 1;
	g_assert_true(growth_charge(growth, &context));
	g_assert_false(growth_has_compiled(growth));
	said.n_taken += GROWTH_COMPILED_TAKEN;
	g_assert_true(growth_charge(growth, &context));
	g_assert_true(growth_has_compiled(growth));
	g_assert_true(growth_charge(growth, &context));
	g_assert_false(growth_has_compiled(growth));
	growth_destroy(growth);
}

static void test_not_measured(void)
{
	begin("program-bytes=64M");
	growth_destroy(growth);
	growth = growth_create(read_nothing);
	g_assert_true(draw(&context, 900));
	g_assert_cmpuint(get_mib(&context), ==, 0);
	g_assert_false(growth_has_compiled(growth));
	growth_trim(growth);
	growth_destroy(growth);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Reaching a quota is a warning, which must not end a test that is about it. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/growth/charged", test_charged);
	g_test_add_func("/growth/anew", test_anew);
	g_test_add_func("/growth/counted elsewhere", test_counted_elsewhere);
	g_test_add_func("/growth/stray", test_stray);
	g_test_add_func("/growth/days", test_days);
	g_test_add_func("/growth/guest's limit", test_guests_limit);
	g_test_add_func("/growth/compiled", test_compiled);
	g_test_add_func("/growth/not measured", test_not_measured);
	return g_test_run();
}
