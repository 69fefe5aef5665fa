/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the checker of shaders' texts. The input is one text or, behind a NUL, two, which are then
 * a pair of stages. What passes must be within the limits that it is held to.
 */
#include <glib.h>
#include <string.h>
#include <strings.h>

#include "render/stream/tgsi.h"
#include "render/stream/tgsi_limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned stage_of(const char *text)
{
	static const char *const names[TGSI_STAGES] = { "VERT", "FRAG", "GEOM", "TESS_CTRL",
		"TESS_EVAL", "COMP" };
	for (unsigned i = 0; i < TGSI_STAGES; i++)
		if (!strncasecmp(text, names[i], strlen(names[i])))
			return i;
	return TGSI_VERTEX;
}

static void check_facts(const struct tgsi_facts *facts, size_t bytes)
{
	g_assert(facts->text_bytes + 1 == bytes);
	g_assert(facts->n_input_declarations <= TGSI_IO_DECLARATIONS_MAX);
	g_assert(facts->n_output_declarations <= TGSI_IO_DECLARATIONS_MAX);
	g_assert(facts->n_output_arrays <= TGSI_OUTPUT_ARRAYS_MAX);
	g_assert(facts->n_immediates <= TGSI_IMMEDIATES_MAX);
	g_assert(facts->inputs[1] >> (TGSI_IO_REGISTERS_MAX - 64) == 0);
	g_assert(facts->outputs[1] >> (TGSI_IO_REGISTERS_MAX - 64) == 0);
	for (unsigned i = 0; i < facts->n_input_ranges; i++)
		g_assert(facts->input_ranges[i].first + facts->input_ranges[i].count <= 63);
	g_assert(facts->varyings_out[TGSI_PATCH] <= UINT32_MAX);
}

/* Checks a copy in memory of its own size, so that a byte read behind the end shows. */
static bool check(const char *text, size_t bytes, struct tgsi_facts *facts)
{
	struct stream_fault fault = { 0 };
	g_autofree char *copy = g_memdup2(text, bytes);
	bool passes = tgsi_check(copy, bytes, stage_of(copy), facts, &fault);
	if (passes)
		check_facts(facts, bytes);
	else
		g_assert(fault.command && fault.field && fault.why);
	return passes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tgsi_facts earlier, later;
	struct stream_fault fault;
	g_autofree char *texts = g_malloc0(size + 2);
	memcpy(texts, data, size);
	size_t first = strlen(texts) + 1;
	bool passes = check(texts, first, &earlier);
	if (first <= size && check(texts + first, strlen(texts + first) + 1, &later) && passes)
		tgsi_check_link(&earlier, &later, &fault);
	return 0;
}
