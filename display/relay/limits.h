/* SPDX-License-Identifier: MIT */
/*
 * limits of the relay: bound what a stranger may send to it or make it keep. Each says its unit,
 * why it is as large as it is, and what the stranger gets past it. Values that only tune how we
 * behave stand beside their code.
 */
#pragma once

#include "display/door/limits.h"

/*
 * ---- connections ----
 */

/*
 * This many connections may be relayed at the same time. A client has about seven, and one more
 * for each further head. Past it: the socket is closed at once.
 */
#define RELAY_CONNECTIONS_MAX 128

/*
 * This many bytes wait in one direction of a connection. It is one reading of a socket; together
 * with the kernel's buffers it is what spice-server cannot see any more. Past it: we stop reading,
 * and the sender waits.
 */
#define PIPE_BYTES 16384

/*
 * The kernel may keep this many bytes between us and spice-server, for the same reason. Past it:
 * spice-server waits.
 */
#define INNER_BYTES 16384

/*
 * Who makes these connections answers within so many milliseconds; it is held up only by a machine
 * that is. Past it: display ends, and the keeper starts another.
 */
#define INNER_MAKER_WAIT_MS 5000

/*
 * One connection may move bytes this often before the others have their turn. Past it: it goes on
 * in the thread's next turn.
 */
#define ROUNDS_MAX 16

/*
 * A display channel on the unix socket moves this many bytes and descriptors at once, while the
 * relay is still between (pass.h): pictures are not compressed there. spice-server sends one
 * descriptor at a time. Past it: the sender waits; the kernel drops descriptors that there is no
 * room for.
 */
#define PASS_BYTES 65536
#define PASS_FDS_MAX 4

/*
 * ---- SPICE messages ----
 */

/* A message's header has at most this many bytes: the longest kind is SpiceDataHeader. */
#define SPICE_TALK_HEADER_MAX 18

/*
 * A watched message is shown up to this many bytes, from its beginning. Past it: the rest is not
 * looked at.
 */
#define SPICE_TALK_SHOWN_MAX 64

/*
 * A client's message may have this many bytes: spice-server itself takes at most 4096 on any
 * channel but for sound, 32768. Past it: the client is cut off.
 */
#define SPICE_MANNERS_BYTES_MAX 4096
#define SPICE_MANNERS_SOUND_MAX 32768

/*
 * So many times a client may say how it encodes what it records, which it does at each beginning of
 * a recording: each costs spice-server (0.15) about 27 KiB for as long as the channel is there.
 * Past it: the client is cut off.
 */
#define SPICE_MANNERS_MODES_MAX 1000

/*
 * One part of a message to the guest's agent may have this many bytes (VD_AGENT_MAX_DATA_SIZE).
 * Past it: the client is cut off.
 */
#define SPICE_MANNERS_AGENT_MAX 2048

/*
 * A message to a USB device, a folder or a port may have this many bytes: stock clients send one
 * packet of usbredir in one message, which are 4 MiB and a header (qemu/limits.h). Past it: the
 * client is cut off.
 */
#define SPICE_MANNERS_DEVICE_MAX ((4 << 20) + 64)

/* So much of a message must be there before it is judged, at most. */
#define SPICE_MANNERS_HELD_MAX SPICE_MANNERS_AGENT_MAX

/*
 * This many bytes may have to come again with more behind them, so that a pipe needs this much
 * room: those of the longest message that is judged whole, with its header. Each link message is
 * shorter.
 */
#define SPICE_TALK_HELD_MAX (SPICE_TALK_HEADER_MAX + SPICE_MANNERS_HELD_MAX)

/*
 * What a server's end can do has at most this many words for all channels, and for one: there are
 * 4 and 15 capabilities today, 32 in a word. spice-server is refused past it.
 */
#define SPICE_LOGIN_WORDS_MAX 8

/*
 * ---- SASL (RFC 4422) ----
 */

/*
 * The name of a mechanism has at most this many bytes: RFC 4422 allows 20, spice-server 100. Past
 * it: the client is cut off.
 */
#define SPICE_SASL_NAME_MAX 100

/*
 * What a mechanism says at once has at most this many bytes, with its NUL. spice-server allows a
 * MiB; those on offer say two names, a password and some random bytes, which are 400 bytes where
 * each is as long as it may be. libsasl2 (2.1.28) never gives back a name of more than 1024 bytes,
 * with which strangers could fill memory. Past it: the client is cut off.
 */
#define SPICE_SASL_DATUM_MAX 1024

/*
 * A client says so many of them: SCRAM's has two, and the second is the last. Past it: the log-in
 * has failed.
 */
#define SASL_TALK_STEPS_MAX 3

/*
 * ---- the WebSocket request (RFC 6455, 4.2.1; RFC 9112) ----
 */

/*
 * The request's first line may have this many bytes. Web servers allow 8 KiB. Past it: the answer
 * is 414.
 */
#define REQUEST_LINE_BYTES_MAX 8192

/*
 * The whole request may have this many bytes. Single sign-on makes cookies of several kilobytes,
 * and browsers send all of a host's along, in one header; web servers allow 32 KiB and more. Past
 * it: the answer is 431.
 */
#define REQUEST_BYTES_MAX 65536

/* One request may have this many header fields. Past it: the answer is 431. */
#define HEADERS_MAX 256

/*
 * ---- WebSocket frames (RFC 6455, 5) ----
 */

/*
 * One frame of ours has at most this many bytes of data. A frame is begun with what there is to
 * send and must then be finished before a ping can be answered, so it is kept short. Frames of
 * clients may be of any size: they are passed on in pieces.
 */
#define FRAME_BYTES_MAX 16384

/*
 * This many frames in a row may bring no data. They cost us time and move nothing. Past it: the
 * connection is closed with status 1008.
 */
#define EMPTY_FRAMES_MAX 256

/*
 * A control frame may have this many bytes (RFC 6455, 5.5). Past it: the connection is closed with
 * status 1002.
 */
#define CONTROL_BYTES_MAX 125

/*
 * ---- TLS ----
 */

/*
 * A certificate's or key's file may have this many bytes. Chains and keys that are in use are far
 * smaller. Past it: tls_credentials_create fails.
 */
#define TLS_FILE_BYTES_MAX (256 * 1024)

/*
 * Strangers may make us compute for so many percent of a core, by handshakes, and for so many
 * microseconds at once after a quiet time: a client's ten connections, on a slow machine. Past it:
 * they wait (effort.h), and then are cut off (door/limits.h). Who comes from a network that has no
 * more strangers than EFFORT_FEW, a client's connections, may take the microseconds of the debt
 * besides.
 */
#define EFFORT_PERCENT 10
#define EFFORT_SAVED_US 50000
#define EFFORT_DEBT_US 200000
#define EFFORT_FEW 16

/*
 * A client for whom there is no time, since too many guess, asks again after so many microseconds,
 * chosen anew each time so that nobody is always behind the same others, and for so many in all.
 * That is less than LOBBY_TIMEOUT_MS, so that it is told. Past it: permission denied.
 */
#define LOGIN_ASK_MIN_US 300000
#define LOGIN_ASK_MAX_US 900000
#define LOGIN_STAND_BY_US 12000000

/*
 * ---- the end ----
 */

/*
 * This many bytes are read and thrown away after our last word, so that the client gets to read it:
 * the kernel resets a connection that is closed while data waits in it. Past it: it is closed.
 */
#define DISCARDED_BYTES_MAX (256 * 1024)

/* The host of a switch is an address in digits, of at most so many bytes. */
#define SWITCH_HOST_BYTES_MAX 45

/*
 * The subject of our certificate, for clients in TLS, has at most this many bytes; usual ones have
 * below a hundred. With a longer one these clients are not told to come again.
 */
#define SWITCH_SUBJECT_BYTES_MAX 512

/*
 * The words of a notice to a client have at most this many bytes, which is more than any of ours
 * has. Longer ones are cut.
 */
#define NOTICE_BYTES_MAX 200
#define FAREWELL_BYTES_MAX                                                                         \
	(SPICE_TALK_HEADER_MAX + 24 + SWITCH_HOST_BYTES_MAX + 1 + SWITCH_SUBJECT_BYTES_MAX + 1)
