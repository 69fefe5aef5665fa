/* SPDX-License-Identifier: MIT */
/*
 * spice link: what a connection says first, read without taking it: spice-server reads it again.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

struct spice_link {
	bool display;    /* a display channel */
	bool gl_scanout; /* that takes dma-bufs */
};

enum spice_link_state {
	SPICE_LINK_MORE,  /* not all is there yet */
	SPICE_LINK_KNOWN, /* *link is filled in */
	SPICE_LINK_OTHER, /* TLS, WebSocket or nonsense; or the peer has gone */
};

enum spice_link_state spice_link_peek(int fd, struct spice_link *link);
