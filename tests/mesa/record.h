/* SPDX-License-Identifier: MIT */
/*
 * record: writes down what a server was asked for, so that it can be said again without Mesa.
 *
 * A record is 32-bit words in the machine's order: its kind, how many words follow, and those. The
 * contents of resources are not in it: it says that a transfer was asked for, not what it wrote.
 */
#pragma once

#include <stdint.h>

enum record_kind {
	RECORD_CONTEXT = 1,    /* id */
	RECORD_CONTEXT_GONE,   /* id */
	RECORD_RESOURCE,       /* id, target, format, bind, width, height, depth, array size, last
				  level, samples, flags */
	RECORD_BACKING,        /* id, bytes */
	RECORD_ATTACH,         /* context, resource */
	RECORD_RESOURCE_GONE,  /* id */
	RECORD_SUBMIT,         /* context, then the stream as it came */
	RECORD_TRANSFER_WRITE, /* context, resource, level, stride, layer stride, x, y, z, width,
				  height, depth, offset, its upper half */
	RECORD_TRANSFER_READ,  /* the same */
};

/* Opens a file for each process, PREFIX.PID. Without it nothing is written. */
void record_open(const char *prefix);
void record_write(enum record_kind kind, const uint32_t *words, uint32_t n_words);
/* Writes a record of a few words, which the compound literal holds. */
#define RECORD(kind, ...)                                                                          \
	record_write(kind, (const uint32_t[]){ __VA_ARGS__ },                                      \
		sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
/* Writes a stream with its context before it. */
void record_submit(uint32_t context, const uint32_t *words, uint32_t n_words);
