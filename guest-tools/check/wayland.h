/* SPDX-License-Identifier: MIT */
/*
 * wayland finds out whether the running Wayland compositor draws through the GPU. It is a check of
 * the group server, in a file of its own.
 */
#pragma once

#include "guest-tools/check/check.h"

void wayland_run(struct guest *guest, struct finding *finding);
