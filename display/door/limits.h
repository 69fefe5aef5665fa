/* SPDX-License-Identifier: MIT */
/*
 * limits: bounds on what a stranger may do at the door, before spice-server knows who it is. Each
 * says its unit, why it is as large as it is, and what the stranger gets past it.
 */
#pragma once

/* Listening sockets of one desktop. The keeper sends one for each address. Past it: the socket is
 * closed, with a warning. */
#define ARRIVALS_LISTENERS_MAX 8

/* Milliseconds in which a connection has to say which channel it is for. A client does so at once;
 * over a bad line it takes a few seconds. Past it: it is cut off. */
#define LOBBY_TIMEOUT_MS 15000

/* Connections that have not said so yet, in one lobby. A client opens about ten at a time. One
 * more, and the one that has been in longest is cut off. */
#define LOBBY_MAX 48

/* Bytes of a SPICE link message. It is longer than any that clients send; spice-server takes at
 * most 4096. Past it: the connection is no SPICE, and is closed. */
#define SPICE_LINK_BYTES_MAX 1024

/* Clients that are held back until a picture has been made for them. More are let in without one.
 */
#define AUDIENCE_HELD_MAX 16
