/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what a client says to the guest's agent (agent_stream.h): the messages that come out are
 * those of a plain reading of the whole, however it is cut.
 */
#include <string.h>

#include "display/spice/agent_stream.h"
#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* It is a message as it came out. */
struct heard {
	enum agent_stream_port port;
	uint32_t type, size_bytes;
	uint8_t body[AGENT_STREAM_BODY_MAX];
};

static void note(GArray *all, enum agent_stream_port port, uint32_t type, const uint8_t *body,
	uint32_t size_bytes)
{
	struct heard heard;
	memset(&heard, 0, sizeof(heard));
	heard.port = port;
	heard.type = type;
	heard.size_bytes = size_bytes;
	memcpy(heard.body, body, MIN(size_bytes, AGENT_STREAM_BODY_MAX));
	g_array_append_val(all, heard);
}

static void on_message(void *user, enum agent_stream_port port, uint32_t type, const uint8_t *body,
	uint32_t size_bytes)
{
	note(user, port, type, body, size_bytes);
}

static uint32_t read32(const uint8_t *bytes)
{
	uint32_t value;
	memcpy(&value, bytes, sizeof(value));
	return GUINT32_FROM_LE(value);
}

/* Puts what each port says together first, and cuts it into messages then. */
static void read_plainly(const uint8_t *data, size_t size_bytes, GByteArray **ports)
{
	while (size_bytes >= AGENT_STREAM_CHUNK_BYTES) {
		size_t n = MIN(read32(data + 4), size_bytes - AGENT_STREAM_CHUNK_BYTES);
		unsigned port = read32(data) == 1 ? AGENT_STREAM_CLIENT : AGENT_STREAM_SERVER;
		g_byte_array_append(ports[port], data + AGENT_STREAM_CHUNK_BYTES, (guint)n);
		data += AGENT_STREAM_CHUNK_BYTES + n;
		size_bytes -= AGENT_STREAM_CHUNK_BYTES + n;
	}
}

static void cut_plainly(enum agent_stream_port port, const GByteArray *bytes, GArray *all)
{
	for (size_t at = 0; bytes->len - at >= AGENT_STREAM_HEADER_BYTES;) {
		const uint8_t *header = bytes->data + at;
		uint32_t n = read32(header + 16);
		at += AGENT_STREAM_HEADER_BYTES;
		if (n > bytes->len - at)
			return;
		note(all, port, read32(header + 4), bytes->data + at, n);
		at += n;
	}
}

/* Messages of the two ports may come in any order; those of one may not. */
static void expect_same(const GArray *wanted, const GArray *got, enum agent_stream_port port)
{
	guint n = 0;
	for (guint i = 0; i < got->len; i++) {
		const struct heard *heard = &g_array_index(got, struct heard, i);
		if (heard->port != port)
			continue;
		g_assert(n < wanted->len);
		g_assert(memcmp(heard, &g_array_index(wanted, struct heard, n), sizeof(*heard)) ==
			 0);
		n++;
	}
	g_assert(n == wanted->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct feed feed = { data, size_bytes };
	uint32_t random = feed_u8(&feed) + 1u;
	GByteArray *ports[AGENT_STREAM_PORTS];
	g_autoptr(GArray) got = g_array_new(FALSE, FALSE, sizeof(struct heard));
	struct agent_stream stream = { 0 };
	for (unsigned i = 0; i < AGENT_STREAM_PORTS; i++)
		ports[i] = g_byte_array_new();
	read_plainly(feed.data, feed.left_bytes, ports);
	while (feed.left_bytes > 0) {
		size_t n;
		const uint8_t *bytes = feed_take(&feed, 1 + feed_random(&random) % 40, &n);
		g_autofree uint8_t *copy = g_memdup2(bytes, n);
		agent_stream_feed(&stream, copy, n, on_message, got);
	}
	for (unsigned i = 0; i < AGENT_STREAM_PORTS; i++) {
		g_autoptr(GArray) wanted = g_array_new(FALSE, FALSE, sizeof(struct heard));
		cut_plainly(i, ports[i], wanted);
		expect_same(wanted, got, i);
		g_byte_array_unref(ports[i]);
	}
	return 0;
}
