/* SPDX-License-Identifier: MIT */
/*
 * resource: keeps an image or a buffer that the guest made, 2D (ours) or 3D (virglrenderer's).
 *
 * A 2D resource keeps its pixels in plain memory until a scanout shows it for the first time; from
 * then on in a swapchain of buffers that display reads. So a guest's transfer lands where display
 * will look, and nothing is copied twice. Only the gpu thread uses it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/ledger.h"
#include "render/buffers/swapchain.h"
#include "render/objects/backing.h"
#include "render/objects/limits.h"

struct resource {
	uint32_t id;
	struct ledger_resource description; /* as created; backing fields unused */
	struct backing *backing;            /* NULL: none attached */
	bool is_made;                       /* 3D: virglrenderer knows it */
	uint64_t making_ns;                 /* 3D: what that took, if it is no context's yet */
	/* 3D: it stands for one of a dead renderer's, whose picture is lost (objects_is_blank()).
	 */
	bool is_blank;
	uint32_t scanouts; /* bit n: head n shows it */
	uint64_t charged_bytes;
	struct quota *quota;                      /* that charged_bytes went to */
	uint32_t contexts[RESOURCE_CONTEXTS_MAX]; /* that have it open */
	unsigned n_contexts;

	/*
	 * Of a 2D resource one of the two is set: `pixels` until a head shows it for the first
	 * time, then `chain`.
	 */
	uint8_t *pixels;
	bool has_pixels; /* something was written there: else it is black */
	struct swapchain *chain;
};

/* Returns how many bytes a 2D resource's pixels take. */
uint64_t resource_size_2d(const struct ledger_resource *description);
/*
 * Makes a 2D resource, which is black. Returns NULL when it does not fit the quota or memory is
 * short. The caller has checked its arguments.
 */
struct resource *resource_create_2d(struct quota *quota, const struct ledger_resource *description);
/*
 * Makes the record of a 3D resource and charges size_bytes. Returns NULL when that does not fit the
 * quota.
 */
struct resource *resource_create_3d(
	struct quota *quota, const struct ledger_resource *description, uint64_t size_bytes);
void resource_destroy(struct resource *resource);

/* Gives a 2D resource its chain, with its pixels in it. Returns false when memory is short. */
bool resource_make_showable(struct resource *resource, const struct buffer_interface *interface);

/*
 * Notes that the head begins or ceases to show the resource. When none does, buffers that only
 * frames need are freed.
 */
void resource_set_shown(struct resource *resource, unsigned head, bool shown);
/* Notes that the context opens or closes the resource. */
void resource_attach_context(struct resource *resource, uint32_t context);
void resource_detach_context(struct resource *resource, uint32_t context);

/*
 * Copies `rect` from the backing, whose first pixel is at offset_bytes. The caller has checked both
 * against the resource and its backing. Returns false when there is no buffer to write.
 */
bool resource_transfer_2d(
	struct resource *resource, const struct rect *rect, uint64_t offset_bytes);

/*
 * Copies the newest pixels into another buffer of the chain, which becomes the current one. Returns
 * false when every buffer is locked and no more may be made.
 */
bool resource_renew_current(struct resource *resource);

/*
 * Returns the newest pixels of a 2D resource, rows of B G R A without padding. They stay the
 * resource's.
 */
const uint8_t *resource_peek_pixels(const struct resource *resource);
