/* SPDX-License-Identifier: MIT */
/*
 * quotas is the one table of what one guest may use of the host.
 *
 * `vitrine run` and vitrine-gpu take other limits for a desktop by --quota, and vitrine-render,
 * which is told them, counts (render/quota/quota.h). What is over a limit is answered with
 * VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, whatever the quota, and changes nothing; the guest's other
 * contexts go on. Bounds that are no matter of quantity stand in the limits.h of each room.
 *
 * With the limits below, render's memory beyond the guest's own is at most texture-bytes +
 * picture-bytes + 1 GiB. That last part is `other-bytes`, to which all that is counted by number is
 * charged at what one of it costs; `staging-bytes`, for the one command that is executed; and
 * QUOTAS_PROCESS_BYTES, for the program and its drivers.
 *
 * No limit is to be met by a desktop that means well. Such desktops need:
 *
 * - Contexts: one for each program that draws. A sub-context is one of the program's GL contexts:
 *   Firefox and Chromium end the oldest of more than 16 for WebGL in a process.
 * - Programs: a driver compiles a shader for each state that it is drawn with; llvmpipe takes 0.3
 *   to 0.7 MB for each, and a browser has some hundred of them. Textures pay for it.
 * - Objects, shaders, resources: emulators and games keep thousands of textures (GLideN64: up to
 *   8000), each with a view of it; Mesa makes a shader for each variant of a program.
 * - Textures: browsers and games of 2 GiB, and four heads of 3840x2160 in three buffers each, which
 *   is 400 MB.
 * - Time to make things: render/quota/making.h says who is charged, and what a program needs that
 *   loads all it may. Nothing is charged while only one program draws; the guest of the tests'
 *   desktop is looked at for what it was refused.
 * - Flushes and cursors: a head has 500 Hz at most, and a picture is flushed in ten rectangles at
 *   most; mice say 1000 positions a second, some 8000. Each head has its own flushes, so that no
 *   other program takes them from it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * This much is counted for render itself, with its drivers, before a guest has asked for anything.
 */
#define QUOTAS_PROCESS_BYTES (256ull << 20)

enum quota_name {
	QUOTA_CONTEXTS,
	QUOTA_SUB_CONTEXTS,
	QUOTA_OBJECTS,
	QUOTA_SHADERS,
	QUOTA_SHADER_BYTES,
	QUOTA_QUERIES,
	QUOTA_PROGRAM_BYTES,
	QUOTA_RESOURCES,
	QUOTA_TEXTURE_BYTES,
	QUOTA_PICTURE_BYTES,
	QUOTA_BACKING_ENTRIES,
	QUOTA_BACKING_BYTES,
	QUOTA_STAGING_BYTES,
	QUOTA_ANSWER_BYTES,
	QUOTA_OTHER_BYTES,
	QUOTA_FLUSHES,
	QUOTA_CURSORS,
	QUOTA_MAKING_TIME,
	QUOTAS
};

enum quota_scope {
	QUOTA_OF_GUEST,
	QUOTA_OF_CONTEXT,
	QUOTA_OF_COMMAND, /* for as long as it is executed */
	QUOTA_OF_SECOND,
};

struct quota_row {
	const char *name; /* in --quota */
	const char *unit; /* a noun, and for whom */
	enum quota_scope scope;
	uint64_t initial, min, max;
	/*
	 * One takes this much host memory, which is charged to other-bytes, or to texture-bytes.
	 * 0: it is charged nowhere else.
	 */
	uint64_t cost_bytes;
	const char *refused; /* the command, and what asks for it */
	bool takes_time;     /* to make: refused as making-time says, too */
	bool of_textures;    /* its cost is charged to texture-bytes */
};

extern const struct quota_row quota_rows[QUOTAS];

/* `max` has the limits of one desktop, by enum quota_name. */
struct quota_limits {
	uint64_t max[QUOTAS];
};

void quotas_set_initial(struct quota_limits *limits);
/*
 * Takes "NAME=VALUE", or several with commas between them. A value may end in K, M, G or T, for
 * powers of 1024. Gives NULL, or why not, which the caller frees; then nothing has changed.
 */
char *quotas_parse(struct quota_limits *limits, const char *text);
/*
 * Gives those that are not the initial ones, as quotas_parse() takes them, or NULL when there are
 * none. The caller frees it.
 */
char *quotas_format(const struct quota_limits *limits);
/* Gives the number with the largest suffix that loses nothing. The caller frees it. */
char *quotas_format_number(uint64_t number);
/* Gives the most private memory that render may take: the sum at the top of this file. */
uint64_t quotas_get_memory_bytes(const struct quota_limits *limits);
