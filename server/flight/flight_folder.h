/* SPDX-License-Identifier: MIT */
/*
 * flight_folder is where a desktop's flight files lie: $XDG_STATE_HOME/vitrine/flights/NAME, which
 * only its owner may look into. It has FLIGHT_FILES files and never more, in two parts: the keeper
 * writes one and `vitrine run` the other. Those of a part are made and opened when its process
 * begins, so that who writes them later needs no right to open anything. What is written next goes
 * where nothing is yet, then over an end that nothing was wrong with, then over the oldest. One
 * process at a time has a part.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/flight_file.h"

enum flight_part {
	FLIGHT_PART_KEEPER,
	FLIGHT_PART_RUN,
	FLIGHT_PARTS,
};

/* The files of a part, and of the folder. */
#define FLIGHT_SLOTS 16
#define FLIGHT_RUN_SLOTS 8
#define FLIGHT_FILES (FLIGHT_SLOTS + FLIGHT_RUN_SLOTS)

struct flight_slot {
	int fd;               /* -1: none */
	uint64_t realtime_ns; /* of what is in it; 0: nothing */
	uint32_t cause;
	bool in_use; /* it is somebody's own memory */
};

struct flight_folder {
	int lock_fd;             /* of a file in it; -1: closed */
	unsigned first, n_slots; /* the number of its first file, and how many there are */
	struct flight_slot slots[FLIGHT_SLOTS];
};

#define FLIGHT_FOLDER_NONE ((struct flight_folder){ .lock_fd = -1 })

/* Gives the folder's path, whether or not there is one. The caller frees it. */
char *flight_folder_path(const char *desktop);
/* Gives the names of all desktops that have one, sorted. Free them with g_strfreev(). */
char **flight_folder_list(void);
/* Gives the path of one file in it, by its number. The caller frees it. */
char *flight_folder_file(const char *desktop, unsigned number);
/* Gives the part that has this file. */
enum flight_part flight_folder_part(unsigned number);
/* Gives whether a process that lives has this part. */
bool flight_folder_in_use(const char *desktop, enum flight_part part);

/*
 * Makes the folder and its files where there are none and opens them. Returns false with `error`
 * when it cannot be had, or another desktop of that name has it.
 */
bool flight_folder_open(
	struct flight_folder *folder, const char *desktop, enum flight_part part, GError **error);
void flight_folder_close(struct flight_folder *folder);

/* Gives the slot that is to be written next, from 0. */
unsigned flight_folder_choose(const struct flight_folder *folder);

struct flight_bytes {
	uint32_t kind; /* enum flight_section_kind */
	const void *bytes;
	uint32_t size_bytes;
};
/* Fills in sections, size and times of a file that has these parts. */
void flight_fill_head(struct flight_head *head, const struct flight_bytes *parts, unsigned n_parts);
/*
 * Puts a file together in a slot: the head, which is filled in here, and the bytes of each section.
 * Returns the file's number, or -errno; then the slot is empty.
 */
int flight_folder_write(struct flight_folder *folder, struct flight_head *head,
	const struct flight_bytes *parts, unsigned n_parts);
