/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/script/inputs.h"

#include <string.h>

#include "tests/fuzz/script/breakage.h"
#include "tests/fuzz/script/generate.h"

#define IS_POOR 4u         /* a bit of the first byte, beside the two that say what the rest is */
#define BREAKAGE_BYTES 16u /* at the end: decisions about what is broken */

/* Returns the resources that a generated script needs, which are always the same. */
static const GArray *get_resources(void)
{
	static struct script example;
	struct choices choices;
	if (example.resources)
		return example.resources;
	script_init(&example);
	choices_from_seed(&choices, 1);
	generate(&choices, NULL, &example);
	return example.resources;
}

/* Takes the bytes as a script's words, as they are. */
static void read_words(const uint8_t *data, size_t n_bytes, struct script *script)
{
	const GArray *resources = get_resources();
	g_array_append_vals(script->resources, resources->data, resources->len);
	g_array_append_vals(script->words, data, (guint)(n_bytes / 4));
	script_cut(script);
}

bool inputs_read(const uint8_t *data, size_t n_bytes, struct script *script)
{
	struct choices choices;
	struct breakage breakage;
	uint8_t kind = n_bytes > 0 ? data[0] % 4 : 0;
	script_clear(script);
	script->is_poor = n_bytes > 0 && data[0] & IS_POOR;
	if (n_bytes > 0)
		data++, n_bytes--;
	if (kind == 3) {
		read_words(data, n_bytes, script);
		return false;
	}
	size_t n_broken = kind == 0 ? 0 : MIN(BREAKAGE_BYTES, n_bytes);
	choices_from_bytes(&choices, data, n_bytes - n_broken);
	generate(&choices, NULL, script);
	if (kind == 0)
		return true;
	choices_from_bytes(&choices, data + n_bytes - n_broken, n_broken);
	breakage_make(&choices, script, NULL, &breakage);
	return false;
}
