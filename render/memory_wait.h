/* SPDX-License-Identifier: MIT */
/*
 * memory_wait: says how long work of the gpu thread waits for a memory table that the keeper may be
 * about to send.
 *
 * A guest may name memory that is not in the table, because it may be quicker than the keeper's
 * word of new memory, which the keeper holds back while QEMU rearranges it. So the work is put
 * aside and tried again from its beginning: first the main thread reads the keeper link to its end,
 * then, once a second at most, a table is waited for that the keeper may be holding back. Work may
 * wait MEMORY_WAITS_MAX times, and no more once it has waited in vain.
 *
 * It only counts and compares: the caller asks the keeper, tells the time and does the work. One
 * piece of work waits at a time. Only the gpu thread uses it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The main thread may take this long to read the keeper link to its end. */
#define MEMORY_WAIT_KEEPER_US (200 * 1000)
/*
 * The keeper may hold a table back for this long, and a guest may make us wait for that once in the
 * interval.
 */
#define MEMORY_WAIT_TABLE_US (50 * 1000)
#define MEMORY_WAIT_TABLE_INTERVAL_US (1000 * 1000)
/* One command may name unknown memory in its descriptors, and again in what it says. */
#define MEMORY_WAITS_MAX 2

enum memory_wait_phase {
	MEMORY_WAIT_NONE,   /* nothing waits */
	MEMORY_WAIT_KEEPER, /* for the main thread to have read the keeper link */
	MEMORY_WAIT_TABLE,  /* for the keeper to send what it may be holding back */
};

struct memory_wait {
	enum memory_wait_phase phase;
	int64_t end_us;        /* of the phase */
	int64_t last_table_us; /* when a table was waited for last; 0: never */
	unsigned n_waits;      /* of the work at hand */
	bool in_vain;          /* the last of them brought no table */
};

/* Returns false when the work at hand has waited enough and is to be refused. */
bool memory_wait_is_allowed(const struct memory_wait *wait);
/*
 * Notes that the work at hand is put aside. The main thread must have been asked to read the link,
 * or be asked next.
 */
void memory_wait_begin(struct memory_wait *wait, int64_t now_us);
/* Notes that the keeper link was read to its end, and what it said is in force. */
void memory_wait_keeper_read(struct memory_wait *wait, int64_t now_us);
/* Notes that a new table is in force, so that the work may go on. */
void memory_wait_new_table(struct memory_wait *wait);
/* Returns true while nothing has come and there is time left. */
bool memory_wait_goes_on(struct memory_wait *wait, int64_t now_us);
/*
 * Returns after how many microseconds memory_wait_goes_on() may answer otherwise by itself, or -1
 * when nothing waits.
 */
int64_t memory_wait_left_us(const struct memory_wait *wait, int64_t now_us);
/* Notes that the work at hand is done, refused or dropped. */
void memory_wait_finish(struct memory_wait *wait);
