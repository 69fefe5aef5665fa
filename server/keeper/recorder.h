/* SPDX-License-Identifier: MIT */
/*
 * recorder keeps how processes of this desktop came to their ends, as flight files
 * (protocol/flight_file.h). Its files are opened before the keeper's walls stand; later a thread of
 * its own writes into them (server/flight/flight_writer.h). One of them is the keeper's own memory
 * of what it does.
 *
 * A desktop without a name has no files, and neither has one whose folder cannot be had; it goes on
 * without, and says so. Everything here happens on the main thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/desktop/desktop.h"
#include "server/flight/flight_writer.h"
#include "server/flight/oom_kills.h"
#include "server/keeper/worker_process.h"

struct recorder {
	struct flight_writer *writer; /* NULL: nothing is kept */
	struct oom_kills kills;
	char desktop[FLIGHT_WORD_BYTES];
	char kernel[FLIGHT_WORD_BYTES];
	char gpu[FLIGHT_LINE_BYTES];
};

/* Opens what is needed later. It cannot fail; what cannot be had is said in the log. */
void recorder_init(struct recorder *recorder, const struct desktop *desktop);
/* Starts the thread, which is to have the keeper's privileges, and its filter when that comes. */
void recorder_start(struct recorder *recorder);
/* Notes why the keeper ends, unless something was noted before. */
void recorder_note_quit(struct recorder *recorder, enum flight_cause cause, const char *why);
/*
 * Notes how often the kernel has killed for memory so far, so that a SIGKILL is put down to that
 * only if it did so since, and has what the keeper did written. It is called now and then, and does
 * so every few seconds.
 */
void recorder_look(struct recorder *recorder, uint64_t now_ns);
void recorder_finish(struct recorder *recorder);

/* What the desktop draws with, for all files from now on. */
void recorder_set_gpu(struct recorder *recorder, const char *gpu);

/*
 * Keeps the end of a process that is gone. `death` is what is known of it; its cause is found from
 * the wait status where nothing is noted there.
 */
void recorder_keep(
	struct recorder *recorder, struct flight_head *death, const struct worker_process *process);
