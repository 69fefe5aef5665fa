/* SPDX-License-Identifier: MIT */
#include "server/keeper/encoder_blame.h"

#include "common/monotonic.h"
#include "server/keeper/blame.h"

static unsigned weigh(enum heartbeat_encoder_use use)
{
	switch (use) {
	case HEARTBEAT_ENCODER_TRIED:
		return ENCODER_BLAME_CRASHES;
	case HEARTBEAT_ENCODER_AT_WORK_ALONE:
	case HEARTBEAT_ENCODER_AT_WORK_ON_GPU:
		return 1;
	default:
		return 0;
	}
}

void encoder_blame_count(
	struct encoder_blame *blame, struct heartbeat_memory *heartbeat, uint64_t now_ns)
{
	G_STATIC_ASSERT(HEARTBEAT_ENCODERS <= 32);
	for (unsigned i = 0; i < HEARTBEAT_ENCODERS; i++) {
		unsigned weight = weigh(heartbeat_memory_read_encoder(heartbeat, i));
		if (weight == 0)
			continue;
		if (now_ns - blame->encoders[i].last_ns > BLAME_FORGET_S * MONOTONIC_NS_PER_S)
			blame->encoders[i].n_crashes = 0;
		blame->encoders[i].last_ns = now_ns;
		blame->encoders[i].n_crashes += weight;
		if (blame->encoders[i].n_crashes >= ENCODER_BLAME_CRASHES)
			heartbeat_memory_refuse_encoders(heartbeat, UINT32_C(1) << i);
	}
}
