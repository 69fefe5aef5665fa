/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/frames.h"

#include <string.h>

enum { CONTINUES, TEXT, BINARY, CLOSE = 8, PING, PONG };

#define BROKEN 1002
#define NOT_BINARY 1003
#define NOT_UTF8 1007

/* It is a frame's header, and what of the body is there. */
struct frame {
	bool fin, masked;
	uint8_t reserved, opcode;
	uint64_t body_bytes;
	uint8_t mask[4];
	const uint8_t *body;
	size_t there_bytes;
};

enum verdict { MORE, GOOD, BAD };

static uint64_t read_big(const uint8_t *bytes, unsigned n)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < n; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* What the length alone makes wrong is wrong before the body is there. */
static enum verdict read_header(struct frame *frame, const uint8_t *bytes, size_t size_bytes)
{
	static const unsigned long_bytes[] = { 2, 8 };
	if (size_bytes < 2)
		return MORE;
	*frame = (struct frame){ .fin = bytes[0] >> 7,
		.reserved = bytes[0] >> 4 & 7,
		.opcode = bytes[0] & 15,
		.masked = bytes[1] >> 7,
		.body_bytes = bytes[1] & 127 };
	if (frame->opcode & 8 && (!frame->fin || frame->body_bytes > 125))
		return BAD;
	unsigned extra = frame->body_bytes < 126 ? 0 : long_bytes[frame->body_bytes - 126];
	size_t at = 2 + extra;
	if (size_bytes < at)
		return MORE;
	if (extra > 0)
		frame->body_bytes = read_big(bytes + 2, extra);
	if ((extra == 2 && frame->body_bytes < 126) ||
		(extra == 8 && (frame->body_bytes < 65536 || frame->body_bytes >> 63)))
		return BAD;
	if (frame->masked && size_bytes < at + sizeof(frame->mask))
		return MORE;
	if (frame->masked)
		memcpy(frame->mask, bytes + at, sizeof(frame->mask));
	at += frame->masked ? sizeof(frame->mask) : 0;
	frame->body = bytes + at;
	frame->there_bytes = (size_t)MIN(frame->body_bytes, size_bytes - at);
	return GOOD;
}

static void end(struct frames_read *read, unsigned status)
{
	read->ended = true;
	read->broken = status != 0;
	read->status = status;
}

static bool is_status(unsigned status)
{
	static const unsigned assigned[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011,
		1012, 1013, 1014 };
	for (unsigned i = 0; i < G_N_ELEMENTS(assigned); i++) {
		if (status == assigned[i])
			return true;
	}
	return status >= 3000 && status < 5000;
}

static void read_goodbye(struct frames_read *read, const uint8_t *body, size_t n)
{
	unsigned status = n >= 2 ? (unsigned)read_big(body, 2) : 0;
	if (n == 1 || (n >= 2 && !is_status(status))) {
		end(read, BROKEN);
	} else if (n > 2 && !g_utf8_validate((const char *)body + 2, (gssize)n - 2, NULL)) {
		end(read, NOT_UTF8);
	} else {
		end(read, 0);
		read->status = status;
	}
}

/* A frame is judged when its header and the first byte of its body are there. */
static bool is_in_order(struct frames_read *read, const struct frame *frame, bool *in_message)
{
	bool control = frame->opcode & 8;
	if (!frame->masked || frame->reserved) {
		end(read, BROKEN);
	} else if (frame->opcode == TEXT) {
		end(read, NOT_BINARY);
	} else if (frame->opcode > PONG || (frame->opcode > BINARY && !control)) {
		end(read, BROKEN);
	} else if (!control && (frame->opcode == CONTINUES) != *in_message) {
		end(read, BROKEN);
	}
	if (!control)
		*in_message = !frame->fin;
	return !read->ended;
}

static void take_body(struct frames_read *read, const struct frame *frame, unsigned *tired)
{
	bool control = frame->opcode & 8;
	g_autofree uint8_t *body = g_malloc(frame->there_bytes + 1);
	for (size_t i = 0; i < frame->there_bytes; i++)
		body[i] = frame->masked ? frame->body[i] ^ frame->mask[i % 4] : frame->body[i];
	*tired = control || frame->there_bytes == 0 ? *tired + 1 : 0;
	if (!control)
		g_byte_array_append(read->data, body, (guint)frame->there_bytes);
	else if (frame->opcode == CLOSE && frame->there_bytes == frame->body_bytes)
		read_goodbye(read, body, frame->there_bytes);
}

void frames_read_client(
	struct frames_read *read, const uint8_t *bytes, size_t size_bytes, unsigned tired_frames)
{
	struct frame frame;
	bool in_message = false;
	unsigned tired = 0;
	enum verdict verdict;
	*read = (struct frames_read){ .data = g_byte_array_new() };
	while (!read->ended && (verdict = read_header(&frame, bytes, size_bytes)) != MORE) {
		if (verdict == BAD) {
			end(read, BROKEN);
			return;
		}
		if (frame.there_bytes == 0 && frame.body_bytes > 0)
			return;
		if (!is_in_order(read, &frame, &in_message))
			return;
		take_body(read, &frame, &tired);
		read->tires |= tired >= tired_frames;
		if (frame.there_bytes < frame.body_bytes)
			return;
		size_bytes -= (size_t)(frame.body - bytes) + frame.there_bytes;
		bytes = frame.body + frame.there_bytes;
	}
}

void frames_check_server(
	struct frames_sent *sent, const uint8_t *bytes, size_t size_bytes, bool whole)
{
	struct frame frame;
	enum verdict verdict;
	*sent = (struct frames_sent){ .data = g_byte_array_new() };
	while ((verdict = read_header(&frame, bytes, size_bytes)) == GOOD) {
		g_assert(!sent->said_goodbye);
		g_assert(frame.fin && !frame.masked && !frame.reserved);
		g_assert(frame.opcode == BINARY || frame.opcode == CLOSE || frame.opcode == PONG);
		g_assert(!whole || frame.there_bytes == frame.body_bytes);
		if (frame.opcode == BINARY)
			g_byte_array_append(sent->data, frame.body, (guint)frame.there_bytes);
		if (frame.opcode == CLOSE) {
			g_assert(frame.body_bytes == 0 || frame.body_bytes == 2);
			sent->said_goodbye = true;
			if (frame.there_bytes == 2)
				sent->status = (unsigned)read_big(frame.body, 2);
		}
		size_bytes -= (size_t)(frame.body - bytes) + frame.there_bytes;
		bytes = frame.body + frame.there_bytes;
	}
	g_assert(verdict == MORE && (!whole || size_bytes == 0));
}
