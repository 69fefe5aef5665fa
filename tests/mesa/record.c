/* SPDX-License-Identifier: MIT */
#include "tests/mesa/record.h"

#include <glib.h>
#include <stdio.h>
#include <unistd.h>

static FILE *file;

void record_open(const char *prefix)
{
	g_autofree char *path = g_strdup_printf("%s.%d", prefix, (int)getpid());
	file = fopen(path, "we");
	if (!file)
		g_warning("%s: cannot be written", path);
}

void record_write(enum record_kind kind, const uint32_t *words, uint32_t n_words)
{
	uint32_t head[] = { kind, n_words };
	if (!file)
		return;
	fwrite(head, sizeof(*head), G_N_ELEMENTS(head), file);
	fwrite(words, sizeof(*words), n_words, file);
	fflush(file);
}

void record_submit(uint32_t context, const uint32_t *words, uint32_t n_words)
{
	g_autofree uint32_t *all = g_new(uint32_t, n_words + 1);
	all[0] = context;
	if (n_words > 0)
		memcpy(all + 1, words, n_words * sizeof(*words));
	record_write(RECORD_SUBMIT, all, n_words + 1);
}
