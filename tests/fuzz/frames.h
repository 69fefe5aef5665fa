/* SPDX-License-Identifier: MIT */
/*
 * frames: reads WebSocket frames by RFC 6455 alone, for fuzz_websocket to compare with: what a
 * server must make of a client's bytes, and whether a server's bytes are in order.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frames_read {
	GByteArray *data; /* of data frames, whole ones or not */
	bool ended;       /* a goodbye was heard, or a rule is broken */
	bool broken;      /* it is a rule */
	unsigned status;  /* that the answer must have; 0: none */
	bool tires;       /* so many frames in a row have no data that it may be cut off for that */
};

/* Reads a client's frames; `tired_frames` in a row without data may be too many. */
void frames_read_client(
	struct frames_read *read, const uint8_t *bytes, size_t size_bytes, unsigned tired_frames);

/* It is a server's frames as they went out. */
struct frames_sent {
	GByteArray *data;
	bool said_goodbye;
	unsigned status; /* of the goodbye; 0: none */
};

/* Asserts that they are in order, and that all are whole if `whole`. */
void frames_check_server(
	struct frames_sent *sent, const uint8_t *bytes, size_t size_bytes, bool whole);
