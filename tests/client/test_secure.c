/* SPDX-License-Identifier: MIT */
/*
 * secure: has clients come in TLS and in WebSocket frames; whoever does not speak these properly
 * stays outside.
 */
#include "tests/client/bridge.h"
#include "tests/client/fixture.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS 10000

static void exchange_pictures(struct fixture *fixture)
{
	for (int i = 0; i < 4; i++) {
		canvas_noise(fixture_canvas(fixture), canvas_all(fixture_canvas(fixture)), 70 + i);
		fake_render_flush_all(fixture->render, 0);
		fixture_expect_canvas(fixture);
	}
}

/* ---- TLS ---- */

static void test_tls(void)
{
	const struct fake_desktop_options options = { .tls = true, .ticket = "secret" };
	struct fixture fixture;

	fixture_start(&fixture, 1024, 768, &options);
	client_trust(fake_desktop_certificate(fixture.desktop));
	fixture.client = client_new(fake_desktop_address(fixture.desktop), "secret");
	g_assert_true(client_is_connected(fixture.client));
	g_assert_true(fake_render_wait_rate(fixture.render, 0, true, ANSWER_MS));
	exchange_pictures(&fixture);
	g_free(client_run(fixture.client, "disconnect"));
	g_free(client_run(fixture.client, "reconnect"));
	exchange_pictures(&fixture);
	client_trust(NULL);
	fixture_stop(&fixture);
}

/* A client that does not trust the certificate leaves, and nobody comes in without TLS. */
static void test_tls_refused(void)
{
	const struct fake_desktop_options options = { .tls = true };
	struct fixture fixture;
	char byte;

	fixture_start(&fixture, 640, 480, &options);
	struct client *distrustful = client_new(fake_desktop_address(fixture.desktop), NULL);
	g_assert_false(client_is_connected(distrustful));
	client_free(distrustful);
	g_assert_true(fake_desktop_wait_log(
		fixture.desktop, "cut off: it does not trust the certificate", ANSWER_MS));
	g_autofree char *plain =
		g_strdup_printf("spice://127.0.0.1:%u", fake_desktop_port(fixture.desktop));
	struct client *open = client_new(plain, NULL);
	g_assert_false(client_is_connected(open));
	client_free(open);
	int fd = fake_desktop_connect_socket(fixture.desktop);
	g_assert_cmpint(send(fd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), ==, 18);
	/* Display may send a TLS alert before it closes. */
	while (recv(fd, &byte, 1, 0) > 0)
		;
	close(fd);
	client_trust(fake_desktop_certificate(fixture.desktop));
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	client_trust(NULL);
	fixture_stop(&fixture);
}

/* ---- WebSocket ---- */

static void websocket_test(bool tls)
{
	const struct fake_desktop_options options = { .tls = tls };
	struct fixture fixture;
	struct bridge bridge;

	fixture_start(&fixture, 1024, 768, &options);
	bridge_start(&bridge, fixture.desktop, NULL);
	fixture.client = client_new(bridge.address, NULL);
	g_assert_true(client_is_connected(fixture.client));
	g_assert_true(fake_render_wait_rate(fixture.render, 0, true, ANSWER_MS));
	exchange_pictures(&fixture);
	/* The moves take long enough for pings to come among them. */
	for (int i = 0; i < 300; i++)
		g_free(client_run(fixture.client, "move %d %d", 10 + i, 20 + i));
	exchange_pictures(&fixture);
	g_free(client_run(fixture.client, "disconnect"));
	g_free(client_run(fixture.client, "reconnect"));
	exchange_pictures(&fixture);
	g_clear_pointer(&fixture.client, client_free);
	bridge_stop(&bridge);
	fixture_stop(&fixture);
}

static void test_websocket(void)
{
	websocket_test(false);
}

static void test_websocket_in_tls(void)
{
	websocket_test(true);
}

/*
 * Expects the answer to a WebSocket request with this Origin header (NULL: none) to begin with
 * `wanted`.
 */
static void expect_answer(
	const struct fake_desktop *desktop, const char *origin, const char *wanted)
{
	g_autofree char *request = g_strdup_printf(
		"GET / HTTP/1.1\r\nHost: 127.0.0.1:5900\r\n%s%s%sUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		origin ? "Origin: " : "", origin ? origin : "", origin ? "\r\n" : "");
	char answer[512] = { 0 };
	int fd = fake_desktop_connect_socket(desktop);
	size_t length = strlen(request);

	g_assert_cmpint(send(fd, request, length, MSG_NOSIGNAL), ==, length);
	g_assert_cmpint(recv(fd, answer, strlen(wanted), MSG_WAITALL), ==, strlen(wanted));
	g_assert_cmpstr(answer, ==, wanted);
	close(fd);
}

/*
 * The Origin header is checked, because a page from anywhere can make a browser connect to this
 * machine.
 */
static void test_origins(void)
{
	const struct fake_desktop_options with_password = { .ticket = "secret" };
	struct fixture fixture;

	fixture_start(&fixture, 640, 480, NULL);
	expect_answer(fixture.desktop, NULL, "HTTP/1.1 101");
	expect_answer(fixture.desktop, "http://127.0.0.1:8000", "HTTP/1.1 101");
	expect_answer(fixture.desktop, "https://evil.example", "HTTP/1.1 403");
	expect_answer(fixture.desktop, "http://127.0.0.1.evil.example", "HTTP/1.1 403");
	expect_answer(fixture.desktop, "http://192.0.2.1", "HTTP/1.1 403");
	expect_answer(fixture.desktop, "null", "HTTP/1.1 403");
	fixture_stop(&fixture);
	fixture_start(&fixture, 640, 480, &with_password);
	expect_answer(fixture.desktop, "https://portal.example", "HTTP/1.1 101");
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/secure/tls", test_tls);
	g_test_add_func("/secure/tls-refused", test_tls_refused);
	g_test_add_func("/secure/websocket", test_websocket);
	g_test_add_func("/secure/websocket-in-tls", test_websocket_in_tls);
	g_test_add_func("/secure/origins", test_origins);
	return g_test_run();
}
