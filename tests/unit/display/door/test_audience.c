/* SPDX-License-Identifier: MIT */
/*
 * audience: checks that whoever finds the guest asleep is held until there is a picture, but never
 * for long.
 */
#include "display/door/audience.h"
#include "display/door/limits.h"

#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

struct record {
	struct audience *audience;
	unsigned admitted, rates;
	bool brings_another; /* the next that is let in brings one more */
};

static void arrive(struct record *record, bool can_show);

static void on_admit(void *user, int fd)
{
	struct record *record = user;
	record->admitted++;
	close(fd);
	bool another = record->brings_another;
	record->brings_another = false;
	if (another)
		arrive(record, true);
}

static void on_rates(void *user)
{
	struct record *record = user;
	record->rates++;
}

static const struct audience_ops ops = { .admit = on_admit, .rates = on_rates };

static void arrive(struct record *record, bool can_show)
{
	audience_arrive(record->audience, open("/dev/null", O_RDONLY | O_CLOEXEC), can_show);
}

static void start(struct record *record)
{
	*record = (struct record){ .audience = audience_create(&ops, record) };
}

static void test_held_until_a_frame(void)
{
	struct record record;
	start(&record);
	g_assert_cmpuint(audience_rate_mhz(record.audience, 0), ==, 0);
	arrive(&record, true);
	g_assert_cmpuint(record.admitted, ==, 0);
	g_assert_cmpuint(audience_rate_mhz(record.audience, 0), ==, AUDIENCE_RATE_MHZ);
	arrive(&record, true);
	audience_frame_shown(record.audience);
	g_assert_cmpuint(record.admitted, ==, 2);
	/* More channels of the same client arrive. */
	arrive(&record, true);
	g_assert_cmpuint(record.admitted, ==, 3);
	audience_look(record.audience, 0, true);
	audience_look(record.audience, 1, true);
	arrive(&record, true);
	g_assert_cmpuint(record.admitted, ==, 4);
	audience_look(record.audience, 0, false);
	g_assert_cmpuint(audience_rate_mhz(record.audience, 0), ==, 0);
	g_assert_cmpuint(audience_rate_mhz(record.audience, 1), ==, AUDIENCE_RATE_MHZ);
	audience_look(record.audience, 1, false);
	audience_look(record.audience, 1, false);
	g_assert_cmpuint(audience_rate_mhz(record.audience, 1), ==, 0);
	arrive(&record, true);
	g_assert_cmpuint(record.admitted, ==, 4);
	audience_destroy(record.audience);
}

static void test_nothing_to_wait_for(void)
{
	struct record record;
	start(&record);
	arrive(&record, false);
	g_assert_cmpuint(record.admitted, ==, 1);
	g_assert_cmpuint(audience_rate_mhz(record.audience, 0), ==, 0);
	audience_destroy(record.audience);
}

static void test_no_frame_comes(void)
{
	struct record record;
	start(&record);
	arrive(&record, true);
	gint64 begin = g_get_monotonic_time();
	while (record.admitted == 0)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpint(g_get_monotonic_time() - begin, >=, (AUDIENCE_HOLD_MS - 5) * 1000);
	audience_destroy(record.audience);
}

static void test_crowd(void)
{
	struct record record;
	start(&record);
	for (unsigned i = 0; i < AUDIENCE_HELD_MAX + 5; i++)
		arrive(&record, true);
	g_assert_cmpuint(record.admitted, ==, 5);
	audience_destroy(record.audience);
	g_assert_cmpuint(record.admitted, ==, 5);
}

/* A connection that fails while it is let in lets the next one arrive: both are let in, once. */
static void test_one_brings_another(void)
{
	struct record record;
	start(&record);
	arrive(&record, true);
	record.brings_another = true;
	audience_frame_shown(record.audience);
	g_assert_cmpuint(record.admitted, ==, 2);
	/* A long while later the guest is asleep again, and nothing of them is left behind. */
	audience_look(record.audience, 0, true);
	audience_look(record.audience, 0, false);
	arrive(&record, true);
	g_assert_cmpuint(record.admitted, ==, 2);
	audience_frame_shown(record.audience);
	g_assert_cmpuint(record.admitted, ==, 3);
	audience_destroy(record.audience);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/audience/held-until-a-frame", test_held_until_a_frame);
	g_test_add_func("/audience/nothing-to-wait-for", test_nothing_to_wait_for);
	g_test_add_func("/audience/no-frame-comes", test_no_frame_comes);
	g_test_add_func("/audience/crowd", test_crowd);
	g_test_add_func("/audience/one-brings-another", test_one_brings_another);
	return g_test_run();
}
