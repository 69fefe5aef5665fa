/* SPDX-License-Identifier: MIT */
/*
 * cursor: tells display what the pointer looks like and where it is, without waiting for the GPU.
 *
 * Two threads use it. The main thread works the cursor queue: it moves and hides the cursor at once
 * and takes its picture from a *snapshot*, a copy that the gpu thread publishes whenever a 64x64 2D
 * resource is transferred. Pictures in textures are fetched by the gpu thread afterwards, when it
 * has executed what the guest had asked before: only then are they drawn. Of each head only the
 * newest state is kept; what the link has no room for is sent by the gpu thread when there is room
 * again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "render/ring/virtqueue.h"

struct cursor;

/* The guest may send `rate` commands in a second; more are refused. */
struct cursor *cursor_create(uint64_t rate);
void cursor_destroy(struct cursor *cursor);

/* ---- main thread ---- */

/*
 * Takes and answers all that is in the cursor queue. What the guest has put into the control queue
 * before (NULL: there is none) may draw the picture. Returns true when the gpu thread is to be
 * woken: it has pixels to fetch, or the link had no room.
 */
bool cursor_work(struct cursor *cursor, struct virtqueue *vq, struct virtqueue *control);
/* Hides the cursor on every head, since the guest is new. Any thread may call it. */
void cursor_reset(struct cursor *cursor);

/* ---- gpu thread ---- */

/* Returns true for the size of cursors. The calls below are for resources of this size alone. */
bool cursor_is_size(uint32_t width, uint32_t height);
void cursor_add_resource(struct cursor *cursor, uint32_t resource);
void cursor_remove_resource(struct cursor *cursor, uint32_t resource);
/*
 * Copies the newest pixels of a resource (B G R A, 64x64, no padding) to the heads that wait for
 * them, and to those that show it and whose commands from before are not all executed. With `keep`
 * the pixels are valid until the resource's next publish, and a copy of them serves the main thread
 * until then; else they serve the waiting heads once.
 */
void cursor_publish(struct cursor *cursor, uint32_t resource, const uint8_t *pixels, bool keep);
/*
 * Returns the id of a resource whose pixels the main thread lacks, and for which all is drawn that
 * was to be, or 0. `n_executed` says how many commands the control queue has executed, as
 * virtqueue_get_taken() counts. The answer is cursor_publish().
 */
uint32_t cursor_take_request(struct cursor *cursor, uint16_t n_executed);
/* Returns true while there may be a request. */
bool cursor_is_open(struct cursor *cursor);
/* Hides the cursor of a head that is off. */
void cursor_forget_head(struct cursor *cursor, unsigned head);
/*
 * Sets the frame link to send on, after HELLO has gone out. The descriptor is duplicated; -1 means
 * that there is none.
 */
void cursor_set_link(struct cursor *cursor, int fd);
/*
 * Sends what display has not been told yet. Returns false when the link had no room for all of it.
 */
bool cursor_send_waiting(struct cursor *cursor);
