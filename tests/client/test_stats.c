/* SPDX-License-Identifier: MIT */
/* stats: compares what display counts with frames whose number is known, with a real client. */
#include "tests/client/fixture.h"

#include <string.h>

#include "tests/client/patience.h"

#define WAIT_MS 20000

static const struct stats_head *figures(const struct fixture *fixture)
{
	return &fake_desktop_stats(fixture->desktop)->heads[0];
}

static uint64_t get(const uint64_t *value)
{
	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

static uint64_t count(const struct fixture *fixture, enum stats_count which)
{
	return get(&figures(fixture)->counts[which]);
}

static bool wait_until(bool (*holds)(const struct fixture *fixture), const struct fixture *fixture)
{
	gint64 end_us = patience_end_us(WAIT_MS);

	while (!holds(fixture)) {
		if (g_get_monotonic_time() > end_us)
			return false;
		g_usleep(5000);
	}
	return true;
}

static uint64_t count_times(const struct fixture *fixture, enum stats_stage stage)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < STATS_BUCKETS; i++)
		n += get(&figures(fixture)->stages[stage].buckets[i]);
	return n;
}

/* Returns whether display has received all frames and looked at them. */
static bool has_all_frames(const struct fixture *fixture)
{
	return count(fixture, STATS_FRAMES_RECEIVED) == fake_render_count_frames(fixture->render) &&
	       fake_render_wait_locked(fixture->render, 0, 1, 0);
}

/* Frames are counted, and their changed pixels, and nothing for frames in which nothing changed. */
static void test_frames(void)
{
	struct fixture fixture;
	const uint64_t head_pixels = 640 * 480;

	fixture_start(&fixture, 640, 480, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	uint64_t changed = count(&fixture, STATS_CHANGED_PIXELS);
	uint64_t sent = count(&fixture, STATS_SENT_PIXELS);
	uint64_t received = count(&fixture, STATS_FRAMES_RECEIVED);
	g_assert_cmpuint(received, ==, fake_render_count_frames(fixture.render));
	g_assert_cmpuint(sent, >=, head_pixels);
	for (unsigned i = 0; i < 7; i++) {
		struct canvas *canvas = fixture_canvas(&fixture);

		canvas_noise(canvas, canvas_all(canvas), 300 + i);
		fake_render_flush_all(fixture.render, 0);
		fixture_expect_canvas(&fixture);
	}
	g_assert_cmpuint(count(&fixture, STATS_FRAMES_RECEIVED), ==, received + 7);
	/*
	 * What a client is shown at first may be sent once more, so there may be one picture more.
	 */
	g_assert_cmpuint(count(&fixture, STATS_CHANGED_PIXELS), >=, changed + 7 * head_pixels);
	g_assert_cmpuint(count(&fixture, STATS_CHANGED_PIXELS), <=, changed + 8 * head_pixels);
	g_assert_cmpuint(count(&fixture, STATS_SENT_PIXELS), >=, sent + 7 * head_pixels);
	g_assert_cmpuint(count(&fixture, STATS_SENT_PIXELS), <=, sent + 8 * head_pixels);
	g_assert_cmpuint(count(&fixture, STATS_DRAWABLES), >=, 8);
	g_assert_cmpuint(count_times(&fixture, STATS_FLUSH_TO_PICTURE), ==, received + 7);
	g_assert_cmpstr((const char *)figures(&fixture)->encoder, ==, "lossless");

	uint64_t pictures = count(&fixture, STATS_DRAWABLES);
	changed = count(&fixture, STATS_CHANGED_PIXELS);
	for (unsigned i = 0; i < 5; i++)
		fake_render_flush_all(fixture.render, 0);
	g_assert_true(wait_until(has_all_frames, &fixture));
	g_assert_cmpuint(count(&fixture, STATS_FRAMES_RECEIVED), ==, received + 12);
	g_assert_cmpuint(count(&fixture, STATS_DRAWABLES), ==, pictures);
	g_assert_cmpuint(count(&fixture, STATS_CHANGED_PIXELS), ==, changed);
	fixture_stop(&fixture);
}

static const struct stats_client *client(const struct fixture *fixture)
{
	return &fake_desktop_stats(fixture->desktop)->clients[0];
}

static bool is_measured(const struct fixture *fixture)
{
	return get(&client(fixture)->connected) &&
	       get(&client(fixture)->counts[STATS_CLIENT_SENT_BYTES]) > 0 &&
	       get(&client(fixture)->gauges[STATS_CLIENT_ROUND_TRIP_US]) > 0 &&
	       get(&client(fixture)->gauges[STATS_CLIENT_CLOCK_MARGIN_US]) > 0;
}

static bool has_left(const struct fixture *fixture)
{
	return get(&client(fixture)->connected) == 0;
}

static void test_client(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 640, 480, NULL);
	g_assert_true(has_left(&fixture));
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	g_assert_true(wait_until(is_measured, &fixture));
	g_assert_true(g_str_has_prefix((const char *)client(&fixture)->address, "127.0.0.1:"));
	g_assert_cmpuint(count(&fixture, STATS_SENT_BYTES), >, 0);
	g_assert_cmpuint(count_times(&fixture, STATS_ENCODED_TO_WIRE), >, 0);
	g_assert_cmpuint(count_times(&fixture, STATS_FLUSH_TO_WIRE), >, 0);
	g_clear_pointer(&fixture.client, client_free);
	g_assert_true(wait_until(has_left, &fixture));
	fixture_stop(&fixture);
}

/* A stream is counted when all of its first burst is sent, which is later than its first frame. */
static bool is_encoding(const struct fixture *fixture)
{
	return count(fixture, STATS_STREAM_FRAMES) > 0 && count(fixture, STATS_STREAM_STARTS) > 0 &&
	       get(&figures(fixture)->gauges[STATS_STREAMS]) == 1;
}

static bool is_lossless(const struct fixture *fixture)
{
	return get(&figures(fixture)->gauges[STATS_STREAMS]) == 0 &&
	       strcmp((const char *)figures(fixture)->encoder, "lossless") == 0;
}

/* A film has a stream with an encoder of this machine, and none when it is over. */
static void test_stream(void)
{
	const struct rect film = { 100, 100, 400, 240 };
	gint64 end_us = patience_end_us(WAIT_MS);
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	for (unsigned i = 0; !is_encoding(&fixture) && g_get_monotonic_time() < end_us; i++) {
		canvas_film(fixture_canvas(&fixture), film, i);
		fake_render_flush_all(fixture.render, 0);
		g_usleep(16000);
	}
	g_test_message("%u streams, %u frames, encoder %s",
		(unsigned)get(&figures(&fixture)->gauges[STATS_STREAMS]),
		(unsigned)count(&fixture, STATS_STREAM_FRAMES),
		(const char *)figures(&fixture)->encoder);
	g_assert_true(is_encoding(&fixture));
	g_assert_cmpstr((const char *)figures(&fixture)->encoder, !=, "");
	/*
	 * An area that grows counts as another stream, and a slow machine sees a film move piece by
	 * piece.
	 */
	g_assert_cmpuint(count(&fixture, STATS_STREAM_STARTS), <=, 3);
	g_assert_cmpuint(count_times(&fixture, STATS_PICTURE_TO_ENCODED), >, 0);
	fixture_expect_canvas(&fixture);
	g_assert_true(wait_until(is_lossless, &fixture));
	fixture_stop(&fixture);
}

static uint32_t state_of(const struct fixture *fixture, enum heartbeat_loop loop)
{
	const struct heartbeat *page = fake_desktop_heartbeat(fixture->desktop);
	return __atomic_load_n(&page->beats[loop].state, __ATOMIC_ACQUIRE);
}

static bool all_sleep(const struct fixture *fixture)
{
	return state_of(fixture, HEARTBEAT_MAIN) == HEARTBEAT_IDLE &&
	       state_of(fixture, HEARTBEAT_RELAY) == HEARTBEAT_IDLE &&
	       state_of(fixture, HEARTBEAT_SPICE) == HEARTBEAT_IDLE;
}

/* Main loop, relay and spice-server's worker beat, and count as asleep when nothing happens. */
static void test_heartbeat(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 640, 480, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	g_assert_true(wait_until(all_sleep, &fixture));
	g_assert_cmpuint(state_of(&fixture, HEARTBEAT_SPICE + 1), ==, HEARTBEAT_UNUSED);
	g_assert_cmpuint(state_of(&fixture, HEARTBEAT_GPU), ==, HEARTBEAT_UNUSED);
	const struct heartbeat_beat *worker =
		&fake_desktop_heartbeat(fixture.desktop)->beats[HEARTBEAT_SPICE];
	uint64_t before_ns = get(&worker->since_ns);
	canvas_noise(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 5);
	fake_render_flush_all(fixture.render, 0);
	fixture_expect_canvas(&fixture);
	g_assert_cmpuint(get(&worker->since_ns), >, before_ns);
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/stats/frames", test_frames);
	g_test_add_func("/stats/client", test_client);
	g_test_add_func("/stats/stream", test_stream);
	g_test_add_func("/stats/heartbeat", test_heartbeat);
	return g_test_run();
}
