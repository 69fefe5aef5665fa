/* SPDX-License-Identifier: MIT */
/*
 * browser: has spice-html5 in a stock browser come to a desktop, over ws and wss, with and without
 * a password, with as many cookies as single sign-on makes: pictures arrive exactly, keys and
 * pointer too, and each connection ends as RFC 6455 wants it.
 */
#include "tests/client/bridge.h"
#include "tests/client/fixture.h"

#include <string.h>

#define WIDTH 800
#define HEIGHT 600
#define PASSWORD "secret"
#define LINE_MS 10000
/* Clients over TLS were once thrown out after 60 or 90 s. */
#define LOOK_ON_TIMES 13
#define LOOK_ON_US (8 * G_USEC_PER_SEC)
/* What waits for something behind it comes seconds later. */
#define AT_ONCE_MS 1000

static struct bridge browser;

/* ---- the page ---- */

static G_GNUC_PRINTF(1, 2) char *ask(const char *format, ...)
{
	GOutputStream *input = g_subprocess_get_stdin_pipe(browser.process);
	g_autoptr(GError) error = NULL;
	va_list args;

	va_start(args, format);
	g_autofree char *words = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *line = g_strconcat(words, "\n", NULL);
	g_output_stream_write_all(input, line, strlen(line), NULL, NULL, &error);
	g_output_stream_flush(input, NULL, &error);
	g_assert_no_error(error);
	char *answer = bridge_read_line(&browser);
	g_test_message("%s: %s", words, answer);
	return answer;
}

static bool is_ok(const char *answer)
{
	return strstr(answer, "\"ok\":true") != NULL;
}

static bool connect_page(const struct fixture *fixture, bool tls, const char *password)
{
	g_autofree char *answer = ask("connect uri=%s://127.0.0.1:%u/ password=%s ms=%d",
		tls ? "wss" : "ws", fake_desktop_port(fixture->desktop), password, LINE_MS);
	return is_ok(answer);
}

/* Returns how many ms that took; the page needs some to look at all of its pixels. */
static gint64 expect_picture(struct fixture *fixture)
{
	const struct canvas *canvas = fixture_canvas(fixture);
	g_autofree char *hash = canvas_hash(canvas, canvas_all(canvas));
	g_autofree char *answer = ask("picture width=%u height=%u hash=%s ms=%d", canvas->width,
		canvas->height, hash, SETTLE_MS);
	if (!is_ok(answer))
		fake_desktop_print_log(fixture->desktop);
	g_assert_true(is_ok(answer));
	return answer_int(answer, "ms");
}

static unsigned count(const char *answer, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(answer, text, -1);
	return g_strv_length(parts) - 1;
}

/* Expects all lines to have ended in order, with one of these statuses; 0 means none. */
static void expect_ends(const char *answer, unsigned code, unsigned other_code)
{
	g_autofree char *end = g_strdup_printf("\"code\":%u,\"clean\":true", code);
	g_autofree char *other = g_strdup_printf("\"code\":%u,\"clean\":true", other_code);
	unsigned n = count(answer, "\"protocol\":\"binary\"");

	g_assert_true(is_ok(answer));
	/* Main, display, inputs and cursor are the least. */
	g_assert_cmpuint(n, >=, 4);
	g_assert_cmpuint(n, ==, count(answer, "\"code\""));
	g_assert_cmpuint(n, ==, count(answer, end) + count(answer, other));
}

/* The page gives no status, which a browser reports as 1005. It forgets its cursor channel, which
 * spice-server then ends. */
static void leave(void)
{
	g_autofree char *answer = ask("disconnect ms=%d", LINE_MS);
	expect_ends(answer, 1005, 1000);
}

/* ---- what it does ---- */

static void exchange_pictures(struct fixture *fixture)
{
	struct canvas *canvas = fixture_canvas(fixture);
	const struct rect part = { 100, 200, 300, 150 };

	expect_picture(fixture);
	for (int i = 0; i < 3; i++) {
		canvas_noise(canvas, canvas_all(canvas), 70 + i);
		fake_render_flush_all(fixture->render, 0);
		expect_picture(fixture);
		canvas_noise(canvas, part, 90 + i);
		fake_render_flush(fixture->render, 0, &part, 1);
		expect_picture(fixture);
	}
}

static void type_and_point(struct fixture *fixture)
{
	g_autofree char *before = fake_qemu_take_record(fixture->qemu);
	g_autofree char *key = ask("key code=%d", 'A');
	g_assert_true(fake_qemu_wait_line(fixture->qemu, "key release 30", LINE_MS));
	g_autofree char *record = fake_qemu_take_record(fixture->qemu);
	g_assert_nonnull(strstr(record, "key press 30\nkey release 30\n"));
	g_autofree char *move = ask("move x=10 y=20");
	g_assert_true(fake_qemu_wait_line(fixture->qemu, "abs 21 41", LINE_MS));
}

/* What moved is exact when it has stopped, and nobody was thrown out. */
static void play_a_film(struct fixture *fixture)
{
	const struct rect part = { 64, 64, 320, 240 };

	for (unsigned i = 0; i < 120; i++) {
		canvas_film(fixture_canvas(fixture), part, i);
		fake_render_flush(fixture->render, 0, &part, 1);
		g_usleep(G_USEC_PER_SEC / 30);
	}
	expect_picture(fixture);
}

static void browser_test(bool tls, const char *password)
{
	const struct fake_desktop_options options = { .tls = tls,
		.ticket = password[0] ? password : NULL };
	struct fixture fixture;

	fixture_start(&fixture, WIDTH, HEIGHT, &options);
	g_assert_true(connect_page(&fixture, tls, password));
	exchange_pictures(&fixture);
	type_and_point(&fixture);
	play_a_film(&fixture);
	leave();
	g_assert_true(connect_page(&fixture, tls, password));
	exchange_pictures(&fixture);
	fixture_stop(&fixture);
	g_autofree char *answer = ask("ended ms=%d", LINE_MS);
	expect_ends(answer, 1001, 0);
}

static void test_plain(void)
{
	browser_test(false, "");
}

static void test_password(void)
{
	browser_test(false, PASSWORD);
}

static void test_tls(void)
{
	browser_test(true, PASSWORD);
}

static void test_wrong_password(void)
{
	const struct fake_desktop_options options = { .ticket = PASSWORD };
	struct fixture fixture;

	fixture_start(&fixture, WIDTH, HEIGHT, &options);
	g_assert_false(connect_page(&fixture, false, "wrong"));
	g_autofree char *answer = ask("ended ms=%d", LINE_MS);
	g_assert_nonnull(strstr(answer, "\"clean\":true"));
	g_assert_true(connect_page(&fixture, false, PASSWORD));
	expect_picture(&fixture);
	leave();
	fixture_stop(&fixture);
}

static void test_cookies(void)
{
	g_autofree char *answer = ask("cookies bytes=14000");
	g_assert_true(is_ok(answer));
	browser_test(false, "");
}

/*
 * Somebody looks on for longer than clients over TLS once could. Now and then something small is
 * drawn, and then nothing: it is seen at once, although nothing comes behind it.
 */
static void test_looks_on(void)
{
	const struct fake_desktop_options options = { .tls = true, .ticket = PASSWORD };
	struct fixture fixture;

	fixture_start(&fixture, WIDTH, HEIGHT, &options);
	g_assert_true(connect_page(&fixture, true, PASSWORD));
	expect_picture(&fixture);
	for (unsigned i = 0; i < LOOK_ON_TIMES; i++) {
		const struct rect part = { 10 + 30 * i, 10 + 20 * i, 40, 20 };
		g_usleep(LOOK_ON_US);
		canvas_noise(fixture_canvas(&fixture), part, 300 + i);
		fake_render_flush(fixture.render, 0, &part, 1);
		g_assert_cmpint(expect_picture(&fixture), <, AT_ONCE_MS);
	}
	leave();
	fixture_stop(&fixture);
}

static bool start_browser(void)
{
	const char *none[] = { NULL };

	bridge_run(&browser, "python3", g_getenv("BROWSER"), none);
	g_autofree char *line = bridge_read_line(&browser);
	if (strcmp(line, "ready") != 0)
		g_print("1..0 # SKIP %s\n", line);
	return strcmp(line, "ready") == 0;
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	if (!start_browser())
		return 77;
	g_test_add_func("/browser/plain", test_plain);
	g_test_add_func("/browser/password", test_password);
	g_test_add_func("/browser/wrong-password", test_wrong_password);
	g_test_add_func("/browser/tls", test_tls);
	g_test_add_func("/browser/cookies", test_cookies);
	g_test_add_func("/browser/looks-on", test_looks_on);
	int result = g_test_run();
	bridge_stop(&browser);
	return result;
}
