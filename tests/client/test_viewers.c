/* SPDX-License-Identifier: MIT */
/* viewers: has several people see one desktop, of whom one drives. */
#include <stdlib.h>
#include <string.h>

#include "tests/client/fixture.h"
#include "tests/client/patience.h"
#include "tests/client/slow_line.h"
#include "tests/guest/counter_layout.h"

#define LINE_MS 5000
#define QUIET_MS 500
#define FRAME_US (G_USEC_PER_SEC / 30)
#define FRAMES 90
/* What a looker costs display at 1920x1080: copies of the picture, a surface, spice-server's own.
 */
#define LOOKER_KIB_MAX (80 * 1024)

static void start(struct fixture *fixture, uint32_t width, uint32_t height, const char *option)
{
	const struct fake_desktop_options options = { .ticket = "drive", .arguments = { option } };
	fixture_start(fixture, width, height, &options);
	fake_desktop_give_ticket(
		fixture->desktop, KEEPER_TICKET_VIEW_PASSWORD, KEEPER_TICKET_VIEW_ONLY, "look");
}

static struct client *come(struct fixture *fixture, const char *password)
{
	struct client *client = client_new(fake_desktop_address(fixture->desktop), password);
	g_assert_true(client_is_connected(client));
	return client;
}

static void expect_picture(struct fixture *fixture, struct client *client)
{
	struct client *own = fixture->client;
	fixture->client = client;
	fixture_expect_canvas(fixture);
	fixture->client = own;
}

static void draw(struct fixture *fixture, unsigned seed)
{
	canvas_noise(fixture_canvas(fixture), canvas_all(fixture_canvas(fixture)), seed);
	fake_render_flush_all(fixture->render, 0);
}

static void expect_refused(struct fixture *fixture, const char *password)
{
	struct client *client = client_new(fake_desktop_address(fixture->desktop), password);
	g_assert_false(client_is_connected(client));
	client_free(client);
}

static void expect_keys(struct fixture *fixture, struct client *client, bool pass)
{
	g_free(fake_qemu_take_record(fixture->qemu));
	g_free(client_ask(client, "key 1e"));
	if (pass)
		g_assert_true(fake_qemu_wait_line(fixture->qemu, "key release 30", LINE_MS));
	else
		g_usleep(QUIET_MS * 1000);
	g_autofree char *record = fake_qemu_take_record(fixture->qemu);
	g_assert_cmpint(record[0] != '\0', ==, pass);
}

/* Lookers come before and after the one who drives, see what that one sees, and touch nothing. */
static void test_look_on(void)
{
	struct fixture fixture;
	start(&fixture, 800, 600, "--lookers=2");
	struct client *one = come(&fixture, "look");
	expect_picture(&fixture, one);
	fixture.client = come(&fixture, "drive");
	fixture_expect_canvas(&fixture);
	draw(&fixture, 3);
	struct client *other = come(&fixture, "look");
	expect_picture(&fixture, other);
	expect_refused(&fixture, "look");
	g_assert_true(fake_desktop_wait_client(
		fixture.desktop, KEEPER_CLIENT_REFUSED, "as many do as may", LINE_MS));
	for (unsigned i = 0; i < 10; i++) {
		draw(&fixture, 10 + i);
		fixture_expect_canvas(&fixture);
		expect_picture(&fixture, one);
		expect_picture(&fixture, other);
	}
	expect_keys(&fixture, one, false);
	expect_keys(&fixture, fixture.client, true);
	/* Whoever takes the driver's place, and whoever leaves, changes nothing for the others. */
	struct client *first = g_steal_pointer(&fixture.client);
	fixture.client = come(&fixture, "drive");
	g_free(client_run(first, "wait-disconnect 5000"));
	client_free(first);
	client_free(one);
	draw(&fixture, 30);
	fixture_expect_canvas(&fixture);
	expect_picture(&fixture, other);
	g_clear_pointer(&fixture.client, client_free);
	draw(&fixture, 31);
	expect_picture(&fixture, other);
	one = come(&fixture, "look");
	expect_picture(&fixture, one);
	client_free(one);
	client_free(other);
	g_assert_true(fake_render_wait_rate(fixture.render, 0, false, 20000));
	fixture_stop(&fixture);
}

static void hand_over(struct fixture *fixture, const char *client, const char *text)
{
	fake_desktop_hand_over(fixture->desktop, client);
	g_assert_true(fake_desktop_wait_log(fixture->desktop, text, LINE_MS));
}

/* A looker drives, and who drove looks on; what that one held down is let go of. */
static void test_hand_over(void)
{
	struct fixture fixture;
	start(&fixture, 640, 480, "--lookers=1");
	fixture.client = come(&fixture, "drive");
	fixture_expect_canvas(&fixture);
	struct client *looker = come(&fixture, "look");
	expect_picture(&fixture, looker);
	g_autofree char *name =
		fake_desktop_find_client(fixture.desktop, KEEPER_CLIENT_CAME, "to look only");
	g_assert_nonnull(name);
	expect_keys(&fixture, looker, false);
	g_free(client_run(fixture.client, "press 1f"));
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "key press 31", LINE_MS));
	hand_over(&fixture, name, "drives from here on");
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "key release 31", LINE_MS));
	g_free(client_run(fixture.client, "release 1f"));
	g_usleep(100000);
	expect_keys(&fixture, looker, true);
	expect_keys(&fixture, fixture.client, false);
	hand_over(&fixture, "192.0.2.1:1", "client 192.0.2.1:1: cannot drive: it is not there");
	expect_keys(&fixture, looker, true);
	hand_over(&fixture, "", "who came to drive drives from here on");
	g_usleep(100000);
	expect_keys(&fixture, looker, false);
	expect_keys(&fixture, fixture.client, true);
	/* It goes back also when the one who was given it leaves. */
	hand_over(&fixture, name, "drives from here on");
	g_usleep(100000);
	expect_keys(&fixture, fixture.client, false);
	client_free(looker);
	g_assert_true(fake_desktop_wait_client(fixture.desktop, KEEPER_CLIENT_LEFT, name, LINE_MS));
	expect_keys(&fixture, fixture.client, true);
	fixture_stop(&fixture);
}

static void draw_counter(struct canvas *canvas, uint32_t value)
{
	for (int cell = 0; cell < COUNTER_CELLS; cell++) {
		struct rect rect = { 60 + (uint32_t)cell * COUNTER_CELL_PX, 72, COUNTER_CELL_PX,
			COUNTER_HEIGHT_PX };
		canvas_fill(canvas, rect, counter_cell_color(value, cell));
	}
}

/* Plays noise that a slow line cannot take. Returns how many pictures the driver told apart. */
static gint64 play(struct fixture *fixture)
{
	struct canvas *canvas = fixture_canvas(fixture);
	client_send(fixture->client, "wait-counter %u 30000", FRAMES - 10);
	for (unsigned i = 1; i <= FRAMES; i++) {
		canvas_noise(canvas, (struct rect){ 60 + i * 7 % 300, 120, 400, 40 }, i);
		draw_counter(canvas, 5000 + i);
		fake_render_flush_all(fixture->render, 0);
		g_usleep(FRAME_US);
	}
	g_autofree char *answer = client_answer(fixture->client);
	g_assert_true(answer_is_ok(answer));
	return answer_int(answer, "seen");
}

/* One looks on over 200 kbit/s, another stands still. */
static void test_slow(void)
{
	struct fixture fixture;
	start(&fixture, 1024, 768, "--lookers=2");
	canvas_fill(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 0x204060);
	fake_render_flush_all(fixture.render, 0);
	fixture.client = come(&fixture, "drive");
	fixture_expect_canvas(&fixture);
	gint64 alone = play(&fixture);
	const char *port = strrchr(fake_desktop_address(fixture.desktop), ':') + 1;
	canvas_fill(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 0x604020);
	fake_render_flush_all(fixture.render, 0);
	struct slow_line *line = slow_line_start((uint16_t)atoi(port), 200);
	struct client *slow = client_new(slow_line_address(line), "look");
	g_assert_true(client_is_connected(slow));
	struct client *still = come(&fixture, "look");
	expect_picture(&fixture, still);
	client_send(still, "stall 8000");
	gint64 beside = play(&fixture);
	g_test_message("the driver told %d pictures of %d apart alone, %d beside slow lookers",
		(int)alone, FRAMES, (int)beside);
	if (PATIENCE_JUDGES)
		g_assert_cmpint(beside, >=, alone * 6 / 10);
	fixture_expect_canvas(&fixture);
	fixture_expect_short_waits(&fixture);
	g_free(client_answer(still));
	expect_picture(&fixture, still);
	client_free(still);
	client_free(slow);
	slow_line_stop(line);
	fixture_stop(&fixture);
}

static void test_memory(void)
{
	struct client *lookers[3];
	struct fixture fixture, plain;
	fixture_start(&plain, 1920, 1080, NULL);
	start(&fixture, 1920, 1080, "--lookers=3");
	g_test_message("a seat where nobody sits: %ld KiB",
		(long)(fake_desktop_resident_kib(fixture.desktop) -
			fake_desktop_resident_kib(plain.desktop)) /
			3);
	fixture_stop(&plain);
	fixture.client = come(&fixture, "drive");
	fixture_expect_canvas(&fixture);
	unsigned long kib = fake_desktop_resident_kib(fixture.desktop);
	for (unsigned i = 0; i < G_N_ELEMENTS(lookers); i++) {
		lookers[i] = come(&fixture, "look");
		for (unsigned n = 0; n < 5; n++) {
			draw(&fixture, i * 10 + n);
			expect_picture(&fixture, lookers[i]);
		}
		unsigned long now_kib = fake_desktop_resident_kib(fixture.desktop);
		g_test_message("looker %u: %ld MiB more", i + 1, (long)(now_kib - kib) / 1024);
		if (PATIENCE_JUDGES)
			g_assert_cmpint((long)(now_kib - kib), <, LOOKER_KIB_MAX);
		kib = now_kib;
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(lookers); i++)
		client_free(lookers[i]);
	fixture_stop(&fixture);
}

/* They come and go while the guest draws, and nobody is shown anything wrong. */
static void test_come_and_go(void)
{
	struct fixture fixture;
	start(&fixture, 640, 480, "--lookers=3");
	fixture.client = come(&fixture, "drive");
	for (unsigned i = 0; i < 8; i++) {
		struct client *one = come(&fixture, "look"), *other = come(&fixture, "look");
		draw(&fixture, i);
		if (i % 3 == 0) {
			client_kill(one);
		} else {
			expect_picture(&fixture, one);
			client_free(one);
		}
		expect_picture(&fixture, other);
		client_free(other);
		draw(&fixture, 100 + i);
		fixture_expect_canvas(&fixture);
	}
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/viewers/look-on", test_look_on);
	g_test_add_func("/viewers/hand-over", test_hand_over);
	g_test_add_func("/viewers/slow", test_slow);
	g_test_add_func("/viewers/memory", test_memory);
	g_test_add_func("/viewers/come-and-go", test_come_and_go);
	return g_test_run();
}
