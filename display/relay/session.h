/* SPDX-License-Identifier: MIT */
/*
 * session: holds what the relayed connections of one client share. This is the clock that the
 * client is told, and what spice-server and the client say about it. spice-server names a session
 * in the main channel's first message, and the client's other channels link with that name.
 *
 * The messages are changed as follows:
 *   main channel     the time in INIT and in MULTI_MEDIA_TIME becomes the present time less our
 *                    margin (clock.h).
 *   display channel  each STREAM_REPORT gets the server's delay less our margin added, since
 *                    spice-server's rate control assumes its own delay.
 *   playback channel while sound plays the client sets its clock by the sound. Then the two rules
 *                    above rest, and only the times in the sound's messages are changed.
 *
 * spice-server 0.16 tells a fresh clock by itself, and its clock is left alone. We recognise it by
 * the time that it tells, not by its version.
 *
 * Threads: the relay's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/relay/client_policy.h"

struct sessions;
struct session;

struct session_ops {
	/* Asks the main connection to tell the client the time that session_make_time returns. */
	void (*tell)(void *user);
	/* Says that the client has touched something after it was warned. */
	void (*touched)(void *user);
	/* Says what spice-server calls the session, before the client hears it. */
	void (*named)(void *user, uint32_t name);
};

/* If `correct` is false every clock is left alone, for measurements that compare the two. */
struct sessions *sessions_create(bool correct);
void sessions_destroy(struct sessions *sessions);

/* Makes the session of a main connection. It has no name until spice-server says one. If `correct`
 * is false this session's clock is left alone. */
struct session *session_create(struct sessions *sessions, unsigned seat, bool correct,
	const struct session_ops *ops, void *user);
/* Returns what spice-server calls it; 0: nothing yet. */
uint32_t session_name(const struct session *session);
/* There is a spice-server for each seat: 0 is that of who may do more than look on. */
unsigned session_seat(const struct session *session);
/* Returns the first seat behind that whose session has ended, or none has had; 0: none of `n`. */
unsigned sessions_free_seat(const struct sessions *sessions, unsigned n);
/* Returns a reference to the session of this name, for any other connection; NULL: nobody has it,
 * or its main connection has ended. */
struct session *session_join(struct sessions *sessions, uint32_t name);
/*
 * Notes that the session's client opens the channel of this type and number, and that it has ended.
 * The first returns false when it has that channel already.
 */
bool session_take_channel(struct session *session, uint8_t type, uint8_t id);
void session_give_channel(struct session *session, uint8_t type, uint8_t id);
/* Tells whether no main connection has come to its seat since this session's. */
bool session_is_newest(const struct session *session);
/* Notes that the client has pressed a key, moved the pointer or the like. */
void session_touch(struct session *session);
/* Returns when it did so last, or came; session_warn() says that it is told that this is long ago.
 */
int64_t session_touched_us(const struct session *session);
void session_warn(struct session *session);
bool session_is_warned(const struct session *session);
void session_unref(struct session *session);
/* Says that the main connection has ended: `ops` are not called any more. */
void session_end(struct session *session);

/*
 * ---- what passes ----
 */

/*
 * These are for the main channel. They return the time that the client is told instead of the
 * server's `time_ms`, of INIT and of MULTI_MEDIA_TIME.
 */
uint32_t session_init(struct session *session, uint32_t name, uint32_t time_ms);
uint32_t session_time(struct session *session, uint32_t time_ms);

/* This is for the display channel. It changes the client's report to what the server expects. */
struct session_report {
	uint32_t n_frames, n_late; /* since the last report */
	int32_t left_ms;           /* as in struct clock_report */
};
void session_report(struct session *session, struct session_report *report);
/* Says that `more` video streams began on a display channel; a negative number of them ended. */
void session_streams(struct session *session, int more);

/* Says that sound begins or ends on the playback channel. */
void session_playback(struct session *session, bool plays);
/*
 * These are for the playback channel. They return the times that the client is told instead of the
 * server's `time_ms`, of a stream's beginning and of one packet of it.
 */
uint32_t session_sound_start(const struct session *session, uint32_t time_ms);
uint32_t session_sound_time(const struct session *session, uint32_t time_ms);
/*
 * Returns, for the playback channel, how much sound the client is told to keep in store, instead of
 * the server's `latency_ms`.
 */
uint32_t session_latency(struct session *session, uint32_t latency_ms);

/* Says what round trip the kernel measures on the client's connection: the least one, and how much
 * they vary. */
void session_line(struct session *session, uint32_t rtt_min_us, uint32_t rtt_var_us);

/*
 * ---- the clock ----
 */

/* Returns when session_tick should be called, on the monotonic clock; -1 says that there is no need
 * to before one of the functions above is called. */
int64_t session_next_us(const struct session *session);
void session_tick(struct session *session);
/* Writes what the client should be told now. Returns false when it should be told nothing: sound
 * sets its clock, or the server's clock is left alone. */
bool session_make_time(struct session *session, uint32_t *time_ms);
/* Returns how far the client's clock is behind ours, or 0 where the server's clock is left alone.
 */
uint32_t session_margin_ms(const struct session *session);
