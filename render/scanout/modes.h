/* SPDX-License-Identifier: MIT */
/*
 * modes: keeps what the guest is told about its monitors: size, place and rate. Only the gpu thread
 * uses it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/frame_link.h"
#include "render/scanout/limits.h"

#define MODES_DEFAULT_WIDTH 1920
#define MODES_DEFAULT_HEIGHT 1080
#define MODES_DEFAULT_REFRESH_MHZ 60000

struct modes {
	struct frame_head_mode modes[FRAME_HEADS_MAX];
	bool is_wanted;       /* display has asked for them */
	uint32_t refresh_mhz; /* of heads for which display names none */
};

/*
 * Returns the refresh rate of a head in millihertz; for a head that is off it is that of
 * modes_set_first().
 */
uint32_t modes_get_refresh_mhz(const struct modes *modes, unsigned head);

/* Begins with one head, which is enabled and has the default size. */
void modes_init(struct modes *modes);
/*
 * Sets with which size head 0 begins, unless display has asked for one already, and the refresh
 * rate where display names none; both are clamped to sane values. 0 leaves what holds.
 */
void modes_set_first(struct modes *modes, uint32_t width, uint32_t height, uint32_t refresh_mhz);
/*
 * Takes over what display asks for, clamped to sane values. If display enables no head, nothing
 * changes, so that at least one stays enabled.
 */
void modes_set(struct modes *modes, const struct frame_heads_wanted *wanted);
