/* SPDX-License-Identifier: MIT */
#include "display/painting/changes.h"

#include "display/heads/damage.h"
#include "display/heads/frame.h"
#include "display/painting/content.h"

void changes_from_damage(struct changes *changes, const struct frame *frame, struct damage *damage)
{
	*changes = (struct changes){ .frame = frame };
	if (damage->n_rects > CHANGES_RECTS_MAX)
		damage_add_all(damage);
	while (damage_take(damage, UINT64_MAX, &changes->rects[changes->n_rects]))
		changes->n_rects++;
}

uint64_t changes_lossless_bytes(const struct changes *changes, const struct rect *rect)
{
	const struct frame *frame = changes->frame;
	return content_look(frame->pixels, frame->stride_bytes, rect).lossless_bytes;
}
