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
 * The relay's lobby holds this many strangers, and so many of one network (peer_address.h), or a
 * quarter of the descriptors that the process may have, if that is fewer. A client opens about ten
 * connections at a time and says what each is for, and later its password, within a round trip. At
 * 2000 strangers a second, all from its own network, this gives it a third of a second for each;
 * silent ones cost the loop nothing (relay/poll_set.h), and each one takes about 20 kB. When one
 * more comes, the one of the network that has most is cut off that has got no further for longest.
 */
#define LOBBY_MAX 1024
#define LOBBY_NETWORK_MAX 768

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

/*
 * At most this many connections wait for the keeper's word on whose they are. It answers thousands
 * a second, so they are a crowd. One more is turned away.
 */
#define VISITORS_MAX 256
