/* SPDX-License-Identifier: MIT */
#include "server/keeper/lost_contexts.h"

#include <string.h>

#include "protocol/guest_lost.h"

_Static_assert(GUEST_LOST_CONTEXTS_MAX == LEDGER_CONTEXTS_MAX, "as many as the ledger has");
_Static_assert(GUEST_LOST_NAME_BYTES == LEDGER_NAME_BYTES, "a name is as long in both");

static const char *const causes[] = { GUEST_LOST_CAUSES };

static const char *find_cause(enum worker_end end)
{
	switch (end) {
	case WORKER_CRASHED:
		return causes[0];
	case WORKER_HUNG:
		return causes[1];
	case WORKER_GPU_RESET:
	case WORKER_GPU_LOST:
		return causes[2];
	case WORKER_REPLACED:
		return causes[4];
	default:
		return causes[3];
	}
}

static bool has(const struct lost_contexts *lost, uint32_t id)
{
	for (unsigned i = 0; i < lost->n; i++) {
		if (lost->contexts[i].id == id)
			return true;
	}
	return false;
}

static void add(struct lost_contexts *lost, const struct ledger_context *entry)
{
	struct lost_context *context = &lost->contexts[lost->n++];
	*context = (struct lost_context){ .id = entry->id, .has_painted = entry->has_painted };
	memcpy(context->name, entry->name, sizeof(context->name));
}

void lost_contexts_add(
	struct lost_contexts *lost, const struct ledger_memory *ledger, enum worker_end end)
{
	struct ledger_context entry;
	for (unsigned i = 0; ledger_memory_read_context(ledger, i, &entry); i++) {
		if (entry.id == 0 || lost->n == LEDGER_CONTEXTS_MAX || has(lost, entry.id))
			continue;
		add(lost, &entry);
	}
	if (lost->n > 0 && !lost->cause)
		lost->cause = find_cause(end);
}

void lost_contexts_add_refused(
	struct lost_contexts *lost, const struct ledger_memory *ledger, uint32_t context)
{
	struct ledger_context entry;
	for (unsigned i = 0; ledger_memory_read_context(ledger, i, &entry); i++) {
		if (entry.id == 0 || entry.id != context || lost->n == LEDGER_CONTEXTS_MAX)
			continue;
		add(lost, &entry);
		lost->contexts[lost->n - 1].is_blamed = true;
		lost->cause = causes[5];
		return;
	}
}

void lost_contexts_judge(
	struct lost_contexts *lost, const struct ledger_memory *ledger, uint32_t blamed)
{
	char name[LEDGER_NAME_BYTES];
	for (unsigned i = 0; i < lost->n; i++) {
		struct lost_context *context = &lost->contexts[i];
		context->is_blamed = context->is_blamed || context->id == blamed;
		context->is_refused =
			context->is_refused || !ledger_memory_find_name(ledger, context->id, name);
	}
}

void lost_contexts_clear(struct lost_contexts *lost)
{
	lost->n = 0;
	lost->cause = NULL;
}

static void append_name(GString *text, const char name[LEDGER_NAME_BYTES])
{
	for (unsigned i = 0; i < LEDGER_NAME_BYTES && name[i]; i++) {
		unsigned char c = (unsigned char)name[i];
		if (g_ascii_isalnum(c) || (c != '\0' && strchr("._+:/-", c)))
			g_string_append_c(text, (char)c);
		else
			g_string_append_printf(text, "%%%02x", c);
	}
}

static char *describe(const struct lost_context *context)
{
	GString *text = g_string_new(NULL);
	g_string_append_printf(text, " %u,", context->id);
	if (context->has_painted)
		g_string_append_c(text, GUEST_LOST_PAINTED);
	if (context->is_blamed)
		g_string_append_c(text, GUEST_LOST_BLAMED);
	if (context->is_refused)
		g_string_append_c(text, GUEST_LOST_REFUSED);
	if (!context->has_painted && !context->is_blamed && !context->is_refused)
		g_string_append_c(text, '-');
	g_string_append_c(text, ',');
	append_name(text, context->name);
	return g_string_free(text, FALSE);
}

/* Those that have painted, or others, as long as there is room. */
static void append_contexts(GString *line, const struct lost_contexts *lost, bool have_painted)
{
	for (unsigned i = 0; i < lost->n; i++) {
		if (lost->contexts[i].has_painted != have_painted)
			continue;
		g_autofree char *text = describe(&lost->contexts[i]);
		if (line->len + strlen(text) + 1 <= GUEST_LOST_TEXT_LINE_MAX)
			g_string_append(line, text);
	}
}

char *lost_contexts_write(const struct lost_contexts *lost, uint64_t serial, uint64_t n_untold)
{
	g_assert(lost->cause);
	GString *line = g_string_new(NULL);
	g_string_append_printf(line, "%s %d %" G_GUINT64_FORMAT " %s %u %" G_GUINT64_FORMAT,
		GUEST_LOST_WORD, GUEST_LOST_VERSION, serial, lost->cause, lost->n, n_untold);
	append_contexts(line, lost, true);
	append_contexts(line, lost, false);
	g_string_append_c(line, '\n');
	return g_string_free(line, FALSE);
}
