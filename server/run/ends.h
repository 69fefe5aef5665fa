/* SPDX-License-Identifier: MIT */
/*
 * ends keeps how QEMU, its guest and `vitrine run` itself come to their ends, as flight files
 * (server/flight/flight_writer.h). The kernel tells QEMU's parent, and no one else, with which
 * status that ended, and QMP says why a machine stopped. What run does itself is such a file, too.
 *
 * A desktop whose files cannot be had goes on without, and says so. Threads: main.
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "server/flight/flight_writer.h"
#include "server/flight/oom_kills.h"

/* What is known to have been before an end. */
enum ends_after {
	ENDS_AFTER_NOTHING,
	ENDS_AFTER_WISH,   /* ours, or that of who told us */
	ENDS_AFTER_KILL,   /* the same, and it did not go */
	ENDS_AFTER_KEEPER, /* vitrine-gpu had failed */
};

struct ends {
	struct flight_writer *writer; /* NULL: nothing is kept */
	struct oom_kills kills;
	unsigned look_source;
	char desktop[FLIGHT_WORD_BYTES], kernel[FLIGHT_WORD_BYTES];
	char qemu[FLIGHT_WORD_BYTES]; /* its version */
	uint64_t qemu_began_ns, keeper_began_ns;

	/* What QMP has said. */
	bool was_ready, has_panicked;
	char reason[FLIGHT_WORD_BYTES]; /* of the shutdown; "": there was none */
	uint64_t panic_kept_ns;         /* 0: none was */
};

void ends_init(struct ends *ends, const char *desktop);
void ends_finish(struct ends *ends);

/* QEMU has begun, of this version, or vitrine-gpu. */
void ends_note_qemu(struct ends *ends, pid_t pid, unsigned major, unsigned minor);
void ends_note_keeper(struct ends *ends, pid_t pid);
/* QEMU's monitor answers. */
void ends_note_ready(struct ends *ends);
/* Takes what QMP says of the machine; `data` may be NULL. */
void ends_note_event(struct ends *ends, const char *name, JsonObject *data);

/* They have ended, with this wait status. */
void ends_keep_qemu(struct ends *ends, pid_t pid, int wait_status, enum ends_after after);
void ends_keep_keeper(struct ends *ends, pid_t pid, int wait_status, enum ends_after after);
/* Says why we end; the first word counts. */
void ends_note_own(struct ends *ends, enum flight_cause cause, const char *why);
