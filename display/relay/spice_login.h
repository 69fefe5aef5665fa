/* SPDX-License-Identifier: MIT */
/*
 * spice login: reads and writes what both sides say before a channel's first message
 * (spice/protocol.h): the client's link message, which door/spice_link.h reads, the answer to it,
 * the client's ticket and the result. The relay plays the server to clients, and a client to
 * spice-server.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "display/door/spice_link.h"
#include "display/relay/limits.h"
#include "display/relay/link_key.h"

/* The same as SPICE_LINK_ERR_*, of an answer and of a result. */
enum spice_login_error {
	SPICE_LOGIN_OK,
	SPICE_LOGIN_ERROR,
	SPICE_LOGIN_INVALID_MAGIC,
	SPICE_LOGIN_INVALID_DATA,
	SPICE_LOGIN_VERSION_MISMATCH,
	SPICE_LOGIN_NEED_SECURED,
	SPICE_LOGIN_NEED_UNSECURED,
	SPICE_LOGIN_PERMISSION_DENIED,
	SPICE_LOGIN_BAD_CONNECTION_ID,
	SPICE_LOGIN_CHANNEL_NOT_AVAILABLE,
};

/* Types of channels are less than this. */
#define SPICE_LOGIN_TYPES 12
/* Returns whether spice-server may be asked for a channel of this type. */
bool spice_login_knows(uint8_t type);
/* Returns whether it leads to a device of the guest's: USB, a folder, a port. */
bool spice_login_is_device(uint8_t type);

/* What the server's end of a channel can do, in words of 32 bits. */
struct spice_login_capabilities {
	unsigned n_common, n_channel;
	uint32_t common[SPICE_LOGIN_WORDS_MAX], channel[SPICE_LOGIN_WORDS_MAX];
};

/*
 * Takes away what clients are not to do: compress what they say to devices, which spice-server
 * would take, of any size, before it is known whether the device does.
 */
void spice_login_withhold(struct spice_login_capabilities *capabilities, uint8_t type);

/* ---- the answer ---- */

#define SPICE_LOGIN_ANSWER_BYTES_MAX (194 + 2 * 4 * SPICE_LOGIN_WORDS_MAX)

/* Write it, with the public key and capabilities, or the error, and return its size. */
size_t spice_login_make_answer(const uint8_t public_key[LINK_KEY_PUBLIC_BYTES],
	const struct spice_login_capabilities *capabilities,
	uint8_t bytes[SPICE_LOGIN_ANSWER_BYTES_MAX]);
size_t spice_login_make_error(
	enum spice_login_error error, uint8_t bytes[SPICE_LOGIN_ANSWER_BYTES_MAX]);

struct spice_login_answer {
	uint32_t error;
	uint8_t public_key[LINK_KEY_PUBLIC_BYTES];
	struct spice_login_capabilities capabilities;
};

/* Returns how many bytes the answer is known to have, of which the first are there. */
size_t spice_login_answer_bytes(const uint8_t *bytes, size_t size_bytes);
/* Returns its size, 0 when it is not whole, or -EPROTO. */
ssize_t spice_login_read_answer(
	const uint8_t *bytes, size_t size_bytes, struct spice_login_answer *answer);

/* ---- the ticket ---- */

#define SPICE_LOGIN_TICKET_BYTES_MAX (4 + LINK_KEY_ENCRYPTED_BYTES)

/*
 * Says that clients may log in by SASL, too. Returns false when the server does not let clients
 * choose how they do.
 */
bool spice_login_offer_sasl(struct spice_login_capabilities *capabilities);
/* Returns how many bytes say that the client chooses SASL; 0: it does not, or not yet. */
size_t spice_login_chooses_sasl(
	const struct spice_link *link, const uint8_t *bytes, size_t size_bytes);

/*
 * Reads what follows the answer: the mechanism, if the link message said that the client chooses
 * one, and the ticket. Returns its size, 0 when it is not whole, or -EPROTO when the client wants
 * another mechanism, which it was not offered.
 */
ssize_t spice_login_read_ticket(const struct spice_link *link, const uint8_t *bytes,
	size_t size_bytes, const uint8_t **encrypted);
/* Writes the mechanism and the ticket. */
void spice_login_make_ticket(const uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES],
	uint8_t bytes[SPICE_LOGIN_TICKET_BYTES_MAX]);

/* ---- the link message ---- */

/*
 * Writes the link message that spice-server gets for a client's. It says the same, but that the
 * client chooses a mechanism, and of those only the one that we use. Returns its size, which is at
 * most SPICE_LINK_BYTES_MAX + 4.
 */
size_t spice_login_make_link(const uint8_t *message, const struct spice_link *link,
	uint8_t bytes[SPICE_LINK_BYTES_MAX + 4]);
/* Writes one of our own, for a channel of this type, to see the answer. Returns its size. */
size_t spice_login_make_question(uint8_t type, uint8_t bytes[SPICE_LINK_BYTES_MAX + 4]);

/* Returns whether both sides take short message headers. */
bool spice_login_has_mini_header(
	const struct spice_link *link, const struct spice_login_capabilities *capabilities);
