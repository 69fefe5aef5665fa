/* SPDX-License-Identifier: MIT */
/* sound: checks that the client hears what the guest plays, and only while it plays. */
#include "display/spice/spice_playback.h"
#include "tests/client/fixture.h"
#include "tests/client/patience.h"

/* At this rate Opus is not used, so samples arrive as they were. */
#define RATE 44100
/* This is 10 ms, as QEMU writes. */
#define FRAMES (RATE / 100)
#define STREAM 7
/*
 * This is the first sample. Samples are ascending numbers, so that a missing or repeated one shows.
 */
#define FIRST 0x00010001u

static gint64 heard(struct fixture *fixture, const char *what)
{
	g_autofree char *answer = client_run(fixture->client, "sound");
	return answer_int(answer, what);
}

static void wait_heard(struct fixture *fixture, const char *what, gint64 value)
{
	gint64 end_us = patience_end_us(SETTLE_MS);
	while (heard(fixture, what) != value && g_get_monotonic_time() < end_us)
		g_usleep(20000);
	g_assert_cmpint(heard(fixture, what), ==, value);
}

/*
 * Starts with a client whose playback channel is open, which shows when the volume arrives there.
 */
static void start_at(struct fixture *fixture, uint32_t rate)
{
	fixture_start(fixture, 640, 480, NULL);
	g_assert_true(fake_qemu_wait_sound(fixture->qemu, SETTLE_MS));
	fixture_connect(fixture);
	g_assert_true(fake_qemu_sound_init(fixture->qemu, STREAM, rate, 2));
	g_assert_true(fake_qemu_sound_volume(fixture->qemu, STREAM, false, 128));
	wait_heard(fixture, "volume", 128 * 257);
	g_assert_true(fake_qemu_sound_enable(fixture->qemu, STREAM, true));
}

static void start(struct fixture *fixture)
{
	start_at(fixture, RATE);
}

/* Plays n * 10 ms of ascending numbers from `first` on. Returns the number after the last. */
static uint32_t play(struct fixture *fixture, uint32_t first, unsigned n)
{
	uint32_t samples[FRAMES];
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < FRAMES; k++)
			samples[k] = first++;
		g_assert_true(
			fake_qemu_sound_write(fixture->qemu, STREAM, samples, sizeof(samples)));
		g_usleep(10000);
	}
	return first;
}

static void play_silence(struct fixture *fixture, unsigned n)
{
	static const uint32_t samples[FRAMES];
	for (unsigned i = 0; i < n; i++) {
		g_assert_true(
			fake_qemu_sound_write(fixture->qemu, STREAM, samples, sizeof(samples)));
		g_usleep(10000);
	}
}

static void test_every_sample(void)
{
	struct fixture fixture;
	start(&fixture);
	uint32_t end = play(&fixture, FIRST, 60);
	wait_heard(&fixture, "last", end - 1);
	g_assert_cmpint(heard(&fixture, "first"), ==, FIRST);
	g_assert_cmpint(heard(&fixture, "breaks"), ==, 0);
	g_assert_cmpint(heard(&fixture, "rate"), ==, RATE);
	g_assert_cmpint(heard(&fixture, "channels"), ==, 2);
	fixture_stop(&fixture);
}

/* Opus changes the samples, so we count them only. */
static void test_compressed(void)
{
	struct fixture fixture;
	start_at(&fixture, 48000);
	play(&fixture, FIRST, 60);
	wait_heard(&fixture, "stops", heard(&fixture, "starts"));
	g_assert_cmpint(heard(&fixture, "rate"), ==, 48000);
	g_assert_cmpint(heard(&fixture, "bytes"), >=, 50 * FRAMES * 4);
	fixture_stop(&fixture);
}

/*
 * A QEMU that was held up writes at once all that it missed. Display must drop that, because a
 * client would play it late, and all that follows.
 */
static void test_no_backlog(void)
{
	struct fixture fixture;
	uint32_t samples[FRAMES];
	start(&fixture);
	gint64 start_us = g_get_monotonic_time();
	uint32_t end = play(&fixture, FIRST, 5);
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned k = 0; k < FRAMES; k++)
			samples[k] = end++;
		g_assert_true(
			fake_qemu_sound_write(fixture.qemu, STREAM, samples, sizeof(samples)));
	}
	gint64 elapsed_ms = (g_get_monotonic_time() - start_us) / 1000;
	wait_heard(&fixture, "stops", heard(&fixture, "starts"));
	g_assert_cmpint(heard(&fixture, "starts"), ==, 1);
	g_assert_cmpint(heard(&fixture, "bytes") * 1000 / (RATE * 4), <=,
		elapsed_ms + PLAYBACK_AHEAD_MS + 20);
	fixture_stop(&fixture);
}

/* Display stops a stream that starves, because one that is on would shift the client's clock. */
static void test_stops_when_nothing_comes(void)
{
	struct fixture fixture;
	start(&fixture);
	uint32_t end = play(&fixture, FIRST, 20);
	wait_heard(&fixture, "stops", heard(&fixture, "starts"));
	gint64 starts = heard(&fixture, "starts");
	play(&fixture, end, 5);
	wait_heard(&fixture, "starts", starts + 1);
	g_assert_true(fake_qemu_sound_enable(fixture.qemu, STREAM, false));
	wait_heard(&fixture, "stops", starts + 1);
	/* A stream that is not enabled is not heard. */
	play(&fixture, end, 5);
	g_assert_cmpint(heard(&fixture, "starts"), ==, starts + 1);
	fixture_stop(&fixture);
}

static void test_silence_is_no_stream(void)
{
	struct fixture fixture;
	start(&fixture);
	play_silence(&fixture, 30);
	g_assert_cmpint(heard(&fixture, "starts"), ==, 0);
	play(&fixture, FIRST, 10);
	wait_heard(&fixture, "starts", 1);
	play_silence(&fixture, 250);
	wait_heard(&fixture, "stops", heard(&fixture, "starts"));
	fixture_stop(&fixture);
}

static void test_volume(void)
{
	struct fixture fixture;
	start(&fixture);
	g_assert_true(fake_qemu_sound_volume(fixture.qemu, STREAM, true, 255));
	wait_heard(&fixture, "volume", 65535);
	wait_heard(&fixture, "mute", 1);
	g_assert_true(fake_qemu_sound_volume(fixture.qemu, STREAM, false, 0));
	wait_heard(&fixture, "volume", 0);
	wait_heard(&fixture, "mute", 0);
	fixture_stop(&fixture);
}

static void test_what_is_refused(void)
{
	static uint8_t much[1 << 17];
	struct fixture fixture;
	start(&fixture);
	g_assert_false(fake_qemu_sound_init(fixture.qemu, 8, RATE, 1));
	g_assert_false(fake_qemu_sound_init(fixture.qemu, 8, 1, 2));
	g_assert_false(fake_qemu_sound_init(fixture.qemu, 8, 1000000, 2));
	g_assert_false(fake_qemu_sound_enable(fixture.qemu, 8, true));
	g_assert_false(fake_qemu_sound_write(fixture.qemu, STREAM, much, sizeof(much)));
	g_assert_false(fake_qemu_sound_write(fixture.qemu, STREAM, much, 3));
	g_assert_true(fake_qemu_sound_write(fixture.qemu, STREAM, much, 0));
	for (uint64_t id = 100; id < 107; id++)
		g_assert_true(fake_qemu_sound_init(fixture.qemu, id, RATE, 2));
	g_assert_false(fake_qemu_sound_init(fixture.qemu, 107, RATE, 2));
	g_assert_true(fake_qemu_sound_fini(fixture.qemu, 100));
	g_assert_true(fake_qemu_sound_init(fixture.qemu, 107, RATE, 2));
	play(&fixture, FIRST, 5);
	wait_heard(&fixture, "first", FIRST);
	g_assert_true(fake_qemu_sound_fini(fixture.qemu, STREAM));
	wait_heard(&fixture, "stops", heard(&fixture, "starts"));
	fixture_stop(&fixture);
}

/*
 * Waits until display keeps the client's clock behind, or does not, as `ours` says. Pictures make
 * it measure that.
 */
static bool wait_ours(struct fixture *fixture, bool ours)
{
	const struct stats *stats = fake_desktop_stats(fixture->desktop);
	const uint64_t *margin_us = &stats->clients[0].gauges[STATS_CLIENT_CLOCK_MARGIN_US];
	gint64 end_us = patience_end_us(SETTLE_MS);
	for (unsigned i = 1; (__atomic_load_n(margin_us, __ATOMIC_RELAXED) > 0) != ours; i++) {
		if (g_get_monotonic_time() > end_us)
			return false;
		canvas_film(fixture_canvas(fixture), canvas_all(fixture_canvas(fixture)), i);
		fake_render_flush_all(fixture->render, 0);
		if (!ours)
			play(fixture, FIRST, 1);
		else
			g_usleep(10000);
	}
	return true;
}

static void test_has_the_clock(void)
{
	struct fixture fixture;
	start(&fixture);
	g_assert_true(wait_ours(&fixture, true));
	g_assert_true(wait_ours(&fixture, false));
	g_assert_cmpint(heard(&fixture, "starts"), >=, 1);
	g_assert_true(fake_qemu_sound_enable(fixture.qemu, STREAM, false));
	wait_heard(&fixture, "stops", heard(&fixture, "starts"));
	g_assert_true(wait_ours(&fixture, true));
	fixture_stop(&fixture);
}

/* QEMU leaves in the middle of a stream, and another comes. */
static void test_qemu_leaves(void)
{
	struct fixture fixture;
	start(&fixture);
	play(&fixture, FIRST, 5);
	fake_desktop_renew_dbus(fixture.desktop);
	wait_heard(&fixture, "stops", heard(&fixture, "starts"));
	g_assert_true(fake_desktop_is_alive(fixture.desktop));
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/sound/every-sample", test_every_sample);
	g_test_add_func("/sound/compressed", test_compressed);
	g_test_add_func("/sound/no-backlog", test_no_backlog);
	g_test_add_func("/sound/stops-when-nothing-comes", test_stops_when_nothing_comes);
	g_test_add_func("/sound/silence-is-no-stream", test_silence_is_no_stream);
	g_test_add_func("/sound/volume", test_volume);
	g_test_add_func("/sound/what-is-refused", test_what_is_refused);
	g_test_add_func("/sound/has-the-clock", test_has_the_clock);
	g_test_add_func("/sound/qemu-leaves", test_qemu_leaves);
	return g_test_run();
}
