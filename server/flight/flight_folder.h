/* SPDX-License-Identifier: MIT */
/*
 * flight_folder is where a desktop's flight files lie: $XDG_STATE_HOME/vitrine/flights/NAME, which
 * only its owner may look into. It has FLIGHT_SLOTS files and never more, made and opened when the
 * desktop begins, so that who writes them later needs no right to open anything. What is written
 * next goes where nothing is yet, then over a keeper's end that nothing was wrong with, then over
 * the oldest. One desktop at a time has the folder.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/flight_file.h"

#define FLIGHT_SLOTS 16

struct flight_slot {
	int fd;               /* -1: none */
	uint64_t realtime_ns; /* of what is in it; 0: nothing */
	uint32_t cause;
	bool in_use; /* it is somebody's own memory */
};

struct flight_folder {
	int lock_fd; /* of a file in it; -1: closed */
	struct flight_slot slots[FLIGHT_SLOTS];
};

#define FLIGHT_FOLDER_NONE ((struct flight_folder){ .lock_fd = -1 })

/* Gives the folder's path, whether or not there is one. The caller frees it. */
char *flight_folder_path(const char *desktop);
/* Gives the path of one file in it. The caller frees it. */
char *flight_folder_file(const char *desktop, unsigned slot);

/*
 * Makes the folder and its files where there are none and opens them. Returns false with `error`
 * when it cannot be had, or another desktop of that name has it.
 */
bool flight_folder_open(struct flight_folder *folder, const char *desktop, GError **error);
void flight_folder_close(struct flight_folder *folder);

/* Gives the slot that is to be written next. */
unsigned flight_folder_choose(const struct flight_folder *folder);

/*
 * Puts a file together in a slot: the head, whose sections, size and times are filled in here, and
 * the bytes of each section. Returns the slot, or -errno; then the slot is empty.
 */
struct flight_bytes {
	uint32_t kind; /* enum flight_section_kind */
	const void *bytes;
	uint32_t size_bytes;
};
int flight_folder_write(struct flight_folder *folder, struct flight_head *head,
	const struct flight_bytes *parts, unsigned n_parts);

/*
 * Makes a slot into memory of the caller's own process, and gives its head, behind which lies a
 * struct flight_memory (flight_folder_memory()). What is written there stays, whichever way the
 * process ends. Its room on the disk is taken at once, or a full disk would be a SIGBUS. Returns
 * NULL with errno set, as on file systems where that room is not kept: of btrfs, ZFS, network ones.
 */
struct flight_head *flight_folder_map(struct flight_folder *folder, unsigned *slot);
struct flight_memory *flight_folder_memory(struct flight_head *head);
void flight_folder_unmap(struct flight_head *head);
