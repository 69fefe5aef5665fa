/* SPDX-License-Identifier: MIT */
/*
 * session: what the relayed connections of one client share: the clock it is told, and what the
 * server and the client say about it. spice-server names a session in the main channel's first
 * message; the other channels link with that name.
 *
 * Main: the times in INIT and MULTI_MEDIA_TIME become now less our margin. Display: to the delays
 * in STREAM_REPORT is added what the margin is short of the server's, so that its rate control sees
 * what it expects. While sound plays, the client's clock follows that and none of this is done:
 * only the times in the sound's packets are changed (clock.h).
 *
 * A server that already tells a fresh clock (0.16) is left alone: seen by what it says, not by its
 * version.
 *
 * Threads: the relay's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sessions;
struct session;

struct session_ops {
	/* The main connection should tell the client the time: see session_make_time. */
	void (*tell)(void *user);
};

/* correct: false leaves every clock alone (for comparisons). */
struct sessions *sessions_create(bool correct);
void sessions_destroy(struct sessions *sessions);

/* For a main connection; it has no name until spice-server says one. */
struct session *session_create(
	struct sessions *sessions, const struct session_ops *ops, void *user);
/* For another one. Never NULL: of a name nobody has, it is a session whose clock is left alone. */
struct session *session_join(struct sessions *sessions, uint32_t name);
void session_unref(struct session *session);
/* The main connection has ended. */
void session_end(struct session *session);

/*
 * ---- what passes ----
 */

/* Main: returns the time that the client is told instead of `time_ms`. */
uint32_t session_init(struct session *session, uint32_t name, uint32_t time_ms);
uint32_t session_time(struct session *session, uint32_t time_ms);

/* Display: changes the client's report to what the server expects. */
struct session_report {
	uint32_t n_frames, n_late;
	int32_t left_ms;
};
void session_report(struct session *session, struct session_report *report);
/* Display: streams began, or ended (below 0). */
void session_streams(struct session *session, int more);

/* Playback: sound begins or ends. */
void session_playback(struct session *session, bool plays);
/* Playback: returns the time that the client is told a stream begins at, and a packet of it is of.
 */
uint32_t session_sound_start(const struct session *session, uint32_t time_ms);
uint32_t session_sound_time(const struct session *session, uint32_t time_ms);
/* Playback: how much sound the server wants the client to keep. */
uint32_t session_latency(struct session *session, uint32_t latency_ms);

/* The line of the client, as the kernel measures it. */
void session_line(struct session *session, uint32_t rtt_min_us, uint32_t rtt_var_us);

/*
 * ---- the clock ----
 */

/* When session_tick should be called; -1: not before something happens. */
int64_t session_next_us(const struct session *session);
void session_tick(struct session *session);
/* What to tell the client now. False: nothing, sound has the clock or the server's is left alone.
 */
bool session_make_time(struct session *session, uint32_t *time_ms);
/* How far behind the client's clock is; 0: as the server says. */
uint32_t session_margin_ms(const struct session *session);
