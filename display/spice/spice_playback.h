/* SPDX-License-Identifier: MIT */
/*
 * spice playback: plays the guest's sound on spice-server's playback channel.
 *
 * A client takes its clock from a playback stream that was started, and one that starves shifts
 * that clock. So the first sound that is not silent starts it. It is stopped when the guest stops,
 * when no sound has come for PLAYBACK_STARVED_MS, or after PLAYBACK_SILENT_MS of silence.
 *
 * spice-server takes sound by the block, 10 ms each. It has three of them, and sound that finds
 * none free is dropped; here only the block that is being filled waits. Sound that comes sooner
 * than it can be heard is dropped, too. A QEMU that was held up writes all that it missed, and a
 * client plays all that it gets: it would be that much behind from then on.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A stream ends when this much time passes without sound: QEMU has left out ten writes. */
#define PLAYBACK_STARVED_MS 100
#define PLAYBACK_SILENT_MS 2000
/* Sound may be this far ahead of the time since the stream's start: three of QEMU's writes. */
#define PLAYBACK_AHEAD_MS 30

struct RedsState;
struct spice_playback;

/* Returns NULL when spice-server refuses (logged). */
struct spice_playback *spice_playback_create(struct RedsState *server);
/* Must be called after the server was destroyed. NULL is fine. */
void spice_playback_destroy(struct spice_playback *playback);

/*
 * Stops what plays. Sound that is written from now on has `rate_hz` pairs of samples a second. At
 * 48000, the rate at the start, clients that take Opus get Opus. spice-server keeps a connected
 * client's encoder when the rate changes. So after any other rate sound is sent uncompressed for
 * good: 1.4 Mbit/s at 44100.
 */
void spice_playback_set_rate(struct spice_playback *playback, uint32_t rate_hz);
/*
 * Takes pairs of 16-bit samples, left and right, signed and of this machine's byte order. A rest
 * below 4 bytes is dropped.
 */
void spice_playback_write(struct spice_playback *playback, const void *data, size_t size_bytes);
void spice_playback_stop(struct spice_playback *playback);
/* Says which volume the guest wishes for at the client, each side from 0 to 65535. */
void spice_playback_set_volume(
	struct spice_playback *playback, bool mute, uint16_t left, uint16_t right);
