/* SPDX-License-Identifier: MIT */
/* intake: devices that are shut and opened, and who waits for them. */
#include "display/line/intake.h"

#include <glib.h>

static void on_wake(void *user)
{
	++*(unsigned *)user;
}

static void test_wakes(void)
{
	struct intake *intake = intake_create();
	unsigned first = 0, second = 0;
	g_assert_false(intake_is_shut(intake, 9, 0, on_wake, &first));
	intake_shut(intake, 9, 0, true);
	intake_shut(intake, 9, 0, true);
	g_assert_true(intake_is_shut(intake, 9, 0, on_wake, &first));
	g_assert_false(intake_is_shut(intake, 9, 1, on_wake, &second));
	g_assert_false(intake_is_shut(intake, 10, 0, on_wake, &second));
	intake_shut(intake, 9, 1, false);
	g_assert_cmpuint(first, ==, 0);
	intake_shut(intake, 9, 0, false);
	g_assert_cmpuint(first, ==, 1);
	g_assert_false(intake_is_shut(intake, 9, 0, on_wake, &first));
	/* Each has asked once. */
	intake_shut(intake, 9, 0, true);
	intake_shut(intake, 9, 0, false);
	g_assert_cmpuint(first, ==, 1);
	intake_destroy(intake);
}

/* Whoever came later is who waits, and who has gone is not woken. */
static void test_forgets(void)
{
	struct intake *intake = intake_create();
	unsigned first = 0, second = 0;
	intake_shut(intake, 10, 3, true);
	g_assert_true(intake_is_shut(intake, 10, 3, on_wake, &first));
	g_assert_true(intake_is_shut(intake, 10, 3, on_wake, &second));
	intake_forget(intake, &first);
	intake_shut(intake, 10, 3, false);
	g_assert_cmpuint(first, ==, 0);
	g_assert_cmpuint(second, ==, 1);
	intake_shut(intake, 10, 3, true);
	g_assert_true(intake_is_shut(intake, 10, 3, on_wake, &second));
	intake_forget(intake, &second);
	intake_shut(intake, 10, 3, false);
	g_assert_cmpuint(second, ==, 1);
	intake_destroy(intake);
}

static void test_many(void)
{
	struct intake *intake = intake_create();
	for (unsigned id = 0; id < INTAKE_MAX; id++)
		intake_shut(intake, 10, (uint8_t)id, true);
	for (unsigned id = 0; id < INTAKE_MAX; id++)
		g_assert_true(intake_is_shut(intake, 10, (uint8_t)id, on_wake, NULL));
	for (unsigned id = 0; id < INTAKE_MAX; id++) {
		intake_forget(intake, NULL);
		intake_shut(intake, 10, (uint8_t)id, false);
		g_assert_false(intake_is_shut(intake, 10, (uint8_t)id, on_wake, NULL));
	}
	intake_destroy(intake);
	g_assert_false(intake_is_shut(NULL, 9, 0, on_wake, NULL));
	intake_forget(NULL, NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/intake/wakes", test_wakes);
	g_test_add_func("/intake/forgets", test_forgets);
	g_test_add_func("/intake/many", test_many);
	return g_test_run();
}
