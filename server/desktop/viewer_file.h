/* SPDX-License-Identifier: MIT */
/*
 * viewer_file is what remote-viewer(1) calls a connection file: where to connect on this machine,
 * and what is to be trusted there. It has no secret.
 */
#pragma once

#include "server/desktop/desktop.h"

#define VIEWER_FILE_GROUP "virt-viewer"

/* Gives the host to connect to, since nobody connects to an address that stands for all. */
const char *viewer_file_host(const char *address);
/* Gives the absolute path of --spice-unix. The caller frees it. */
char *viewer_file_unix_path(const struct desktop *desktop);
/* Free it with g_key_file_free(). NULL: `error` says why there is none. */
GKeyFile *viewer_file_make(const struct desktop *desktop, GError **error);
