/* SPDX-License-Identifier: MIT */
#include "server/run/key_names.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	const char *name, *qcode;
} others[] = {
	{ "control", "ctrl" },
	{ "del", "delete" },
	{ "enter", "ret" },
	{ "return", "ret" },
	{ "escape", "esc" },
	{ "space", "spc" },
	{ "ins", "insert" },
	{ "super", "meta_l" },
	{ "win", "meta_l" },
	{ "meta", "meta_l" },
	{ "altgr", "alt_r" },
	{ "pageup", "pgup" },
	{ "pagedown", "pgdn" },
};

/* Names of QEMU's own have these letters; what they mean QEMU knows. */
static bool can_be_qcode(const char *name)
{
	size_t length = strlen(name);
	if (length == 0 || length > 32)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!g_ascii_islower(name[i]) && !g_ascii_isdigit(name[i]) && name[i] != '_')
			return false;
	}
	return true;
}

char *key_name_to_qcode(const char *name)
{
	g_autofree char *lower = g_ascii_strdown(name, -1);
	for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
		if (strcmp(lower, others[i].name) == 0)
			return g_strdup(others[i].qcode);
	}
	return can_be_qcode(lower) ? g_steal_pointer(&lower) : NULL;
}
