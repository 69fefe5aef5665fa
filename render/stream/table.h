/* SPDX-License-Identifier: MIT */
/* table: defines how a line of the two tables is written. */
#pragma once

#include <glib.h>

#include "render/stream/decoder.h"
#include "render/stream/limits.h"

#define FIELDS(list) .fields = (list), .n_fields = G_N_ELEMENTS(list)
#define GROUP(list, max) .group = (list), .n_group = G_N_ELEMENTS(list), .groups_max = (max)
