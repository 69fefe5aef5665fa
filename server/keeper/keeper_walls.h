/* SPDX-License-Identifier: MIT */
/*
 * keeper_walls confines the keeper before it hears of QEMU: it executes nothing, makes no process,
 * opens no file, connects to nobody but by unix sockets, and has no capabilities, whoever started
 * it. What it still may do stands in tables in the .c, each row with its reason.
 *
 * The starter is forked before and is not behind these walls, nor are the workers that it starts.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "common/confine/confine.h"
#include "server/desktop/desktop.h"

struct keeper_walls {
	struct confine_state state;
};

/*
 * Puts up what holds only for threads that do not exist yet. It is called when all files are open,
 * and before the first call of GLib that makes a thread.
 */
bool keeper_walls_begin(struct keeper_walls *walls, const struct desktop *desktop, GError **error);

/* Puts up the rest, and says in the log what holds. Nothing has been read from QEMU yet. */
bool keeper_walls_close(struct keeper_walls *walls, const struct desktop *desktop, GError **error);
