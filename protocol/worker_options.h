/* SPDX-License-Identifier: MIT */
/*
 * worker_options is the one table of what vitrine-gpu, or `vitrine gpus`, tells a worker on its
 * command line. Who starts a worker fills in the worker's struct and has the arguments made from
 * it; the worker reads them into the same struct by the same rows, from which its --help comes,
 * too.
 *
 * What holds where nothing is said is zero, NULL and the quotas' initial limits, and makes no
 * argument.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/confine/confine.h"
#include "protocol/quotas.h"

/* It is raised when an option goes, or means something else: a keeper of before would give it. */
#define WORKER_OPTIONS_VERSION 1

enum worker_clock { WORKER_CLOCK_VITRINE, WORKER_CLOCK_SERVER };
/* These are the words of --clock, in the order of enum worker_clock, with NULL behind them. */
extern const char *const worker_clock_words[];

/* Which way copies may go; "in" is from the client to the guest. */
enum worker_clipboard {
	WORKER_CLIPBOARD_BOTH,
	WORKER_CLIPBOARD_IN,
	WORKER_CLIPBOARD_OUT,
	WORKER_CLIPBOARD_OFF,
};
extern const char *const worker_clipboard_words[];
enum worker_file_drop { WORKER_FILE_DROP_ON, WORKER_FILE_DROP_OFF };
extern const char *const worker_file_drop_words[];

/* What becomes of who is in when another one comes who may do as much. */
enum worker_second_client { WORKER_SECOND_CLIENT_TAKES, WORKER_SECOND_CLIENT_REFUSED };
extern const char *const worker_second_client_words[];

/* Nobody has said how large a copy may be. */
#define WORKER_CLIPBOARD_MAX_MIB 64

/* What a copy is, as bits. */
#define WORKER_CLIPBOARD_TEXT (1u << 0)
#define WORKER_CLIPBOARD_IMAGE (1u << 1)
#define WORKER_CLIPBOARD_FILES (1u << 2)

/*
 * Reads kinds of copies with commas between them; a NULL text is all. Gives NULL, or why not, which
 * the caller frees. `kinds` may be NULL.
 */
char *worker_clipboard_parse(const char *text, unsigned *kinds);

struct worker_render_options {
	bool virgl, software;
	bool hardware; /* render_node is of no use where the CPU draws for it */
	bool no_pacing;
	char *render_node; /* NULL: the CPU draws */
	struct quota_limits quotas;
	unsigned confine;   /* enum confine_mode */
	char *shader_cache; /* a folder for this desktop's shaders; NULL: none are kept */

	/* With one of these the program answers and ends, and is no worker. */
	bool probe, report, version;
};

struct worker_display_options {
	char *name;     /* what clients see as the desktop's name; NULL: none */
	unsigned clock; /* enum worker_clock */
	char *encoder;  /* NULL: display chooses */
	bool video_444;
	unsigned clipboard;     /* enum worker_clipboard */
	char *clipboard_max;    /* MiB as a decimal number; NULL: WORKER_CLIPBOARD_MAX_MIB */
	char *clipboard_types;  /* as worker_clipboard_parse() takes them */
	unsigned file_drop;     /* enum worker_file_drop */
	unsigned second_client; /* enum worker_second_client */
	unsigned max_mbit;      /* 0: no bound */
	unsigned lookers;       /* who may look on beside the one who drives; 0: none */
	unsigned idle_s;        /* after which a client is cut off that does nothing; 0: never */
	char *render_node; /* what the desktop draws with, and may encode with; NULL: the CPU */
	unsigned confine;  /* enum confine_mode */

	/* With one of these the program answers and ends, and is no worker. */
	bool report, version;
	bool software; /* the answer is for a desktop that the CPU draws, which opens no GPU */
};

enum worker_option_type {
	WORKER_OPTION_SWITCH, /* bool */
	WORKER_OPTION_TEXT,   /* char * */
	WORKER_OPTION_PATH,   /* char *, of a file */
	WORKER_OPTION_CHOICE, /* unsigned, an index into `words` */
	WORKER_OPTION_NUMBER, /* unsigned; 0: not given */
	WORKER_OPTION_QUOTAS, /* struct quota_limits: each time it is given it changes some of them
			       */
};

struct worker_option {
	const char *name;
	enum worker_option_type type;
	size_t offset;            /* of the member of the worker's struct */
	const char *help;         /* one line */
	const char *argument;     /* what stands for the value in --help; NULL: a switch has none */
	const char *const *words; /* of a choice; NULL stands behind the last */
};

struct worker_options {
	const struct worker_option *rows;
	unsigned n_rows;
};

extern const struct worker_options worker_render_table;
extern const struct worker_options worker_display_table;

/*
 * In these calls `values` is the struct that belongs to the table. It is to be initialised once.
 * The calls that read a command line own the texts in it, until worker_options_finish(); for
 * worker_options_format() they may be anybody's.
 */
void worker_options_init(const struct worker_options *options, void *values);
void worker_options_finish(const struct worker_options *options, void *values);

/* Gives a command line for g_strfreev() that begins with `program`. */
char **worker_options_format(
	const struct worker_options *options, const char *program, const void *values);

/*
 * Reads a command line and takes out of it what it has understood. What it cannot take, it refuses
 * with a G_OPTION_ERROR; `values` may then have changed in part. Ends the process after --help.
 */
bool worker_options_parse(const struct worker_options *options, void *values, int *argc,
	char ***argv, GError **error);
