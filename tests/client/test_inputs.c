/* SPDX-License-Identifier: MIT */
/* inputs: follows keys and pointer from the client to what QEMU is told. */
#include "tests/client/fixture.h"

#include <stdio.h>
#include <string.h>

#define LINE_MS 5000

static void start(struct fixture *fixture, uint32_t width, uint32_t height)
{
	fixture_start(fixture, width, height, NULL);
	fixture_connect(fixture);
	g_free(client_run(fixture->client, "wait-mouse-mode client 10000"));
	g_assert_true(fake_desktop_wait_pointer_area(fixture->desktop, width, height, 5000));
	/*
	 * We move first, because the library sends a position before its first button press. A
	 * viewer has always moved by then.
	 */
	g_free(client_run(fixture->client, "move 1 1"));
	g_assert_true(fake_qemu_wait_line(fixture->qemu, "abs 3 3", LINE_MS));
	g_free(fake_qemu_take_record(fixture->qemu));
}

/* Runs a command, waits for as many lines as `record` has, and asserts them. */
G_GNUC_PRINTF(3, 4)
static void expect_record(struct fixture *fixture, const char *record, const char *format, ...)
{
	g_autofree char *command = NULL, *got = NULL;
	g_auto(GStrv) lines = g_strsplit(record, "\n", -1);
	va_list values;

	va_start(values, format);
	command = g_strdup_vprintf(format, values);
	va_end(values);
	g_free(client_run(fixture->client, "%s", command));
	bool arrived = fake_qemu_wait_count(fixture->qemu, g_strv_length(lines) - 1, LINE_MS);
	got = fake_qemu_take_record(fixture->qemu);
	g_assert_cmpstr(got, ==, record);
	g_assert_true(arrived);
}

static void test_keys(void)
{
	struct fixture fixture;

	start(&fixture, 800, 600);
	expect_record(&fixture, "key press 30\nkey release 30\n", "key 1e");
	/* QEMU's key numbers of extended keys have the high bit set instead of the e0. */
	expect_record(&fixture, "key press 203\nkey release 203\n", "key e04b");
	expect_record(&fixture, "key press 157\nkey release 157\n", "key e01d");
	expect_record(&fixture,
		"key press 29\nkey press 56\nkey press 211\nkey release 211\nkey release 56\nkey "
		"release 29\n",
		"key 1d+38+e053");
	expect_record(&fixture, "key press 88\nkey release 88\n", "key 58");
	fixture_stop(&fixture);
}

static void test_text(void)
{
	struct fixture fixture;

	start(&fixture, 800, 600);
	expect_record(&fixture,
		"key press 42\nkey press 35\nkey release 35\nkey release 42\n"
		"key press 23\nkey release 23\n"
		"key press 42\nkey press 2\nkey release 2\nkey release 42\n"
		"key press 28\nkey release 28\n",
		"type Hi!\\n");
	fixture_stop(&fixture);
}

/* Every key of the main block is typed twice, fast: none is lost or swapped. */
static void test_fast_typing(void)
{
	g_autoptr(GString) record = g_string_new(NULL);
	g_autoptr(GString) keys = g_string_new("key");
	struct fixture fixture;

	start(&fixture, 800, 600);
	for (int round = 0; round < 2; round++) {
		for (unsigned code = 2; code < 30; code++) {
			g_string_append_printf(keys, " %x", code);
			g_string_append_printf(
				record, "key press %u\nkey release %u\n", code, code);
		}
	}
	expect_record(&fixture, record->str, "%s", keys->str);
	fixture_stop(&fixture);
}

static void test_keys_are_released_when_the_client_leaves(void)
{
	struct fixture fixture;

	start(&fixture, 800, 600);
	expect_record(&fixture, "key press 29\nkey press 30\nkey press 203\n", "press 1d 1e e04b");
	client_free(g_steal_pointer(&fixture.client));
	g_assert_true(fake_render_wait_rate(fixture.render, 0, false, 5000));
	g_usleep(300000);
	g_autofree char *record = fake_qemu_take_record(fixture.qemu);
	g_assert_nonnull(strstr(record, "key release 29\n"));
	g_assert_nonnull(strstr(record, "key release 30\n"));
	g_assert_nonnull(strstr(record, "key release 203\n"));
	g_assert_null(strstr(record, "press 2"));
	fixture_stop(&fixture);
}

static void test_keys_are_released_when_the_client_is_killed(void)
{
	struct fixture fixture;

	start(&fixture, 800, 600);
	expect_record(&fixture, "key press 42\n", "press 2a");
	expect_record(&fixture, "button press 0\n", "button-press left");
	client_kill(g_steal_pointer(&fixture.client));
	g_usleep(500000);
	g_autofree char *record = fake_qemu_take_record(fixture.qemu);
	g_assert_nonnull(strstr(record, "key release 42\n"));
	g_assert_nonnull(strstr(record, "button release 0\n"));
	fixture_stop(&fixture);
}

static void expect_position(
	struct fixture *fixture, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	uint32_t console_width = fixture->qemu->width, console_height = fixture->qemu->height;
	uint32_t qemu_x = (uint64_t)(2 * x + 1) * console_width / (2 * width);
	uint32_t qemu_y = (uint64_t)(2 * y + 1) * console_height / (2 * height);
	g_autofree char *record = g_strdup_printf("abs %u %u\n", qemu_x, qemu_y);

	expect_record(fixture, record, "move %u %u", x, y);
	if (console_width == 2 * width && console_height == 2 * height) {
		g_assert_cmpuint(fake_qemu_guest_pixel(qemu_x, console_width, width), ==, x);
		g_assert_cmpuint(fake_qemu_guest_pixel(qemu_y, console_height, height), ==, y);
	}
}

static void positions(struct fixture *fixture, uint32_t width, uint32_t height)
{
	const uint32_t xs[] = { 0, 1, width / 3, width / 2, width - 2, width - 1 };
	const uint32_t ys[] = { 0, 1, height / 3, height / 2, height - 2, height - 1 };

	for (unsigned i = 0; i < G_N_ELEMENTS(xs); i++) {
		for (unsigned j = 0; j < G_N_ELEMENTS(ys); j++)
			expect_position(fixture, xs[i], ys[j], width, height);
	}
}

static void test_pointer_reaches_every_corner(void)
{
	struct fixture fixture;

	start(&fixture, 1920, 1080);
	positions(&fixture, 1920, 1080);
	fixture_stop(&fixture);
}

static void test_pointer_after_a_resize(void)
{
	const struct fake_layout layout = { .width = 1366, .height = 767 };
	struct fixture fixture;

	start(&fixture, 800, 600);
	positions(&fixture, 800, 600);
	fake_render_head_on(fixture.render, 0, &layout);
	fake_render_flush_all(fixture.render, 0);
	fixture_expect_canvas(&fixture);
	g_assert_true(fake_desktop_wait_pointer_area(fixture.desktop, 1366, 767, 5000));
	g_usleep(200000);
	positions(&fixture, 1366, 767);
	fixture_stop(&fixture);
}

static void console_placeholder(struct fake_desktop *desktop)
{
	fake_qemu_set_size(fake_desktop_qemu(desktop), 640, 480);
}

/*
 * QEMU believes in another size than ours for a while at every mode change; we never leave its
 * bounds.
 */
static void test_pointer_on_a_smaller_console(void)
{
	struct fixture fixture;

	start(&fixture, 1920, 1080);
	fake_desktop_call(fixture.desktop, console_placeholder);
	g_usleep(200000);
	positions(&fixture, 1920, 1080);
	fixture_stop(&fixture);
}

static void test_buttons_and_wheel(void)
{
	struct fixture fixture;

	start(&fixture, 800, 600);
	expect_record(&fixture, "button press 0\nbutton release 0\n", "click left");
	expect_record(&fixture, "button press 1\nbutton release 1\n", "click middle");
	expect_record(&fixture, "button press 2\nbutton release 2\n", "click right");
	expect_record(&fixture,
		"button press 3\nbutton release 3\nbutton press 3\nbutton release 3\n",
		"wheel up 2");
	expect_record(&fixture, "button press 4\nbutton release 4\n", "wheel down");
	expect_record(&fixture, "button press 0\n", "button-press left");
	expect_record(&fixture, "button press 2\n", "button-press right");
	expect_record(&fixture, "abs 21 41\n", "move 10 20");
	expect_record(&fixture, "button release 0\n", "button-release left");
	expect_record(&fixture, "button release 2\n", "button-release right");
	fixture_stop(&fixture);
}

/*
 * A drag has many positions. The guest may be told fewer, but their order and the last one must be
 * right.
 */
static void test_drag(void)
{
	struct fixture fixture;

	start(&fixture, 800, 600);
	expect_record(&fixture, "button press 0\n", "button-press left");
	for (int i = 0; i <= 200; i++)
		client_send(fixture.client, "move %d %d", i * 3, i * 2);
	for (int i = 0; i <= 200; i++)
		g_free(client_answer(fixture.client));
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "abs 1201 801", LINE_MS));
	g_autofree char *record = fake_qemu_take_record(fixture.qemu);
	g_auto(GStrv) lines = g_strsplit(record, "\n", -1);
	unsigned last = 0;
	for (char **line = lines; **line; line++) {
		unsigned x = 0, y = 0;

		g_assert_cmpint(sscanf(*line, "abs %u %u", &x, &y), ==, 2);
		g_assert_cmpuint(x, >=, last);
		last = x;
	}
	expect_record(&fixture, "button release 0\n", "button-release left");
	fixture_stop(&fixture);
}

static void pointer_relative(struct fake_desktop *desktop)
{
	fake_qemu_set_absolute(fake_desktop_qemu(desktop), false);
}

static void pointer_absolute(struct fake_desktop *desktop)
{
	fake_qemu_set_absolute(fake_desktop_qemu(desktop), true);
}

static void test_relative_pointer(void)
{
	struct fixture fixture;

	start(&fixture, 800, 600);
	fake_desktop_call(fixture.desktop, pointer_relative);
	g_free(client_run(fixture.client, "wait-mouse-mode server 5000"));
	expect_record(&fixture, "rel 5 -3\n", "motion 5 -3");
	expect_record(&fixture, "button press 0\nbutton release 0\n", "click left");
	expect_record(&fixture, "button press 3\nbutton release 3\n", "wheel up");
	fake_desktop_call(fixture.desktop, pointer_absolute);
	g_free(client_run(fixture.client, "wait-mouse-mode client 5000"));
	expect_record(&fixture, "abs 201 101\n", "move 100 50");
	fixture_stop(&fixture);
}

static void locks_on(struct fake_desktop *desktop)
{
	fake_qemu_set_modifiers(fake_desktop_qemu(desktop), 2 | 4);
}

static void test_leds(void)
{
	struct fixture fixture;
	bool lit = false;

	start(&fixture, 800, 600);
	fake_desktop_call(fixture.desktop, locks_on);
	for (int i = 0; i < 100 && !lit; i++) {
		g_autofree char *answer = client_run(fixture.client, "leds");

		lit = answer_int(answer, "num") && answer_int(answer, "caps") &&
		      !answer_int(answer, "scroll");
		g_free(client_run(fixture.client, "sleep 30"));
	}
	g_assert_true(lit);
	fixture_stop(&fixture);
}

static void qemu_away(struct fake_desktop *desktop)
{
	fake_qemu_hang_up(fake_desktop_qemu(desktop));
}

/*
 * When QEMU's end goes, input goes nowhere and pictures go on; a new descriptor brings input back.
 */
static void test_qemu_goes_and_returns(void)
{
	struct fixture fixture;

	start(&fixture, 800, 600);
	fake_desktop_call(fixture.desktop, qemu_away);
	g_free(client_run(fixture.client, "key 1e"));
	g_free(client_run(fixture.client, "move 10 20"));
	canvas_noise(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 50);
	fake_render_flush_all(fixture.render, 0);
	fixture_expect_canvas(&fixture);
	fake_desktop_renew_dbus(fixture.desktop);
	g_free(client_run(fixture.client, "wait-mouse-mode client 5000"));
	g_usleep(300000);
	g_free(fake_qemu_take_record(fixture.qemu));
	expect_record(&fixture, "key press 31\nkey release 31\n", "key 1f");
	fixture_stop(&fixture);
}

static void qemu_slow(struct fake_desktop *desktop)
{
	fake_desktop_qemu(desktop)->answer_delay_ms = 100;
}

static void qemu_silent(struct fake_desktop *desktop)
{
	fake_desktop_qemu(desktop)->answer_delay_ms = FAKE_QEMU_SILENT;
}

static char *without_positions(const char *record)
{
	g_auto(GStrv) lines = g_strsplit(record, "\n", -1);
	GString *rest = g_string_new(NULL);

	for (char **line = lines; *line; line++) {
		if (**line && !g_str_has_prefix(*line, "abs "))
			g_string_append_printf(rest, "%s\n", *line);
	}
	return g_string_free(rest, FALSE);
}

/* A busy QEMU may be told fewer positions, but every key and the last position. */
static void test_slow_qemu(void)
{
	struct fixture fixture;

	start(&fixture, 800, 600);
	fake_desktop_call(fixture.desktop, qemu_slow);
	for (int i = 0; i <= 300; i++)
		client_send(fixture.client, "move %d %d", i * 2, i);
	client_send(fixture.client, "key 1e 1f 20 21");
	client_send(fixture.client, "move 399 299");
	client_send(fixture.client, "click left");
	client_send(fixture.client, "move 799 599");
	for (int i = 0; i < 305; i++)
		g_free(client_answer(fixture.client));
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "abs 1599 1199", 30000));
	g_autofree char *record = fake_qemu_take_record(fixture.qemu);
	g_assert_nonnull(strstr(record, "abs 799 599\nbutton press 0\nbutton release 0\n"));
	g_autofree char *rest = without_positions(record);
	g_assert_cmpstr(rest, ==,
		"key press 30\nkey release 30\nkey press 31\nkey release 31\n"
		"key press 32\nkey release 32\nkey press 33\nkey release 33\n"
		"button press 0\nbutton release 0\n");
	fixture_stop(&fixture);
}

/*
 * When QEMU hangs, the client's input takes bounded memory, pictures go on, and the client may
 * leave.
 */
static void test_silent_qemu(void)
{
	struct fixture fixture;

	start(&fixture, 800, 600);
	fake_desktop_call(fixture.desktop, qemu_silent);
	unsigned long before_kib = fake_desktop_resident_kib(fixture.desktop);
	for (int i = 0; i < 3000; i++) {
		client_send(fixture.client, "button-press left");
		client_send(fixture.client, "move %d %d", i % 800, i % 600);
		client_send(fixture.client, "button-release left");
		for (int answer = 0; answer < 3; answer++)
			g_free(client_answer(fixture.client));
	}
	canvas_noise(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 60);
	fake_render_flush_all(fixture.render, 0);
	fixture_expect_canvas(&fixture);
	g_assert_cmpuint(fake_desktop_resident_kib(fixture.desktop), <, before_kib + 64 * 1024);
	fake_desktop_call(fixture.desktop, qemu_away);
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/inputs/keys", test_keys);
	g_test_add_func("/inputs/text", test_text);
	g_test_add_func("/inputs/fast-typing", test_fast_typing);
	g_test_add_func("/inputs/keys-released-when-the-client-leaves",
		test_keys_are_released_when_the_client_leaves);
	g_test_add_func("/inputs/keys-released-when-the-client-is-killed",
		test_keys_are_released_when_the_client_is_killed);
	g_test_add_func("/inputs/pointer-reaches-every-corner", test_pointer_reaches_every_corner);
	g_test_add_func("/inputs/pointer-after-a-resize", test_pointer_after_a_resize);
	g_test_add_func("/inputs/pointer-on-a-smaller-console", test_pointer_on_a_smaller_console);
	g_test_add_func("/inputs/buttons-and-wheel", test_buttons_and_wheel);
	g_test_add_func("/inputs/drag", test_drag);
	g_test_add_func("/inputs/relative-pointer", test_relative_pointer);
	g_test_add_func("/inputs/leds", test_leds);
	g_test_add_func("/inputs/qemu-goes-and-returns", test_qemu_goes_and_returns);
	g_test_add_func("/inputs/slow-qemu", test_slow_qemu);
	g_test_add_func("/inputs/silent-qemu", test_silent_qemu);
	return g_test_run();
}
