/* SPDX-License-Identifier: MIT */
/* show_gpu is what `vitrine show` says of what desktops draw with: the keeper tells, if it answers.
 */
#pragma once

#include <json-glib/json-glib.h>

/* Prints a line of the desktop `name`, whose run directory is in `base`. */
void show_gpu_print(const char *base, const char *name);
/* Adds an object, or null where nobody knows. */
void show_gpu_add(JsonBuilder *json, const char *base, const char *name);
