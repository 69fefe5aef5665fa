/* SPDX-License-Identifier: MIT */
/* listeners opens the sockets on which a desktop is to be reached, for display to listen on. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/desktop/desktop.h"
#include "server/keeper/viewer.h"

/* Gives the viewer all that the desktop's options name. It is called once, before viewer_start().
 */
bool listeners_open(struct viewer *viewer, const struct desktop *desktop, GError **error);
