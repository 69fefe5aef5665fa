/* SPDX-License-Identifier: MIT */
/*
 * renderer keeps a vitrine-render process in step with struct device, and goes on without one.
 *
 * Every function may be called at any time. While no renderer runs, calls only change struct
 * device; the next one is sent all of it. Only renderer_stop_ring_wait() waits, at most
 * RENDERER_STOP_TIMEOUT_MS. Past that the renderer is killed, and the ledger speaks for it.
 */
#pragma once

#include "server/keeper/blame.h"
#include "server/keeper/device.h"
#include "server/keeper/gpu_search.h"
#include "server/keeper/ledger_memory.h"
#include "server/keeper/lost_contexts.h"
#include "server/keeper/troubles.h"
#include "server/keeper/worker.h"

enum renderer_ring_state {
	RENDERER_RING_STOPPED,
	RENDERER_RING_RUNNING,
	RENDERER_RING_STOPPING, /* RING_STOP sent, RING_STOPPED awaited */
};

struct renderer_events {
	void *user;
	/* The renderer is ready, and needs a frame link. */
	void (*ready)(void *user);
	void (*failed)(void *user);
	/* From now on it is another candidate's. The member is NULL where nobody wants to know. */
	void (*gpu_changed)(void *user, unsigned candidate);
	/*
	 * A renderer has ended with these contexts of the guest, and the next one is ready, or it
	 * has refused what was sent in one. The member is NULL where nobody wants to know.
	 */
	void (*contexts_lost)(void *user, const struct lost_contexts *lost);
};

/* This is GPU as a process said it. */
struct renderer_gpu {
	uint32_t by; /* the process, as worker.n_starts counts them; 0: none has */
	bool works;
	char text[GPU_SEARCH_TEXT_BYTES]; /* printable: what it draws with, or why not */
};

struct renderer {
	struct worker worker;
	struct device *device;
	struct ledger_memory *ledger;
	struct renderer_events events;
	struct {
		enum renderer_ring_state state;
		uint32_t stop_serial;
	} rings[KEEPER_RINGS];
	struct blame blame;
	struct troubles troubles;
	struct lost_contexts lost; /* of which the guest is not told yet */
	uint32_t n_lost;           /* contexts that ended with a renderer, of all so far */
	uint64_t refused_since_ns; /* of which the guest was told n_refused times since then */
	unsigned n_refused;
	struct gpu_search search;
	struct renderer_gpu said;
	unsigned submit_limit_s;
	unsigned refresh_hz; /* of the guest's heads */
	uint32_t last_serial;
	bool is_logging; /* what it writes to guest memory is marked */
	bool used;       /* a ring has run since the last reset */
};

/*
 * `gpus` must outlive it. `submit_limit_s` is for how many seconds the renderer may be at one
 * thing, a submission above all; with a GPU its driver has GPU_RESET_GRACE_MS more.
 */
void renderer_init(struct renderer *renderer, struct starter *starter,
	const struct gpu_candidates *gpus, struct device *device, struct ledger_memory *ledger,
	unsigned submit_limit_s, const struct renderer_events *events);
bool renderer_start(struct renderer *renderer, GError **error);
void renderer_finish(struct renderer *renderer);

/* Each of these sends the renderer its part of struct device again. */
void renderer_update_features(struct renderer *renderer);
void renderer_update_first_mode(struct renderer *renderer);
void renderer_update_memory(struct renderer *renderer);
/* The rings stand still meanwhile, so that nothing is written that is not marked. */
void renderer_update_log(struct renderer *renderer);
void renderer_update_call(struct renderer *renderer, unsigned ring);

/* Starts or stops the ring as device_ring_runnable() says, and does not wait for its stop. */
void renderer_update_ring(struct renderer *renderer, unsigned ring);

/*
 * When this returns nobody touches the ring, and next_avail of the device's ring says where it goes
 * on.
 */
void renderer_stop_ring_wait(struct renderer *renderer, unsigned ring);

/* Makes the renderer forget the guest, whose driver is new. The rings are stopped first. */
void renderer_reset(struct renderer *renderer);

/* `end` stays the caller's. Gives false when no renderer is ready. */
bool renderer_send_frame_link(struct renderer *renderer, int end);
