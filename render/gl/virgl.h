/* SPDX-License-Identifier: MIT */
/*
 * virgl: calls virglrenderer for all others; no other file knows its header.
 *
 * virglrenderer has one state a process and is not thread-safe, so one thread alone calls it: a
 * renderer's gpu thread. Callers have checked ids (a resource or context named here exists) and
 * shapes (see virgl_bounds.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "protocol/ledger.h"
#include "render/gl/egl.h"
#include "render/gl/readback.h"
#include "render/gl/virgl_bounds.h"

#define VIRGL_CAPSETS_MAX 2

struct virgl_capset {
	uint32_t id, max_version, max_size_bytes;
};

struct virgl_transfer {
	uint32_t context, resource;
	uint32_t level, stride, layer_stride;
	uint32_t x, y, z, width, height, depth;
	uint64_t offset_bytes;
};

/*
 * Starts virglrenderer on what was chosen. virgl_poll() calls `on_fence` with the number of a fence
 * that is done. Returns false, which is logged, when virglrenderer does not start.
 */
bool virgl_init(const struct egl_choice *choice, void (*on_fence)(void *user, uint32_t sequence),
	void *user);
/*
 * Returns a descriptor that is readable when virgl_poll() has something to do, and stays
 * virglrenderer's; or -1 when virgl_poll() must be called now and then instead.
 */
int virgl_get_poll_fd(void);
void virgl_poll(void);
/* Makes virglrenderer's own context current, for GL calls of ours. */
void virgl_enter_gl(void);

/* Fills in the capset of that index. Returns false beyond the last. */
bool virgl_get_capset(uint32_t index, struct virgl_capset *capset);
/* Fills in the bytes of the capset, of which max_size_bytes says how many there are. */
void virgl_fill_capset(const struct virgl_capset *capset, uint32_t version, void *to);
/* Fills in a bit for each format that a capset announces for any use. */
void virgl_fill_formats(uint32_t formats[VIRGL_BOUNDS_FORMAT_WORDS]);

bool virgl_create_context(uint32_t context, const char *name, uint32_t name_bytes);
void virgl_destroy_context(uint32_t context);
/* Makes the GL context of a guest's context current, so that a fence made next covers its work. */
void virgl_enter_context(uint32_t context);
bool virgl_create_resource(const struct ledger_resource *description);
/* Destroys the resource, and detaches its backing first if it has one. */
void virgl_destroy_resource(uint32_t resource);
/*
 * Attaches guest memory to the resource. The pieces stay the caller's and must stay valid until
 * they are detached.
 */
bool virgl_attach_backing(uint32_t resource, const struct iovec *pieces, unsigned n_pieces);
void virgl_detach_backing(uint32_t resource);
void virgl_attach_to_context(uint32_t context, uint32_t resource);
void virgl_detach_from_context(uint32_t context, uint32_t resource);
bool virgl_transfer_to_host(const struct virgl_transfer *transfer);
bool virgl_transfer_from_host(const struct virgl_transfer *transfer);
bool virgl_submit(uint32_t context, void *commands, uint32_t n_dwords);
bool virgl_fence_create(uint32_t sequence);
/*
 * Fills in the texture behind a resource. Returns false when it has none that can be read as a
 * picture.
 */
bool virgl_resource_get_texture(const struct ledger_resource *resource, struct texture *texture);
