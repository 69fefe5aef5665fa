/* SPDX-License-Identifier: MIT */
#include "render/scanout/modes.h"

#include <glib.h>

void modes_init(struct modes *modes)
{
	*modes = (struct modes){ .refresh_mhz = MODES_DEFAULT_REFRESH_MHZ };
	modes->modes[0] = (struct frame_head_mode){ .enabled = 1,
		.width = MODES_DEFAULT_WIDTH,
		.height = MODES_DEFAULT_HEIGHT,
		.refresh_mhz = MODES_DEFAULT_REFRESH_MHZ };
}

static uint32_t clamp_size(uint32_t pixels)
{
	return CLAMP(pixels, MODES_SIZE_MIN, FRAME_SIZE_MAX);
}

static uint32_t clamp_refresh(uint32_t refresh_mhz)
{
	return CLAMP(refresh_mhz, MODES_REFRESH_MIN_MHZ, MODES_REFRESH_MAX_MHZ);
}

void modes_set_first(struct modes *modes, uint32_t width, uint32_t height, uint32_t refresh_mhz)
{
	if (width > 0 && height > 0 && !modes->is_wanted) {
		modes->modes[0].width = clamp_size(width);
		modes->modes[0].height = clamp_size(height);
	}
	if (refresh_mhz == 0)
		return;
	modes->refresh_mhz = clamp_refresh(refresh_mhz);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (modes->modes[i].enabled)
			modes->modes[i].refresh_mhz = modes->refresh_mhz;
	}
}

static struct frame_head_mode clamp_mode(
	const struct frame_head_mode *wanted, uint32_t default_refresh_mhz)
{
	struct frame_head_mode mode = *wanted;
	mode.enabled = wanted->enabled != 0;
	mode.width = clamp_size(wanted->width);
	mode.height = clamp_size(wanted->height);
	mode.x = MIN(wanted->x, FRAME_SIZE_MAX * FRAME_HEADS_MAX);
	mode.y = MIN(wanted->y, FRAME_SIZE_MAX * FRAME_HEADS_MAX);
	if (mode.width_mm > MODES_SIZE_MAX_MM || mode.height_mm > MODES_SIZE_MAX_MM)
		mode.width_mm = mode.height_mm = 0;
	mode.refresh_mhz =
		wanted->refresh_mhz == 0 ? default_refresh_mhz : clamp_refresh(wanted->refresh_mhz);
	return mode;
}

void modes_set(struct modes *modes, const struct frame_heads_wanted *wanted)
{
	bool any = false;
	struct modes next = { .is_wanted = true, .refresh_mhz = modes->refresh_mhz };
	for (unsigned i = 0; i < MIN(wanted->n_heads, FRAME_HEADS_MAX); i++) {
		if (!wanted->heads[i].enabled)
			continue;
		next.modes[i] = clamp_mode(&wanted->heads[i], modes->refresh_mhz);
		any = true;
	}
	if (any)
		*modes = next;
}

uint32_t modes_get_refresh_mhz(const struct modes *modes, unsigned head)
{
	uint32_t refresh_mhz = modes->modes[head].refresh_mhz;
	return refresh_mhz ? refresh_mhz : modes->refresh_mhz;
}
