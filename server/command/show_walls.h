/* SPDX-License-Identifier: MIT */
/* show_walls is what `vitrine show` says of what a desktop's processes are locked in by. */
#pragma once

#include <json-glib/json-glib.h>

/* Prints a line a process; a desktop whose keeper does not answer has none. */
void show_walls_print(const char *base, const char *name);
/*
 * Adds an object with a member a process, {"held": ["seccomp", …], "lacking": {"landlock": "why"}},
 * or null where the keeper does not answer.
 */
void show_walls_add(JsonBuilder *json, const char *base, const char *name);
