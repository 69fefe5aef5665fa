/* SPDX-License-Identifier: MIT */
/*
 * virgl_tally: keeps what came of the scripts that virgl-direct ran, and what was wrong, by kind.
 */
#pragma once

#include <glib.h>

struct tally {
	unsigned n_run;
	unsigned n_refused;    /* by the checker */
	unsigned n_complained; /* passed, and virglrenderer did not take all of it */
	unsigned n_clean;      /* passed, and taken whole */
	unsigned n_slow;       /* ended for the time that they took in OpenGL */
	unsigned n_crashed;
	GHashTable *kinds; /* what was wrong → struct kind */
};

void tally_init(struct tally *tally);
void tally_finish(struct tally *tally);
/* Counts one more of that kind; the first is printed at once. */
void tally_note(struct tally *tally, const char *kind, const char *example);
/* Prints each kind, how often it came, and its first example. */
void tally_print_kinds(const struct tally *tally);
/* Adds the numbers and kinds of `other`. */
void tally_add(struct tally *tally, const struct tally *other);
