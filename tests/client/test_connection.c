/* SPDX-License-Identifier: MIT */
/* connection: has people come, go, stall and be refused; the guest never notices. */
#include "tests/client/fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Bounds what display may take on top while a client does not read: its bounded heap and
 * spice-server's.
 */
#define GROWTH_LIMIT_KIB (200 * 1024)

static void test_reconnect_twenty_times(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 1024, 768, NULL);
	fixture_connect(&fixture);
	for (int i = 0; i < 20; i++) {
		g_free(client_run(fixture.client, "disconnect"));
		canvas_noise(
			fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 10 + i);
		fake_render_flush_all(fixture.render, 0);
		g_free(client_run(fixture.client, "reconnect"));
		fixture_expect_canvas(&fixture);
	}
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

/* Connections follow each other without a pause, while the guest draws without a pause. */
static void test_come_and_go_while_drawing(void)
{
	const struct rect part = { 100, 100, 300, 200 };
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fixture_connect(&fixture);
	for (int i = 0; i < 8; i++) {
		client_send(fixture.client, "disconnect");
		client_send(fixture.client, "reconnect");
		for (int frame = 0; frame < 30; frame++) {
			canvas_noise(fixture_canvas(&fixture), part, i * 100 + frame);
			fake_render_flush(fixture.render, 0, &part, 1);
			g_usleep(5000);
		}
		g_free(client_answer(fixture.client));
		g_free(client_answer(fixture.client));
	}
	fixture_expect_canvas(&fixture);
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

static void draw_for(struct fixture *fixture, const struct rect *rect, unsigned n_frames)
{
	for (unsigned i = 0; i < n_frames; i++) {
		canvas_noise(fixture_canvas(fixture), *rect, 5000 + i);
		fake_render_flush(fixture->render, 0, rect, 1);
		g_usleep(G_USEC_PER_SEC / 60);
	}
}

static void stall_test(struct rect rect)
{
	struct fixture fixture;

	fixture_start(&fixture, 1280, 720, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	draw_for(&fixture, &rect, 30);
	unsigned long before_kib = fake_desktop_resident_kib(fixture.desktop);
	client_send(fixture.client, "stall 6000");
	draw_for(&fixture, &rect, 240);
	unsigned long after_kib = fake_desktop_resident_kib(fixture.desktop);
	g_test_message(
		"display's memory: %lu KiB, with a stalled client %lu KiB", before_kib, after_kib);
	g_assert_cmpuint(after_kib, <, before_kib + GROWTH_LIMIT_KIB);
	g_free(client_answer(fixture.client));
	fixture_expect_canvas(&fixture);
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

static void test_stalled_client_full_frames(void)
{
	stall_test((struct rect){ 0, 0, 1280, 720 });
}

static void test_stalled_client_parts(void)
{
	stall_test((struct rect){ 200, 100, 512, 300 });
}

/* A client that does not read misses small rectangles everywhere, none of which covers another. */
static void test_stalled_client_scattered(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 1920, 1080, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	unsigned long before_kib = fake_desktop_resident_kib(fixture.desktop);
	client_send(fixture.client, "stall 4000");
	for (unsigned i = 0; i < 1500; i++) {
		unsigned place = i * 617 % 1500;
		struct rect rect = { place % 50 * 38, place / 50 * 36, 37, 35 };

		canvas_noise(fixture_canvas(&fixture), rect, i);
		fake_render_flush(fixture.render, 0, &rect, 1);
		g_usleep(1000);
	}
	unsigned long after_kib = fake_desktop_resident_kib(fixture.desktop);
	g_test_message(
		"display's memory: %lu KiB, with a stalled client %lu KiB", before_kib, after_kib);
	g_assert_cmpuint(after_kib, <, before_kib + GROWTH_LIMIT_KIB);
	g_free(client_answer(fixture.client));
	fixture_expect_canvas(&fixture);
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

/* Some connections say nothing, half of something, or nonsense; the next real client is served. */
static void test_silent_and_nonsense_connections(void)
{
	static const char *const texts[] = { "", "R", "REDQ",
		"REDQ\2\0\0\0\2\0\0\0\xff\xff\xff\x7f", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\nUpgrade: websocket\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "SSH-2.0-x\r\n" };
	const size_t lengths[] = { 0, 1, 4, 16, 27, 36, 11, 11 };
	int sockets[G_N_ELEMENTS(texts)];
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
		sockets[i] = fake_desktop_connect_socket(fixture.desktop);
		g_assert_cmpint(
			send(sockets[i], texts[i], lengths[i], MSG_NOSIGNAL), ==, lengths[i]);
	}
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
		close(sockets[i]);
	g_free(client_run(fixture.client, "disconnect"));
	g_free(client_run(fixture.client, "reconnect"));
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

static void test_client_killed(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	for (int i = 0; i < 5; i++) {
		fixture_connect(&fixture);
		fixture_expect_canvas(&fixture);
		client_kill(g_steal_pointer(&fixture.client));
		g_assert_true(fake_render_wait_rate(fixture.render, 0, false, 5000));
	}
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

static void test_second_client_takes_over(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fixture_connect(&fixture);
	struct client *first = g_steal_pointer(&fixture.client);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	g_free(client_run(first, "wait-disconnect 5000"));
	client_free(first);
	canvas_noise(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 99);
	fake_render_flush_all(fixture.render, 0);
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

static void password_test(const char *password)
{
	const struct fake_desktop_options options = { .ticket = password };
	struct fixture fixture;

	fixture_start(&fixture, 640, 480, &options);
	struct client *wrong = client_new(fake_desktop_address(fixture.desktop), "wrong");
	g_assert_false(client_is_connected(wrong));
	client_free(wrong);
	struct client *none = client_new(fake_desktop_address(fixture.desktop), NULL);
	g_assert_false(client_is_connected(none));
	client_free(none);
	fixture.client = client_new(fake_desktop_address(fixture.desktop), password);
	g_assert_true(client_is_connected(fixture.client));
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

static void test_password(void)
{
	g_autofree char *longest = g_strnfill(KEEPER_TICKET_MAX, 'x');

	password_test("secret");
	password_test(longest);
}

static void test_unix_socket(void)
{
	const struct fake_desktop_options options = { .unix_socket = true };
	struct fixture fixture;

	fixture_start(&fixture, 1024, 768, &options);
	fixture_connect(&fixture);
	for (int i = 0; i < 5; i++) {
		canvas_noise(
			fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 20 + i);
		fake_render_flush_all(fixture.render, 0);
		fixture_expect_canvas(&fixture);
	}
	g_free(client_run(fixture.client, "disconnect"));
	g_free(client_run(fixture.client, "reconnect"));
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

static void test_client_without_a_head(void)
{
	const struct fake_desktop_options plain = { 0 };
	struct fake_desktop *desktop = fake_desktop_start(&plain);
	struct client *client = client_new(fake_desktop_address(desktop), NULL);
	const struct fake_layout layout = { .width = 640, .height = 480 };
	struct fixture fixture = {
		.desktop = desktop, .render = fake_desktop_render(desktop), .client = client
	};

	g_assert_true(client_is_connected(client));
	fake_render_head_on(fixture.render, 0, &layout);
	canvas_noise(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 1);
	fake_render_flush_all(fixture.render, 0);
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

/* display/heads/words.c shows letters on this colour. */
#define WORDS_COLOR "202830"

static void expect_words(struct client *client)
{
	g_autofree char *answer = client_run(client, "wait-pixel 9 9 " WORDS_COLOR " 10000");
	g_assert_nonnull(answer);
}

/*
 * Why a guest shows nothing is read by who looks then, by who comes later, and again when the guest
 * has turned its head off; what it shows itself comes first.
 */
static void test_notice(void)
{
	const struct fake_desktop_options plain = { 0 };
	const struct fake_layout layout = { .width = 640, .height = 480 };
	struct fake_desktop *desktop = fake_desktop_start(&plain);
	struct client *client = client_new(fake_desktop_address(desktop), NULL);
	struct fixture fixture = { .desktop = desktop, .render = fake_desktop_render(desktop) };

	g_assert_true(client_is_connected(client));
	fake_desktop_say(desktop, "set share=on");
	expect_words(client);
	client_free(client);
	fixture.client = client_new(fake_desktop_address(desktop), NULL);
	g_assert_true(client_is_connected(fixture.client));
	expect_words(fixture.client);
	fake_render_head_on(fixture.render, 0, &layout);
	canvas_noise(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 1);
	fake_render_flush_all(fixture.render, 0);
	fixture_expect_canvas(&fixture);
	fake_desktop_say(desktop, "still nothing");
	fixture_expect_canvas(&fixture);
	fake_render_head_off(fixture.render, 0);
	expect_words(fixture.client);
	fixture_stop(&fixture);
}

/* Without a password it is the keeper's to say who may come in; with one nobody asks. */
static void test_visitors(void)
{
	const struct fake_desktop_options with_password = { .ticket = "secret" };
	/* A main channel's link message without capabilities. */
	static const char link[34] = { 'R', 'E', 'D', 'Q',
		2, [8] = 2, [12] = 18, [20] = 1, [30] = 18 };
	struct fixture fixture;
	char bytes[20];

	fixture_start(&fixture, 640, 480, NULL);
	fake_desktop_refuse_visitors(fixture.desktop, true);
	struct client *refused = client_new(fake_desktop_address(fixture.desktop), NULL);
	g_assert_false(client_is_connected(refused));
	client_free(refused);
	g_assert_true(fake_desktop_was_asked(fixture.desktop));
	int fd = fake_desktop_connect_socket(fixture.desktop);
	g_assert_cmpint(send(fd, link, sizeof(link), MSG_NOSIGNAL), ==, sizeof(link));
	g_assert_cmpint(recv(fd, bytes, sizeof(bytes), MSG_WAITALL), ==, sizeof(bytes));
	/* SPICE's magic, and behind the header of 16 bytes the error: permission denied. */
	g_assert_cmpmem(bytes, 4, "REDQ", 4);
	g_assert_cmpint(bytes[16], ==, 7);
	close(fd);
	fake_desktop_refuse_visitors(fixture.desktop, false);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	g_assert_true(fake_desktop_was_asked(fixture.desktop));
	g_assert_true(fake_desktop_wait_log(fixture.desktop,
		": came, user " G_STRINGIFY(FAKE_DESKTOP_VISITOR) "\n", SETTLE_MS));
	fixture_stop(&fixture);

	fixture_start(&fixture, 640, 480, &with_password);
	fake_desktop_refuse_visitors(fixture.desktop, true);
	fixture.client = client_new(fake_desktop_address(fixture.desktop), "secret");
	g_assert_true(client_is_connected(fixture.client));
	g_assert_false(fake_desktop_was_asked(fixture.desktop));
	fixture_stop(&fixture);
}

/* Display's one child makes its connections with spice-server (display/relay/inner_maker.h). */
static pid_t find_inner(const struct fixture *fixture)
{
	pid_t display = fake_desktop_pid(fixture->desktop);
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", display, display);
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return (pid_t)g_ascii_strtoll(text, NULL, 10);
}

/* Who reaps orphans may be slow. */
static bool is_running(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
	g_autofree char *text = NULL;
	return g_file_get_contents(path, &text, NULL, NULL) && !strstr(text, ") Z ");
}

/* Without the child nobody could connect any more: the keeper is to start another display. */
static void test_inner_killed(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fixture_connect(&fixture);
	fake_desktop_want_fault(fixture.desktop);
	g_assert_cmpint(kill(find_inner(&fixture), SIGKILL), ==, 0);
	g_assert_true(fake_desktop_wait_log(fixture.desktop, "spice-server has gone", 5000));
	for (int i = 0; i < 1000 && fake_desktop_is_alive(fixture.desktop); i++)
		g_usleep(10000);
	g_assert_false(fake_desktop_is_alive(fixture.desktop));
	fixture_stop(&fixture);
}

/* The child goes with display, whatever ends that. */
static void test_inner_ends(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	pid_t inner = find_inner(&fixture);
	g_assert_cmpint(inner, >, 0);
	fixture_stop(&fixture);
	for (int i = 0; i < 500 && is_running(inner); i++)
		g_usleep(10000);
	g_assert_false(is_running(inner));
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/connection/reconnect-twenty-times", test_reconnect_twenty_times);
	g_test_add_func("/connection/come-and-go-while-drawing", test_come_and_go_while_drawing);
	g_test_add_func("/connection/stalled-client-full-frames", test_stalled_client_full_frames);
	g_test_add_func("/connection/stalled-client-parts", test_stalled_client_parts);
	g_test_add_func("/connection/stalled-client-scattered", test_stalled_client_scattered);
	g_test_add_func("/connection/silent-and-nonsense", test_silent_and_nonsense_connections);
	g_test_add_func("/connection/client-killed", test_client_killed);
	g_test_add_func("/connection/second-client-takes-over", test_second_client_takes_over);
	g_test_add_func("/connection/password", test_password);
	g_test_add_func("/connection/unix-socket", test_unix_socket);
	g_test_add_func("/connection/client-without-a-head", test_client_without_a_head);
	g_test_add_func("/connection/notice", test_notice);
	g_test_add_func("/connection/visitors", test_visitors);
	g_test_add_func("/connection/inner-killed", test_inner_killed);
	g_test_add_func("/connection/inner-ends", test_inner_ends);
	return g_test_run();
}
