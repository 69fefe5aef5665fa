/* SPDX-License-Identifier: MIT */
/*
 * render_nodes lists the render nodes of this machine, in the order in which a desktop tries them:
 * renderD9 comes before renderD128.
 */
#pragma once

#include <glib.h>

/* Gives their names in `dir`, an array that frees them; an empty one where there is no such folder.
 */
GPtrArray *render_nodes_find(const char *dir);
