/* SPDX-License-Identifier: MIT */
/*
 * comings: has clients come, come back, be followed by others, and go without a word.
 */
#include "tests/client/fixture.h"

#include <string.h>

#define LINE_MS 5000
/* It is noticed within so many milliseconds that nothing is heard of a client's machine. */
#define VANISHED_MS 10000
/* A client that stands still for longer than that stays. */
#define STILL_MS 12000

/* ---- without a word ---- */

static void start(struct fixture *fixture, bool tls)
{
	const struct fake_desktop_options options = { .tls = tls };
	fixture_start(fixture, 640, 480, &options);
	client_trust(tls ? fake_desktop_certificate(fixture->desktop) : NULL);
	fixture_connect(fixture);
	fixture_expect_canvas(fixture);
	g_free(client_run(fixture->client, "press 1e"));
	g_assert_true(fake_qemu_wait_line(fixture->qemu, "key press 30", LINE_MS));
}

static void draw(struct fixture *fixture, unsigned seed)
{
	canvas_noise(fixture_canvas(fixture), canvas_all(fixture_canvas(fixture)), seed);
	fake_render_flush_all(fixture->render, 0);
}

static void cut(struct fixture *fixture)
{
	g_autofree char *answer = client_run(fixture->client, "cut");
	g_assert_cmpint(answer_int(answer, "sockets"), >=, 4);
}

static void expect_vanished(struct fixture *fixture, gint64 cut_us)
{
	gint64 left_ms = VANISHED_MS - (g_get_monotonic_time() - cut_us) / 1000;
	g_assert_true(fake_desktop_wait_log(
		fixture->desktop, ": gone without a word, after", (int)MAX(left_ms, 1)));
	g_test_message("noticed after %d ms", (int)((g_get_monotonic_time() - cut_us) / 1000));
	g_assert_true(fake_qemu_wait_line(fixture->qemu, "key release 30", LINE_MS));
	g_assert_true(fake_render_wait_rate(fixture->render, 0, false, LINE_MS));
	client_kill(g_steal_pointer(&fixture->client));
	/* Whoever comes next is served. */
	fixture_connect(fixture);
	fixture_expect_canvas(fixture);
	fixture_stop(fixture);
}

/*
 * The network of two is cut, one of whom is being sent pictures and the other nothing; a third one
 * stands still, but its machine does not.
 */
static void test_vanished(void)
{
	struct fixture quiet, busy, still;
	start(&quiet, false);
	start(&still, false);
	start(&busy, true);
	client_send(still.client, "stall %d", STILL_MS);
	cut(&quiet);
	cut(&busy);
	gint64 cut_us = g_get_monotonic_time();
	for (unsigned i = 0; i < 20; i++) {
		draw(&busy, i);
		draw(&still, i);
		g_usleep(20000);
	}
	expect_vanished(&busy, cut_us);
	client_trust(NULL);
	expect_vanished(&quiet, cut_us);
	g_free(client_answer(still.client));
	fixture_expect_canvas(&still);
	fixture_stop(&still);
}

/* ---- a second one ---- */

static void expect_refused(struct fixture *fixture, const char *password)
{
	struct client *second = client_new_idle(fake_desktop_address(fixture->desktop), password);
	g_autofree char *answer = client_ask(second, "reconnect");
	g_assert_false(answer_is_ok(answer));
	/* A stock client that has heard this asks for no password. */
	g_autofree char *error = answer_text(answer, "error");
	g_assert_cmpstr(error, ==, "link failed");
	client_free(second);
}

static void refuse_test(const char *password)
{
	const struct fake_desktop_options options = { .ticket = password,
		.arguments = { "--second-client=refuse" } };
	struct fixture fixture;
	fixture_start(&fixture, 640, 480, &options);
	fixture.client = client_new(fake_desktop_address(fixture.desktop), password);
	g_assert_true(client_is_connected(fixture.client));
	fixture_expect_canvas(&fixture);
	expect_refused(&fixture, password);
	g_assert_true(fake_desktop_wait_client(fixture.desktop, KEEPER_CLIENT_REFUSED,
		": not let in: somebody is in, who stays", LINE_MS));
	draw(&fixture, 7);
	fixture_expect_canvas(&fixture);
	g_free(client_run(fixture.client, "disconnect"));
	g_assert_true(
		fake_desktop_wait_client(fixture.desktop, KEEPER_CLIENT_LEFT, ": left, ", LINE_MS));
	struct client *first = g_steal_pointer(&fixture.client);
	fixture.client = client_new(fake_desktop_address(fixture.desktop), password);
	g_assert_true(client_is_connected(fixture.client));
	fixture_expect_canvas(&fixture);
	client_free(first);
	fixture_stop(&fixture);
}

static void test_refused(void)
{
	refuse_test(NULL);
	refuse_test("secret");
}

static void test_taken_over(void)
{
	struct fixture fixture;
	fixture_start(&fixture, 640, 480, NULL);
	fixture_connect(&fixture);
	struct client *first = g_steal_pointer(&fixture.client);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	g_free(client_run(first, "wait-disconnect 5000"));
	client_free(first);
	g_assert_true(fake_desktop_wait_client(fixture.desktop, KEEPER_CLIENT_LEFT,
		": thrown out: another client has taken its place, after", LINE_MS));
	fixture_stop(&fixture);
}

/* ---- nobody there ---- */

#define IDLE_S 4

/* The client is warned in its picture, which comes back at a touch, and cut off at last. */
static void test_idle(void)
{
	const struct fake_desktop_options options = { .arguments = { "--idle-seconds=" G_STRINGIFY(
							      IDLE_S) } };
	struct fixture fixture;
	fixture_start(&fixture, 640, 480, &options);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	g_free(client_run(fixture.client, "key 1e"));
	gint64 touched_us = g_get_monotonic_time();
	/* The ground of words; the guest shows noise. */
	g_free(client_run(fixture.client, "wait-pixel 1 1 202830 %d", IDLE_S * 1000));
	g_assert_cmpint(g_get_monotonic_time() - touched_us, >, IDLE_S / 2 * 900000);
	draw(&fixture, 5);
	/* What the guest draws meanwhile is not shown. */
	g_free(client_run(fixture.client, "sleep 300"));
	g_free(client_run(fixture.client, "wait-pixel 1 1 202830 1"));
	g_free(client_run(fixture.client, "key 1e"));
	fixture_expect_canvas(&fixture);
	touched_us = g_get_monotonic_time();
	g_free(client_run(fixture.client, "wait-disconnect %d", 3 * IDLE_S * 1000));
	gint64 idle_ms = (g_get_monotonic_time() - touched_us) / 1000;
	g_assert_cmpint(idle_ms, >, IDLE_S * 900);
	g_assert_true(fake_desktop_wait_client(fixture.desktop, KEEPER_CLIENT_LEFT,
		": thrown out: it has touched nothing for 4 seconds, after", LINE_MS));
	client_free(g_steal_pointer(&fixture.client));
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/comings/vanished", test_vanished);
	g_test_add_func("/comings/refused", test_refused);
	g_test_add_func("/comings/taken-over", test_taken_over);
	g_test_add_func("/comings/idle", test_idle);
	return g_test_run();
}
