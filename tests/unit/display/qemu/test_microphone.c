/* SPDX-License-Identifier: MIT */
/* microphone: what a client says comes out once and in order, and silence keeps the time. */
#include "display/qemu/microphone.h"

#include <glib.h>

#include "display/qemu/limits.h"

#define RATE 48000
#define MS_PAIRS (RATE / 1000)
#define MS 1000
#define HOUR_US (3600 * (int64_t)G_USEC_PER_SEC)

static uint32_t next_said, next_heard;

static void say(struct microphone *microphone, unsigned ms, int64_t now_us)
{
	g_autofree uint32_t *pairs = g_new(uint32_t, ms * MS_PAIRS);
	for (unsigned i = 0; i < ms * MS_PAIRS; i++)
		pairs[i] = ++next_said;
	microphone_write(microphone, pairs, ms * MS_PAIRS, now_us);
}

/* Reads up to `ms`, and expects so many pairs of what was said next. */
static void expect_said(struct microphone *microphone, unsigned ms, size_t n, int64_t now_us)
{
	g_autofree uint32_t *pairs = g_new(uint32_t, ms * MS_PAIRS);
	g_assert_cmpuint(microphone_read(microphone, pairs, ms * MS_PAIRS, now_us), ==, n);
	for (size_t i = 0; i < n; i++)
		g_assert_cmpuint(pairs[i], ==, ++next_heard);
}

static size_t read_silence(struct microphone *microphone, unsigned ms, int64_t now_us)
{
	g_autofree uint32_t *pairs = g_new(uint32_t, ms * MS_PAIRS);
	size_t n = microphone_read(microphone, pairs, ms * MS_PAIRS, now_us);
	for (size_t i = 0; i < n; i++)
		g_assert_cmpuint(pairs[i], ==, 0);
	return n;
}

static struct microphone *begin(int64_t now_us)
{
	struct microphone *microphone = microphone_create();
	next_said = next_heard = 0;
	microphone_start(microphone, RATE, now_us);
	return microphone;
}

static void test_all_that_is_said(void)
{
	struct microphone *microphone = begin(0);
	/* Pieces of many sizes go around the store several times. */
	for (unsigned i = 1; i < 200; i++) {
		say(microphone, i % 23 + 1, i * 10 * MS);
		expect_said(microphone, 24, (i % 23 + 1) * MS_PAIRS, i * 10 * MS);
	}
	expect_said(microphone, 10, 0, 2000 * MS);
	microphone_unref(microphone);
}

static void test_in_parts(void)
{
	struct microphone *microphone = begin(0);
	say(microphone, 30, MS);
	for (unsigned i = 0; i < 3; i++)
		expect_said(microphone, 10, 10 * MS_PAIRS, 2 * MS);
	expect_said(microphone, 10, 0, 2 * MS);
	microphone_unref(microphone);
}

/* Late sound would stay late. */
static void test_the_oldest_is_dropped(void)
{
	struct microphone *microphone = begin(0);
	for (unsigned i = 0; i < 50; i++)
		say(microphone, 10, i * 10 * MS);
	next_heard = (500 - MICROPHONE_STORED_MS) * MS_PAIRS;
	expect_said(microphone, 500, MICROPHONE_STORED_MS * MS_PAIRS, 500 * MS);
	g_assert_cmpuint(next_heard, ==, next_said);
	/* One piece that is longer than all is not another matter. */
	say(microphone, 300, 510 * MS);
	next_heard += (300 - MICROPHONE_STORED_MS) * MS_PAIRS;
	expect_said(microphone, 500, MICROPHONE_STORED_MS * MS_PAIRS, 510 * MS);
	microphone_unref(microphone);
}

/* As much silence as time, to the pair, however oddly it is asked for. */
static void test_silence_keeps_the_time(void)
{
	struct microphone *microphone = begin(0);
	uint64_t n = 0;
	int64_t now_us = 0;
	for (unsigned i = 0; now_us < HOUR_US / 6; i++) {
		now_us += 3333 + i % 7919;
		n += read_silence(microphone, 20, now_us);
	}
	g_assert_cmpuint(n, >=, (uint64_t)now_us * RATE / G_USEC_PER_SEC - MS_PAIRS);
	g_assert_cmpuint(n, <=, (uint64_t)now_us * RATE / G_USEC_PER_SEC);
	microphone_unref(microphone);
}

static void test_silence_waits_for_what_is_late(void)
{
	struct microphone *microphone = begin(0);
	say(microphone, 10, 10 * MS);
	expect_said(microphone, 20, 10 * MS_PAIRS, 11 * MS);
	expect_said(microphone, 20, 0, (10 + MICROPHONE_STARVED_MS) * MS - 1);
	g_assert_cmpuint(read_silence(microphone, 100, (10 + MICROPHONE_STARVED_MS) * MS), ==,
		(MICROPHONE_STARVED_MS - 1) * MS_PAIRS);
	/* What comes then goes first, and time that sound filled is not silent, too. */
	say(microphone, 10, 80 * MS);
	expect_said(microphone, 20, 10 * MS_PAIRS, 80 * MS);
	g_assert_cmpuint(read_silence(microphone, 100, (80 + MICROPHONE_STARVED_MS) * MS), ==,
		MICROPHONE_STARVED_MS * MS_PAIRS);
	microphone_unref(microphone);
}

/* A QEMU that was held up does not get all of the silence that it missed. */
static void test_a_long_pause(void)
{
	struct microphone *microphone = begin(0);
	g_assert_cmpuint(read_silence(microphone, 100, HOUR_US), ==, 0);
	g_assert_cmpuint(read_silence(microphone, 100, HOUR_US + 10 * MS), ==, 10 * MS_PAIRS);
	microphone_unref(microphone);
}

static void test_nobody_records(void)
{
	struct microphone *microphone = begin(0);
	say(microphone, 10, MS);
	microphone_stop(microphone);
	expect_said(microphone, 10, 0, 2 * MS);
	g_assert_cmpuint(read_silence(microphone, 10, 1000 * MS), ==, 0);
	say(microphone, 10, 1000 * MS);
	expect_said(microphone, 10, 0, 1000 * MS);
	/* Who records anew does not hear what was said before. */
	microphone_start(microphone, DBUS_AUDIO_RATE_MAX_HZ, 1000 * MS);
	expect_said(microphone, 10, 0, 1000 * MS);
	microphone_unref(microphone);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/microphone/all-that-is-said", test_all_that_is_said);
	g_test_add_func("/microphone/in-parts", test_in_parts);
	g_test_add_func("/microphone/oldest-dropped", test_the_oldest_is_dropped);
	g_test_add_func("/microphone/silence-keeps-time", test_silence_keeps_the_time);
	g_test_add_func("/microphone/silence-waits", test_silence_waits_for_what_is_late);
	g_test_add_func("/microphone/long-pause", test_a_long_pause);
	g_test_add_func("/microphone/nobody-records", test_nobody_records);
	return g_test_run();
}
