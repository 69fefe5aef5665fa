/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/script/breakage.h"

#include <string.h>

#include "tests/fuzz/script/protocol.h"

struct breaker {
	struct choices *choices;
	struct script *script;
	struct script_command command;
	struct breakage *breakage;
};

static uint32_t *word_at(struct breaker *b, uint32_t index)
{
	return &g_array_index(b->script->words, uint32_t, index);
}

static void set_word(struct breaker *b, uint32_t index, const char *way, uint32_t value)
{
	b->breakage->way = way;
	b->breakage->before = *word_at(b, index);
	b->breakage->after = *word_at(b, index) = value;
}

static uint32_t random_word(struct breaker *b)
{
	return CHOOSE_BITS(b->choices, { 32768, 0 }, { 32768, 15 }, { 4, 30 });
}

/*
 * Adds n words at that place, or removes them if n is negative, and moves the submissions behind
 * it.
 */
static void resize(struct breaker *b, uint32_t at, int32_t n)
{
	uint32_t zero = 0, last = *word_at(b, at > 0 ? at - 1 : 0);
	bool found = false;
	for (unsigned i = 0; i < b->script->steps->len; i++) {
		struct script_step *step = &g_array_index(b->script->steps, struct script_step, i);
		if (step->kind != SCRIPT_STEP_SUBMIT)
			continue;
		if (found)
			step->first_word += (uint32_t)n;
		else if (b->command.word < step->first_word + step->n_words) {
			step->n_words += (uint32_t)n;
			found = true;
		}
	}
	if (n < 0)
		g_array_remove_range(b->script->words, at, (guint)-n);
	for (; n > 0; n--)
		g_array_insert_val(b->script->words, at, *(n % 2 ? &last : &zero));
}

static void set_length(struct breaker *b, uint32_t length)
{
	*word_at(b, b->command.word) = VIRGL_HEADER(b->command.code, b->command.object, length);
}

/* ---- what a field may be broken to ---- */

static void break_number(struct breaker *b, const struct script_field *field)
{
	const uint32_t limit = field->limit, value = *word_at(b, field->word);
	const uint32_t candidates[] = { limit + 1, limit + 2, limit + 16, limit * 2 + 1, UINT32_MAX,
		INT32_MAX, 0x80000000u, UINT32_MAX - 15, UINT32_MAX - value + 1, limit + 0x10000, 0,
		value - 1 };
	uint32_t i = choose(b->choices, G_N_ELEMENTS(candidates));
	set_word(b, field->word, i < 4 ? "beyond" : i < 10 ? "huge" : "less", candidates[i]);
}

static void break_enum(struct breaker *b, const struct script_field *field)
{
	const uint32_t candidates[] = { field->limit + 1, field->limit + 2, 0xff, UINT32_MAX,
		0x80000000u | *word_at(b, field->word), field->limit + 256 };
	set_word(b, field->word, "beyond the last",
		candidates[choose(b->choices, G_N_ELEMENTS(candidates))]);
}

static void break_format(struct breaker *b, const struct script_field *field)
{
	const uint32_t above = *word_at(b, field->word) & 0xff000000u;
	const uint32_t candidates[] = { 0, field->limit + 1, field->limit + 2, 0x1ff, 0xffffff,
		UINT32_MAX, 9u << 24 | 1, above | choose_between(b->choices, 1, field->limit),
		above | choose_between(b->choices, 1, field->limit) };
	uint32_t i = choose(b->choices, G_N_ELEMENTS(candidates));
	set_word(b, field->word, i < 7 ? "no such format" : "another format", candidates[i]);
}

static void break_packed(struct breaker *b, const struct script_field *field)
{
	const uint32_t value = *word_at(b, field->word);
	const uint32_t candidates[] = { UINT32_MAX, random_word(b),
		1u << choose(b->choices, 32) ^ value, value + 1, value + 0x10000, 0xffff };
	set_word(b, field->word, "other bits",
		candidates[choose(b->choices, G_N_ELEMENTS(candidates))]);
}

static void break_float(struct breaker *b, const struct script_field *field)
{
	static const uint32_t candidates[] = { 0x7fc00000, 0x7f800000, 0xff800000, 0x7f7fffff,
		0xff7fffff, 1, 0x80000000, 0x4f000000 };
	set_word(b, field->word, "not finite, or large",
		candidates[choose(b->choices, G_N_ELEMENTS(candidates))]);
}

static uint32_t other_object(struct breaker *b)
{
	const GArray *objects = b->script->objects;
	if (objects->len == 0)
		return 1000;
	return g_array_index(objects, struct script_object, choose(b->choices, objects->len))
		.handle;
}

static void break_object(struct breaker *b, const struct script_field *field)
{
	switch (choose(b->choices, 6)) {
	case 0:
		set_word(b, field->word, "never made", b->script->objects->len + 1000);
		break;
	case 1:
		set_word(b, field->word, "never made", UINT32_MAX);
		break;
	case 2:
		set_word(b, field->word, "none", 0);
		break;
	default:
		set_word(b, field->word, "another, dead or alive", other_object(b));
	}
}

/* Adds a twin of a resource, which the context is not given. Returns its id. */
static uint32_t make_foreign(struct breaker *b)
{
	struct script_resource twin = g_array_index(b->script->resources, struct script_resource,
		choose(b->choices, b->script->resources->len));
	twin.id = b->script->resources->len + 500;
	twin.attached = false;
	g_array_append_val(b->script->resources, twin);
	return twin.id;
}

static void break_resource(struct breaker *b, const struct script_field *field)
{
	const GArray *resources = b->script->resources;
	if (resources->len == 0) {
		set_word(b, field->word, "never made", 7);
		return;
	}
	switch (choose(b->choices, 8)) {
	case 0:
		set_word(b, field->word, "never made", resources->len + 1000);
		break;
	case 1:
		set_word(b, field->word, "never made", UINT32_MAX);
		break;
	case 2:
		set_word(b, field->word, "none", 0);
		break;
	case 3:
		set_word(b, field->word, "not the context's", make_foreign(b));
		break;
	default:
		set_word(b, field->word, "another kind",
			g_array_index(resources, struct script_resource,
				choose(b->choices, resources->len))
				.id);
	}
}

static void break_sub_context(struct breaker *b, const struct script_field *field)
{
	static const uint32_t candidates[] = { 1000, UINT32_MAX, 0x80000000, 0, 2 };
	set_word(b, field->word, "another",
		candidates[choose(b->choices, G_N_ELEMENTS(candidates))]);
}

/* ---- text ---- */

/* Puts another text of any length into the command's last field. */
static void replace_text(
	struct breaker *b, const struct script_field *field, const char *text, uint32_t n_bytes)
{
	uint32_t n_words = (n_bytes + 3) / 4;
	resize(b, field->word, (int32_t)(n_words - field->n_words));
	memset(word_at(b, field->word), 0, n_words * 4);
	memcpy(word_at(b, field->word), text, n_bytes);
	set_length(b, b->command.n_words - 1 + n_words - field->n_words);
	for (uint32_t i = 0; i < b->command.n_fields; i++) {
		const struct script_field *other = &g_array_index(
			b->script->fields, struct script_field, b->command.first_field + i);
		if (!strcmp(other->name, "text length"))
			*word_at(b, other->word) = n_bytes;
	}
}

/* Makes one register's number huge; returns false when the text has none. */
static bool enlarge_index(struct breaker *b, const struct script_field *field)
{
	static const char *const numbers[] = { "65535", "4095", "80", "128", "32", "-1", "1000000",
		"4294967295", "0..65535", "0..127" };
	const char *text = (const char *)word_at(b, field->word);
	g_autofree char *copy = g_strndup(text, field->limit);
	unsigned n = 0;
	for (const char *at = copy; (at = strchr(at, '[')); at++)
		n += g_ascii_isdigit(at[1]);
	if (n == 0)
		return false;
	unsigned wanted = choose(b->choices, n);
	const char *at = copy;
	for (;; at++)
		if (*at == '[' && g_ascii_isdigit(at[1]) && wanted-- == 0)
			break;
	const char *rest = at + 1 + strspn(at + 1, "0123456789");
	g_autofree char *changed = g_strdup_printf("%.*s%s%s", (int)(at + 1 - copy), copy,
		numbers[choose(b->choices, G_N_ELEMENTS(numbers))], rest);
	replace_text(b, field, changed, (uint32_t)strlen(changed) + 1);
	b->breakage->way = "huge index";
	return true;
}

/*
 * Leaves a line out, or has it twice: what it declared is used all the same, or is declared again.
 * Returns false when there is only one.
 */
static bool break_line(struct breaker *b, const struct script_field *field)
{
	g_autofree char *text = g_strndup((const char *)word_at(b, field->word), field->limit);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	unsigned n = g_strv_length(lines);
	if (n < 2)
		return false;
	unsigned wanted = choose_between(b->choices, 1, n - 1), times = choose(b->choices, 2) * 2;
	g_autoptr(GString) changed = g_string_new(lines[0]);
	for (unsigned i = 1; i < n; i++)
		for (unsigned j = 0; j < (i == wanted ? times : 1); j++)
			g_string_append_printf(changed, "\n%s", lines[i]);
	replace_text(b, field, changed->str, (uint32_t)changed->len + 1);
	b->breakage->way = times ? "a line twice" : "without a line";
	return true;
}

static void break_text(struct breaker *b, const struct script_field *field)
{
	uint32_t kind = choose(b->choices, 6);
	char *text = (char *)word_at(b, field->word);
	if (kind >= 4 && break_line(b, field))
		return;
	if (kind >= 2 && enlarge_index(b, field))
		return;
	if (kind == 0) {
		memset(text + field->limit - 1, 'A', field->n_words * 4 - field->limit + 1);
		b->breakage->way = "no end";
		return;
	}
	static const char characters[] = "[]9.,-\n DIOX\1\377";
	uint32_t at = choose(b->choices, field->limit);
	text[at] = characters[choose(b->choices, sizeof(characters))];
	b->breakage->way = "another character";
}

static void break_field(struct breaker *b)
{
	static void (*const ways[])(struct breaker *, const struct script_field *) = {
		[SCRIPT_FIELD_ANY] = break_packed,
		[SCRIPT_FIELD_PACKED] = break_packed,
		[SCRIPT_FIELD_FLOAT] = break_float,
		[SCRIPT_FIELD_NEW_HANDLE] = break_object,
		[SCRIPT_FIELD_OBJECT] = break_object,
		[SCRIPT_FIELD_RESOURCE] = break_resource,
		[SCRIPT_FIELD_SUB_CONTEXT] = break_sub_context,
		[SCRIPT_FIELD_NUMBER] = break_number,
		[SCRIPT_FIELD_ENUM] = break_enum,
		[SCRIPT_FIELD_FORMAT] = break_format,
		[SCRIPT_FIELD_TEXT] = break_text,
	};
	struct script_field field = g_array_index(b->script->fields, struct script_field,
		b->command.first_field + choose(b->choices, b->command.n_fields));
	b->breakage->field = field.name;
	if (field.n_words > 0)
		ways[field.kind](b, &field);
	else
		b->breakage->way = "nothing";
}

/* ---- the command as a whole ---- */

/* Writes another length into the header than what follows it has. */
static void break_header_length(struct breaker *b)
{
	const uint32_t length = b->command.n_words - 1;
	const uint32_t candidates[] = { length + 1, length - 1, 0, VIRGL_LENGTH_MAX, length + 64 };
	b->breakage->field = "length";
	b->breakage->way = "not that of the words";
	b->breakage->before = length;
	b->breakage->after =
		candidates[choose(b->choices, G_N_ELEMENTS(candidates))] & VIRGL_LENGTH_MAX;
	set_length(b, b->breakage->after);
}

/* Makes the command longer or shorter than it may be; header and words agree. */
static void break_size(struct breaker *b)
{
	const uint32_t n = b->command.n_words;
	const int32_t candidates[] = { 1, -1, 3, 5, 200, 1000, -(int32_t)(n - 1) };
	int32_t more = candidates[choose(b->choices, G_N_ELEMENTS(candidates))];
	if (more < 0 && n == 1)
		more = 1;
	b->breakage->field = "length";
	b->breakage->way = more > 0 ? "longer" : "shorter";
	b->breakage->before = n - 1;
	b->breakage->after = n - 1 + (uint32_t)more;
	resize(b, more > 0 ? b->command.word + n : b->command.word + n + (uint32_t)more, more);
	set_length(b, b->breakage->after);
}

static void break_number_of_command(struct breaker *b)
{
	b->breakage->field = "command";
	if (b->command.object != VIRGL_NONE && choose(b->choices, 2)) {
		b->breakage->field = "object type";
		set_word(b, b->command.word, "another",
			VIRGL_HEADER(b->command.code,
				choose_between(b->choices, 0, VIRGL_OBJECTS + 2),
				b->command.n_words - 1));
		return;
	}
	set_word(b, b->command.word, "another",
		VIRGL_HEADER(choose_between(b->choices, 0, VIRGL_COMMANDS + 4), b->command.object,
			b->command.n_words - 1));
}

/* Has the guest give a resource back right after the command that names it. */
static bool break_life(struct breaker *b)
{
	uint32_t resource = 0, end = b->command.word + b->command.n_words;
	for (uint32_t i = 0; i < b->command.n_fields; i++) {
		const struct script_field *field = &g_array_index(
			b->script->fields, struct script_field, b->command.first_field + i);
		if (field->kind == SCRIPT_FIELD_RESOURCE)
			resource = *word_at(b, field->word);
	}
	if (resource == 0)
		return false;
	for (unsigned i = 0; i < b->script->steps->len; i++) {
		struct script_step step = g_array_index(b->script->steps, struct script_step, i);
		uint32_t last = step.first_word + step.n_words;
		if (step.kind != SCRIPT_STEP_SUBMIT || end > last)
			continue;
		struct script_step unref = { SCRIPT_STEP_UNREF, 0, 0, resource };
		struct script_step rest = { SCRIPT_STEP_SUBMIT, end, last - end, 0 };
		g_array_index(b->script->steps, struct script_step, i).n_words =
			end - step.first_word;
		g_array_insert_val(b->script->steps, i + 1, unref);
		if (rest.n_words > 0)
			g_array_insert_val(b->script->steps, i + 2, rest);
		break;
	}
	b->breakage->field = "resource";
	b->breakage->way = "given back after it";
	b->breakage->before = b->breakage->after = resource;
	return true;
}

/* Finds an object of the command that is not one it makes. */
static const struct script_object *find_object(struct breaker *b)
{
	uint32_t handle = 0;
	for (uint32_t i = 0; i < b->command.n_fields; i++) {
		const struct script_field *field = &g_array_index(
			b->script->fields, struct script_field, b->command.first_field + i);
		if (field->kind == SCRIPT_FIELD_OBJECT && field->n_words > 0 &&
			*word_at(b, field->word) != 0)
			handle = *word_at(b, field->word);
	}
	for (unsigned i = 0; i < b->script->objects->len; i++) {
		const struct script_object *object =
			&g_array_index(b->script->objects, struct script_object, i);
		if (object->handle == handle)
			return object;
	}
	return NULL;
}

/* Destroys an object right after the command that names it. */
static bool break_object_life(struct breaker *b)
{
	const struct script_object *object = find_object(b);
	uint32_t end = b->command.word + b->command.n_words;
	if (!object)
		return false;
	resize(b, end, 2);
	*word_at(b, end) = VIRGL_HEADER(VIRGL_DESTROY_OBJECT, object->type, 1);
	*word_at(b, end + 1) = object->handle;
	b->breakage->field = "object";
	b->breakage->way = "destroyed after it";
	b->breakage->before = b->breakage->after = object->handle;
	return true;
}

/* ---- choosing ---- */

static bool choose_command(struct breaker *b, const char *wanted)
{
	const GArray *commands = b->script->commands;
	unsigned start = choose(b->choices, MAX(commands->len, 1));
	for (unsigned i = 0; i < commands->len; i++) {
		unsigned index = (start + i) % commands->len;
		b->command = g_array_index(commands, struct script_command, index);
		if (wanted && strcmp(b->command.name, wanted))
			continue;
		b->breakage->command = b->command.name;
		b->breakage->index = index;
		return true;
	}
	return false;
}

bool breakage_make(struct choices *choices, struct script *script, const char *wanted,
	struct breakage *breakage)
{
	struct breaker b = { .choices = choices, .script = script, .breakage = breakage };
	*breakage = (struct breakage){ 0 };
	if (!choose_command(&b, wanted))
		return false;
	uint32_t way = choose(choices, 18);
	if (way == 0 && break_life(&b))
		return true;
	if (way >= 16 && break_object_life(&b))
		return true;
	if (way <= 2 || (b.command.n_fields == 0 && way < 8))
		break_size(&b);
	else if (way == 3 || (b.command.n_fields == 0 && way < 12))
		break_header_length(&b);
	else if (way == 4 || b.command.n_fields == 0)
		break_number_of_command(&b);
	else
		break_field(&b);
	return true;
}

char *breakage_describe(const struct breakage *breakage)
{
	return g_strdup_printf("%s (command %u), %s: %s, 0x%x instead of 0x%x", breakage->command,
		breakage->index, breakage->field, breakage->way, breakage->after, breakage->before);
}
