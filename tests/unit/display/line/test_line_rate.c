/* SPDX-License-Identifier: MIT */
/*
 * line_rate: checks that a queue tells what a line carries, and that neither a burst nor a sender
 * with nothing to say does.
 */
#include "display/line/line_rate.h"

#include <glib.h>

#define STEP_US 10000
#define START_US 1000000

/*
 * Plays a sender that keeps `under_way_bytes` on a line of some rate, round trip and kernel's
 * opinion.
 */
struct rig {
	struct line_rate rate;
	int64_t now_us;
	uint64_t acked_bytes;
	uint64_t kernel_bps;
	uint32_t rtt_us;
};

static void go(struct rig *rig, uint64_t line_bps, uint64_t under_way_bytes, unsigned ms)
{
	uint64_t window_bps =
		rig->rtt_us ? under_way_bytes * 8 * 1000000 / rig->rtt_us : UINT64_MAX;
	uint64_t bps = MIN(line_bps, window_bps);
	for (unsigned i = 0; i < ms * 1000 / STEP_US; i++) {
		struct line_rate_sample sample = {
			.kernel_bps = rig->kernel_bps,
			.acked_bytes = rig->acked_bytes,
			.backlog_bytes = under_way_bytes,
			.rtt_min_us = rig->rtt_us,
		};
		line_rate_note(&rig->rate, START_US + rig->now_us, &sample);
		rig->now_us += STEP_US;
		rig->acked_bytes += bps * STEP_US / 8 / 1000000;
	}
}

static void expect(const struct rig *rig, uint64_t least_bps, uint64_t most_bps)
{
	bool is_floor;
	uint64_t bps = line_rate_get(&rig->rate, &is_floor);
	g_assert_cmpuint(bps, >=, least_bps);
	g_assert_cmpuint(bps, <=, most_bps);
	g_assert_false(is_floor);
}

/* A proxy beside us makes the kernel send at 8 Gbit/s, of which 2 Mbit/s get through. */
static void test_burst(void)
{
	struct rig rig = { .kernel_bps = 8000000000, .rtt_us = 5 };
	go(&rig, 2000000, 100000, 50);
	expect(&rig, 8000000000, 8000000000);
	go(&rig, 2000000, 100000, 500);
	expect(&rig, 2000000, 2300000);
}

/*
 * What is under way on a long line is no queue, and what was carried meanwhile is not all that the
 * line can carry.
 */
static void test_round_trip_is_no_queue(void)
{
	struct rig rig = { .kernel_bps = 50000000, .rtt_us = 80000 };
	go(&rig, 50000000, 30000, 2000);
	expect(&rig, 50000000, 50000000);
	g_assert_cmpuint(rig.rate.carried_bps, ==, 0);
}

/*
 * A rate that was found too low rises again as soon as there is more to send and more gets through.
 */
static void test_finds_up(void)
{
	struct rig rig = { .kernel_bps = 50000000, .rtt_us = 80000 };
	go(&rig, 800000, 40000, 500);
	expect(&rig, 800000, 900000);
	go(&rig, 5000000, 40000, 1000);
	expect(&rig, 3800000, 4500000);
	go(&rig, 5000000, 70000, 1000);
	expect(&rig, 5000000, 5600000);
}

static void test_finds_down(void)
{
	struct rig rig = { .kernel_bps = 50000000, .rtt_us = 80000 };
	go(&rig, 5000000, 70000, 1000);
	expect(&rig, 5000000, 5600000);
	go(&rig, 1000000, 70000, 1000);
	expect(&rig, 1000000, 1200000);
}

/* A sender that was silent has found nothing out, nor has one that sent little. */
static void test_silence(void)
{
	struct rig rig = { .kernel_bps = 50000000, .rtt_us = 80000 };
	go(&rig, 5000000, 70000, 1000);
	rig.now_us += 60 * 1000000ll;
	go(&rig, 5000000, 10, 500);
	expect(&rig, 5000000, 5600000);
}

static void test_floor(void)
{
	struct line_rate rate = { 0 };
	bool is_floor;
	g_assert_cmpuint(line_rate_get(&rate, &is_floor), ==, 0);
	struct line_rate_sample sample = {
		.kernel_bps = 1000, .app_limited = true, .acked_bytes = 1
	};
	line_rate_note(&rate, START_US, &sample);
	g_assert_cmpuint(line_rate_get(&rate, &is_floor), ==, 1000);
	g_assert_true(is_floor);
	sample = (struct line_rate_sample){
		.kernel_bps = 900, .app_limited = true, .acked_bytes = 2
	};
	line_rate_note(&rate, START_US + 1, &sample);
	g_assert_cmpuint(line_rate_get(&rate, &is_floor), ==, 1000);
	sample = (struct line_rate_sample){ .kernel_bps = 800, .acked_bytes = 3 };
	line_rate_note(&rate, START_US + 2, &sample);
	g_assert_cmpuint(line_rate_get(&rate, &is_floor), ==, 800);
	g_assert_false(is_floor);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/line-rate/burst", test_burst);
	g_test_add_func("/line-rate/round-trip-is-no-queue", test_round_trip_is_no_queue);
	g_test_add_func("/line-rate/finds-up", test_finds_up);
	g_test_add_func("/line-rate/finds-down", test_finds_down);
	g_test_add_func("/line-rate/silence", test_silence);
	g_test_add_func("/line-rate/floor", test_floor);
	return g_test_run();
}
