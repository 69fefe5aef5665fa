/* SPDX-License-Identifier: MIT */
/* growth: tests what draws are charged with, from a file that says what the kernel would. */
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "render/commands/growth.h"
#include "render/quota/quota.h"

#define MIB (1u << 20)

struct desk {
	char *path;
	struct quota_account guest, context;
	struct growth *growth;
};

static void say_data(const struct desk *d, unsigned mib)
{
	long pages = (long)mib * MIB / sysconf(_SC_PAGESIZE);
	g_autofree char *text = g_strdup_printf("90000 80000 7000 600 0 %ld 0\n", pages);
	/* The file stays the same one, as in /proc. */
	FILE *file = g_fopen(d->path, "w");
	g_assert_cmpint(fputs(text, file), >=, 0);
	g_assert_cmpint(fclose(file), ==, 0);
}

static void desk_init(struct desk *d, const char *quotas)
{
	struct quota_limits limits;
	quotas_set_initial(&limits);
	g_assert_null(quotas_parse(&limits, quotas));
	quota_account_init(&d->guest, &limits);
	quota_account_init_context(&d->context, &d->guest, 7);
	int fd = g_file_open_tmp("statm-XXXXXX", &d->path, NULL);
	g_assert_cmpint(fd, >=, 0);
	close(fd);
	say_data(d, 100);
	d->growth = growth_create(d->path);
}

static void desk_finish(struct desk *d)
{
	growth_destroy(d->growth);
	g_unlink(d->path);
	g_free(d->path);
}

static uint64_t get_made_mib(const struct desk *d)
{
	return d->context.quotas[QUOTA_PROGRAM_BYTES].used / MIB;
}

static uint64_t get_textures_mib(const struct desk *d)
{
	return d->guest.quotas[QUOTA_TEXTURE_BYTES].used / MIB;
}

static void test_charged(void)
{
	struct desk d;
	desk_init(&d, "program-bytes=64M");
	growth_begin(d.growth, &d.guest);
	g_assert_true(growth_charge(d.growth, &d.context));
	g_assert_cmpuint(get_made_mib(&d), ==, 0);
	say_data(&d, 130);
	growth_begin(d.growth, &d.guest);
	g_assert_true(growth_charge(d.growth, &d.context));
	g_assert_cmpuint(get_made_mib(&d), ==, 30);
	g_assert_cmpuint(get_textures_mib(&d), ==, 30);
	/* What has gone is made again before there is more. */
	say_data(&d, 120);
	g_assert_true(growth_charge(d.growth, &d.context));
	g_assert_cmpuint(get_made_mib(&d), ==, 30);
	say_data(&d, 155);
	g_assert_false(growth_charge(d.growth, &d.context));
	g_assert_cmpuint(get_made_mib(&d), ==, 30);
	quota_account_finish_context(&d.context);
	g_assert_cmpuint(get_textures_mib(&d), ==, 0);
	desk_finish(&d);
}

/* What commands ask for has quotas of its own. */
static void test_counted_elsewhere(void)
{
	struct desk d;
	desk_init(&d, "program-bytes=64M");
	growth_begin(d.growth, &d.guest);
	g_assert_true(quota_take(&d.context, QUOTA_TEXTURE_BYTES, 20 * MIB));
	say_data(&d, 125);
	g_assert_true(growth_charge(d.growth, &d.context));
	g_assert_cmpuint(get_made_mib(&d), ==, 5);
	/* What was charged is not taken for something that was asked for. */
	say_data(&d, 130);
	g_assert_true(growth_charge(d.growth, &d.context));
	g_assert_cmpuint(get_made_mib(&d), ==, 10);
	/* Nor do draws pay for what others made since. */
	say_data(&d, 150);
	growth_forget(d.growth);
	growth_begin(d.growth, &d.guest);
	say_data(&d, 151);
	g_assert_true(growth_charge(d.growth, &d.context));
	g_assert_cmpuint(get_made_mib(&d), ==, 11);
	desk_finish(&d);
}

/* Programs find no room where textures have taken all. */
static void test_guests_limit(void)
{
	struct desk d;
	desk_init(&d, "texture-bytes=64M");
	growth_begin(d.growth, &d.guest);
	g_assert_true(quota_take(&d.context, QUOTA_TEXTURE_BYTES, 60 * MIB));
	growth_forget(d.growth);
	growth_begin(d.growth, &d.guest);
	say_data(&d, 103);
	g_assert_true(growth_charge(d.growth, &d.context));
	say_data(&d, 106);
	g_assert_false(growth_charge(d.growth, &d.context));
	g_assert_cmpuint(get_made_mib(&d), ==, 3);
	desk_finish(&d);
}

static void test_not_measured(void)
{
	struct desk d;
	desk_init(&d, "program-bytes=64M");
	struct growth *none = growth_create(NULL);
	growth_begin(none, &d.guest);
	say_data(&d, 900);
	g_assert_true(growth_charge(none, &d.context));
	g_assert_cmpuint(get_made_mib(&d), ==, 0);
	growth_destroy(none);
	g_test_expect_message("vitrine-render", G_LOG_LEVEL_WARNING, "*limit alone*");
	none = growth_create("/nowhere/statm");
	g_test_assert_expected_messages();
	g_assert_true(growth_charge(none, &d.context));
	growth_destroy(none);
	desk_finish(&d);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Reaching a quota is a warning, which must not end a test that is about it. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/growth/charged", test_charged);
	g_test_add_func("/growth/counted elsewhere", test_counted_elsewhere);
	g_test_add_func("/growth/guest's limit", test_guests_limit);
	g_test_add_func("/growth/not measured", test_not_measured);
	return g_test_run();
}
