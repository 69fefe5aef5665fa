/* SPDX-License-Identifier: MIT */
/*
 * key_names makes QEMU's names of keys (QKeyCode, qapi/ui.json) of those that people type:
 * ctrl-alt-del becomes ctrl, alt, delete.
 */
#pragma once

#include <glib.h>

/* So many keys are held together at most: more than two hands do. More are refused. */
#define KEY_NAMES_MAX 16

/* Gives a QKeyCode for one name; NULL: it can be none. The text is the caller's. */
char *key_name_to_qcode(const char *name);
