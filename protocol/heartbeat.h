/* SPDX-License-Identifier: MIT */
/*
 * A heartbeat says what the loops of one worker are doing right now. It is memory that the keeper
 * looks at.
 *
 * The keeper makes one memfd for each worker and hands it to each process at its start, as
 * descriptor HEARTBEAT_FD; it is all zero then. Each loop has a beat of its own, which the thread
 * that runs the loop writes (heartbeat_writer.h) and nobody else: before it sleeps it says that it
 * is idle, and before each thing that it does it says what, for which context, and since when. So a
 * loop that sleeps costs nothing, and one that stands still can be told from one that sleeps. When
 * the process is dead the page holds its last words.
 *
 * All fields are naturally aligned words, read and written with relaxed atomics, but `state` and
 * `resets`. `state` is stored last (release) and read first (acquire), so whoever reads WORKING
 * finds a `since_ns` that is of this work or of later work; `resets` is stored and read like that,
 * too. The keeper trusts nothing: a worker may have been taken over by its guest or its client and
 * write what it likes, at any time.
 */
#pragma once

#include <stdint.h>

#include "protocol/frame_link.h"

/* A worker inherits its page as this descriptor, beside KEEPER_LINK_FD. */
#define HEARTBEAT_FD 4

#define HEARTBEAT_MAGIC 0x5441454254524956u /* "VIRTBEAT" */
#define HEARTBEAT_VERSION 5

/* The text that says what a loop does has this many bytes, its NUL included. */
#define HEARTBEAT_TEXT_BYTES 24

/* A context's name has this many bytes, as in the ledger; a name of all of them has no NUL. */
#define HEARTBEAT_NAME_BYTES 64

/* Display knows this many encoders at most, in an order of its own. */
#define HEARTBEAT_ENCODERS 16

/* Each of these has a beat. Render has the first three, display MAIN and those from RELAY on. */
enum heartbeat_loop {
	HEARTBEAT_MAIN, /* the main thread */
	HEARTBEAT_GPU,  /* render's gpu thread */
	/*
	 * This is no loop but the oldest work that the GPU was given and has not done. The gpu
	 * thread writes it. `since_ns` is when that work was given, or when the work before it was
	 * done if that is later.
	 */
	HEARTBEAT_GPU_WORK,
	HEARTBEAT_RELAY, /* display's relay thread */
	HEARTBEAT_SPICE, /* spice-server's worker thread of head 0; those of other heads follow */
	HEARTBEAT_LOOPS = HEARTBEAT_SPICE + FRAME_HEADS_MAX,
};

enum heartbeat_state {
	HEARTBEAT_UNUSED,   /* there is no such loop, or not yet */
	HEARTBEAT_IDLE,     /* it sleeps until it is wanted */
	HEARTBEAT_STARTING, /* it makes what it needs before it can serve anybody */
	HEARTBEAT_WORKING,
};

struct heartbeat_beat {
	uint64_t since_ns; /* CLOCK_MONOTONIC: when the state and what is done were entered */
	uint32_t state;    /* enum heartbeat_state */
	uint32_t context;  /* the guest's context that is served; 0: none */
	uint64_t text[HEARTBEAT_TEXT_BYTES / 8]; /* what is done, NUL-padded: a command's name */
};

/*
 * An encoder is a driver of somebody else's in display's process. Display says which ones are at
 * work and which of them are on GPUs, so that the keeper knows, when the process has crashed, which
 * ones the next process had better leave alone. `refused` is the keeper's, written before the
 * process is told to work.
 */
struct heartbeat_encoders {
	uint32_t n_at_work[HEARTBEAT_ENCODERS]; /* threads, for clients */
	uint32_t tried;    /* 1 + the one whose trial began last, if it runs; 0: none */
	uint32_t hardware; /* a bit for each, before the first is at work */
	uint32_t refused;  /* a bit for each */
	uint32_t reserved;
};

struct heartbeat {
	uint64_t magic;
	uint64_t version;
	/*
	 * The renderer's gpu thread has done this many RESETs of the keeper. While one is not done,
	 * the ledger lists objects of the guest of before, and what is worked at is that guest's.
	 */
	uint64_t resets;
	/* 1: the renderer has made again all that the ledger listed that it was given. */
	uint64_t is_rebuilt;
	struct heartbeat_beat beats[HEARTBEAT_LOOPS];
	/*
	 * The context that the gpu thread's last words name as guilty is no more, if this is not 0,
	 * so its id may be another one's. It had this name, NUL-padded.
	 */
	uint64_t is_gone;
	uint64_t gone_name[HEARTBEAT_NAME_BYTES / 8];
	struct heartbeat_encoders encoders;
	/*
	 * Render was waiting with so many KiB of memory of its own alone, page tables included,
	 * when nothing had been asked of it yet for a moment; 0: it has not waited.
	 */
	uint64_t own_kib;
};
