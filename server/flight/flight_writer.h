/* SPDX-License-Identifier: MIT */
/*
 * flight_writer is the thread that writes a process's flight files, so that nobody else of it waits
 * for the disk: what is to be written is copied and waits in a queue, and what is too much for that
 * is left out and counted.
 *
 * One of the files is the process's own recording. That lives in plain memory; what has changed of
 * it is written every now and then (flight_writer_poke()), with each other file, at the end, and by
 * a crash itself. So it is the same on every file system, a full disk costs the file and not the
 * process, and who is killed has lost the words of the last moments.
 *
 * All but the thread's own work happens on the main thread.
 */
#pragma once

#include "server/flight/flight_folder.h"

/* Files that wait, of at most FLIGHT_FILE_BYTES_MAX. Further ones are dropped. */
#define FLIGHT_JOBS_MAX 4
/* What a process waits at its end for a disk that stands still. */
#define FLIGHT_FINISH_MS 2000

struct flight_writer;

/*
 * Opens the files of a desktop and writes its own for the first time. `own` is of that what its
 * process knows. The caller's notes go there from now on (flight_use()). Returns NULL with `error`.
 */
struct flight_writer *flight_writer_create(
	const char *desktop, enum flight_part part, const struct flight_head *own, GError **error);
/* Starts the thread, and waits until it runs. Until then files are written where they come from. */
void flight_writer_start(struct flight_writer *writer);
/*
 * Writes what has come, for FLIGHT_FINISH_MS at most; what a disk holds on to then is left alone.
 * NULL is fine.
 */
void flight_writer_finish(struct flight_writer *writer);

/* The caller's memory; a copy of it is a section of other files. */
const struct flight_memory *flight_writer_memory(const struct flight_writer *writer);
/* Says in the own file how the process ended, unless that was said before. */
void flight_writer_set_end(struct flight_writer *writer, enum flight_cause cause, const char *why);
void flight_writer_set_gpu(struct flight_writer *writer, const char *gpu);

/* Has the own file written if something new stands in it. It costs nothing else. */
void flight_writer_poke(struct flight_writer *writer);
/* Keeps an end. `head` and the parts are copied. */
void flight_writer_keep(struct flight_writer *writer, const struct flight_head *head,
	const struct flight_bytes *parts, unsigned n_parts);
