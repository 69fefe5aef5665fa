/* SPDX-License-Identifier: MIT */
/*
 * monitors: checks what a client asks of its monitors, and pointers on more than one, without an
 * agent in the guest.
 */
#include <string.h>

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

static void start_with_heads(struct fixture *fixture, unsigned n_heads, bool vga, const char *label)
{
	fixture_start(fixture, 800, 600, NULL);
	g_assert_true(fake_qemu_wait_sound(fixture->qemu, LINE_MS));
	fixture->qemu->n_heads = n_heads;
	fixture->qemu->has_vga = vga;
	fixture->qemu->label = label;
	fake_desktop_renew_dbus(fixture->desktop);
	if (vga)
		g_assert_true(fake_desktop_wait_log(
			fixture->desktop, "a second display device, ", LINE_MS));
}

/* Waits until the client has a channel for a head, or asserts that it gets none. */
static void expect_channel(struct fixture *fixture, unsigned head, bool there)
{
	g_autofree char *wanted = g_strdup_printf("\"id\":%u,", head);
	gint64 end = g_get_monotonic_time() + (there ? LINE_MS : 300) * 1000;
	bool found = false;
	do {
		g_autofree char *status = client_run(fixture->client, "status");
		found = strstr(status, wanted) != NULL;
		g_usleep(20000);
	} while (!found && g_get_monotonic_time() < end);
	g_assert_cmpint(found, ==, there);
}

/* A client's menu has what it has a channel for: what is on, and the next. */
static void test_next_head_is_offered(void)
{
	const struct fake_layout second = { .width = 640, .height = 480 };
	struct fixture fixture;

	start_with_heads(&fixture, 3, false, "vhost-user-gpu-pci");
	fixture_connect(&fixture);
	expect_channel(&fixture, 1, true);
	expect_channel(&fixture, 2, false);
	g_free(client_run(fixture.client, "wait-mouse-mode client 10000"));
	g_free(client_run(fixture.client, "monitors-config 640 480 1"));
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "console 1 ui 640 480 at 0 0", LINE_MS));
	fake_render_head_on(fixture.render, 1, &second);
	expect_channel(&fixture, 2, true);
	/* There is no fourth. */
	fake_render_head_on(fixture.render, 2, &second);
	expect_channel(&fixture, 3, false);
	fixture_stop(&fixture);
}

/* Clients come and go while a head that shows nothing is offered to them. */
static void test_come_and_go(void)
{
	struct fixture fixture;

	start_with_heads(&fixture, 2, false, "vhost-user-gpu-pci");
	for (unsigned i = 0; i < 10; i++) {
		fixture_connect(&fixture);
		expect_channel(&fixture, 1, true);
		client_free(g_steal_pointer(&fixture.client));
	}
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

/* The machine has a VGA before ours, whose console is number 0. */
static void test_second_device(void)
{
	struct fixture fixture;

	start_with_heads(&fixture, 2, true, "vhost-user-gpu-pci");
	g_assert_true(
		fake_desktop_wait_log(fixture.desktop, "a second display device, VGA", LINE_MS));
	fixture_connect(&fixture);
	g_free(client_run(fixture.client, "monitors-config 1280 720"));
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "ui 1280 720", LINE_MS));
	g_free(client_run(fixture.client, "move 10 20 0"));
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "abs 21 41", LINE_MS));
	fixture_stop(&fixture);
}

/* The name tells nothing, but ours has the size that the keeper told QEMU. */
static void test_device_of_any_name(void)
{
	struct fixture fixture;

	start_with_heads(&fixture, 1, true, "video7");
	fixture_connect(&fixture);
	g_assert_true(fake_desktop_wait_pointer_area(fixture.desktop, 800, 600, LINE_MS));
	g_free(client_run(fixture.client, "monitors-config 1280 720"));
	g_assert_true(fake_qemu_wait_line(fixture.qemu, "ui 1280 720", LINE_MS));
	g_autofree char *record = fake_qemu_take_record(fixture.qemu);
	g_assert_null(strstr(record, "vga"));
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/monitors/resize", test_resize);
	g_test_add_func("/monitors/pointer-on-two-heads", test_pointer_on_two_heads);
	g_test_add_func("/monitors/next-head-is-offered", test_next_head_is_offered);
	g_test_add_func("/monitors/come-and-go", test_come_and_go);
	g_test_add_func("/monitors/second-device", test_second_device);
	g_test_add_func("/monitors/device-of-any-name", test_device_of_any_name);
	return g_test_run();
}
