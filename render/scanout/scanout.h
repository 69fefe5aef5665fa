/* SPDX-License-Identifier: MIT */
/*
 * scanout: which part of which resource a head shows, and getting it to display. gpu thread only.
 *
 * A flush only adds damage; frames are made from damage when display can take one. A 2D resource's
 * own picture is lent to display as it is. Of a 3D resource the damaged part is copied from its
 * texture into a picture that belongs to the head; guests that flip between textures share that
 * one. The picture lies in GPU memory where display takes that, else in CPU memory; while the GPU
 * is still copying for the CPU, the frame is pending: one for each head, so that the guest draws
 * the next meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "render/buffers/swapchain.h"
#include "render/gl/readback.h"
#include "common/rect_set.h"

struct gpu;
struct resource;

struct scanout {
	struct resource *resource; /* NULL: off */
	struct rect rect;          /* of the resource */
	struct rect_set damage;    /* in head coordinates, since the last frame sent */
	uint64_t flush_time_ns;
	bool flushed; /* the guest has said that there is something to see */

	struct texture texture;    /* 3D only */
	struct swapchain *picture; /* 3D only; size of rect */
	bool gpu_failed;           /* no GPU memory could be had for this picture */

	struct buffer *pending; /* of picture, being filled for a frame; NULL */
	int pending_fd;
	struct rect_set pending_damage;
	uint64_t pending_flush_ns;
};

/* Both answer with a VIRTIO_GPU_RESP_* code. `rect` has been checked against the resource. */
uint32_t scanout_set(
	struct gpu *gpu, unsigned head, struct resource *resource, const struct rect *rect);
uint32_t scanout_disable(struct gpu *gpu, unsigned head);

/* The guest changed `rect` of the resource and wants it seen. */
void scanout_flush_resource(struct gpu *gpu, struct resource *resource, const struct rect *rect);
/* Turns off every head that shows the resource, which is about to go. */
void scanout_forget_resource(struct gpu *gpu, struct resource *resource);

/* Sends a frame of the head if there is damage and display can take it. */
void scanout_pump(struct gpu *gpu, unsigned head);
void scanout_pump_all(struct gpu *gpu);
/* Tells display of the head's size, place and rate as they are now. */
void scanout_tell_head(struct gpu *gpu, unsigned head);
/* Readable when scanout_complete() is to be called; -1: nothing is pending. */
int scanout_get_pending_fd(const struct gpu *gpu, unsigned head);
void scanout_complete(struct gpu *gpu, unsigned head);
/* Display takes other buffers from now on. */
void scanout_change_formats(struct gpu *gpu, unsigned head);
/* Everything is to be sent again: a new link, or someone begins to look. */
void scanout_damage_all(struct gpu *gpu, unsigned head);
