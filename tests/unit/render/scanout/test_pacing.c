/* SPDX-License-Identifier: MIT */
/*
 * pacing: checks the schedules of guests that are fast, slow, irregular or idle, in simulated time.
 */
#include <glib.h>

#include "render/scanout/pacing.h"

#define MHZ 60000
#define PERIOD_NS (UINT64_C(1000000000000) / MHZ)
#define MS UINT64_C(1000000)

/* The time begins far from 0, as a clock does. */
#define START_NS (UINT64_C(1000000) * MS)

static uint64_t draw(struct pacing *pacing, uint64_t now_ns)
{
	unsigned head = UINT_MAX;
	uint64_t slot_ns = pacing_draw_ns(pacing, 1, now_ns, &head);
	g_assert_true(slot_ns == 0 || slot_ns > now_ns);
	g_assert_true(slot_ns == 0 || head == 0);
	return slot_ns;
}

/* Returns when the fence of what is drawn now is answered. */
static uint64_t draw_until(struct pacing *pacing, uint64_t now_ns)
{
	uint64_t slot_ns = draw(pacing, now_ns);
	return MAX(now_ns, slot_ns);
}

/* Draws and shows at once, whatever the slot is. */
static void draw_and_flush(struct pacing *pacing, uint64_t now_ns)
{
	draw(pacing, now_ns);
	pacing_flush(pacing, 0, MHZ, now_ns);
}

struct guest {
	unsigned n_buffers; /* drawn ahead of the last flush, at most */
	bool throttled;     /* flushes without waiting, but for the picture before (Mesa on older
			       kernels) */
	uint64_t draw_ns;   /* of a picture, in one go */
	uint64_t flip_ns;   /* from the fence to the flush */
	unsigned n_submits; /* for a picture */
};

/*
 * Draws picture i when a buffer is free, and flushes it when its fence allows. Returns the last
 * flush's time.
 */
static uint64_t run(struct pacing *pacing, const struct guest *guest, unsigned n)
{
	g_autofree uint64_t *flush_ns = g_new0(uint64_t, n), *fence_ns = g_new0(uint64_t, n);
	uint64_t drawn_ns = START_NS;
	unsigned n_flushed = 0;
	for (unsigned i = 0; i < n; i++) {
		if (i >= guest->n_buffers)
			drawn_ns = MAX(drawn_ns, flush_ns[i - guest->n_buffers]);
		drawn_ns += guest->draw_ns;
		for (; n_flushed < i && flush_ns[n_flushed] <= drawn_ns; n_flushed++)
			pacing_flush(pacing, 0, MHZ, flush_ns[n_flushed]);
		fence_ns[i] = MAX(drawn_ns, i > 0 ? fence_ns[i - 1] : 0);
		for (unsigned j = 0; j < guest->n_submits; j++) {
			uint64_t submit_ns = draw_until(pacing, drawn_ns);
			fence_ns[i] = MAX(fence_ns[i], submit_ns);
		}
		g_assert_cmpuint(fence_ns[i], <=, drawn_ns + PACING_AHEAD_MAX * PERIOD_NS);
		uint64_t ready_ns = !guest->throttled ? fence_ns[i] :
							MAX(drawn_ns, i > 0 ? fence_ns[i - 1] : 0);
		flush_ns[i] = MAX(ready_ns, i > 0 ? flush_ns[i - 1] : 0) + guest->flip_ns;
	}
	return flush_ns[n - 1];
}

/*
 * A fast guest gets one slot for each period, whatever it takes to use it, so it has the rate
 * without drift.
 */
static void check_fast(const struct guest *guest)
{
	struct pacing pacing = { 0 };
	uint64_t took_ns = run(&pacing, guest, 1000) - START_NS;
	g_test_message("%u buffers%s, %u submits, draw %.1f ms, flip %.1f ms: %.1f periods",
		guest->n_buffers, guest->throttled ? ", throttled" : "", guest->n_submits,
		(double)guest->draw_ns / MS, (double)guest->flip_ns / MS,
		(double)took_ns / PERIOD_NS);
	g_assert_cmpuint(took_ns, >=, 990 * PERIOD_NS);
	g_assert_cmpuint(took_ns, <=, 1003 * PERIOD_NS);
}

static void test_fast_guest(void)
{
	static const uint64_t draws[] = { 1000, 1 * MS, 8 * MS, 15 * MS };
	static const uint64_t flips[] = { 1000, MS / 10, 1 * MS };
	for (unsigned buffers = 1; buffers <= 3; buffers++)
		for (unsigned d = 0; d < G_N_ELEMENTS(draws); d++)
			for (unsigned f = 0; f < G_N_ELEMENTS(flips); f++)
				check_fast(&(struct guest){ .n_buffers = buffers,
					.draw_ns = draws[d],
					.flip_ns = flips[f],
					.n_submits = 1 });
}

static void test_fast_guest_in_parts(void)
{
	for (unsigned submits = 2; submits < 9; submits += 3)
		check_fast(&(struct guest){ .n_buffers = 1,
			.draw_ns = 3 * MS,
			.flip_ns = MS / 10,
			.n_submits = submits });
}

static void test_fast_guest_throttled(void)
{
	static const uint64_t draws[] = { 1000, 1 * MS, 8 * MS, 15 * MS };
	for (unsigned d = 0; d < G_N_ELEMENTS(draws); d++)
		for (unsigned submits = 1; submits < 9; submits += 3)
			check_fast(&(struct guest){ .n_buffers = 1,
				.throttled = true,
				.draw_ns = draws[d],
				.flip_ns = MS / 10,
				.n_submits = submits });
}

/* A slower guest runs as if nobody looked. */
static void test_slow_guest(void)
{
	static const uint64_t draws[] = { 16670000, 17 * MS, 20 * MS, 34 * MS, 500 * MS };
	for (unsigned d = 0; d < G_N_ELEMENTS(draws); d++) {
		struct guest guest = { .n_buffers = 1, .draw_ns = draws[d], .n_submits = 1 };
		struct pacing pacing = { 0 };
		uint64_t took_ns = run(&pacing, &guest, 300) - START_NS;
		g_assert_cmpuint(took_ns, ==, 300 * draws[d]);
	}
}

/*
 * Pictures are due every period, each up to 7 ms late or early: none is delayed, and the rate is
 * not halved.
 */
static void test_irregular_guest(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	struct pacing pacing = { 0 };
	for (unsigned i = 1; i < 2000; i++) {
		int64_t jitter_ns = g_rand_int_range(rand, -7 * (int)MS, 7 * (int)MS);
		uint64_t ready_ns = START_NS + i * PERIOD_NS + (uint64_t)jitter_ns;
		g_assert_cmpuint(draw(&pacing, ready_ns), ==, 0);
		pacing_flush(&pacing, 0, MHZ, ready_ns);
	}
}

/* A guest is slow for a while and then fast: what it did not use is not made up for. */
static void test_catches_up_by_one(void)
{
	static const struct guest slow = { .n_buffers = 1, .draw_ns = 100 * MS, .n_submits = 1 };
	struct pacing pacing = { 0 };
	uint64_t now_ns = run(&pacing, &slow, 10) + 5000 * MS;
	unsigned n = 0;
	for (uint64_t end_ns = now_ns + 1000 * MS; now_ns < end_ns; n++) {
		now_ns = draw_until(&pacing, now_ns) + MS / 10;
		pacing_flush(&pacing, 0, MHZ, now_ns);
	}
	g_assert_cmpuint(n, >=, 59);
	g_assert_cmpuint(n, <=, 62);
}

/* Nobody waits for a key's picture or a cursor's blink after a pause. */
static void test_after_idle(void)
{
	struct pacing pacing = { 0 };
	g_assert_cmpuint(draw(&pacing, START_NS), ==, 0);
	pacing_flush(&pacing, 0, MHZ, START_NS);
	g_assert_cmpuint(draw(&pacing, START_NS + 1), ==, 0);
	pacing_flush(&pacing, 0, MHZ, START_NS + 1);
	g_assert_cmpuint(draw(&pacing, START_NS + 2), ==, START_NS + PERIOD_NS);
	g_assert_cmpuint(draw(&pacing, START_NS + PERIOD_NS), ==, 0);
	pacing_flush(&pacing, 0, MHZ, START_NS + PERIOD_NS);
	g_assert_cmpuint(draw(&pacing, START_NS + 3 * PERIOD_NS), ==, 0);
}

/*
 * Pictures that nothing held do not add up: the next waits no longer than a period, and the rate
 * stays.
 */
static void test_debt_is_forgiven(void)
{
	struct pacing pacing = { 0 };
	uint64_t now_ns = START_NS;
	for (unsigned i = 0; i < 1000; i++)
		draw_and_flush(&pacing, now_ns++);
	now_ns += PERIOD_NS * PACING_AHEAD_MAX; /* what was held has gone by now */
	for (unsigned i = 0; i < 3; i++) {
		uint64_t slot_ns = draw(&pacing, now_ns);
		g_assert_cmpuint(slot_ns, <=, now_ns + PERIOD_NS);
		now_ns = MAX(now_ns, slot_ns);
		pacing_flush(&pacing, 0, MHZ, now_ns);
	}
	uint64_t start_ns = now_ns;
	for (unsigned i = 0; i < 60; i++) {
		now_ns = draw_until(&pacing, now_ns + MS);
		pacing_flush(&pacing, 0, MHZ, now_ns);
	}
	g_assert_cmpuint(now_ns - start_ns, >=, 58 * PERIOD_NS);
	g_assert_cmpuint(now_ns - start_ns, <=, 61 * PERIOD_NS);
}

/*
 * Flushes of parts, and of what the CPU drew, are no pictures: at 30/s with many of them none
 * waits.
 */
static void test_flushes_without_drawing(void)
{
	struct pacing pacing = { 0 };
	for (uint64_t i = 1; i < 200; i++) {
		uint64_t now_ns = START_NS + i * 2 * PERIOD_NS;
		g_assert_cmpuint(draw(&pacing, now_ns), ==, 0);
		for (unsigned j = 0; j < 7; j++)
			pacing_flush(&pacing, 0, MHZ, now_ns + j);
	}
}

static void test_heads(void)
{
	struct pacing pacing = { 0 };
	unsigned head = 99;
	for (unsigned i = 0; i < 2; i++) {
		pacing_draw_ns(&pacing, 1 << 2 | 1 << 5, START_NS, &head);
		pacing_flush(&pacing, 2, 60000, START_NS);
		pacing_flush(&pacing, 5, 120000, START_NS);
	}
	g_assert_cmpuint(
		pacing_draw_ns(&pacing, 1 << 2, START_NS, &head), ==, START_NS + PERIOD_NS);
	g_assert_cmpuint(head, ==, 2);
	g_assert_cmpuint(pacing_draw_ns(&pacing, 1 << 2 | 1 << 5, START_NS, &head), ==,
		START_NS + PERIOD_NS / 2);
	g_assert_cmpuint(head, ==, 5);
	g_assert_cmpuint(pacing_draw_ns(&pacing, 1 << 3, START_NS, &head), ==, 0);
	/* A head whose slot has come no longer counts. */
	g_assert_cmpuint(pacing_draw_ns(&pacing, 1 << 2 | 1 << 5, START_NS + 10 * MS, &head), ==,
		START_NS + PERIOD_NS);
	pacing_forget(&pacing, 2);
	g_assert_cmpuint(pacing_draw_ns(&pacing, 1 << 2, START_NS, &head), ==, 0);
}

/* One painter draws on two heads as fast as it can, and each has its rate. */
static void test_two_heads(void)
{
	struct pacing pacing = { 0 };
	uint64_t now_ns = START_NS;
	unsigned head;
	for (unsigned i = 0; i < 600; i++) {
		uint64_t slot_ns = pacing_draw_ns(&pacing, 3, now_ns, &head);
		now_ns = MAX(now_ns, slot_ns) + MS / 10;
		pacing_flush(&pacing, i % 2, MHZ, now_ns);
	}
	g_assert_cmpuint(now_ns - START_NS, >=, 290 * PERIOD_NS);
	g_assert_cmpuint(now_ns - START_NS, <=, 310 * PERIOD_NS);
}

static void test_off(void)
{
	static const struct guest guest = { .n_buffers = 1, .draw_ns = 1000, .n_submits = 1 };
	struct pacing pacing = { .off = true };
	g_assert_cmpuint(run(&pacing, &guest, 100), ==, START_NS + 100 * 1000);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pacing/fast-guest", test_fast_guest);
	g_test_add_func("/pacing/fast-guest/in-parts", test_fast_guest_in_parts);
	g_test_add_func("/pacing/fast-guest/throttled", test_fast_guest_throttled);
	g_test_add_func("/pacing/slow-guest", test_slow_guest);
	g_test_add_func("/pacing/irregular-guest", test_irregular_guest);
	g_test_add_func("/pacing/catches-up-by-one", test_catches_up_by_one);
	g_test_add_func("/pacing/after-idle", test_after_idle);
	g_test_add_func("/pacing/debt-is-forgiven", test_debt_is_forgiven);
	g_test_add_func("/pacing/flushes-without-drawing", test_flushes_without_drawing);
	g_test_add_func("/pacing/heads", test_heads);
	g_test_add_func("/pacing/two-heads", test_two_heads);
	g_test_add_func("/pacing/off", test_off);
	return g_test_run();
}
