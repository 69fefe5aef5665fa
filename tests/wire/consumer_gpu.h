/* SPDX-License-Identifier: MIT */
/*
 * consumer_gpu: the frame consumer's own EGL on a DRM node. It takes dma-bufs as any other process
 * would, knows nothing but what BUFFER_ADD says, and reads their pixels through GL.
 *
 * Where the renderer's GPU is a faked one (WIRE_NO_PIXELS; tests/shim) there is no EGL here. Then
 * it takes what WIRE_MODIFIERS lists, or each format without a modifier and as a linear one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/wire/consumer_protocol.h"

struct consumer_image;

/* Ends the consumer with a message when the node does not work. */
void consumer_gpu_open(const char *node);
bool consumer_gpu_is_open(void);
/*
 * Fills in every format and modifier that can be imported, and for each format INVALID too; or each
 * format with LINEAR alone, or with LINEAR and INVALID, as `takes` says. Returns how many.
 */
unsigned consumer_gpu_formats(
	struct frame_format formats[FRAME_FORMATS_MAX], enum consumer_dmabufs takes);

/* Returns NULL when EGL refuses the buffer. The descriptor stays the caller's. */
struct consumer_image *consumer_gpu_import(const struct frame_buffer_add *add, int fd);
void consumer_gpu_free(struct consumer_image *image);
/* Reads the whole image as XRGB8888, in rows of width * 4 bytes. */
void consumer_gpu_read(const struct consumer_image *image, uint8_t *pixels);
