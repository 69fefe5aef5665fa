/* SPDX-License-Identifier: MIT */
/* agent_stream: checks that messages come out whole, wherever chunks and writes are cut. */
#include "display/spice/agent_stream.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

struct record {
	GString *text;
};

static void on_message(void *user, enum agent_stream_port port, uint32_t type, const uint8_t *body,
	uint32_t size_bytes)
{
	struct record *record = user;
	g_string_append_printf(record->text, "%d:%u:%u:", port, type, size_bytes);
	g_string_append_len(
		record->text, (const char *)body, MIN(size_bytes, AGENT_STREAM_BODY_MAX));
	g_string_append_c(record->text, '\n');
}

static void append32(GByteArray *bytes, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	g_byte_array_append(bytes, (const guint8 *)&value, sizeof(value));
}

static void append_message(GByteArray *bytes, uint32_t type, const char *body)
{
	append32(bytes, 1);
	append32(bytes, type);
	append32(bytes, 0);
	append32(bytes, 0);
	append32(bytes, (uint32_t)strlen(body));
	g_byte_array_append(bytes, (const guint8 *)body, (guint)strlen(body));
}

/*
 * Makes client messages cut into chunks of chunk_bytes, with a server's message after each. The
 * caller frees it.
 */
static GByteArray *make_stream(unsigned chunk_bytes, GString *expected)
{
	static const char *const bodies[] = { "", "abc", "0123456789abcdef", "0123456789abcdefghij",
		"z" };
	g_autoptr(GByteArray) client = g_byte_array_new();
	GByteArray *stream = g_byte_array_new();
	for (uint32_t i = 0; i < G_N_ELEMENTS(bodies); i++)
		append_message(client, i, bodies[i]);
	for (guint at = 0; at < client->len; at += chunk_bytes) {
		guint n = MIN(chunk_bytes, client->len - at);
		append32(stream, 1);
		append32(stream, n);
		g_byte_array_append(stream, client->data + at, n);
		append32(stream, 2);
		append32(stream, AGENT_STREAM_HEADER_BYTES + 5);
		append_message(stream, 99, "mouse");
	}
	for (uint32_t i = 0; i < G_N_ELEMENTS(bodies); i++)
		g_string_append_printf(expected, "0:%u:%zu:%.*s\n", i, strlen(bodies[i]),
			AGENT_STREAM_BODY_MAX, bodies[i]);
	return stream;
}

static void check(unsigned chunk_bytes, unsigned write_bytes)
{
	g_autoptr(GString) expected = g_string_new(NULL);
	g_autoptr(GByteArray) stream = make_stream(chunk_bytes, expected);
	struct record record = { .text = g_string_new(NULL) };
	struct agent_stream parser = { 0 };
	for (guint at = 0; at < stream->len; at += write_bytes)
		agent_stream_feed(&parser, stream->data + at, MIN(write_bytes, stream->len - at),
			on_message, &record);
	unsigned n_server = g_string_replace(record.text, "1:99:5:mouse\n", "", 0);
	g_assert_cmpuint(n_server, >, 0);
	g_assert_cmpstr(record.text->str, ==, expected->str);
	g_string_free(record.text, TRUE);
}

static void test_cuts(void)
{
	for (unsigned chunk = 1; chunk < 150; chunk++) {
		for (unsigned write = 1; write < 60; write++)
			check(chunk, write);
	}
}

static void on_any(void *user, enum agent_stream_port port, uint32_t type, const uint8_t *body,
	uint32_t size_bytes)
{
	unsigned *n = user;
	g_assert_cmpuint(port, <, AGENT_STREAM_PORTS);
	(*n)++;
}

/* Sizes may be anything: memory stays bounded and the parser never gets stuck. */
static void test_any_bytes(void)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(3);
	struct agent_stream parser = { 0 };
	unsigned n = 0;
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t bytes[64];
		for (unsigned b = 0; b < sizeof(bytes); b++)
			bytes[b] = g_rand_int_range(random, 0, 3) ? 0 : (uint8_t)g_rand_int(random);
		agent_stream_feed(
			&parser, bytes, (size_t)g_rand_int_range(random, 0, 65), on_any, &n);
	}
	/* The chunk promises 4 GiB, so its bytes are swallowed. */
	parser = (struct agent_stream){ 0 };
	static const uint8_t huge[] = { 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };
	static uint8_t zeros[AGENT_STREAM_HEADER_BYTES * 100];
	n = 0;
	agent_stream_feed(&parser, huge, sizeof(huge), on_any, &n);
	agent_stream_feed(&parser, zeros, sizeof(zeros), on_any, &n);
	g_assert_cmpuint(n, ==, 100);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/agent-stream/cuts", test_cuts);
	g_test_add_func("/agent-stream/any-bytes", test_any_bytes);
	return g_test_run();
}
