/* SPDX-License-Identifier: MIT */
/*
 * lookers: shows the desktop to those who only look on beside the one who drives. Each has a seat:
 * a spice-server of its own, with heads, cursor and sound, because one spice-server with several
 * clients waits for the slowest. It is there from the start on, and costs a thread and little
 * memory while nobody sits there.
 *
 * Pictures are copied for it (heads/mirror.h), so that whoever looks on a slow line keeps nothing
 * from the others. What lookers type or touch the relay leaves out; they have no agent, so no
 * clipboard, and their windows' sizes change nothing. They are offered the heads that are on.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display/heads/frame.h"
#include "display/line/line.h"
#include "display/qemu/inputs.h"

struct lookers;

struct lookers_ops {
	/* Somebody has begun to look at a head, or ended. */
	void (*looks)(void *user, unsigned head, bool looks);
	/* As in spice_core.h. */
	void (*connection)(void *user, int fd, const void *key, bool connected);
};

/* `inputs` takes nothing of theirs, but spice-server offers a pointer only where it has one.
 * Returns NULL when spice-server refuses one (logged). */
struct lookers *lookers_create(unsigned n, const char *name, struct inputs *inputs,
	const struct lookers_ops *ops, void *user);
/* Ends their connections; then the second one frees the rest, when nobody calls back any more. */
void lookers_close(struct lookers *lookers);
void lookers_destroy(struct lookers *lookers);

/* Seats count from 1. */
struct line *lookers_line(struct lookers *lookers, unsigned seat);
/* Is spice_core_add_client() of the seat's. */
bool lookers_add_client(struct lookers *lookers, unsigned seat, int fd);
void lookers_set_codecs(struct lookers *lookers, const char *codecs);

/* ---- what the guest shows, as screens.h has it ---- */

bool lookers_turn_on(struct lookers *lookers, const struct frame_head_on *on);
void lookers_turn_off(struct lookers *lookers, unsigned head);
/* The frame stays the caller's. */
void lookers_show(
	struct lookers *lookers, const struct frame *frame, const struct frame_present *message);
void lookers_drop_frames(struct lookers *lookers);
void lookers_cursor_image(struct lookers *lookers, unsigned head, const uint32_t *pixels,
	uint32_t hot_x, uint32_t hot_y);
void lookers_cursor_hot_spot(
	struct lookers *lookers, unsigned head, uint32_t hot_x, uint32_t hot_y);
void lookers_cursor_move(struct lookers *lookers, unsigned head, int32_t x, int32_t y);
void lookers_cursor_hide(struct lookers *lookers, unsigned head);
void lookers_set_absolute(struct lookers *lookers, bool absolute);

/* ---- what it plays, as spice_playback.h has it ---- */

void lookers_set_rate(struct lookers *lookers, uint32_t rate_hz);
void lookers_play(struct lookers *lookers, const void *data, size_t size_bytes);
void lookers_stop_playing(struct lookers *lookers);
void lookers_set_volume(struct lookers *lookers, bool mute, uint16_t left, uint16_t right);
