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
};

/*
 * Returns the refresh rate of a head in millihertz; for a head that is off it is the default one.
 */
uint32_t modes_get_refresh_mhz(const struct modes *modes, unsigned head);

/* Begins with one head, which is enabled and has the default size. */
void modes_init(struct modes *modes);
/*
 * Takes over what display asks for, clamped to sane values. If display enables no head, nothing
 * changes, so that at least one stays enabled.
 */
void modes_set(struct modes *modes, const struct frame_heads_wanted *wanted);
