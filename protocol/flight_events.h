/* SPDX-License-Identifier: MIT */
/*
 * flight_events is the table of what our processes write into their flight recorders
 * (common/flight.h): each event's number, its name, and what its three words are. Who reads a
 * flight knows events by this table alone, so that a new one is a row here and a call where it
 * happens.
 *
 * A number is never used again for something else: flights are read years later. No row has a word
 * for what a guest shows, what is typed, or what a password is; FLIGHT_NAME is the one kind that
 * strangers choose the bytes of, and is at most 16 of a program's name.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "common/flight.h"

enum flight_event_number {
	/* ---- all processes ---- */
	FLIGHT_STARTED = 1,
	FLIGHT_READY,
	FLIGHT_ENDING,

	/* ---- render ---- */
	FLIGHT_COMMAND = 16, /* comes often */
	FLIGHT_CONTEXT_MADE,
	FLIGHT_CONTEXT_GONE,
	FLIGHT_CONTEXT_LOST,
	FLIGHT_COMMAND_REFUSED,
	FLIGHT_GUEST_RESET,
	FLIGHT_RING_STARTED,
	FLIGHT_RING_STOPPED,
	FLIGHT_MEMORY_TABLE,
	FLIGHT_SCANOUT,
	FLIGHT_FRAME_LINK,
	FLIGHT_GPU_RESET,
	FLIGHT_REBUILD,
	FLIGHT_REBUILT,
	FLIGHT_PICTURES_BACK, /* what heads show is made again, the rest is not yet */
	FLIGHT_COMPILED,      /* only of the first streams of a process */

	/* ---- display ---- */
	FLIGHT_CHANNEL_OPENED = 40,
	FLIGHT_CHANNEL_CLOSED,
	FLIGHT_ENCODER_BEGUN,
	FLIGHT_ENCODER_LEFT,
	FLIGHT_LISTENER,
	FLIGHT_DBUS,

	/* ---- keeper ---- */
	FLIGHT_WORKER_STARTED = 64,
	FLIGHT_WORKER_READY,
	FLIGHT_WORKER_ENDED,
	FLIGHT_WORKER_KILLED,
	FLIGHT_WORKER_JUDGED,
	FLIGHT_WORKER_RETRY,
	FLIGHT_SPARE_STARTED,
	FLIGHT_SPARE_TAKEN,
	FLIGHT_QEMU_CAME,
	FLIGHT_QEMU_LEFT,
	FLIGHT_QEMU_ASKED, /* comes often */
	FLIGHT_DRIVER_NEW,
	FLIGHT_GPU_CHOSEN,
	FLIGHT_SERVANT_GONE,
	FLIGHT_DEATH_KEPT,
	FLIGHT_QUITS,
	FLIGHT_WORKER_LEFT,
	FLIGHT_DEVICE_LATE, /* the guest's driver waits, and QEMU does not start the GPU */
	FLIGHT_TROUBLE,     /* the guest cannot be served as QEMU was started */
	FLIGHT_DIRTY_LOG,   /* QEMU saves or migrates the guest, or does not any more */

	/* ---- vitrine run ---- */
	FLIGHT_CHILD_STARTED = 96,
	FLIGHT_CHILD_ENDED,
	FLIGHT_MACHINE, /* what QMP says of it */
};

enum flight_field_kind {
	FLIGHT_NO_FIELD,
	FLIGHT_NUMBER,
	FLIGHT_HEX,
	FLIGHT_COMMAND_TYPE, /* VIRTIO_GPU_CMD_… */
	FLIGHT_ANSWER_TYPE,  /* VIRTIO_GPU_RESP_… */
	FLIGHT_MILLISECONDS,
	FLIGHT_SECONDS,
	FLIGHT_SIZE,        /* width in the upper 32 bits, height in the lower ones */
	FLIGHT_WAIT_STATUS, /* as waitpid() gives it */
	FLIGHT_WORKER,      /* enum flight_process */
	FLIGHT_CAUSE,       /* enum flight_cause */
	FLIGHT_NAME,        /* this word and the next one are text; only of the second word */
	FLIGHT_FIELD_KINDS,
};

struct flight_field {
	const char *name;
	enum flight_field_kind kind;
};

struct flight_row {
	enum flight_event_number event;
	const char *name;
	struct flight_field fields[FLIGHT_ARGS];
};

extern const struct flight_row flight_rows[];
extern const unsigned flight_n_rows;

/* Gives the row of an event, or NULL when the table has none. */
const struct flight_row *flight_find_row(unsigned event);

/*
 * Adds one of the words as text. `args` are all of the event's, and `field` is below FLIGHT_ARGS.
 * Any numbers may come.
 */
void flight_format_field(
	GString *text, enum flight_field_kind kind, const uint64_t *args, unsigned field);
