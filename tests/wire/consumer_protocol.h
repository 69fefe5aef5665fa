/* SPDX-License-Identifier: MIT */
/*
 * consumer_protocol: what a test and the frame consumer say to each other, over common/link.h.
 *
 * The consumer stands in vitrine-display's place: the keeper starts it, it speaks the keeper link
 * and the frame link, keeps for each head the picture that damage alone builds up, and counts every
 * breach of frame_link.h. It connects to the test's socket when it starts, so a test sees each new
 * one as a new connection.
 */
#pragma once

#include "protocol/frame_link.h"
#include "common/link.h"

/* The path of the test's socket, in the consumer's environment. */
#define CONSUMER_REPORT_VARIABLE "WIRE_CONSUMER_REPORT"

enum consumer_message {
	/* The test sends these to the consumer. */
	CONSUMER_RATE = 1,
	CONSUMER_HEADS,
	CONSUMER_MODE,
	CONSUMER_SNAPSHOT, /* answered by PICTURE */
	CONSUMER_STATE,    /* answered by STATE_ANSWER */
	CONSUMER_BENCH,
	CONSUMER_TAKES,
	/* The consumer sends these to the test. */
	CONSUMER_HELLO = 32,
	CONSUMER_PICTURE,
	CONSUMER_STATE_ANSWER,
	CONSUMER_COUNT, /* while CONSUMER_BENCH is on: after each frame */
};

struct consumer_hello {
	struct link_header header;
	uint32_t pid;
	uint32_t reserved;
};

struct consumer_rate {
	struct link_header header;
	uint32_t head, rate_mhz;
};

struct consumer_heads {
	struct link_header header;
	uint32_t n_heads;
	uint32_t reserved;
	struct frame_head_mode heads[FRAME_HEADS_MAX];
};

/* Says how the consumer behaves towards the renderer. */
struct consumer_mode {
	struct link_header header;
	uint32_t hold;  /* keeps buffers locked (at most FRAME_LOCKED_MAX): releases when turned off
			 */
	uint32_t sleep; /* reads nothing from the frame link */
	uint32_t trust; /* looks at the damage alone, as display does, and compares nothing */
	uint32_t reserved;
};

/*
 * Says which buffers the consumer accepts from now on. It begins with dma-bufs when it has a GPU.
 */
enum consumer_dmabufs {
	CONSUMER_NO_DMABUFS,
	CONSUMER_DMABUFS,
	CONSUMER_LINEAR_DMABUFS, /* named so: none whose layout is left to the driver */
	/* Those, and whatever the driver likes: what display asks for, when its client is unknown.
	 */
	CONSUMER_PLAIN_DMABUFS,
};

struct consumer_takes {
	struct link_header header;
	uint32_t dmabufs; /* enum consumer_dmabufs */
	uint32_t reserved;
};

struct consumer_snapshot {
	struct link_header header;
	uint32_t head;
	uint32_t reserved;
};

/* Carries one descriptor when width is not 0: a memfd with width * height pixels. */
struct consumer_picture {
	struct link_header header;
	uint32_t head;
	uint32_t width, height;
	uint32_t reserved;
	uint64_t frames;
};

struct consumer_state {
	struct link_header header;
};

struct consumer_head_state {
	uint32_t on, x, y, width, height, refresh_mhz;
	uint32_t cursor_shown;
	int32_t cursor_x, cursor_y;
	uint32_t hot_x, hot_y;
	uint32_t cursor_hash; /* of the last image */
	uint64_t cursor_images, cursor_moves, cursor_hides;
	uint64_t frames;
	uint64_t damaged_pixels;
	uint64_t last_flush_ns, last_arrival_ns; /* CLOCK_MONOTONIC */
	uint32_t rows_behind; /* of the last frame: differ from what damage has brought */
};

struct consumer_state_answer {
	struct link_header header;
	uint32_t frame_links; /* how many it was given */
	uint32_t buffers;     /* known now */
	uint32_t listeners, tickets;
	uint32_t dmabufs, fences; /* received */
	/* Of the newest buffer: */
	uint32_t fourcc, kind, width, stride_bytes;
	uint64_t modifier;
	uint64_t breaches; /* of the frame link's rules */
	uint64_t bench_good, bench_bad, bench_last;
	char breach[128]; /* the first */
	struct consumer_head_state heads[FRAME_HEADS_MAX];
};

/* Has each frame checked against picture.h's patterns from now on, instead of being kept. */
struct consumer_bench {
	struct link_header header;
	uint32_t on;
	uint32_t width, height;
	uint32_t reserved;
};

struct consumer_count {
	struct link_header header;
	uint64_t number; /* of the frame that was checked */
};
