/* SPDX-License-Identifier: MIT */
/*
 * gpus is `vitrine gpus`: it lists the render nodes of this machine and what each can do for a
 * desktop, then the software renderer. The answers are vitrine-render's (render/gpu_report.h),
 * which is started once for each, because drivers crash and hang.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* A driver may take this long to say what it can do; then it is said to hang. */
#define GPUS_TIMEOUT_MS 60000

struct gpu_info {
	char *node;       /* NULL: the software renderer */
	char *driver;     /* the kernel's; NULL: unknown */
	GKeyFile *report; /* never NULL; holds at least "works", and "why" when that is false */
	bool is_default;  /* what a desktop takes that names none */
	/*
	 * What vitrine-display says of them, a line each, and last which one ended it; none: it
	 * said nothing.
	 */
	char **encoders;
	char **missing; /* a line each (gpus_missing.h) */
};

/* Encoders are tried, all of them in this time. */
#define GPUS_ENCODERS_TIMEOUT_MS 30000

struct gpus_survey_options {
	const char *nodes_dir; /* /dev/dri but in tests */
	const char *renderer;  /* the path of vitrine-render */
	const char *display;   /* that of vitrine-display; NULL: nobody is asked for encoders */
	unsigned encoders_timeout_ms;
};

/*
 * Gives an array of struct gpu_info that frees its members; the last one is the software renderer.
 * Of what is missing on the whole machine that one's `missing` tells.
 */
GPtrArray *gpus_survey(const struct gpus_survey_options *options);
/* The caller frees both texts. */
char *gpus_describe(const GPtrArray *gpus);
char *gpus_describe_json(const GPtrArray *gpus);

/* argv[0] is "gpus". Gives the exit status. */
int gpus_main(int argc, char **argv);
