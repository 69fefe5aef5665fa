/* SPDX-License-Identifier: MIT */
/*
 * cursor: what the pointer looks like and where it is, sent to display without waiting for the GPU.
 *
 * Two threads. The main thread works the cursor queue: it moves and hides the cursor at once and
 * takes its picture from a *snapshot*, a copy that the gpu thread publishes whenever a 64x64 2D
 * resource is transferred. Pictures in textures are fetched by the gpu thread afterwards. Of each
 * head only the newest state is kept; what the link has no room for is sent by the gpu thread when
 * there is room again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "render/ring/virtqueue.h"

struct cursor;

/* `rate`: commands that the guest may send in a second. */
struct cursor *cursor_create(uint64_t rate);
void cursor_destroy(struct cursor *cursor);

/* ---- main thread ---- */

/*
 * Takes and answers everything in the cursor queue. True when the gpu thread is to be woken: it has
 * pixels to fetch, or the link had no room.
 */
bool cursor_work(struct cursor *cursor, struct virtqueue *vq);
/* The guest is new: no picture, hidden everywhere. Any thread. */
void cursor_reset(struct cursor *cursor);

/* ---- gpu thread ---- */

/* True for the size of cursors: the calls below are for resources of this size alone. */
bool cursor_is_size(uint32_t width, uint32_t height);
void cursor_add_resource(struct cursor *cursor, uint32_t resource);
void cursor_remove_resource(struct cursor *cursor, uint32_t resource);
/*
 * Copies the newest pixels of a resource (B G R A, 64x64, no padding) to the heads that wait for
 * them. `keep`: the pixels are valid until the resource's next publish, and the main thread may use
 * them until then; else they serve the waiting heads once.
 */
void cursor_publish(struct cursor *cursor, uint32_t resource, const uint8_t *pixels, bool keep);
/* Id of a resource whose pixels the main thread lacks, or 0; answer with cursor_publish(). */
uint32_t cursor_take_request(struct cursor *cursor);
/* The head is off: hides its cursor. */
void cursor_forget_head(struct cursor *cursor, unsigned head);
/* A new frame link to send on (duplicated; -1: none), after HELLO has gone out. */
void cursor_set_link(struct cursor *cursor, int fd);
/* Sends what display has not been told yet. False when the link had no room for all of it. */
bool cursor_send_waiting(struct cursor *cursor);
