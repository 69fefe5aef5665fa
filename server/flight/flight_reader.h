/* SPDX-License-Identifier: MIT */
/*
 * flight_reader takes a flight file apart (protocol/flight_file.h). The bytes may be anything: a
 * worker that was taken over has written most of them, and a disk may have cut them off. What can
 * be read is, every number is checked where it is used, and texts come out printable. What is wrong
 * with a file is said in `faults`; only one without a head is none.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/flight_file.h"
#include "protocol/heartbeat.h"

/* One event as it was read, whole. */
struct flight_entry {
	uint64_t time_ns;
	uint64_t args[FLIGHT_ARGS];
	uint16_t event, thread;
};

/* What one process has written. */
struct flight_recording {
	struct flight_memory *memory; /* a copy, with texts that end; NULL: there is none */
	GArray *entries;              /* struct flight_entry, the oldest first */
	uint64_t n_lost;              /* older ones were there, and have been written over */
	unsigned n_torn;              /* had been begun and were not whole */
};

struct flight_report {
	struct flight_head head; /* its texts end, and can be printed */
	enum flight_cause cause; /* the head's, or what the recording says more exactly */
	struct flight_recording own, keeper;
	bool is_by_run;              /* what stands in `keeper` is vitrine run's */
	struct heartbeat *heartbeat; /* NULL: there is none */
	GPtrArray *faults;           /* lines: what of the file could not be read */
};

/*
 * `in_use` says that the desktop runs whose file it is: a keeper that has not said that it ended
 * has then not. Returns NULL with `error` when it is no such file. Free it with
 * flight_report_free().
 */
struct flight_report *flight_report_read(
	const void *bytes, size_t size_bytes, bool in_use, GError **error);
void flight_report_free(struct flight_report *report);

/* Gives the name of a thread of the recording, or "-". It lives as long as that. */
const char *flight_recording_thread(const struct flight_recording *recording, unsigned thread);
/* Adds "libc.so.6+0x3af20", or the bare address. */
void flight_recording_add_place(
	const struct flight_recording *recording, GString *text, uint64_t address);
/* Adds the words of an event, such as "context=50 name=glmark2". */
void flight_entry_add_fields(const struct flight_entry *entry, GString *text);
/* Gives the event's name, or NULL when the table has none. */
const char *flight_entry_name(const struct flight_entry *entry);

/* Texts for people and for programs. The caller frees them; both end with a newline. */
char *flight_text_write(const struct flight_report *report);
char *flight_json_write(const struct flight_report *report);
/* Raised when a name goes or changes its meaning. */
#define FLIGHT_JSON_VERSION 1
