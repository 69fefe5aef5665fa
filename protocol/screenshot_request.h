/* SPDX-License-Identifier: MIT */
/*
 * A screenshot request asks the keeper for the picture that a head shows now. The keeper passes it
 * on to display and the answer back, without looking into the picture. The desktop's user says one
 * REQUEST on the socket for tickets (ticket_request.h), and gets one ANSWER within
 * SCREENSHOT_ANSWER_MS. One is taken at a time.
 */
#pragma once

#include <stdint.h>

#include "common/link.h"

/* They are other numbers than those of enum ticket_message and enum upgrade_message. */
enum screenshot_message {
	SCREENSHOT_MESSAGE_REQUEST = 32,
	SCREENSHOT_MESSAGE_ANSWER,
};

#define SCREENSHOT_ANSWER_MS 5000

/*
 * A picture has at most this many bytes: display copies it while its clients wait, and 8192x8192
 * pixels take some 100 ms. A larger one is refused.
 */
#define SCREENSHOT_BYTES_MAX (8192u * 8192u * 4u)

struct screenshot_request {
	struct link_header header;
	uint32_t head; /* 0 .. FRAME_HEADS_MAX - 1 */
	uint32_t reserved;
};

enum screenshot_result {
	SCREENSHOT_TAKEN,
	SCREENSHOT_NO_HEAD,    /* the guest has none of this number on */
	SCREENSHOT_NO_PICTURE, /* none came in time: nobody draws, or the desktop has no display */
	SCREENSHOT_BUSY,       /* another one is being taken */
	SCREENSHOT_ON_GPU,     /* its pictures go to local clients as they lie on the GPU */
	SCREENSHOT_TOO_LARGE,
	SCREENSHOT_RESULTS,
};

/*
 * Of TAKEN there is one descriptor: a memfd (common/shm.h) of height rows, of width pixels
 * XRGB8888 each, without padding, row 0 on top.
 */
struct screenshot_answer {
	struct link_header header;
	uint32_t result; /* enum screenshot_result */
	uint32_t width, height;
	uint32_t reserved;
};
