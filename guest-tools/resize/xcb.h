/* SPDX-License-Identifier: MIT */
/*
 * xcb reaches an X server by libxcb, which is found at run time: it knows where the server is and
 * how one is let in. What is said, RandR, is put together in randr.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xcb;

/* NULL: there is no libxcb, or no server at $DISPLAY; why was said. */
struct xcb *xcb_open(void);
void xcb_close(struct xcb *xcb);
int xcb_descriptor(const struct xcb *xcb);
bool xcb_is_gone(const struct xcb *xcb);
uint32_t xcb_root(const struct xcb *xcb);
/*
 * Sends one request, whose first four bytes are filled here: of RandR, `minor` is what it asks, and
 * of the core protocol it is the second byte. `n_bytes` is a multiple of 4.
 */
void xcb_tell(
	struct xcb *xcb, bool randr, uint8_t major, uint8_t minor, void *request, size_t n_bytes);
/* The same, and waits for the answer, which the caller frees. NULL: it was refused. */
uint8_t *xcb_ask(struct xcb *xcb, bool randr, uint8_t major, uint8_t minor, void *request,
	size_t n_bytes, size_t *answer_bytes);
/* Sends all, and forgets the events that have come. Were there any? */
bool xcb_take_events(struct xcb *xcb);
