/* SPDX-License-Identifier: MIT */
/*
 * peer_log: warnings that a peer can cause at will.
 *
 * A guest, a client or QEMU can send thousands of bad messages a second. Of each kind of peer the
 * first few are logged as they come; then one every few seconds, which says how many were left out.
 * So one kind cannot hide what another does. Any thread.
 */
#pragma once

#include <glib.h>

enum peer {
	PEER_GUEST,
	PEER_CLIENT,
	PEER_QEMU,
	PEERS,
};

/* The text names the object and the limit; it is logged under the program's name. */
void peer_warning(enum peer peer, const char *format, ...) G_GNUC_PRINTF(2, 3);
