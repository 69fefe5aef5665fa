/* SPDX-License-Identifier: MIT */
/* spice_words: writes what the two sides of a SPICE connection say, for tests that play them. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* These are in the client's link message. A main channel names no session. */
#define SPICE_WORDS_SESSION 7
#define SPICE_WORDS_CHANNEL_ID 2

void put(GByteArray *bytes, const void *data, size_t size_bytes);
void put_client_link(GByteArray *bytes, uint8_t channel, uint32_t caps);
/* The answer has a key of its own, to which any ticket may be encrypted. */
void put_server_link(GByteArray *bytes, uint32_t error, uint32_t caps);
/* If `mechanism`, both sides' capabilities say that the client chooses a mechanism first. */
void put_ticket(GByteArray *bytes, bool mechanism);
/* The name of a mechanism of SASL, and what it says. */
void put_sasl_text(GByteArray *bytes, const void *text, size_t size_bytes);
void put_sasl_datum(GByteArray *bytes, const void *datum, size_t size_bytes);
/* How SCRAM begins, with the mechanism's name before it. */
void put_sasl_scram(GByteArray *bytes);
/* A client's request to go on in WebSocket frames. */
#define SPICE_WORDS_UPGRADE                                                                        \
	"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"       \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
/* If `mini`, the message has a short header. */
void put_message(
	GByteArray *bytes, bool mini, uint16_t type, const void *body, uint32_t body_bytes);
/* Returns the common capabilities. */
uint32_t caps_of(bool mini);
