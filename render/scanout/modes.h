/* SPDX-License-Identifier: MIT */
/*
 * modes: what the guest is told about its monitors: size, place and rate. gpu thread only.
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

/* The refresh rate of a head in millihertz; the default one for a head that is off. */
uint32_t modes_get_refresh_mhz(const struct modes *modes, unsigned head);

/* One head is enabled and has the default size. */
void modes_init(struct modes *modes);
/* Takes over what display asks for, clamped to sane values; at least one head stays enabled. */
void modes_set(struct modes *modes, const struct frame_heads_wanted *wanted);
