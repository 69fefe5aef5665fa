/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/virgl_tally.h"

#include <stdio.h>

struct kind {
	unsigned n;
	char *example;
};

static void kind_free(gpointer data)
{
	struct kind *kind = data;
	g_free(kind->example);
	g_free(kind);
}

void tally_init(struct tally *tally)
{
	*tally = (struct tally){
		.kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, kind_free),
	};
}

void tally_finish(struct tally *tally)
{
	g_hash_table_unref(tally->kinds);
}

static struct kind *take_kind(struct tally *tally, const char *name, const char *example)
{
	struct kind *kind = g_hash_table_lookup(tally->kinds, name);
	if (kind)
		return kind;
	kind = g_new0(struct kind, 1);
	kind->example = g_strdup(example);
	g_hash_table_insert(tally->kinds, g_strdup(name), kind);
	return kind;
}

void tally_note(struct tally *tally, const char *name, const char *example)
{
	struct kind *kind = take_kind(tally, name, example);
	if (kind->n++ > 0)
		return;
	printf("  %s\n    first: %s\n", name, example);
	fflush(stdout);
}

void tally_print_kinds(const struct tally *tally)
{
	GHashTableIter iter;
	gpointer name, value;
	g_hash_table_iter_init(&iter, tally->kinds);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		const struct kind *kind = value;
		printf("%5u  %s\n       %s\n", kind->n, (const char *)name, kind->example);
	}
}

void tally_add(struct tally *tally, const struct tally *other)
{
	GHashTableIter iter;
	gpointer name, value;
	tally->n_run += other->n_run;
	tally->n_refused += other->n_refused;
	tally->n_complained += other->n_complained;
	tally->n_clean += other->n_clean;
	tally->n_slow += other->n_slow;
	tally->n_crashed += other->n_crashed;
	g_hash_table_iter_init(&iter, other->kinds);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		const struct kind *kind = value;
		take_kind(tally, name, kind->example)->n += kind->n;
	}
}
