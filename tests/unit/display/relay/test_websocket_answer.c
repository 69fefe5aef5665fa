/* SPDX-License-Identifier: MIT */
/*
 * websocket_answer: checks which requests are accepted, and by which status the others are refused
 * (RFC 6455, 4; RFC 9112). Each is given in one piece and byte by byte, and the answer must be the
 * same.
 */
#include <glib.h>
#include <string.h>

#include "display/relay/limits.h"
#include "display/relay/websocket.h"

#define FIRST "GET / HTTP/1.1\r\n"
#define HOST "Host: 10.0.0.1:5900\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define REST HOST UPGRADE VERSION KEY
#define ALL FIRST REST

static const struct request {
	const char *name, *text; /* without the empty line at the end */
	unsigned status;
	const char *field; /* one that the answer must have; NULL: any */
} requests[] = {
	{ "plain", ALL, 101, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" },
	{ "path", "GET /spice?token=1 HTTP/1.1\r\n" REST, 101, NULL },
	{ "whole address", "GET ws://10.0.0.1:5900/ HTTP/1.1\r\n" REST, 101, NULL },
	{ "whole address of HTTP", "GET HTTP://10.0.0.1:5900/a HTTP/1.1\r\n" REST, 101, NULL },
	{ "later minor version", "GET / HTTP/1.2\r\n" REST, 101, NULL },
	/* These vary names and lists. */
	{ "names in capitals",
		FIRST
		"HOST: a\r\nUPGRADE: WebSocket\r\nCONNECTION: UPGRADE\r\n"
		"SEC-WEBSOCKET-VERSION: 13\r\nSEC-WEBSOCKET-KEY: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		101, NULL },
	{ "connection on one line",
		FIRST HOST VERSION KEY "Upgrade: websocket\r\nConnection: keep-alive , upgrade\r\n",
		101, NULL },
	{ "connection on two lines",
		FIRST HOST VERSION KEY
		"Connection: keep-alive\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
		101, NULL },
	{ "upgrade on two lines", ALL "Upgrade: h2c\r\n", 101, NULL },
	{ "empty list elements",
		FIRST HOST VERSION KEY "Upgrade: ,,websocket,\r\nConnection: , Upgrade ,\r\n", 101,
		NULL },
	{ "upgrade with something behind",
		FIRST HOST VERSION KEY "Upgrade: websocketx\r\nConnection: Upgrade\r\n", 400,
		NULL },
	{ "no connection", FIRST HOST VERSION KEY "Upgrade: websocket\r\n", 400, NULL },
	{ "connection: close", FIRST HOST VERSION KEY "Upgrade: websocket\r\nConnection: close\r\n",
		400, NULL },
	{ "no upgrade", FIRST HOST VERSION KEY "Connection: Upgrade\r\n", 400, NULL },
	{ "plain page", FIRST HOST, 400, NULL },
	/* These ask for sub-protocols. */
	{ "protocol", ALL "Sec-WebSocket-Protocol: binary\r\n", 101,
		"Sec-WebSocket-Protocol: binary" },
	{ "protocols on one line", ALL "Sec-WebSocket-Protocol: base64, binary\r\n", 101,
		"Sec-WebSocket-Protocol: binary" },
	{ "protocols on two lines",
		ALL "Sec-WebSocket-Protocol: base64\r\nSec-WebSocket-Protocol: binary\r\n", 101,
		"Sec-WebSocket-Protocol: binary" },
	{ "other protocol", ALL "Sec-WebSocket-Protocol: chat\r\n", 101,
		"!Sec-WebSocket-Protocol" },
	{ "protocol in capitals", ALL "Sec-WebSocket-Protocol: BINARY\r\n", 101,
		"!Sec-WebSocket-Protocol" },
	{ "extensions", ALL "Sec-WebSocket-Extensions: permessage-deflate\r\n", 101,
		"!Sec-WebSocket-Extensions" },
	/* These have blanks. */
	{ "blank behind the key",
		FIRST HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ== \t\r\n",
		101, NULL },
	{ "blank behind the version", FIRST HOST UPGRADE KEY "Sec-WebSocket-Version: 13 \r\n", 101,
		NULL },
	{ "no blanks",
		FIRST "Host:a\r\nUpgrade:websocket\r\nConnection:Upgrade\r\n"
		      "Sec-WebSocket-Version:13\r\nSec-WebSocket-Key:dGhlIHNhbXBsZSBub25jZQ==\r\n",
		101, NULL },
	{ "folded",
		FIRST HOST VERSION KEY "Upgrade:\r\n websocket\r\nConnection: a,\r\n\tUpgrade\r\n",
		101, NULL },
	{ "folded from nothing", FIRST " x\r\n" REST, 400, NULL },
	{ "blank before the colon", ALL "X : 1\r\n", 400, NULL },
	{ "empty value", ALL "X:\r\n", 101, NULL },
	{ "bytes beyond ASCII in a value", ALL "X: \xc3\xa9\r\n", 101, NULL },
	/* These are about the version. */
	{ "version 8", FIRST HOST UPGRADE KEY "Sec-WebSocket-Version: 8\r\n", 426,
		"Sec-WebSocket-Version: 13" },
	{ "version 130", FIRST HOST UPGRADE KEY "Sec-WebSocket-Version: 130\r\n", 426,
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13" },
	{ "no version", FIRST HOST UPGRADE KEY, 400, NULL },
	{ "version twice", ALL VERSION, 400, NULL },
	/* These are about the key. */
	{ "no key", FIRST HOST UPGRADE VERSION, 400, NULL },
	{ "key twice", ALL KEY, 400, NULL },
	{ "key of 15 bytes",
		FIRST HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n", 400,
		NULL },
	{ "key of 17 bytes",
		FIRST HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU=\r\n", 400,
		NULL },
	{ "key of 24 other characters",
		FIRST HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n", 400,
		NULL },
	/* These are about the host. */
	{ "no host", FIRST UPGRADE VERSION KEY, 400, NULL },
	{ "host twice", ALL HOST, 400, NULL },
	{ "host with a path", FIRST "Host: a/b\r\n" UPGRADE VERSION KEY, 400, NULL },
	/* These are about the first line. */
	{ "POST", "POST / HTTP/1.1\r\n" REST, 405, "Allow: GET" },
	{ "get", "Get / HTTP/1.1\r\n" REST, 405, NULL },
	{ "HTTP/1.0", "GET / HTTP/1.0\r\n" REST, 505, NULL },
	{ "HTTP/2.0", "GET / HTTP/2.0\r\n" REST, 505, NULL },
	{ "no version", "GET /\r\n" REST, 400, NULL },
	{ "two blanks", "GET  / HTTP/1.1\r\n" REST, 400, NULL },
	{ "blank in the path", "GET /a b HTTP/1.1\r\n" REST, 400, NULL },
	{ "lower case http", "GET / http/1.1\r\n" REST, 400, NULL },
	{ "SSH", "SSH-2.0-x\r\n", 400, NULL },
	/* These are about the form. */
	{ "no path", "GET spice HTTP/1.1\r\n" REST, 400, NULL },
	{ "an asterisk", "GET * HTTP/1.1\r\n" REST, 400, NULL },
	{ "host and port", "GET 10.0.0.1:5900 HTTP/1.1\r\n" REST, 400, NULL },
	{ "another scheme", "GET ftp://10.0.0.1/ HTTP/1.1\r\n" REST, 400, NULL },
	{ "fragment", "GET /spice#here HTTP/1.1\r\n" REST, 400, NULL },
	{ "line feeds alone", "GET / HTTP/1.1\n" REST, 400, NULL },
	{ "a line feed alone", ALL "X: 1\nY: 2\r\n", 400, NULL },
	{ "a carriage return alone", ALL "X: 1\rY: 2\r\n", 400, NULL },
	{ "no colon", ALL "nonsense\r\n", 400, NULL },
	{ "no name", ALL ": x\r\n", 400, NULL },
	{ "control character", ALL "X: \1\r\n", 400, NULL },
	/* A body would be taken for frames, so none is accepted. */
	{ "body", ALL "Content-Length: 4\r\n", 400, NULL },
	{ "empty body", ALL "Content-Length: 0\r\n", 101, NULL },
	{ "body in chunks", ALL "Transfer-Encoding: chunked\r\n", 400, NULL },
};

static unsigned status_of(const struct websocket_answer *answer)
{
	g_assert_true(g_str_has_prefix(answer->text, "HTTP/1.1 "));
	g_assert_true(g_str_has_suffix(answer->text, "\r\n\r\n"));
	return (unsigned)g_ascii_strtoull(answer->text + strlen("HTTP/1.1 "), NULL, 10);
}

static enum websocket_state ask(const char *text, size_t size_bytes, size_t step_bytes, bool open,
	struct websocket_answer *answer)
{
	size_t seen_bytes = 0;
	enum websocket_state state = WEBSOCKET_MORE;
	for (size_t n = step_bytes; state == WEBSOCKET_MORE && n < size_bytes; n += step_bytes)
		state = websocket_answer((const uint8_t *)text, n, open, &seen_bytes, answer);
	if (state == WEBSOCKET_MORE)
		state = websocket_answer(
			(const uint8_t *)text, size_bytes, open, &seen_bytes, answer);
	return state;
}

static void check_field(const struct request *request, const char *answer)
{
	if (!request->field)
		return;
	if (request->field[0] == '!') {
		g_assert_null(strstr(answer, request->field + 1));
		return;
	}
	g_autofree char *line = g_strdup_printf("\r\n%s\r\n", request->field);
	g_assert_nonnull(strstr(answer, line));
}

static void check(const struct request *request, size_t step_bytes)
{
	g_autofree char *text = g_strdup_printf("%s\r\n", request->text);
	struct websocket_answer answer;
	enum websocket_state state = ask(text, strlen(text), step_bytes, false, &answer);
	g_test_message("%s, %zu bytes at once: %s", request->name, step_bytes, answer.text);
	g_assert_cmpint(state, ==, request->status == 101 ? WEBSOCKET_GOOD : WEBSOCKET_REFUSED);
	g_assert_cmpuint(status_of(&answer), ==, request->status);
	g_assert_true((answer.why != NULL) == (request->status != 101));
	if (request->status == 101)
		g_assert_cmpuint(answer.request_bytes, ==, strlen(text));
	check_field(request, answer.text);
}

static void test_requests(void)
{
	static const size_t steps[] = { SIZE_MAX / 2, 1, 7 };
	for (unsigned i = 0; i < G_N_ELEMENTS(requests); i++)
		for (unsigned s = 0; s < G_N_ELEMENTS(steps); s++)
			check(&requests[i], steps[s]);
}

/* ---- limits: the last that is good, the first that is not ---- */

static unsigned ask_status(const GString *text, size_t step_bytes)
{
	struct websocket_answer answer;
	g_assert_cmpint(ask(text->str, text->len, step_bytes, false, &answer), !=, WEBSOCKET_MORE);
	return status_of(&answer);
}

static void test_size(void)
{
	for (unsigned over = 0; over < 2; over++) {
		g_autoptr(GString) text = g_string_new(ALL "Cookie: ");
		while (text->len < REQUEST_BYTES_MAX - 4 + over)
			g_string_append_c(text, 'x');
		g_string_append(text, "\r\n\r\n");
		g_assert_cmpuint(ask_status(text, SIZE_MAX / 2), ==, over ? 431 : 101);
		g_assert_cmpuint(ask_status(text, 1), ==, over ? 431 : 101);
	}
}

/* The answer comes when the limit is passed, not when the line ends. */
static void test_endless(void)
{
	struct websocket_answer answer;
	g_autoptr(GString) field = g_string_new(ALL "Cookie: ");
	g_autoptr(GString) first = g_string_new("GET /");
	while (field->len < REQUEST_BYTES_MAX)
		g_string_append_c(field, 'x');
	while (first->len < REQUEST_LINE_BYTES_MAX + 2)
		g_string_append_c(first, 'x');
	g_assert_cmpint(ask(field->str, field->len, 1000, false, &answer), ==, WEBSOCKET_REFUSED);
	g_assert_cmpuint(status_of(&answer), ==, 431);
	g_assert_cmpint(ask(first->str, first->len, 1000, false, &answer), ==, WEBSOCKET_REFUSED);
	g_assert_cmpuint(status_of(&answer), ==, 414);
}

static void test_first_line(void)
{
	for (unsigned over = 0; over < 2; over++) {
		g_autoptr(GString) text = g_string_new("GET /");
		while (text->len < REQUEST_LINE_BYTES_MAX - strlen(" HTTP/1.1") + over)
			g_string_append_c(text, 'x');
		g_string_append(text, " HTTP/1.1\r\n" REST "\r\n");
		g_assert_cmpuint(ask_status(text, SIZE_MAX / 2), ==, over ? 414 : 101);
	}
}

static void test_headers(void)
{
	const unsigned known = 5;
	for (unsigned over = 0; over < 2; over++) {
		g_autoptr(GString) text = g_string_new(FIRST);
		for (unsigned i = 0; i < HEADERS_MAX - known + over; i++)
			g_string_append_printf(text, "X-%u: 1\r\n", i);
		g_string_append(text, REST "\r\n");
		g_assert_cmpuint(ask_status(text, SIZE_MAX / 2), ==, over ? 431 : 101);
	}
}

static void test_zero_byte(void)
{
	static const char text[] = ALL "X: a\0b\r\n\r\n";
	struct websocket_answer answer;
	g_assert_cmpint(ask(text, sizeof(text) - 1, 1, false, &answer), ==, WEBSOCKET_REFUSED);
	g_assert_cmpuint(status_of(&answer), ==, 400);
}

/* What follows the request is not looked at, wherever it is cut. */
static void test_bytes_behind(void)
{
	static const char text[] = ALL "\r\n\x82\x80GET / HTTP/1.1\n\n";
	struct websocket_answer answer;
	for (size_t step = 1; step < sizeof(text); step++) {
		g_assert_cmpint(
			ask(text, sizeof(text) - 1, step, false, &answer), ==, WEBSOCKET_GOOD);
		g_assert_cmpuint(answer.request_bytes, ==, strlen(ALL "\r\n"));
	}
}

/* No password is asked for, so only pages of this very host may come. */
static void test_origins(void)
{
	static const struct {
		const char *host, *origin;
		unsigned status;
	} pages[] = {
		{ "10.0.0.1:5900", NULL, 101 },
		{ "10.0.0.1:5900", "http://10.0.0.1:8000", 101 },
		{ "localhost:5900", "http://localhost", 101 },
		{ "[::1]:5900", "http://[::1]:8000", 101 },
		{ "10.0.0.1:5900", "http://10.0.0.2", 403 },
		{ "name:5900", "http://name", 403 },
		{ "10.0.0.1:5900", "null", 403 },
		{ "10.0.0.1:5900", "http://10.0.0.1\r\nOrigin: http://evil", 400 },
		{ "10.0.0.1:5900", "\r\n http://evil", 403 },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(pages); i++) {
		struct websocket_answer answer;
		g_autofree char *text = g_strdup_printf(FIRST "Host: %s\r\n" UPGRADE VERSION KEY
							      "%s%s%s\r\n",
			pages[i].host, pages[i].origin ? "Origin: " : "",
			pages[i].origin ? pages[i].origin : "", pages[i].origin ? "\r\n" : "");
		ask(text, strlen(text), SIZE_MAX / 2, true, &answer);
		g_test_message("%s", text);
		g_assert_cmpuint(status_of(&answer), ==, pages[i].status);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/websocket-answer/requests", test_requests);
	g_test_add_func("/websocket-answer/size", test_size);
	g_test_add_func("/websocket-answer/endless", test_endless);
	g_test_add_func("/websocket-answer/first-line", test_first_line);
	g_test_add_func("/websocket-answer/headers", test_headers);
	g_test_add_func("/websocket-answer/zero-byte", test_zero_byte);
	g_test_add_func("/websocket-answer/bytes-behind", test_bytes_behind);
	g_test_add_func("/websocket-answer/origins", test_origins);
	return g_test_run();
}
