/* SPDX-License-Identifier: MIT */
/*
 * capabilities writes what `vitrine-gpu --print-capabilities` says (QEMU
 * docs/interop/vhost-user.json, VHostUserBackendCapabilities for a GPU).
 */
#pragma once

#include <stdbool.h>

/*
 * Gives JSON text, which the caller frees. `virgl` says whether to claim that feature: only when it
 * can start on this machine.
 */
char *capabilities_describe(bool virgl);

/* Runs `renderer --virgl --probe` silently, and tells whether it could make a GL context. */
bool capabilities_probe_virgl(const char *renderer);
