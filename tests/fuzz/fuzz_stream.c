/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the checker of command streams, with nothing behind it. The input's first byte says what
 * the rest is: decisions of the generator (what it writes must pass), the same with one thing
 * broken, or words as they are. Half of them have quotas so small that most scripts reach one.
 */
#include <glib.h>

#include "tests/fuzz/script/checked.h"
#include "tests/fuzz/script/inputs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* Drops the log. Going over a quota is logged once for each guest, which here is each script. */
static GLogWriterOutput write_nothing(
	GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user)
{
	return G_LOG_WRITER_HANDLED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
	static const struct checked_options nowhere;
	static struct script script;
	struct stream_fault fault;
	if (!script.words) {
		script_init(&script);
		g_log_set_writer_func(write_nothing, NULL, NULL);
	}
	bool is_valid = inputs_read(data, n_bytes, &script);
	if (!checked_run(&script, &nowhere, &fault) && is_valid && !fault.over_quota)
		checked_fail("refused, though valid", &fault);
	return 0;
}
