/* SPDX-License-Identifier: MIT */
/*
 * cloud_seed makes the small disk from which cloud-init in an image of a cloud takes its first
 * user (NoCloud: a FAT file system called CIDATA with user-data and meta-data). The user may log in
 * by SSH with the keys given, and become root; there is no password.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct cloud_seed {
	char *user,
		*keys; /* the keys are lines of a file as ~/.ssh/authorized_keys; NULL: no seed */
};

/*
 * `text` is "user=NAME,key=FILE", or NULL: then there is no seed. The file is read. Finish it in
 * any case.
 */
bool cloud_seed_init(struct cloud_seed *seed, const char *text, GError **error);
void cloud_seed_finish(struct cloud_seed *seed);

/* Both give what is in the files, which the caller frees. */
char *cloud_seed_user_data(const struct cloud_seed *seed);
/* Another user or key makes the machine another instance, which cloud-init then sets up anew. */
char *cloud_seed_meta_data(const struct cloud_seed *seed, const char *name);

/* Makes the disk at `path`, by mtools. */
bool cloud_seed_make(
	const struct cloud_seed *seed, const char *name, const char *path, GError **error);
