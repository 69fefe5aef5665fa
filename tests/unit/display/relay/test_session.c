/* SPDX-License-Identifier: MIT */
/*
 * session: checks who has the client's clock, and what it is told, before, while and after sound
 * plays.
 */
#include "display/relay/session.h"

#include <glib.h>

#include "display/relay/clock.h"

#define NAME 7
/* spice-server before 0.16 delays by this much. */
#define SERVER_DELAY_MS 400
#define SOUND_MS 123456u

struct told {
	unsigned n;
};

static void count(void *user)
{
	struct told *told = user;
	told->n++;
}

static void on_named(void *user, uint32_t name)
{
	g_assert_cmpuint(name, ==, NAME);
}

static const struct session_ops ops = { .tell = count, .named = on_named };

static uint32_t server_time(void)
{
	return (uint32_t)(g_get_monotonic_time() / 1000) - SERVER_DELAY_MS;
}

struct fixture {
	struct sessions *sessions;
	struct session *main, *playback;
	struct told told;
};

static void set_up(struct fixture *fixture, bool correct)
{
	*fixture = (struct fixture){ .sessions = sessions_create(correct) };
	fixture->main = session_create(fixture->sessions, 0, true, &ops, &fixture->told);
	session_init(fixture->main, NAME, server_time());
	fixture->playback = session_join(fixture->sessions, NAME);
	g_assert_true(fixture->playback == fixture->main);
}

static void tear_down(struct fixture *fixture)
{
	session_unref(fixture->playback);
	session_end(fixture->main);
	session_unref(fixture->main);
	sessions_destroy(fixture->sessions);
}

static void test_sound_takes_the_clock(void)
{
	struct fixture fixture;
	uint32_t time_ms;
	set_up(&fixture, true);
	g_assert_true(session_make_time(fixture.main, &time_ms));
	g_assert_cmpint(session_next_us(fixture.main), >=, 0);
	session_playback(fixture.playback, true);
	g_assert_false(session_make_time(fixture.main, &time_ms));
	g_assert_cmpint(session_next_us(fixture.main), ==, -1);
	g_assert_cmpuint(session_margin_ms(fixture.main), ==, 0);
	struct session_report report = { 60, 60, -50 };
	session_report(fixture.main, &report);
	g_assert_cmpint(report.left_ms, ==, -50);
	session_streams(fixture.main, 1);
	g_assert_cmpuint(fixture.told.n, ==, 0);
	tear_down(&fixture);
}

/*
 * After sound the margin is wide again, which is said at once, as nothing else moves the client's
 * clock.
 */
static void test_and_gives_it_back(void)
{
	struct fixture fixture;
	uint32_t time_ms;
	set_up(&fixture, true);
	session_playback(fixture.playback, true);
	session_playback(fixture.playback, false);
	g_assert_cmpuint(fixture.told.n, ==, 1);
	g_assert_true(session_make_time(fixture.main, &time_ms));
	g_assert_cmpuint(session_margin_ms(fixture.main), ==, CLOCK_START_MS);
	g_assert_cmpint(session_next_us(fixture.main), >=, 0);
	session_playback(fixture.playback, false);
	g_assert_cmpuint(fixture.told.n, ==, 1);
	tear_down(&fixture);
}

/* Time never goes back from a start to what follows. */
static void test_sound_is_older(void)
{
	struct fixture fixture;
	set_up(&fixture, true);
	uint32_t start_ms = session_sound_start(fixture.playback, SOUND_MS);
	g_assert_cmpuint(start_ms, ==, SOUND_MS - CLOCK_SOUND_MS - CLOCK_DEVICE_MS);
	g_assert_cmpuint(
		session_sound_time(fixture.playback, SOUND_MS), ==, SOUND_MS - CLOCK_SOUND_MS);
	g_assert_cmpuint(session_sound_time(fixture.playback, 5), ==, 5u - CLOCK_SOUND_MS);
	tear_down(&fixture);
}

static void test_left_alone(void)
{
	struct fixture fixture;
	set_up(&fixture, false);
	session_playback(fixture.playback, true);
	g_assert_cmpuint(session_sound_start(fixture.playback, SOUND_MS), ==, SOUND_MS);
	g_assert_cmpuint(session_sound_time(fixture.playback, SOUND_MS), ==, SOUND_MS);
	session_playback(fixture.playback, false);
	g_assert_cmpuint(fixture.told.n, ==, 0);
	tear_down(&fixture);
}

/* A seat is free again when its session has ended; who comes to one takes nobody else's. */
static void test_seats(void)
{
	struct sessions *sessions = sessions_create(true);
	struct told told = { 0 };
	struct session *driver = session_create(sessions, 0, true, &ops, &told);
	g_assert_cmpuint(sessions_free_seat(sessions, 0), ==, 0);
	g_assert_cmpuint(sessions_free_seat(sessions, 2), ==, 1);
	struct session *one = session_create(sessions, 1, true, &ops, &told);
	struct session *other =
		session_create(sessions, sessions_free_seat(sessions, 2), true, &ops, &told);
	g_assert_cmpuint(session_seat(other), ==, 2);
	g_assert_cmpuint(sessions_free_seat(sessions, 2), ==, 0);
	g_assert_true(session_is_newest(driver) && session_is_newest(one));
	session_end(one);
	g_assert_cmpuint(sessions_free_seat(sessions, 2), ==, 1);
	struct session *taker = session_create(sessions, 0, true, &ops, &told);
	g_assert_false(session_is_newest(driver));
	g_assert_true(session_is_newest(other) && session_is_newest(taker));
	session_unref(driver);
	session_unref(one);
	session_unref(other);
	session_unref(taker);
	sessions_destroy(sessions);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/relay-session/sound-takes-the-clock", test_sound_takes_the_clock);
	g_test_add_func("/relay-session/and-gives-it-back", test_and_gives_it_back);
	g_test_add_func("/relay-session/sound-is-older", test_sound_is_older);
	g_test_add_func("/relay-session/left-alone", test_left_alone);
	g_test_add_func("/session/seats", test_seats);
	return g_test_run();
}
