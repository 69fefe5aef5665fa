/* SPDX-License-Identifier: MIT */
#include "render/gl/glsl_bounds.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

static bool is_name(char c)
{
	return g_ascii_isalnum(c) || c == '_';
}

/* ---- what is indexed ---- */

/*
 * Copies what stands before a bracket, as far as it is one expression: names, members and indices.
 */
static char *copy_array(const GString *before)
{
	gsize from = before->len;
	int depth = 0;
	for (; from > 0; from--) {
		char c = before->str[from - 1];
		if (depth == 0 && (c == '[' || (!is_name(c) && c != '.' && c != ']')))
			break;
		depth += (c == ']') - (c == '[');
	}
	return g_strdup(before->str + from);
}

/* The software renderer bounds these itself, or GLSL does not say how many of them there are. */
static bool is_bounded(const char *array)
{
	static const char *const names[] = { "temp", "const", "ubo", "ssbo", "img", "samp" };
	gsize length = strcspn(array, "[.");
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		if (g_strstr_len(array, (gssize)length, names[i]))
			return true;
	}
	return length == 0;
}

static bool has_address(const char *index)
{
	for (const char *at = index; (at = strstr(at, "addr")); at++) {
		if ((at == index || !is_name(at[-1])) && g_ascii_isdigit(at[strlen("addr")]))
			return true;
	}
	return false;
}

static bool is_constant(const char *index)
{
	return index[strspn(index, "0123456789")] == 0;
}

static bool needs_bound(const char *array, const char *index)
{
	if (!strcmp(array, "values"))
		return !is_constant(index);
	return has_address(index) && !is_bounded(array);
}

/* ---- the text ---- */

static const char *find_closing(const char *opening)
{
	int depth = 0;
	for (const char *at = opening; *at; at++) {
		depth += (*at == '[') - (*at == ']');
		if (depth == 0)
			return at;
	}
	return NULL;
}

static void append_index(GString *text, const char *index)
{
	g_autofree char *array = copy_array(text);
	if (needs_bound(array, index))
		g_string_append_printf(
			text, "[min(uint(%s), uint(%s.length() - 1))]", index, array);
	else
		g_string_append_printf(text, "[%s]", index);
}

/* An index may have others within it, which come first. */
static char *bound(const char *text)
{
	GString *bounded = g_string_new(NULL);
	const char *opening, *closing;
	while ((opening = strchr(text, '[')) && (closing = find_closing(opening))) {
		g_autofree char *index = g_strndup(opening + 1, (gsize)(closing - opening) - 1);
		g_autofree char *bounded_index = bound(index);
		g_string_append_len(bounded, text, opening - text);
		append_index(bounded, bounded_index);
		text = closing + 1;
	}
	g_string_append(bounded, text);
	return g_string_free(bounded, FALSE);
}

/* ---- shared memory ---- */

/*
 * A difference of what is there is 0 of either type. The barrier is for those who begin before all
 * is cleared.
 */
static const char clearing[] =
	"for (uint i = gl_LocalInvocationIndex; i < uint(values.length()); i += "
	"gl_WorkGroupSize.x * gl_WorkGroupSize.y * gl_WorkGroupSize.z)\n"
	"values[i] -= values[i];\n"
	"memoryBarrierShared();\nbarrier();\n";

/* Clears the memory before a part that uses it. What declares it is another part. */
static char *clear_shared_memory(char *text)
{
	static const char main_begins[] = "void main(void)\n{\n";
	char *begin = strstr(text, main_begins);
	if (!begin || !strstr(begin, "values["))
		return text;
	GString *cleared = g_string_new(text);
	g_string_insert(cleared, begin - text + (gssize)strlen(main_begins), clearing);
	g_free(text);
	return g_string_free(cleared, FALSE);
}

char *glsl_bounds_apply(const char *text)
{
	return clear_shared_memory(bound(text));
}
