/* SPDX-License-Identifier: MIT */
/*
 * stats has the figures of one worker. It is memory that the keeper and readers see.
 *
 * The keeper makes one memfd for vitrine-render and one for vitrine-display, keeps them while
 * workers are replaced (counts go on, gauges begin anew) and gives read-only descriptors of both to
 * whoever connects to its stats socket. Both have this layout; each worker fills in what the tables
 * in stats.c say is its own, and the reader takes the rest from the other one.
 *
 * All fields are naturally aligned 64-bit numbers, read and written with relaxed atomics: a reader
 * sees each number whole but no two of the same moment. A reader trusts nothing: a worker may have
 * been taken over by its guest or its client and write what it likes, at any time.
 *
 * The names in the tables are what JSON and exporters show. They have the unit in them and stay;
 * new ones go to the end of their table, and any change of the layout raises STATS_VERSION.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/confine/confine.h"
#include "common/link.h"
#include "protocol/frame_link.h"

#define STATS_MAGIC 0x5354415452544956u /* "VITRTATS" */
#define STATS_VERSION 10
/* At most this many connections of people are told apart; more of them are not shown. */
#define STATS_CLIENTS_MAX 8
#define STATS_ENCODER_BYTES 32
#define STATS_ADDRESS_BYTES 64

/*
 * Times are counted in buckets of microseconds. Below 8 each microsecond has its own. Above there
 * are 8 to an octave, so that each is at most an eighth wide. The last one takes all that is longer
 * than 134 s.
 */
#define STATS_BUCKETS_PER_OCTAVE 8
#define STATS_BUCKETS 200

enum stats_worker {
	STATS_RENDER = 1,
	STATS_DISPLAY = 2,
};

/* These are counted of a head since the desktop's start. */
enum stats_count {
	/* Render fills in these. */
	STATS_FRAMES_FLUSHED, /* RESOURCE_FLUSH of the guest that touched the head */
	STATS_FRAMES_MERGED,  /* flushes of a watched head that the next frame took along */
	STATS_FRAMES_SENT,    /* PRESENT messages to display */
	STATS_FLUSHED_PIXELS, /* area of the flushes */
	STATS_FENCES_HELD,    /* answers held to pace the guest */
	STATS_FENCES_HELD_US, /* for how long, in sum */
	/* Display fills in these. */
	STATS_FRAMES_RECEIVED,   /* PRESENT messages of render */
	STATS_FRAMES_SUPERSEDED, /* replaced by a newer one before anything of them was used */
	STATS_DRAWABLES,         /* drawables given to spice-server */
	STATS_CHANGED_PIXELS,    /* area found to differ from what was sent last */
	STATS_SENT_PIXELS,       /* area of the drawables */
	STATS_STREAM_STARTS,     /* video streams begun */
	STATS_STREAM_FRAMES,     /* pictures encoded as video */
	STATS_SENT_BYTES,        /* of the head's display channel, on the wire */
	STATS_COUNTS,
};

/* These are true of a head now. */
enum stats_gauge {
	/* Render fills in these. */
	STATS_ON,    /* 0 or 1 */
	STATS_WIDTH, /* pixels */
	STATS_HEIGHT,
	STATS_REFRESH_MHZ,
	STATS_WANTED_MHZ, /* frames that display asks for; 0: nobody looks */
	/* Display fills in these. */
	STATS_STREAMS, /* video streams running */
	STATS_GAUGES,
};

/* These parts of a frame's time are measured, each in a histogram; display fills in all of them. */
enum stats_stage {
	STATS_FLUSH_TO_PICTURE,   /* guest's flush taken -> frame here, ready to be read */
	STATS_PICTURE_TO_ENCODED, /* in the video encoder */
	STATS_ENCODED_TO_WIRE, /* each piece: written by spice-server -> in the client's socket */
	STATS_FLUSH_TO_WIRE, /* from the flush until nothing of it waits for the client's socket */
	STATS_STAGES,
};

/* These are counted of the guest, and not of a head; render fills them in. */
enum stats_guest_count {
	STATS_COMMANDS_REFUSED, /* of programs, by the checker; each is the end of a context */
	STATS_COMMANDS_FAILED, /* streams of them that passed and virglrenderer refused; the same */
	STATS_MAKING_WAITED_US, /* that programs waited for what others made, in sum (making-time)
				 */
	STATS_MAKING_REFUSED,   /* what was not made since that was too long */
	STATS_GPU_RESETS, /* that ended a renderer; each made the guest lose what it had drawn */
	STATS_GUEST_COUNTS,
};

/* These are counted of strangers, at the door; display fills them in. */
enum stats_door_count {
	STATS_CONNECTIONS,     /* that were accepted */
	STATS_CROWDED_OUT,     /* cut off, since there were too many that had not come in yet */
	STATS_TOO_LATE,        /* cut off, since they had not come in for too long */
	STATS_PASSWORDS_RIGHT, /* one for each channel */
	STATS_PASSWORDS_WRONG, /* spent tickets among them; not the empty one of who has none yet */
	STATS_PASSWORDS_DELAYED, /* that had to wait, since others had been wrong */
	STATS_PASSWORDS_REFUSED, /* not compared at all, since too many waited */
	STATS_DOOR_COUNTS,
};

enum stats_client_count {
	STATS_CLIENT_SENT_BYTES, /* of the display channels, that the client has acknowledged */
	STATS_CLIENT_COUNTS,
};

enum stats_client_gauge {
	STATS_CLIENT_ROUND_TRIP_US,
	STATS_CLIENT_CLOCK_MARGIN_US, /* how far its media clock is kept behind the server's */
	STATS_CLIENT_BITS_PER_S,      /* what the line is thought to carry */
	STATS_CLIENT_GAUGES,
};

struct stats_histogram {
	uint64_t sum_us;
	uint64_t buckets[STATS_BUCKETS];
};

struct stats_head {
	uint64_t counts[STATS_COUNTS];
	uint64_t gauges[STATS_GAUGES];
	uint64_t encoder[STATS_ENCODER_BYTES / 8]; /* text, NUL-padded: makes the pictures */
	struct stats_histogram stages[STATS_STAGES];
};

struct stats_client {
	uint64_t connected; /* 0: the entry is free */
	uint64_t counts[STATS_CLIENT_COUNTS];
	uint64_t gauges[STATS_CLIENT_GAUGES];
	uint64_t address[STATS_ADDRESS_BYTES / 8]; /* text, NUL-padded: where from */
};

struct stats {
	uint64_t magic;
	uint64_t version;
	uint64_t size_bytes; /* of this struct */
	uint64_t worker;     /* enum stats_worker */
	struct stats_head heads[FRAME_HEADS_MAX];
	struct stats_client clients[STATS_CLIENTS_MAX];
	uint64_t guest[STATS_GUEST_COUNTS];
	uint64_t door[STATS_DOOR_COUNTS];
};

/* Tells of a field its name outside, and who fills it in. */
struct stats_name {
	const char *name;
	enum stats_worker worker;
};

extern const struct stats_name stats_count_names[STATS_COUNTS];
extern const struct stats_name stats_gauge_names[STATS_GAUGES];
extern const char *const stats_stage_names[STATS_STAGES];
extern const char *const stats_guest_count_names[STATS_GUEST_COUNTS];
extern const char *const stats_door_count_names[STATS_DOOR_COUNTS];
extern const char *const stats_client_count_names[STATS_CLIENT_COUNTS];
extern const char *const stats_client_gauge_names[STATS_CLIENT_GAUGES];

static inline unsigned stats_bucket_of(uint64_t us)
{
	if (us < STATS_BUCKETS_PER_OCTAVE)
		return (unsigned)us;
	unsigned shift = 60u - (unsigned)__builtin_clzll(us);
	unsigned bucket = shift * STATS_BUCKETS_PER_OCTAVE + (unsigned)(us >> shift);
	return bucket < STATS_BUCKETS ? bucket : STATS_BUCKETS - 1;
}

/*
 * Gives the shortest time that falls into a bucket; that of STATS_BUCKETS is the end of the last.
 */
static inline uint64_t stats_bucket_start_us(unsigned bucket)
{
	if (bucket < 2 * STATS_BUCKETS_PER_OCTAVE)
		return bucket;
	unsigned shift = bucket / STATS_BUCKETS_PER_OCTAVE - 1;
	uint64_t mantissa = STATS_BUCKETS_PER_OCTAVE + bucket % STATS_BUCKETS_PER_OCTAVE;
	return mantissa << shift;
}

/*
 * The keeper says this once to whoever connects to its stats socket (SOCK_SEQPACKET), and hangs up.
 * Two descriptors come with it: render's memory and display's, to be mapped for reading (shm.h). A
 * reader connects again to learn of a worker that was replaced.
 */
#define STATS_MESSAGE_ANSWER 1
#define STATS_NAME_BYTES 64
#define STATS_GPU_BYTES 256
#define STATS_GPU_WHY_BYTES 640

enum stats_spare {
	STATS_SPARE_NONE,
	STATS_SPARE_STARTING,
	STATS_SPARE_LOADED, /* it is executed, and has not started OpenGL */
	STATS_SPARE_READY,
	STATS_SPARES,
};

extern const char *const stats_spare_names[STATS_SPARES];

struct stats_answer {
	struct link_header header;
	uint32_t version; /* STATS_VERSION */
	uint32_t reserved;
	char name[STATS_NAME_BYTES];                 /* the desktop's, NUL-padded; may be cut */
	int32_t keeper_pid, render_pid, display_pid; /* 0: not running now */
	int32_t qemu_pid;                            /* 0: not known */
	uint32_t render_starts, display_starts;      /* processes so far */
	/* The renderer that waits for the other one's end. */
	int32_t spare_pid;      /* 0: none does */
	uint32_t spare_state;   /* enum stats_spare */
	uint64_t spare_own_kib; /* its memory that is nobody else's, as it says; 0: not known yet */
	/* What they are locked in by, as they said when they were ready. */
	struct confine_state keeper_walls, render_walls, display_walls;
	struct confine_state inner_walls, starter_walls, fetcher_walls;
	/* What the desktop draws with, as the renderer says, and why; NUL-padded. "": not known
	 * yet. */
	char gpu[STATS_GPU_BYTES], gpu_why[STATS_GPU_WHY_BYTES];
};
