/* SPDX-License-Identifier: MIT */
/*
 * heads: opens, closes and resizes heads in random order before one stock client, which must show
 * each as it is, and looks at display's memory. A client that asks for monitors without end is
 * heard now and then.
 *
 * With --turns=N so many heads are turned on or off; without it, beside other tests, SHORT_TURNS.
 */
#include "tests/client/fixture.h"

#include <stdlib.h>
#include <string.h>

#define HEADS FRAME_HEADS_MAX
#define SHORT_TURNS 48
#define LINE_MS 5000
/* By then every head has been on. Allocators and spice-server's caches have what they keep. */
#define WARM_TURNS 32
#define GROWTH_MAX_KIB (16 << 10)
#define ASKS 400
/* Display tells QEMU 20 times a second. */
#define TELLS_EACH_MS 50

static unsigned n_turns = SHORT_TURNS;

static void expect_picture(struct fixture *fixture, unsigned number)
{
	const struct fake_head *head = &fixture->render->heads[number];
	g_autofree char *hash = canvas_hash(&head->canvas, canvas_all(&head->canvas));
	g_free(client_run(fixture->client, "wait-size %u %u %d %u", head->layout.width,
		head->layout.height, SETTLE_MS, number));
	g_autofree char *answer = client_ask(fixture->client, "wait-hash 0 0 %u %u %s %d %u",
		head->layout.width, head->layout.height, hash, SETTLE_MS, number);
	if (!answer_is_ok(answer))
		fake_desktop_print_log(fixture->desktop);
	g_assert_true(answer_is_ok(answer));
}

static void turn_on(struct fixture *fixture, unsigned number, GRand *rand)
{
	struct fake_head *head = &fixture->render->heads[number];
	const struct fake_layout layout = {
		.width = (uint32_t)g_rand_int_range(rand, 1, 500),
		.height = (uint32_t)g_rand_int_range(rand, 1, 300),
	};
	fake_render_head_on(fixture->render, number, &layout);
	canvas_noise(&head->canvas, canvas_all(&head->canvas), g_rand_int(rand));
	fake_render_flush_all(fixture->render, number);
}

/* Head 0 becomes black; others have no picture any more. */
static void turn_off(struct fixture *fixture, unsigned number)
{
	gint64 end_us = g_get_monotonic_time() + SETTLE_MS * 1000;
	bool gone = number == 0;
	fake_render_head_off(fixture->render, number);
	while (!gone && g_get_monotonic_time() < end_us) {
		g_autofree char *answer = client_ask(fixture->client, "size %u", number);
		gone = !answer_is_ok(answer) || answer_int(answer, "width") == 0;
	}
	g_assert_true(gone);
}

static void test_random(void)
{
	struct fixture fixture;
	unsigned long warm_kib = 0;
	g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)g_test_rand_int());
	fixture_start(&fixture, 320, 200, NULL);
	g_assert_true(fake_qemu_wait_sound(fixture.qemu, LINE_MS));
	fixture.qemu->n_heads = HEADS;
	fake_desktop_renew_dbus(fixture.desktop);
	fixture_connect(&fixture);
	client_be_brief(fixture.client);
	for (unsigned turn = 0; turn < n_turns; turn++) {
		unsigned number = turn < HEADS ? turn : (unsigned)g_rand_int_range(rand, 0, HEADS);
		struct fake_head *head = &fixture.render->heads[number];
		/* One that is on gets another size as often as it goes. */
		if (turn >= HEADS && head->on && g_rand_boolean(rand))
			turn_off(&fixture, number);
		else
			turn_on(&fixture, number, rand);
		if (head->on)
			expect_picture(&fixture, number);
		if ((turn + 1) % 200 == 0)
			g_test_message("after %u turns display has %lu KiB", turn + 1,
				fake_desktop_resident_kib(fixture.desktop));
		if (turn + 1 == WARM_TURNS)
			warm_kib = fake_desktop_resident_kib(fixture.desktop);
	}
	for (unsigned number = 0; number < HEADS; number++) {
		if (fixture.render->heads[number].on)
			expect_picture(&fixture, number);
	}
	unsigned long kib = fake_desktop_resident_kib(fixture.desktop);
	g_test_message(
		"%u turns; display has %lu KiB, %lu after %d", n_turns, kib, warm_kib, WARM_TURNS);
	g_assert_cmpuint(kib, <, warm_kib + GROWTH_MAX_KIB);
	g_assert_cmpstr(fixture.render->broken, ==, NULL);
	fixture_stop(&fixture);
}

/* The last wish counts, and neither QEMU nor the guest hears of most of those before it. */
static void test_asked_without_end(void)
{
	struct fixture fixture;
	fixture_start(&fixture, 320, 200, NULL);
	g_assert_true(fake_qemu_wait_sound(fixture.qemu, LINE_MS));
	fixture.qemu->n_heads = 3;
	fake_desktop_renew_dbus(fixture.desktop);
	fixture_connect(&fixture);
	client_be_brief(fixture.client);
	g_free(client_run(fixture.client, "wait-mouse-mode client 10000"));
	g_free(fake_qemu_take_record(fixture.qemu));
	gint64 begin_us = g_get_monotonic_time();
	for (unsigned i = 0; i < ASKS; i++) {
		unsigned width = i % 7 == 0 ? 0 : i % 11 == 0 ? 65535 : 200 + i;
		g_free(client_ask(fixture.client, "monitors-config %u %u %u", width, width, i % 5));
	}
	g_free(client_run(fixture.client, "monitors-config 0 0 2"));
	g_free(client_run(fixture.client, "monitors-config 0 0 1"));
	g_free(client_run(fixture.client, "monitors-config 777 555 0"));
	gint64 took_ms = (g_get_monotonic_time() - begin_us) / 1000;
	g_usleep(4 * TELLS_EACH_MS * 1000);
	g_autofree char *record = fake_qemu_take_record(fixture.qemu);
	g_auto(GStrv) lines = g_strsplit(record, "\n", -1);
	unsigned n_lines = g_strv_length(lines);
	g_test_message("%d asked in %" G_GINT64_FORMAT " ms, %u told", ASKS, took_ms, n_lines);
	g_assert_nonnull(strstr(record, "ui 777 555\n"));
	/* Three heads each time, and the times that follow the last. */
	g_assert_cmpint(n_lines, <=, 3 * (took_ms / TELLS_EACH_MS + 4));
	g_mutex_lock(&fixture.render->lock);
	struct frame_heads_wanted wanted = fixture.render->wanted;
	g_mutex_unlock(&fixture.render->lock);
	g_assert_cmpuint(wanted.heads[0].width, ==, 777);
	g_assert_cmpuint(wanted.heads[1].enabled, ==, 0);
	g_assert_cmpuint(wanted.heads[2].enabled, ==, 0);
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (g_str_has_prefix(argv[i], "--turns="))
			n_turns = (unsigned)atoi(argv[i] + strlen("--turns="));
	}
	fixture_init(&argc, &argv);
	g_test_add_func("/heads/random", test_random);
	g_test_add_func("/heads/asked-without-end", test_asked_without_end);
	return g_test_run();
}
