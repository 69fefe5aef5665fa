/* SPDX-License-Identifier: MIT */
/*
 * gpu_options is the command line of vitrine-gpu: the conventions for vhost-user backend programs
 * (QEMU docs/interop/vhost-user.rst, "Backend program conventions"), and where people connect.
 */
#pragma once

#include "server/desktop/desktop.h"

/*
 * Checks everything that can be checked without side effects and without the password. With
 * --version nothing else need be right. Finish the desktop in any case.
 */
bool gpu_options_parse(struct desktop *desktop, int argc, char **argv, GError **error);

/* Reads the password, and checks what depends on whether there is one. */
bool gpu_options_read_password(struct desktop *desktop, GError **error);
