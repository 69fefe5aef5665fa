/* SPDX-License-Identifier: MIT */
/*
 * choices: knows which encoders of this machine may serve a codec, best first, and which of them
 * may be used right now.
 *
 * Hardware that fails rests for CHOICES_REST_MS, since it may only be busy: NVENC bounds how many
 * may encode at a time, on the whole machine. What does not answer, or does not do what is needed,
 * is not used again by this process. Software does not rest, since nothing stands behind it.
 * Streams that it serves stay with it meanwhile, since it works for them. The first line that says
 * so is a warning, and further ones of the same encoder, until one that began later has worked, are
 * for debugging.
 *
 * Threads: any.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

#include "display/video/candidates.h"
#include "display/video/encoder.h"

/* A codec has at most this many choices; more are left out. */
#define CHOICES_MAX 8
#define CHOICES_REST_MS 60000

struct choice {
	const struct candidate *candidate;
	GstElementFactory *factory; /* borrowed: it must live as long as the process */
	bool chroma_444;
};

/*
 * From now on these serve the codec. What is known of candidates' failures stays.
 */
void choices_set(enum candidate_codec codec, const struct choice *choices, unsigned n_choices);

/* Returns the format of pixels that the choice takes. */
const char *choice_format(const struct choice *choice);

/* Returns the sizes that it takes, as "160x160 to 4096x4096", which the caller frees. */
char *choice_sizes(const struct choice *choice);

/*
 * Gives the codec's first choice that takes pictures of this size, by its element's pads and its
 * format, and may be used now; of those that are better than `own` unless that is NULL. Returns
 * false when there is none.
 */
bool choices_pick(enum candidate_codec codec, int width, int height, const struct candidate *own,
	struct choice *choice);

/*
 * Notes why the candidate's encoder is of no use: FAILED, UNFIT or SILENT. `reason` is text for
 * people, or NULL.
 */
void choices_note_fault(
	const struct candidate *candidate, enum encoder_state fault, const char *reason);
/* Notes that its encoder, which began to start at that time, has encoded a picture. */
void choices_note_success(const struct candidate *candidate, gint64 since_us);
/* Returns whether the candidate is never to be used again by this process. */
bool choices_is_out(const struct candidate *candidate);
