/* SPDX-License-Identifier: MIT */
/*
 * consumer: the program that stands in vitrine-display's place (see consumer_protocol.h).
 *
 * It has one thread with one poll. consumer_frames.c speaks the frame link, consumer.c the keeper
 * link and the test's, consumer_gpu.c reads dma-bufs where there is a GPU.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tests/wire/consumer_protocol.h"
#include "tests/wire/picture.h"

#define CONSUMER_ROW(type, fds_min, fds_max, structure, function)                                  \
	{                                                                                          \
		type, #type, sizeof(struct structure), fds_min, fds_max, function                  \
	}

struct consumer_buffer {
	uint32_t id;
	struct frame_buffer_add add;
	uint8_t *memory;
	struct consumer_image *image; /* a dma-buf: then memory is what was read from it last */
	unsigned locks;
};

struct consumer_held {
	struct frame_release release;
};

struct consumer_head {
	struct consumer_head_state state;
	uint32_t *picture;
	uint64_t last_serial;
	GArray *held; /* struct consumer_held */
};

struct consumer {
	int keeper, frames, test;
	GHashTable *buffers; /* id -> struct consumer_buffer */
	struct consumer_head heads[FRAME_HEADS_MAX];
	uint32_t rates[FRAME_HEADS_MAX];
	struct consumer_heads wanted;
	struct consumer_state_answer state;
	struct consumer_mode mode;
	bool hello;
	enum consumer_dmabufs takes;
	bool bench;
	struct picture_pattern pattern;
};

/* Notes a breach of the frame link's rules; the consumer goes on, the test fails. */
void consumer_breach(struct consumer *c, const char *format, ...) G_GNUC_PRINTF(2, 3);

void consumer_frames_init(struct consumer *c);
/*
 * Takes ownership of the descriptor of a new frame link, on which neither side knows anything of
 * the other yet.
 */
void consumer_frames_attach(struct consumer *c, int fd);
/* Takes at most one message. */
void consumer_frames_receive(struct consumer *c);
/* Both tell the renderer again what the test wants. */
void consumer_frames_send_rate(struct consumer *c, uint32_t head);
void consumer_frames_send_heads(struct consumer *c);
void consumer_frames_send_formats(struct consumer *c);
/* Gives back every buffer that is held. */
void consumer_frames_release_held(struct consumer *c);
