/* SPDX-License-Identifier: MIT */
/*
 * spice record: hears the client's microphone on spice-server's record channel, while the guest
 * records. A client is told to begin and to end, and opens its microphone only in between.
 *
 * spice-server stores what comes, and is asked for it each RECORD_TICK_MS. It gives nothing before
 * it has 85 ms of a client that begins (sound.cpp, RECORD_SAMPLES_SIZE / 2 pairs at 48 kHz), which
 * is how far the guest hears behind; more than 170 ms it does not keep.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_TICK_MS 10

struct RedsState;
struct spice_record;

struct spice_record_ops {
	/*
	 * Takes what the client said: pairs of 16-bit samples, left and right, of this machine's
	 * byte order. `pairs` is only read, and only during the call.
	 */
	void (*heard)(void *user, const uint32_t *pairs, size_t n_pairs);
};

/* Returns NULL when spice-server refuses (logged). */
struct spice_record *spice_record_create(
	struct RedsState *server, const struct spice_record_ops *ops, void *user);
/* Must be called after the server was destroyed. NULL is fine. */
void spice_record_destroy(struct spice_record *record);

/*
 * Has clients record `rate_hz` pairs of samples a second from now on. At 48000 clients that have
 * Opus send Opus.
 */
void spice_record_start(struct spice_record *record, uint32_t rate_hz);
void spice_record_stop(struct spice_record *record);
/* Says which volume the guest wishes for at the client's microphone, each side from 0 to 65535. */
void spice_record_set_volume(struct spice_record *record, bool mute, uint16_t left, uint16_t right);
