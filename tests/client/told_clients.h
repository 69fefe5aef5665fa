/* SPDX-License-Identifier: MIT */
/*
 * told clients: remembers what display has told the keeper of its clients.
 *
 * Threads: one at a time.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "protocol/keeper_link.h"

/* Returns false when its text does not end. */
bool told_clients_note(GString *clients, const struct keeper_client *client);
/* Tells whether there is one of this kind whose text holds `text`. */
bool told_clients_have(const GString *clients, enum keeper_client_what what, const char *text);
/* Gives the name of the last one of this kind, "ADDRESS:PORT"; NULL: none. The caller frees it. */
char *told_clients_find(const GString *clients, enum keeper_client_what what, const char *text);
