/* SPDX-License-Identifier: MIT */
/*
 * strangers: has clients break the rules at the relay: garbage in messages, lies in reports, no
 * reading, a hundred connections a second, frames that never end. Display keeps its bounds and
 * serves the next one.
 */
#include "tests/client/fixture.h"
#include "tests/client/stranger.h"

#include <errno.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROWTH_LIMIT_KIB (64 * 1024)

static void draw(struct fixture *fixture, unsigned n_frames)
{
	struct canvas *canvas = fixture_canvas(fixture);

	for (unsigned i = 0; i < n_frames; i++) {
		canvas_noise(canvas, canvas_all(canvas), 900 + i);
		fake_render_flush_all(fixture->render, 0);
		g_usleep(G_USEC_PER_SEC / 60);
	}
}

static void expect_next_client(struct fixture *fixture)
{
	g_assert_true(fake_desktop_is_alive(fixture->desktop));
	fixture_connect(fixture);
	fixture_expect_canvas(fixture);
	g_clear_pointer(&fixture->client, client_free);
}

/* ---- what they do ---- */

/* A client is told the time as we correct it: close to now, and closer as time goes by. */
static void test_clock(void)
{
	struct fixture fixture;
	struct stranger stranger;
	uint8_t body[32];
	uint16_t type;
	uint32_t time_ms = 0;
	unsigned n_times = 0;
	int32_t behind_ms = 0;

	fixture_start(&fixture, 640, 480, NULL);
	stranger_connect(&stranger, fixture.desktop);
	struct timeval patience = { .tv_sec = 3 };
	setsockopt(stranger.main, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (stranger_hear_message(stranger.main, &type, body, sizeof(body))) {
		if (type != SPICE_MSG_MAIN_MULTI_MEDIA_TIME)
			continue;
		memcpy(&time_ms, body, sizeof(time_ms));
		behind_ms = (int32_t)((uint32_t)(g_get_monotonic_time() / 1000) - time_ms);
		n_times++;
	}
	g_test_message("%u times, the last %d ms behind", n_times, behind_ms);
	g_assert_cmpuint(n_times, >=, 10);
	g_assert_cmpint(behind_ms, >=, 0);
	g_assert_cmpint(behind_ms, <, 200);
	stranger_close(&stranger);
	fixture_stop(&fixture);
}

struct report {
	uint32_t stream, unique, start, end, n_frames, n_drops;
	int32_t delay;
	uint32_t audio;
};

static void test_lies(void)
{
	static const int32_t delays[] = { INT32_MIN, -1, 0, 1, 400, INT32_MAX };
	struct fixture fixture;
	struct stranger stranger;

	fixture_start(&fixture, 640, 480, NULL);
	stranger_connect(&stranger, fixture.desktop);
	/* Display's first frames take memory, with ThreadSanitizer 80 MiB of it: whoever lies. */
	draw(&fixture, 30);
	unsigned long before_kib = fake_desktop_resident_kib(fixture.desktop);
	for (unsigned i = 0; i < 5000; i++) {
		const struct report report = { 0, i % 7, i, UINT32_MAX - i, i % 3, UINT32_MAX,
			delays[i % G_N_ELEMENTS(delays)], UINT32_MAX };

		if (!stranger_say_message(stranger.display, SPICE_MSGC_DISPLAY_STREAM_REPORT,
			    &report, sizeof(report)))
			break;
	}
	draw(&fixture, 30);
	g_assert_cmpuint(
		fake_desktop_resident_kib(fixture.desktop), <, before_kib + GROWTH_LIMIT_KIB);
	stranger_close(&stranger);
	expect_next_client(&fixture);
	fixture_stop(&fixture);
}

/* A client sends huge sizes, unknown types, half messages and random bytes. */
static void test_garbage(void)
{
	struct fixture fixture;
	struct stranger stranger;
	uint8_t noise[8192];

	fixture_start(&fixture, 640, 480, NULL);
	for (unsigned round = 0; round < 8; round++) {
		SpiceMiniDataHeader header = { (uint16_t)(round * 101), UINT32_MAX >> round };

		stranger_connect(&stranger, fixture.desktop);
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)g_test_rand_int();
		stranger_say(round & 1 ? stranger.main : stranger.display, &header, sizeof(header));
		for (unsigned i = 0; i < 64; i++) {
			send(stranger.main, noise, sizeof(noise), MSG_NOSIGNAL | MSG_DONTWAIT);
			send(stranger.display, noise, sizeof(noise), MSG_NOSIGNAL | MSG_DONTWAIT);
		}
		draw(&fixture, 5);
		stranger_close(&stranger);
	}
	expect_next_client(&fixture);
	fixture_stop(&fixture);
}

static void test_does_not_read(void)
{
	struct fixture fixture;
	struct stranger stranger;

	fixture_start(&fixture, 1280, 720, NULL);
	stranger_connect(&stranger, fixture.desktop);
	unsigned long before_kib = fake_desktop_resident_kib(fixture.desktop);
	draw(&fixture, 120);
	g_assert_cmpuint(
		fake_desktop_resident_kib(fixture.desktop), <, before_kib + 3 * GROWTH_LIMIT_KIB);
	fixture_expect_short_waits(&fixture);
	stranger_close(&stranger);
	expect_next_client(&fixture);
	fixture_stop(&fixture);
}

static void knock(const struct fake_desktop *desktop, unsigned i)
{
	static const char *const texts[] = { "", "R", "REDQ\2\0\0\0", "GET /", "\x16\x03\x01",
		"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
		"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" };
	const char *text = texts[i % G_N_ELEMENTS(texts)];
	int fd = fake_desktop_connect_socket(desktop);

	send(fd, text, strlen(text), MSG_NOSIGNAL);
	if (i % 8 == 7)
		stranger_say_link(fd, i % 16 == 7 ? SPICE_CHANNEL_MAIN : SPICE_CHANNEL_PLAYBACK, i);
	if (i % 3 == 0)
		shutdown(fd, SHUT_WR);
	close(fd);
}

/* A hundred connections a second come while somebody works. */
static void test_hundred_a_second(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	unsigned long before_kib = fake_desktop_resident_kib(fixture.desktop);
	for (unsigned i = 0; i < 300; i++) {
		knock(fixture.desktop, i);
		if (i % 10 == 0) {
			canvas_noise(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)),
				3000 + i);
			fake_render_flush_all(fixture.render, 0);
		}
		g_usleep(10000);
	}
	fixture_expect_canvas(&fixture);
	g_assert_cmpuint(
		fake_desktop_resident_kib(fixture.desktop), <, before_kib + GROWTH_LIMIT_KIB);
	fixture_stop(&fixture);
}

/*
 * A client sends SPICE's first bytes in WebSocket frames, then pings without end, and reads no
 * answer.
 */
static void test_ping_flood(void)
{
	static const char request[] =
		"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	static const char ping[] = "\x89\x84\0\0\0\0ping";
	struct fixture fixture;

	fixture_start(&fixture, 640, 480, NULL);
	int fd = fake_desktop_connect_socket(fixture.desktop);
	unsigned long before_kib = fake_desktop_resident_kib(fixture.desktop);
	g_assert_true(stranger_say(fd, request, sizeof(request) - 1));
	for (unsigned i = 0; i < 100000; i++) {
		if (send(fd, ping, sizeof(ping) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
			errno != EAGAIN)
			break;
	}
	g_assert_cmpuint(
		fake_desktop_resident_kib(fixture.desktop), <, before_kib + GROWTH_LIMIT_KIB);
	expect_next_client(&fixture);
	close(fd);
	fixture_stop(&fixture);
}

/* ---- hanging up ---- */

enum farewell {
	CLOSE,
	RESET,
	HALF_CLOSE,
	NONSENSE,
	FAREWELLS,
};

static void hang_up(int fd, enum farewell farewell)
{
	const struct linger none = { .l_onoff = 1 };
	static const uint8_t noise[64] = { 0xff, 0xfe, 0xfd };

	if (farewell == RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	if (farewell == HALF_CLOSE)
		shutdown(fd, SHUT_WR);
	if (farewell == NONSENSE)
		stranger_say(fd, noise, sizeof(noise));
	if (farewell == HALF_CLOSE || farewell == NONSENSE)
		g_usleep(30000);
	close(fd);
}

/*
 * A display channel goes at each of its first steps, in each way, while its client's main channel
 * is there. Display must not end, as that would cut off everybody else.
 */
static void hang_up_test(const struct fake_desktop_options *options)
{
	struct fixture fixture;
	struct stranger stranger;

	fixture_start(&fixture, 640, 480, options);
	for (unsigned i = 0; i < STRANGER_STEPS * FAREWELLS; i++) {
		stranger_connect_main(&stranger, fixture.desktop);
		stranger.display = stranger_go_until(fixture.desktop, SPICE_CHANNEL_DISPLAY,
			stranger.session, (enum stranger_step)(i / FAREWELLS));
		hang_up(stranger.display, (enum farewell)(i % FAREWELLS));
		g_usleep(20000);
		close(stranger.main);
		g_test_message("step %u, farewell %u", i / FAREWELLS, i % FAREWELLS);
		g_assert_true(fake_desktop_is_alive(fixture.desktop));
	}
	expect_next_client(&fixture);
	fixture_stop(&fixture);
}

/*
 * spice-server itself reads a longer first message than we do, and WebSocket frames: neither may be
 * a way around the relay.
 */
static void test_ways_around(void)
{
	static const char request[] =
		"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	const struct fake_desktop_options options = { .unix_socket = true };
	struct {
		SpiceLinkHeader header;
		SpiceLinkMess mess;
		uint8_t rest[2000];
	} __attribute__((packed)) link = {
		{ SPICE_MAGIC, SPICE_VERSION_MAJOR, SPICE_VERSION_MINOR,
			sizeof(link) - sizeof(SpiceLinkHeader) },
		{ 0, SPICE_CHANNEL_DISPLAY, 0, 0, 0, sizeof(SpiceLinkMess) },
	};
	char answer[16] = "";
	struct fixture fixture;

	fixture_start(&fixture, 640, 480, &options);
	int fd = fake_desktop_connect_socket(fixture.desktop);
	g_assert_true(stranger_say(fd, &link, sizeof(link)));
	/* Display refuses it without a byte of answer. */
	while (recv(fd, answer, sizeof(answer), 0) > 0)
		g_assert_not_reached();
	close(fd);
	fd = fake_desktop_connect_socket(fixture.desktop);
	g_assert_true(stranger_say(fd, request, sizeof(request) - 1));
	g_assert_true(stranger_hear(fd, answer, 13));
	g_assert_cmpmem(answer, 13, "HTTP/1.1 101 ", 13);
	close(fd);
	expect_next_client(&fixture);
	fixture_stop(&fixture);
}

static void test_hang_up(void)
{
	hang_up_test(NULL);
}

static void test_hang_up_local(void)
{
	const struct fake_desktop_options options = { .unix_socket = true };

	hang_up_test(&options);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/strangers/clock", test_clock);
	g_test_add_func("/strangers/lies", test_lies);
	g_test_add_func("/strangers/garbage", test_garbage);
	g_test_add_func("/strangers/does-not-read", test_does_not_read);
	g_test_add_func("/strangers/hundred-a-second", test_hundred_a_second);
	g_test_add_func("/strangers/ping-flood", test_ping_flood);
	g_test_add_func("/strangers/hang-up", test_hang_up);
	g_test_add_func("/strangers/hang-up-local", test_hang_up_local);
	g_test_add_func("/strangers/ways-around", test_ways_around);
	return g_test_run();
}
