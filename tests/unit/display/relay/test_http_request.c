/* SPDX-License-Identifier: MIT */
/*
 * http_request: checks how the head of a request is cut into its parts: what its fields are, where
 * it ends, and the bounds to the byte. websocket_answer's test is about what requests mean.
 */
#include "display/relay/http_request.h"

#include <string.h>

#include "display/relay/limits.h"

#define FIRST "GET / HTTP/1.1\r\n"

/* Reads all of the text at once. */
static enum http_state read_text(
	struct http_request *request, const char *text, struct http_refusal *refusal)
{
	size_t seen_bytes = 0, size_bytes = strlen(text);
	/* The copy is as long as its allocation, so that a sanitizer sees a read behind it. */
	g_autofree uint8_t *bytes = g_memdup2(text, MAX(size_bytes, 1));
	return http_request_read(request, bytes, size_bytes, &seen_bytes, refusal);
}

static void assert_broken(const char *text, const char *status)
{
	struct http_request request;
	struct http_refusal refusal = { 0 };
	g_autofree char *escaped = g_strescape(text, NULL);
	g_test_message("%.60s", escaped);
	g_assert_cmpint(read_text(&request, text, &refusal), ==, HTTP_BROKEN);
	g_assert_true(g_str_has_prefix(refusal.status, status));
	g_assert_cmpstr(refusal.why, !=, "");
	g_assert_cmpstr(refusal.fields, ==, "");
	http_request_finish(&request);
}

static void test_parts(void)
{
	struct http_request request;
	struct http_refusal refusal;
	const char *head =
		"PUT /a?b HTTP/1.7\r\nOne: 1\r\none:\t 2 \t\r\nEmpty:\r\nTwo: a:b\r\n\r\n";
	g_autofree char *text = g_strconcat(head, "more", NULL);
	g_assert_cmpint(read_text(&request, text, &refusal), ==, HTTP_WHOLE);
	g_assert_cmpuint(request.size_bytes, ==, strlen(head));
	g_assert_cmpstr(request.method, ==, "PUT");
	g_assert_cmpstr(request.target, ==, "/a?b");
	g_assert_cmpstr(request.version, ==, "HTTP/1.7");
	g_assert_cmpuint(request.fields->len, ==, 4);
	g_assert_cmpuint(http_request_count(&request, "ONE"), ==, 2);
	g_assert_cmpstr(http_request_value(&request, "ONE"), ==, "1");
	g_assert_cmpstr(g_array_index(request.fields, struct http_field, 1).value, ==, "2");
	g_assert_cmpstr(http_request_value(&request, "two"), ==, "a:b");
	g_assert_cmpuint(http_request_count(&request, "empty"), ==, 1);
	g_assert_cmpstr(http_request_value(&request, "empty"), ==, "");
	g_assert_cmpuint(http_request_count(&request, "On"), ==, 0);
	g_assert_cmpstr(http_request_value(&request, "On"), ==, "");
	http_request_finish(&request);
	http_request_finish(&request);
}

static void test_no_fields(void)
{
	struct http_request request;
	struct http_refusal refusal;
	g_assert_cmpint(read_text(&request, FIRST "\r\n", &refusal), ==, HTTP_WHOLE);
	g_assert_cmpuint(request.fields->len, ==, 0);
	g_assert_false(http_request_lists(&request, "a", "b", false));
	http_request_finish(&request);
}

static void test_folded(void)
{
	struct http_request request;
	struct http_refusal refusal;
	g_assert_cmpint(read_text(&request, FIRST "A: x\r\n y\r\n\tz\r\nB: 1\r\n\r\n", &refusal),
		==, HTTP_WHOLE);
	g_assert_cmpstr(http_request_value(&request, "A"), ==, "x   y  \tz");
	g_assert_cmpstr(http_request_value(&request, "B"), ==, "1");
	http_request_finish(&request);
}

/* A list may span several fields; blanks and empty elements count for nothing. */
static void test_lists(void)
{
	static const struct {
		const char *element;
		bool same_case, found;
	} cases[] = {
		{ "one", false, true },
		{ "ONE", false, true },
		{ "ONE", true, false },
		{ "One", true, true },
		{ "two three", true, true },
		{ "four", true, true },
		{ "two", false, false },
		{ "fou", false, false },
		{ "fours", false, false },
		{ "else", false, false },
	};
	struct http_request request;
	struct http_refusal refusal;
	g_assert_cmpint(
		read_text(&request, FIRST "L: One ,two three\r\nM: else\r\nl:,\t,four\r\n\r\n",
			&refusal),
		==, HTTP_WHOLE);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(
			http_request_lists(&request, "L", cases[i].element, cases[i].same_case), ==,
			cases[i].found);
	http_request_finish(&request);
}

/* Byte by byte the outcome is the same, and what was searched is not searched again. */
static void test_pieces(void)
{
	static const char text[] = FIRST "Host: a\r\n\r\nrest";
	const size_t head_bytes = strlen(text) - strlen("rest");
	size_t seen_bytes = 0;
	for (size_t n = 0; n <= sizeof(text) - 1; n++) {
		struct http_request request;
		struct http_refusal refusal;
		g_autofree uint8_t *bytes = g_memdup2(text, MAX(n, 1));
		enum http_state state =
			http_request_read(&request, bytes, n, &seen_bytes, &refusal);
		http_request_finish(&request);
		g_assert_cmpint(state, ==, n < head_bytes ? HTTP_MORE : HTTP_WHOLE);
		g_assert_cmpuint(seen_bytes, <=, n);
		if (n >= strlen(FIRST))
			g_assert_cmpuint(seen_bytes, >=, strlen(FIRST));
		if (state == HTTP_WHOLE)
			break;
	}
	g_assert_cmpuint(seen_bytes, ==, head_bytes);
}

/* A first line that is not HTTP's is refused before the rest is there. */
static void test_early_refusal(void)
{
	assert_broken("SSH-2.0-x\r\n", "400");
	assert_broken("GET /\r\n", "400");
	assert_broken("G(T / HTTP/1.1\r\n", "400");
	assert_broken("GET / HTTP/11\r\n", "400");
	assert_broken("GET  HTTP/1.1\r\n", "400");
	assert_broken("GET /\x01 HTTP/1.1\r\n", "400");
	assert_broken("GET / HTTP/1.1\n", "400");
	assert_broken("\r\n", "400");
	assert_broken(FIRST " folded: from nothing\r\n\r\n", "400");
	assert_broken(FIRST "a b: 1\r\n\r\n", "400");
	assert_broken(FIRST "no colon\r\n\r\n", "400");
	assert_broken(FIRST "a: \x7f\r\n\r\n", "400");
}

/* A zero byte is refused in the first line, before the rest is there, and in a field. */
static void test_zero_bytes(void)
{
	static const char *const texts[] = { "GET / HTTP/1.1|\r\n", FIRST "A: |\r\n\r\n" };
	for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
		struct http_request request;
		struct http_refusal refusal;
		size_t seen_bytes = 0, size_bytes = strlen(texts[i]);
		g_autofree char *text = g_strdelimit(g_strdup(texts[i]), "|", '\1');
		*strchr(text, '\1') = '\0';
		g_assert_cmpint(http_request_read(&request, (const uint8_t *)text, size_bytes,
					&seen_bytes, &refusal),
			==, HTTP_BROKEN);
		http_request_finish(&request);
	}
}

/* Returns a first line of `length` bytes before its CR. The caller frees it. */
static char *make_first_line(size_t length)
{
	g_autofree char *path = g_strnfill(length - strlen("GET / HTTP/1.1"), 'a');
	return g_strconcat("GET /", path, " HTTP/1.1\r\n", NULL);
}

static void test_bounds(void)
{
	struct http_request request;
	struct http_refusal refusal;
	g_autofree char *longest = make_first_line(REQUEST_LINE_BYTES_MAX);
	g_autofree char *whole = g_strconcat(longest, "\r\n", NULL);
	g_assert_cmpint(read_text(&request, whole, &refusal), ==, HTTP_WHOLE);
	http_request_finish(&request);
	g_autofree char *longer = make_first_line(REQUEST_LINE_BYTES_MAX + 1);
	assert_broken(longer, "414");
	/* It is also refused without its end, for which we need not wait. */
	longer[strlen(longer) - 1] = 'a';
	assert_broken(longer, "414");

	const size_t rest_bytes = strlen(FIRST "A: \r\n\r\n");
	g_autofree char *value = g_strnfill(REQUEST_BYTES_MAX - rest_bytes, 'x');
	g_autofree char *largest = g_strconcat(FIRST "A: ", value, "\r\n\r\n", NULL);
	g_assert_cmpuint(strlen(largest), ==, REQUEST_BYTES_MAX);
	g_assert_cmpint(read_text(&request, largest, &refusal), ==, HTTP_WHOLE);
	g_assert_cmpuint(strlen(http_request_value(&request, "a")), ==, strlen(value));
	http_request_finish(&request);
	g_autofree char *larger = g_strconcat(FIRST "A: x", value, "\r\n\r\n", NULL);
	assert_broken(larger, "431");
}

static char *make_fields(unsigned n)
{
	GString *text = g_string_new(FIRST);
	for (unsigned i = 0; i < n; i++)
		g_string_append(text, "a: 1\r\n");
	g_string_append(text, "\r\n");
	return g_string_free(text, FALSE);
}

static void test_many_fields(void)
{
	struct http_request request;
	struct http_refusal refusal;
	g_autofree char *most = make_fields(HEADERS_MAX);
	g_autofree char *more = make_fields(HEADERS_MAX + 1);
	g_assert_cmpint(read_text(&request, most, &refusal), ==, HTTP_WHOLE);
	g_assert_cmpuint(http_request_count(&request, "A"), ==, HEADERS_MAX);
	http_request_finish(&request);
	assert_broken(more, "431");
}

/* SPICE begins with R, methods of HTTP with other capitals, and TLS with no letter. */
static void test_begins(void)
{
	g_assert_true(http_request_begins('G') && http_request_begins('P'));
	g_assert_false(http_request_begins('R') || http_request_begins('g') ||
		       http_request_begins(0x16) || http_request_begins(0xff));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/http-request/parts", test_parts);
	g_test_add_func("/http-request/no-fields", test_no_fields);
	g_test_add_func("/http-request/folded", test_folded);
	g_test_add_func("/http-request/lists", test_lists);
	g_test_add_func("/http-request/pieces", test_pieces);
	g_test_add_func("/http-request/early-refusal", test_early_refusal);
	g_test_add_func("/http-request/zero-bytes", test_zero_bytes);
	g_test_add_func("/http-request/bounds", test_bounds);
	g_test_add_func("/http-request/many-fields", test_many_fields);
	g_test_add_func("/http-request/begins", test_begins);
	return g_test_run();
}
