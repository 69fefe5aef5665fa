/* SPDX-License-Identifier: MIT */
/* link_by_hand: the bytes with which a SPICE client begins, for tests that break its rules. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINK_BY_HAND_BYTES 42
#define LINK_BY_HAND_TICKET_BYTES 132

/* The whole of the link message of a channel. */
void link_by_hand_message(uint8_t bytes[LINK_BY_HAND_BYTES], uint8_t channel, uint32_t session);

/*
 * What a client says after the reply: that it gives a password, and the password, encrypted with
 * the reply's key as SPICE wants it (RSA-OAEP).
 */
void link_by_hand_ticket(
	uint8_t bytes[LINK_BY_HAND_TICKET_BYTES], const uint8_t *public_key, const char *password);
