/* SPDX-License-Identifier: MIT */
/*
 * spice playback: the guest's sound on spice-server's playback channel.
 *
 * A playback stream that is started has the client's clock, and one that starves shifts it: so it
 * is started by the first sound that is no silence, and stopped when the guest stops it, when none
 * has come for PLAYBACK_STARVED_MS, or after PLAYBACK_SILENT_MS of silence. Nothing is queued here
 * but the rest of one frame of spice-server's (10 ms); it keeps three, and what finds none free is
 * dropped.
 *
 * Dropped is also what comes sooner than it can be heard: clients play all that they get, however
 * late. A QEMU that was held up writes everything that it missed; a client that had nothing to play
 * meanwhile would be that much behind from then on.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAYBACK_STARVED_MS 100
#define PLAYBACK_SILENT_MS 2000
/* Since a stream's start: three of QEMU's writes. */
#define PLAYBACK_AHEAD_MS 30

struct RedsState;
struct spice_playback;

/* NULL: spice-server refused it. */
struct spice_playback *spice_playback_create(struct RedsState *server);
/* After spice-server's end. NULL is fine. */
void spice_playback_destroy(struct spice_playback *playback);

/*
 * Frames a second of what is written from now on. Stops what plays. At 48000, the rate at the
 * start, sound is sent as Opus to clients that take it. spice-server keeps a connected client's
 * encoder when the rate changes, so with any other rate sound is sent as it is from then on: 1.4
 * Mbit/s at 44100.
 */
void spice_playback_set_rate(struct spice_playback *playback, uint32_t rate);
/* Stereo frames of two signed 16-bit samples of this machine's byte order; a rest below 4 bytes is
 * left. */
void spice_playback_write(struct spice_playback *playback, const void *data, size_t size_bytes);
void spice_playback_stop(struct spice_playback *playback);
/* Left and right, 0 to 65535. */
void spice_playback_set_volume(
	struct spice_playback *playback, bool mute, uint16_t left, uint16_t right);
