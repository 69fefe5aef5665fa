/* SPDX-License-Identifier: MIT */
/*
 * announcement tells how to connect: as a command that works on this machine as it stands. With TLS
 * a client must trust the certificate, which may be nobody's but the desktop's own: then the
 * command names a file for remote-viewer(1), which has what is to be trusted, and no secret. So it
 * does where a unix socket's path can stand in no address.
 */
#pragma once

#include "server/desktop/desktop.h"
#include "server/desktop/run_dir.h"

void announcement_print(const struct desktop *desktop, const struct run_dir *dir);

/* Gives what remote-viewer is given on this machine: an address, or the file's path. The caller
 * frees it. */
char *announcement_address(const struct desktop *desktop, const struct run_dir *dir);

/* Writes remote-viewer's file anew, since there may be another certificate. Without TLS there is
 * none. Returns its path, which the caller frees, or NULL. */
char *announcement_write(const struct desktop *desktop, const struct run_dir *dir);
