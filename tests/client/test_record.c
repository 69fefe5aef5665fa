/* SPDX-License-Identifier: MIT */
/*
 * record: checks the measuring commands of spice-probe with pictures whose every pixel and time is
 * known.
 */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/client/fixture.h"
#include "tests/guest/programs/scene.h"

#define WIDTH 1920
#define HEIGHT 1080
#define LINE_MS 10000

struct player {
	struct fixture fixture;
	struct scene_painter *painter;
};

static void player_start(struct player *player, const char *name)
{
	struct scene scene;

	g_assert_true(scene_init(&scene, name, WIDTH, HEIGHT));
	player->painter = scene_painter_create(&scene);
	g_assert_nonnull(player->painter);
	fixture_start(&player->fixture, WIDTH, HEIGHT, NULL);
}

static void player_stop(struct player *player)
{
	scene_painter_destroy(player->painter);
	fixture_stop(&player->fixture);
}

static void player_show(struct player *player, uint32_t frame, uint32_t keys)
{
	scene_paint(player->painter, frame, keys, fixture_canvas(&player->fixture)->pixels);
	fake_render_flush_all(player->fixture.render, 0);
}

static void test_frames(void)
{
	struct player player;
	g_autofree char *path = g_strdup_printf("%s/test-record-%d", g_get_tmp_dir(), getpid());
	g_autofree char *text = NULL;
	unsigned frame;
	long long upper_us, whole_us;

	player_start(&player, "world");
	player_show(&player, 0, 0);
	fixture_connect(&player.fixture);
	struct client *client = player.fixture.client;
	g_free(client_run(client, "wait-primary %d", SETTLE_MS));
	g_free(client_run(client, "record-begin world 400"));
	player_show(&player, 7, 3);
	g_autofree char *exact = client_run(client, "record-settle 7 3 %d", LINE_MS);
	g_assert_cmpint(answer_int(exact, "exact_us"), >, 0);
	g_assert_cmpint(answer_int(exact, "different"), ==, 0);
	/* We show the same frame with one wrong pixel. */
	fixture_canvas(&player.fixture)->pixels[500 * WIDTH + 700] ^= 0x010000;
	fake_render_flush_all(player.fixture.render, 0);
	g_usleep(500000);
	g_autofree char *wrong = client_run(client, "record-settle 7 3 1500");
	g_assert_cmpint(answer_int(wrong, "exact_us"), ==, 0);
	g_assert_cmpint(answer_int(wrong, "different"), ==, 1);
	g_autofree char *end = client_run(client, "record-end %s", path);
	g_assert_nonnull(strstr(end, "\"frame\":7"));
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	const char *last = strstr(text, "\n7 ");
	g_assert_nonnull(last);
	g_assert_cmpint(sscanf(last, "%u %lld %lld", &frame, &upper_us, &whole_us), ==, 3);
	g_assert_cmpuint(frame, ==, 7);
	g_assert_true(
		upper_us > 0 && whole_us >= upper_us && whole_us <= answer_int(exact, "exact_us"));
	g_remove(path);
	player_stop(&player);
}

/* The test plays the guest's answer to a key: the picture changes 150 ms after the key came. */
static void test_keys(void)
{
	struct player player;
	int64_t took_us;

	player_start(&player, "typing");
	player_show(&player, 0, 0);
	fixture_connect(&player.fixture);
	struct client *client = player.fixture.client;
	g_free(client_run(client, "wait-primary %d", SETTLE_MS));
	g_free(client_run(client, "record-begin typing"));
	g_free(client_run(client, "record-settle 0 0 %d", LINE_MS));
	/*
	 * A busy machine gets two seconds to see the first key; the second waits for as long, in
	 * vain.
	 */
	client_send(client, "record-keys 2 1 2 2000");
	g_assert_true(fake_qemu_wait_count(player.fixture.qemu, 1, LINE_MS));
	g_usleep(150000);
	player_show(&player, 0, 1);
	/* The second key is never shown. */
	g_autofree char *answer = client_answer(client);
	g_assert_true(answer_is_ok(answer));
	const char *times = strstr(answer, "\"keys_us\":[");
	g_assert_nonnull(times);
	took_us = g_ascii_strtoll(times + strlen("\"keys_us\":["), NULL, 10);
	g_assert_cmpint(took_us, >=, 150000);
	g_assert_nonnull(strstr(answer, ",-1]"));
	player_stop(&player);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/record/frames", test_frames);
	g_test_add_func("/record/keys", test_keys);
	return g_test_run();
}
