/* SPDX-License-Identifier: MIT */
/*
 * capabilities: what `vitrine-gpu --print-capabilities` says (QEMU docs/interop/vhost-user.json,
 * VHostUserBackendCapabilities for a GPU).
 */
#pragma once

#include <stdbool.h>

/* JSON text. `virgl`: claim the feature only when it can start here. Caller frees. */
char *capabilities_describe(bool virgl);

/* Runs `renderer --virgl --probe`, silently: true when a GL context could be made. */
bool capabilities_probe_virgl(const char *renderer);
