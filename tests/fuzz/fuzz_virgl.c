/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes virglrenderer behind the checker. What passes must neither kill nor corrupt it, which
 * shows when virglrenderer is built with sanitizers. Inputs are those of fuzz_stream.c.
 */
#include <glib.h>
#include <stdlib.h>

#include "tests/fuzz/script/checked.h"
#include "tests/fuzz/script/inputs.h"
#include "tests/fuzz/script/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void on_unref(void *user, uint32_t resource)
{
	run_unref(resource);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
	static const struct checked_options options = { run_submit, on_unref, NULL };
	static struct script script;
	struct stream_fault fault;
	if (!script.words) {
		script_init(&script);
		if (!run_start())
			exit(77);
	}
	inputs_read(data, n_bytes, &script);
	run_begin(&script);
	checked_run(&script, &options, &fault);
	run_end();
	return 0;
}
