/* SPDX-License-Identifier: MIT */
/* rate steps: checks that key frames are few, whatever a line does. */
#include <glib.h>

#include "display/video/rate_steps.h"

#define MS UINT64_C(1000000)
#define FRAME_MS 33

struct run {
	struct rate_steps steps;
	uint64_t now_ms;
	unsigned n_steps;
	double over; /* the longest time that the told rate was above 1.2 of what was wanted, ms */
	uint64_t over_since_ms;
};

/* Lets what is wanted go from one rate to another within that time, picture by picture. */
static void go(struct run *run, double from, double to, uint64_t for_ms)
{
	for (uint64_t ms = 0; ms < for_ms; ms += FRAME_MS) {
		double share = (double)ms / (double)for_ms;
		struct rate wanted = { .kbit = (uint32_t)(from + (to - from) * share),
			.buffer_ms = 33 };
		run->n_steps += rate_steps_want(&run->steps, wanted, run->now_ms * MS);
		bool over = run->steps.told.kbit > 1.2 * wanted.kbit;
		if (!over)
			run->over_since_ms = run->now_ms;
		run->over = MAX(run->over, (double)(run->now_ms - run->over_since_ms));
		run->now_ms += FRAME_MS;
	}
}

static void test_falls_and_comes_back(void)
{
	struct run run = { .now_ms = 1000 };
	go(&run, 40000, 40000, 10000);
	g_assert_cmpuint(run.steps.told.kbit, ==, 40000);
	go(&run, 4000, 4000, 20000);
	g_assert_cmpuint(run.n_steps, ==, 2);
	g_assert_cmpuint(run.steps.told.kbit, <=, 4000);
	g_assert_cmpuint(run.steps.told.kbit, >=, 3000);
	go(&run, 40000, 40000, 20000);
	g_assert_cmpuint(run.n_steps, ==, 3);
	g_assert_cmpuint(run.steps.told.kbit, ==, 40000);
	g_assert_cmpfloat(run.over, <=, RATE_STEPS_SETTLE_MS + FRAME_MS);
}

/* Each estimate differs from the one before. */
static void test_slides(void)
{
	struct run run = { .now_ms = 1000 };
	go(&run, 40000, 40000, 10000);
	go(&run, 40000, 4000, 2000);
	go(&run, 4000, 4000, 10000);
	g_test_message("%u steps down to %u kbit/s, above 1.2 times for %.0f ms", run.n_steps - 1,
		run.steps.told.kbit, run.over);
	g_assert_cmpuint(run.n_steps, <=, 5);
	g_assert_cmpfloat(run.over, <=, RATE_STEPS_HOLD_MS + RATE_STEPS_SETTLE_MS);
	unsigned before = run.n_steps;
	go(&run, 4000, 40000, 5000);
	go(&run, 40000, 40000, 20000);
	g_assert_cmpuint(run.n_steps - before, <=, 2);
	g_assert_cmpuint(run.steps.told.kbit, >=, 30000);
}

/* A line that goes up and down for ever costs ever fewer key frames: one a minute in the end. */
static void test_swings(void)
{
	struct run run = { .now_ms = 1000 };
	for (unsigned i = 0; i < 50; i++) {
		go(&run, 20000, 20000, 6000);
		go(&run, 8000, 8000, 6000);
	}
	g_test_message("%u steps in 10 minutes", run.n_steps);
	g_assert_cmpuint(run.n_steps, <=, 10);
}

static void test_noise(void)
{
	struct run run = { .now_ms = 1000 };
	for (unsigned i = 0; i < 2000; i++)
		go(&run, i % 2 ? 10000 : 12000, i % 2 ? 10000 : 12000, 100);
	g_assert_cmpuint(run.n_steps, <=, 2);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rate-steps/falls-and-comes-back", test_falls_and_comes_back);
	g_test_add_func("/rate-steps/slides", test_slides);
	g_test_add_func("/rate-steps/swings", test_swings);
	g_test_add_func("/rate-steps/noise", test_noise);
	return g_test_run();
}
