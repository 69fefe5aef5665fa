/* SPDX-License-Identifier: MIT */
/* starter_paths is what the starter and its workers may open, with what Landlock holds of it. */
#pragma once

#include "common/confine/path_list.h"
#include "server/starter/isolation.h"

/* It holds what tables of render and display have, and what they read before those hold. The caller
 * destroys the list. */
struct path_list *starter_paths_create(const struct isolation *isolation);
