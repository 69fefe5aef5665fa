/* SPDX-License-Identifier: MIT */
/*
 * measure: measures one backend for bench-wire, by the same front end for both.
 *
 * The guest is Linux's driver as far as it matters: indirect descriptors, event index, scattered 4
 * KiB pages behind pictures, a fence on each SUBMIT_3D. Times are from before the kick until the
 * answer has been taken after an interrupt.
 */
#pragma once

#include "tests/wire/wire.h"

enum figure {
	FIGURE_EMPTY_P50_US, /* RESOURCE_FLUSH of a resource that nothing shows */
	FIGURE_EMPTY_P95_US,
	FIGURE_EMPTY_CPU_US,  /* of the renderer, or of the stock backend, for each */
	FIGURE_FRAMES_PER_S,  /* 1920x1080, every pixel new, received and compared in full */
	FIGURE_FLIPS_PER_S,   /* as the guest saw them: it never waits for who looks */
	FIGURE_FRAME_CPU_MS,  /* of the backend's own processes, for each frame received */
	FIGURE_SUBMIT_P50_US, /* a clear, one after the other */
	FIGURE_SUBMIT_P95_US,
	FIGURE_SUBMIT_CPU_US, /* as above, GL's threads included */
	FIGURE_PACED_P50_US,  /* the same at 60 a second */
	FIGURE_PACED_P95_US,
	FIGURES,
};

struct figures {
	double values[FIGURES];
};

/* Measures vitrine-gpu with the consumer if `ours`, else the distribution's backend. */
void measure(bool ours, struct figures *figures);
