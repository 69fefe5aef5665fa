/* SPDX-License-Identifier: MIT */
/* nodes: why the render node does not open. */
#pragma once

#include "guest-tools/check/check.h"

/* Fails `finding` with the cause why guest->render_path does not open. */
void nodes_blame_render(const struct guest *guest, struct finding *finding);
