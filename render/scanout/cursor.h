/* SPDX-License-Identifier: MIT */
/*
 * cursor: what the pointer looks like and where it is, sent to display without waiting for the GPU.
 *
 * Two threads. The main thread works the cursor queue: it moves and hides the cursor at once and
 * takes its picture from a *snapshot*, a copy that the gpu thread publishes whenever a 64x64 2D
 * resource is transferred. Pictures in textures are fetched by the gpu thread afterwards. All of it
 * is state: what the link has no room for is sent when the gpu thread finds room.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "render/ring/virtqueue.h"

struct cursor;

struct cursor *cursor_create(void);
void cursor_destroy(struct cursor *cursor);

/* ---- main thread ---- */

/* Takes and answers everything in the cursor queue. True when the gpu thread has something to do.
 */
bool cursor_work(struct cursor *cursor, struct virtqueue *vq);
/* The guest is new: no picture, hidden everywhere. Any thread. */
void cursor_reset(struct cursor *cursor);

/* ---- gpu thread ---- */

/* True for a size that may become a cursor: then tell of the resource and of its pixels. */
bool cursor_is_size(uint32_t width, uint32_t height);
void cursor_add_resource(struct cursor *cursor, uint32_t resource);
void cursor_remove_resource(struct cursor *cursor, uint32_t resource);
/*
 * The newest pixels of a resource: B G R A, 64x64, no padding, copied. Heads that wait for them get
 * them. `keep`: they stay true until the next call, so that the main thread may use them later.
 */
void cursor_publish(struct cursor *cursor, uint32_t resource, const uint8_t *pixels, bool keep);
/* A resource whose pixels the main thread had none of: publish them. 0: none. */
uint32_t cursor_take_request(struct cursor *cursor);
/* A head went dark. */
void cursor_forget_head(struct cursor *cursor, unsigned head);
/* A new frame link to send on (duplicated; -1: none), after HELLO has gone out. */
void cursor_set_link(struct cursor *cursor, int fd);
/* Sends what is behind. Returns false when the link had no room for all. */
bool cursor_send_waiting(struct cursor *cursor);
