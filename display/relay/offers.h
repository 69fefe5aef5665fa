/* SPDX-License-Identifier: MIT */
/*
 * offers: knows what spice-server's end of each type of channel can do, which clients are
 * told before they are let in. It asks spice-server when a type is wanted for the first time, by a
 * connection of its own that says nothing but its link message, and keeps the answer: no stranger
 * makes spice-server do anything.
 *
 * Threads: the relay's, whose main context hears the answers.
 */
#pragma once

#include <stdint.h>

#include "display/relay/spice_login.h"

/* A type that spice-server has not answered for is asked for again after so many milliseconds. */
#define OFFERS_AGAIN_MS 1000

struct offers;

struct offers_ops {
	/* Gives a connection to spice-server, without a word to anybody. `fd` is the callee's. */
	void (*ask)(void *user, int fd);
	/* Says that there is an answer, or none. */
	void (*ready)(void *user);
};

struct offers *offers_create(const struct offers_ops *ops, void *user);
void offers_destroy(struct offers *offers);

enum offers_state {
	OFFERS_NONE, /* there is no such channel */
	OFFERS_ASKED,
	OFFERS_KNOWN, /* *words is set, until offers_destroy */
};

enum offers_state offers_get(
	struct offers *offers, uint8_t type, const struct spice_login_capabilities **words);
