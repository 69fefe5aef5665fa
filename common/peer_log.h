/* SPDX-License-Identifier: MIT */
/*
 * peer_log logs warnings that a peer can cause at will, and bounds how many.
 *
 * A guest, a client or QEMU can send thousands of bad messages a second. The first 10 of each kind
 * of peer are logged as they come. After that one every 5 seconds is, which says how many were left
 * out. The kinds are counted apart, so that one cannot hide what another does.
 *
 * Any thread may call it.
 */
#pragma once

#include <glib.h>

enum peer {
	PEER_GUEST,
	PEER_CLIENT,
	PEER_GUESSER, /* a client that gives wrong passwords */
	PEER_QEMU,
	PEER_VIEWER, /* a client that has come in: a crowd outside does not hide it */
	PEERS,
};

/*
 * Logs a warning, or counts it as left out. The text names the object and the limit. A message is
 * what is no fault.
 */
void peer_message(enum peer peer, const char *format, ...) G_GNUC_PRINTF(2, 3);
void peer_warning(enum peer peer, const char *format, ...) G_GNUC_PRINTF(2, 3);
