/* SPDX-License-Identifier: MIT */
/*
 * files takes what is dropped on the client's window, and puts it into a folder of the session's
 * user. A name has no folder of its own, and nothing that is there is written over. What does not
 * arrive is removed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest-tools/clipboard/daemon.h"
#include "guest-tools/clipboard/limits.h"

struct dropped_file {
	int fd; /* -1: a free place */
	uint32_t id;
	uint64_t left_bytes;
	char path[4096];
};

struct files {
	const char *folder;
	bool is_disabled;
	struct daemon *daemon; /* who is told how it goes */
	struct dropped_file all[FILES_MAX];
};

void files_init(struct files *files, const char *folder, struct daemon *daemon);
void files_handle(struct files *files, const struct daemon_message *message, const uint8_t *data);
/* Removes what has not arrived. */
void files_drop(struct files *files);
