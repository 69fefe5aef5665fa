/* SPDX-License-Identifier: MIT */
/*
 * scanouts_state: holds what scanouts.c and scanout.c share. It is for the files of this room only.
 */
#pragma once

#include "common/rect_set.h"
#include "render/buffers/swapchain.h"
#include "render/gl/readback.h"
#include "render/quota/quota.h"
#include "render/scanout/frame_sender.h"
#include "render/scanout/modes.h"
#include "render/scanout/pacing.h"
#include "render/scanout/scanouts.h"

struct scanout {
	struct resource *resource; /* NULL: off */
	struct rect rect;          /* of the resource */
	struct rect_set damage;    /* in head coordinates, since the last frame sent */
	uint64_t flush_time_ns;
	bool flushed; /* the guest has said that there is something to see */
	bool spans;   /* the resource lies across several heads, and rect says where this one is */

	struct texture texture;  /* 3D only */
	struct swapchain *chain; /* 3D only; size of rect: what its texture is copied to */
	bool gpu_failed;         /* no GPU memory could be had for this chain */

	struct buffer *pending; /* of chain, being filled for a frame; NULL */
	int pending_fd;
	struct rect_set pending_damage;
	uint64_t pending_flush_ns;
};

/* Display has said these things, and nothing has followed from them yet; bit n is head n. */
struct heard {
	bool modes;
	uint32_t formats, rates, awake, releases;
};

struct scanouts {
	struct objects *objects;
	const struct buffer_interface *cpu_buffers;
	bool gpu_buffers;
	struct scanout heads[FRAME_HEADS_MAX];
	struct modes modes;
	struct heard heard;
	struct pacing pacing;
	struct quota_rate flush_rates[FRAME_HEADS_MAX];
	struct frame_sender *frames;
	struct cursor *cursor; /* shared with the main thread, locks itself */
};

/* Turns off every head that shows the resource, which is about to go. */
void scanout_forget_resource(struct scanouts *scanouts, struct resource *resource);
/* Sends a frame of the head if there is damage and display can take it. */
void scanout_pump(struct scanouts *scanouts, unsigned head);
/* Tells display of all heads' sizes, places and rates as they are now. */
void scanouts_tell_heads(struct scanouts *scanouts);
/* Replaces the head's buffers where display takes other ones from now on. */
void scanout_change_formats(struct scanouts *scanouts, unsigned head);
/*
 * Marks all of the head's picture as changed, so that it is sent again: there is a new link, or
 * someone begins to look.
 */
void scanout_damage_all(struct scanouts *scanouts, unsigned head);
