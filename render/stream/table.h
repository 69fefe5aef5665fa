/* SPDX-License-Identifier: MIT */
/* table: how a line of the two tables is written. */
#pragma once

#include <stddef.h>

#include "render/stream/decoder.h"
#include "render/stream/limits.h"

#define FIELDS(list) .fields = list, .n_fields = sizeof(list) / sizeof(*(list))
#define GROUP(list, max) .group = list, .n_group = sizeof(list) / sizeof(*(list)), .groups_max = max
