/* SPDX-License-Identifier: MIT */
/*
 * consumer_gpu: the frame consumer's own EGL on a DRM node: it takes dma-bufs as any other process
 * would, knowing nothing but what BUFFER_ADD says, and reads their pixels through GL.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/frame_link.h"

struct consumer_image;

/* Ends the consumer with a message when the node does not work. */
void consumer_gpu_open(const char *node);
bool consumer_gpu_is_open(void);
/* Every format and modifier that can be imported, and for each format INVALID; or all of them
 * LINEAR. */
unsigned consumer_gpu_formats(struct frame_format formats[FRAME_FORMATS_MAX], bool linear_only);

/* NULL when EGL refuses it. The descriptor stays the caller's. */
struct consumer_image *consumer_gpu_import(const struct frame_buffer_add *add, int fd);
void consumer_gpu_free(struct consumer_image *image);
/* All of it as XRGB8888, rows of width * 4 bytes. */
void consumer_gpu_read(const struct consumer_image *image, uint8_t *pixels);
