/* SPDX-License-Identifier: MIT */
/*
 * crowd: so many strangers a second, of one kind, each from 127.0.0.1. The newest CROWD_KEPT of
 * them stay as long as display lets them; older ones go by themselves.
 *
 * Threads: it has one of its own.
 */
#pragma once

#include <stdint.h>

#define CROWD_KEPT 800

enum crowd_kind {
	CROWD_SILENT,    /* say nothing */
	CROWD_LINK,      /* half of a link message */
	CROWD_TLS,       /* half of a ClientHello */
	CROWD_WEBSOCKET, /* half of a WebSocket request */
	CROWD_HELLO,     /* a whole ClientHello, and then nothing */
	CROWD_LINKED,    /* a link message, and then nothing */
	CROWD_GUESS,     /* a password that is wrong */
	CROWD_KINDS,
};

extern const char *const crowd_names[CROWD_KINDS];

struct crowd;

struct crowd *crowd_start(uint16_t port, enum crowd_kind kind, unsigned per_s);
/* Sends them away. */
void crowd_stop(struct crowd *crowd);
/* Returns how many have come so far, and were connected. */
unsigned crowd_came(struct crowd *crowd);
/* Returns how many of the guesses so far were answered. */
unsigned crowd_answered(struct crowd *crowd);
