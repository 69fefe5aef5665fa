/* SPDX-License-Identifier: MIT */
/* wayland: does the running Wayland compositor draw through the GPU? One check of group server. */
#pragma once

#include "guest-tools/check/check.h"

void wayland_run(struct guest *guest, struct finding *finding);
