/* SPDX-License-Identifier: MIT */
/*
 * limits of the door: bound what a stranger may do before spice-server knows who it is. Each says
 * its unit, why it is as large as it is, and what the stranger gets past it.
 */
#pragma once

/*
 * A desktop has at most this many listening sockets. The keeper sends one for each address. One
 * more is closed, with a warning.
 */
#define ARRIVALS_LISTENERS_MAX 8

/*
 * A connection has this many milliseconds to say which channel it is for. A client does so at once;
 * over a bad line it takes a few seconds. Past it the connection is cut off.
 */
#define LOBBY_TIMEOUT_MS 15000

/*
 * One lobby holds this many connections that have not said so yet. A client opens about ten at a
 * time. When one more comes, the one that has been in longest is cut off.
 */
#define LOBBY_MAX 48

/*
 * A SPICE link message may have this many bytes. Clients send shorter ones; spice-server takes at
 * most 4096. Past it the connection is no SPICE, and is closed.
 */
#define SPICE_LINK_BYTES_MAX 1024

/*
 * This many clients are held back until a picture has been made for them. More are let in without
 * one.
 */
#define AUDIENCE_HELD_MAX 16
