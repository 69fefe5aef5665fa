/* SPDX-License-Identifier: MIT */
/*
 * monitors: checks what a client asks of its monitors, and pointers on more than one, without an
 * agent in the guest.
 */
#include "tests/client/fixture.h"

#define LINE_MS 5000

static void test_resize(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fixture_connect(&fixture);
	g_free(client_run(fixture.client, "monitors-config 1280 720"));
	g_assert_true(fake_render_wait_wanted(fixture.render, 1, LINE_MS));
	g_mutex_lock(&fixture.render->lock);
	struct frame_heads_wanted wanted = fixture.render->wanted;
	g_mutex_unlock(&fixture.render->lock);
	g_assert_cmpuint(wanted.n_heads, >=, 1);
	g_assert_cmpuint(wanted.heads[0].enabled, ==, 1);
	g_assert_cmpuint(wanted.heads[0].width, ==, 1280);
	g_assert_cmpuint(wanted.heads[0].height, ==, 720);
	for (unsigned i = 1; i < wanted.n_heads; i++)
		g_assert_cmpuint(wanted.heads[i].enabled, ==, 0);
	/* QEMU must be told the size too, as it is what makes the guest look. */
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "ui 1280 720", LINE_MS));

	const struct fake_layout layout = { .width = 1280, .height = 720 };
	fake_render_head_on(fixture.render, 0, &layout);
	canvas_noise(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 5);
	fake_render_flush_all(fixture.render, 0);
	g_free(client_run(fixture.client, "wait-size 1280 720 5000"));
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

/* The heads lie side by side: 800x600 at 0,0 and 640x480 at 800,0. */
static void test_pointer_on_two_heads(void)
{
	const struct fake_layout second = { .width = 640, .height = 480 };
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fake_render_head_on(fixture.render, 1, &second);
	struct frame_head_on on = {
		.header.type = FRAME_MESSAGE_HEAD_ON,
		.head = 1,
		.x = 800,
		.width = 640,
		.height = 480,
		.refresh_mhz = 60000,
	};
	g_assert_cmpint(fake_render_send(fixture.render, &on, sizeof(on), -1), ==, 0);
	fixture_connect(&fixture);
	g_free(client_run(fixture.client, "wait-mouse-mode client 10000"));
	g_assert_true(fake_desktop_wait_pointer_area(fixture.desktop, 1440, 600, 5000));
	g_free(client_run(fixture.client, "move 10 20 0"));
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "abs 21 41", LINE_MS));
	g_free(client_run(fixture.client, "move 10 20 1"));
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "abs 1621 41", LINE_MS));
	g_free(fake_qemu_take_record(fixture.qemu));
	g_free(client_run(fixture.client, "click right"));
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "button release 2", LINE_MS));
	g_free(client_run(fixture.client, "wheel up"));
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "button release 3", LINE_MS));
	g_free(client_run(fixture.client, "wheel down 2"));
	g_assert_true(fake_qemu_wait_count(fixture.qemu, 8, LINE_MS));
	g_autofree char *record = fake_qemu_take_record(fixture.qemu);
	g_assert_cmpstr(record, ==,
		"button press 2\nbutton release 2\nbutton press 3\nbutton release 3\n"
		"button press 4\nbutton release 4\nbutton press 4\nbutton release 4\n");
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/monitors/resize", test_resize);
	g_test_add_func("/monitors/pointer-on-two-heads", test_pointer_on_two_heads);
	return g_test_run();
}
