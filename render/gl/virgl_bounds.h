/* SPDX-License-Identifier: MIT */
/*
 * virgl_bounds: checks what virglrenderer multiplies without asking, before it sees it (limits.h
 * has the figures). The functions are pure.
 *
 * virglrenderer 0.10.4 checks combinations (target with format, samples, flags) and stays in the
 * bounds of resources and backings, but computes sizes in 32 bits here and there, takes negative
 * depths, and allocates what it is told. Its formats are Gallium's numbers (virgl_hw.h), which
 * stand in no installed header.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/ledger.h"
#include "render/gl/limits.h"

/* These are Gallium's texture targets (p_defines.h). */
#define VIRGL_BOUNDS_TARGET_BUFFER 0
#define VIRGL_BOUNDS_TARGET_2D 2
#define VIRGL_BOUNDS_TARGET_3D 3
#define VIRGL_BOUNDS_TARGET_RECT 5
#define VIRGL_BOUNDS_TARGETS 9

/*
 * A guest asks for a transfer with these numbers (virtio 1.2, 5.7.6.8: struct
 * virtio_gpu_transfer_host_3d).
 */
struct virgl_bounds_transfer {
	uint32_t level, stride, layer_stride;
	uint32_t x, y, z, width, height, depth;
	uint64_t offset_bytes;
};

/*
 * Returns how many bytes a pixel takes, or more, but never less than it does. Compressed formats
 * count as 4.
 */
uint32_t virgl_bounds_format_bytes(uint32_t format);
/*
 * Returns the format that virglrenderer is told. A buffer has bytes, whatever format a guest names:
 * virglrenderer 0.10.4 takes its width for pixels where it copies to the guest, and would read on
 * behind it.
 */
uint32_t virgl_bounds_get_format(const struct ledger_resource *resource);
bool virgl_bounds_is_resource_sane(const struct ledger_resource *resource);
/*
 * Returns how many bytes of host memory a resource costs: all its levels, layers and samples, rows
 * and samples rounded up as drivers do. It is UINT64_MAX when that is more than 64 bits hold.
 */
uint64_t virgl_bounds_estimate_bytes(const struct ledger_resource *resource);
/*
 * Returns false for a transfer that does not lie inside the resource, or cannot lie inside a
 * backing of that size, and for one of several samples a pixel.
 */
bool virgl_bounds_is_transfer_sane(const struct ledger_resource *resource, uint64_t backing_bytes,
	const struct virgl_bounds_transfer *transfer);
/* A capset has a bit for each format (struct virgl_supported_format_mask). */
#define VIRGL_BOUNDS_FORMAT_WORDS 16
/*
 * Adds the formats that a capset announces for any use (struct virgl_caps_v1 and _v2) to those in
 * `formats`.
 */
void virgl_bounds_add_formats(
	uint32_t formats[VIRGL_BOUNDS_FORMAT_WORDS], const uint32_t *caps, uint32_t n_words);
