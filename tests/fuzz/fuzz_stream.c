/* SPDX-License-Identifier: MIT */
/*
 * The checker of command streams, with nothing behind it. The input's first byte says what the rest
 * is: decisions of the generator (what it writes must pass), the same with one thing broken, or
 * words as they are.
 */
#include <glib.h>

#include "tests/fuzz/script/checked.h"
#include "tests/fuzz/script/inputs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
	static const struct checked_options nowhere;
	static struct script script;
	struct stream_fault fault;
	if (!script.words)
		script_init(&script);
	bool is_valid = inputs_read(data, n_bytes, &script);
	if (!checked_run(&script, &nowhere, &fault) && is_valid)
		checked_fail("refused, though valid", &fault);
	return 0;
}
