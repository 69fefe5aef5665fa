/* SPDX-License-Identifier: MIT */
/*
 * figures: keeps what the servers of a run have counted, in a file that all of them map.
 *
 * run-mesa reads the same file: 64-bit numbers in this order, then one for each command's number.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FIGURES_COMMANDS_MAX 64

enum figure {
	FIGURE_CONTEXTS,
	FIGURE_SUBMISSIONS,
	FIGURE_COMMANDS,
	FIGURE_REFUSED,
	FIGURE_MENDED,  /* submissions of which a word was changed, or that were given more */
	FIGURE_DROPPED, /* commands that became a NOP */
	FIGURE_FAILED,  /* submissions that virglrenderer has not taken whole */
	FIGURE_RESOURCES,
	FIGURE_TRANSFERS,
	FIGURE_OVER_QUOTA, /* resources that a quota has no room for: a program asks how much it
			      gets */
	FIGURES
};

/* Returns false when the file cannot be mapped; errno says why. */
bool figures_open(const char *path);
/*
 * Adds to a figure, from any process that has the file mapped. Nothing is counted before it is
 * opened.
 */
void figures_add(enum figure figure, uint64_t n);
/* Counts the commands of a stream, each by its number. */
void figures_add_commands(const uint32_t *words, uint32_t n_words);
