/* SPDX-License-Identifier: MIT */
/*
 * table: compares docs/stream-checks.md with the table that it is about. It has a row for each
 * command and object, in order, that says what the table holds its words to and names tests that
 * know it. It holds the longest commands with names to the limit of those, too.
 */
#include <glib.h>
#include <string.h>

#include "render/stream/decoder.h"
#include "render/stream/limits.h"

static const char *const kinds[STREAM_OBJECTS] = { "object", "blend", "rasterizer", "dsa", "shader",
	"vertex elements", "sampler view", "sampler state", "surface", "query", "streamout target",
	"surface" };

static void say_resource(GString *text, const struct stream_field *field)
{
	static const char *const needs[] = { "", ", a buffer", ", a texture", ", with GL" };
	unsigned need = (field->flags & STREAM_NEEDS_BUFFER ? 1 : 0) +
			(field->flags & STREAM_NEEDS_TEXTURE ? 2 : 0);
	g_string_append_printf(text, "a resource of the context%s", needs[need]);
}

/* Appends what the table asks of the field. Returns false when it asks nothing. */
static bool say_demand(GString *text, const struct stream_field *field)
{
	switch (field->kind) {
	case STREAM_MAKES:
		g_string_append(text, "not 0");
		return true;
	case STREAM_HANDLE:
		if (field->flags & STREAM_LENIENT)
			return false;
		g_string_append_printf(text, "a handle of a %s", kinds[field->limit]);
		return true;
	case STREAM_RESOURCE:
		say_resource(text, field);
		return true;
	case STREAM_STAGE:
		g_string_append_printf(text, "below %d", STREAM_STAGES);
		return true;
	case STREAM_ENUM:
		g_string_append_printf(text, "below %u", field->limit);
		return true;
	case STREAM_SLOT:
		g_string_append_printf(text, "with what follows at most %u slots", field->limit);
		return true;
	case STREAM_FORMAT:
		g_string_append(text, "a format of the capset");
		return true;
	default:
		return false;
	}
}

static void say_fields(GString *text, const struct stream_field *fields, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		g_autoptr(GString) demand = g_string_new(NULL);
		if (!say_demand(demand, &fields[i]))
			continue;
		g_string_append_printf(text, "%s%s: %s%s", text->len ? "; " : "", fields[i].name,
			demand->str, fields[i].flags & STREAM_OPTIONAL ? ", or 0" : "");
	}
}

/* Returns the first two cells of a command's row. The caller frees them. */
static char *say_shape(const struct stream_shape *shape)
{
	g_autoptr(GString) text = g_string_new(NULL);
	say_fields(text, shape->fields, shape->n_fields);
	say_fields(text, shape->group, shape->n_group);
	return g_strdup_printf("| %s | %s |", shape->name, text->len ? text->str : "its length");
}

static char *read_source(const char *path)
{
	g_autofree char *full = g_build_filename(g_getenv("SOURCE_ROOT"), path, NULL);
	char *text = NULL;
	g_file_get_contents(full, &text, NULL, NULL);
	if (!text)
		g_error("%s is named in docs/stream-checks.md, and is not there", full);
	return text;
}

/*
 * Returns the name as tests write it: the command's, or that of the object that it is about. The
 * caller frees it.
 */
static char *name_in_tests(const struct stream_shape *shape)
{
	const char *object = strchr(shape->name, ' ');
	char *name = g_ascii_strup(object ? object + 1 : shape->name, -1);
	return g_strdelimit(name, " ", '_');
}

/*
 * Checks that the named tests name the command. The decoder's test goes through all commands, so it
 * need not.
 */
static void check_tests(const struct stream_shape *shape, const char *cell)
{
	g_auto(GStrv) names = g_strsplit(cell, ",", -1);
	g_autofree char *name = name_in_tests(shape);
	for (char **file = names; *file; file++) {
		g_autofree char *path =
			g_strdup_printf("tests/%s", g_strstrip(g_strdelimit(*file, "`", ' ')));
		g_autofree char *text = read_source(path);
		g_autofree char *word =
			g_strdup_printf("\\b(STREAM_|STREAM_OBJECT_|OBJECT_)?%s\\b", name);
		if (!g_str_has_suffix(path, "test_decoder.c") &&
			!g_regex_match_simple(word, text, 0, 0))
			g_error("%s does not name %s", path, name);
	}
	g_assert_nonnull(names[0]);
}

static void check_row(const struct stream_shape *shape, char **rows, unsigned *n)
{
	g_autofree char *expected = say_shape(shape);
	const char *row = rows[*n] ? rows[*n] : "";
	if (!g_str_has_prefix(row, expected))
		g_error("docs/stream-checks.md: expected \"%s\", found \"%s\"", expected, row);
	g_auto(GStrv) cells = g_strsplit(row, "|", -1);
	g_assert_cmpuint(g_strv_length(cells), ==, 6);
	check_tests(shape, cells[4]);
	(*n)++;
}

/* Returns the lines of the document's table, without its head. The caller frees them. */
static char **read_rows(void)
{
	g_autofree char *text = read_source("docs/stream-checks.md");
	char *table = strstr(text, "\n|---");
	g_assert_nonnull(table);
	char *begin = strchr(table + 1, '\n') + 1, *end = strstr(begin, "\n\n");
	if (end)
		*end = 0;
	return g_strsplit(g_strchomp(begin), "\n", -1);
}

static void test_page(void)
{
	g_auto(GStrv) rows = read_rows();
	unsigned n = 0;
	for (uint32_t number = 0; number < STREAM_NUMBERS; number++) {
		bool of_objects = number == STREAM_CREATE_OBJECT || number == STREAM_BIND_OBJECT;
		for (uint32_t object = 0; object < (of_objects ? STREAM_OBJECTS : 1); object++) {
			const struct stream_shape *shape = stream_find_shape(number, object);
			if (shape)
				check_row(shape, rows, &n);
		}
	}
	g_assert_cmpuint(g_strv_length(rows), ==, n);
}

/* Returns true when one of the words is a handle of an object or the id of a resource. */
static bool has_name(const struct stream_field *fields, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (fields[i].kind == STREAM_HANDLE || fields[i].kind == STREAM_RESOURCE)
			return true;
	}
	return false;
}

/*
 * The checker keeps what each word names in arrays that are as long as the longest command with
 * names.
 */
static void test_names(void)
{
	unsigned longest = 0;
	for (uint32_t number = 0; number < STREAM_NUMBERS; number++) {
		const struct stream_shape *shape = stream_find_shape(number, STREAM_OBJECT_BLEND);
		if (shape && has_name(shape->fields, shape->n_fields))
			longest = MAX(longest, shape->n_fields);
		if (shape && has_name(shape->group, shape->n_group))
			longest =
				MAX(longest, shape->n_fields + shape->n_group * shape->groups_max);
	}
	for (uint32_t object = 0; object < STREAM_OBJECTS; object++) {
		const struct stream_shape *shape = stream_find_object_shape(object);
		g_assert_true(!shape || shape->n_fields <= longest);
		g_assert_true(!shape || !has_name(shape->group, shape->n_group));
	}
	g_assert_cmpuint(longest, ==, STREAM_NAMING_WORDS_MAX);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stream/table/page", test_page);
	g_test_add_func("/stream/table/names", test_names);
	return g_test_run();
}
