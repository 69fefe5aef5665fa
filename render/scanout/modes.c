/* SPDX-License-Identifier: MIT */
#include "render/scanout/modes.h"

#include <glib.h>

void modes_init(struct modes *modes)
{
	*modes = (struct modes){ 0 };
	modes->modes[0] = (struct frame_head_mode){ .enabled = 1,
		.width = MODES_DEFAULT_WIDTH,
		.height = MODES_DEFAULT_HEIGHT,
		.refresh_mhz = MODES_DEFAULT_REFRESH_MHZ };
}

static struct frame_head_mode clamp_mode(const struct frame_head_mode *wanted)
{
	struct frame_head_mode mode = *wanted;
	mode.enabled = wanted->enabled != 0;
	mode.width = CLAMP(wanted->width, MODES_SIZE_MIN, FRAME_SIZE_MAX);
	mode.height = CLAMP(wanted->height, MODES_SIZE_MIN, FRAME_SIZE_MAX);
	mode.x = MIN(wanted->x, FRAME_SIZE_MAX * FRAME_HEADS_MAX);
	mode.y = MIN(wanted->y, FRAME_SIZE_MAX * FRAME_HEADS_MAX);
	if (mode.width_mm > MODES_SIZE_MAX_MM || mode.height_mm > MODES_SIZE_MAX_MM)
		mode.width_mm = mode.height_mm = 0;
	mode.refresh_mhz =
		wanted->refresh_mhz == 0 ?
			MODES_DEFAULT_REFRESH_MHZ :
			CLAMP(wanted->refresh_mhz, MODES_REFRESH_MIN_MHZ, MODES_REFRESH_MAX_MHZ);
	return mode;
}

void modes_set(struct modes *modes, const struct frame_heads_wanted *wanted)
{
	bool any = false;
	struct modes next = { 0 };
	for (unsigned i = 0; i < MIN(wanted->n_heads, FRAME_HEADS_MAX); i++) {
		if (!wanted->heads[i].enabled)
			continue;
		next.modes[i] = clamp_mode(&wanted->heads[i]);
		any = true;
	}
	if (any)
		*modes = next;
}

uint32_t modes_get_refresh_mhz(const struct modes *modes, unsigned head)
{
	uint32_t refresh_mhz = modes->modes[head].refresh_mhz;
	return refresh_mhz ? refresh_mhz : MODES_DEFAULT_REFRESH_MHZ;
}
