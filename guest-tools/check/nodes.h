/* SPDX-License-Identifier: MIT */
/* nodes says why the render node does not open. */
#pragma once

#include "guest-tools/check/check.h"

/* Fails the finding with the cause that keeps guest->render_path from opening. */
void nodes_blame_render(const struct guest *guest, struct finding *finding);
