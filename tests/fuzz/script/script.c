/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/script/script.h"

#include <string.h>

#include "tests/fuzz/script/protocol.h"

void script_init(struct script *script)
{
	*script = (struct script){
		.words = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
		.commands = g_array_new(FALSE, FALSE, sizeof(struct script_command)),
		.fields = g_array_new(FALSE, FALSE, sizeof(struct script_field)),
		.resources = g_array_new(FALSE, FALSE, sizeof(struct script_resource)),
		.objects = g_array_new(FALSE, FALSE, sizeof(struct script_object)),
		.steps = g_array_new(FALSE, FALSE, sizeof(struct script_step)),
	};
}

static void each_array(struct script *script, void (*work)(GArray *array))
{
	GArray *arrays[] = { script->words, script->commands, script->fields, script->resources,
		script->objects, script->steps };
	for (unsigned i = 0; i < G_N_ELEMENTS(arrays); i++)
		work(arrays[i]);
}

static void empty(GArray *array)
{
	g_array_set_size(array, 0);
}

void script_clear(struct script *script)
{
	each_array(script, empty);
	script->sub_context = 0;
	script->is_poor = false;
}

void script_finish(struct script *script)
{
	each_array(script, g_array_unref);
	*script = (struct script){ 0 };
}

static struct script_command *last_command(struct script *script)
{
	return &g_array_index(script->commands, struct script_command, script->commands->len - 1);
}

void script_begin(struct script *script, const char *name, uint8_t code, uint8_t object)
{
	struct script_command command = {
		.name = name,
		.code = code,
		.object = object,
		.word = script->words->len,
		.first_field = script->fields->len,
		.sub_context = script->sub_context,
	};
	uint32_t header = VIRGL_HEADER(code, object, 0);
	g_array_append_val(script->commands, command);
	g_array_append_val(script->words, header);
}

void script_put(struct script *script, enum script_field_kind kind, const char *name,
	uint32_t limit, uint32_t value)
{
	struct script_field field = { name, kind, script->words->len, 1, limit };
	g_array_append_val(script->fields, field);
	g_array_append_val(script->words, value);
}

void script_put_bytes(struct script *script, enum script_field_kind kind, const char *name,
	const void *bytes, uint32_t n_bytes)
{
	uint32_t first = script->words->len, n_words = (n_bytes + 3) / 4;
	struct script_field field = { name, kind, first, n_words, n_bytes };
	g_array_append_val(script->fields, field);
	g_array_set_size(script->words, first + n_words);
	uint32_t *words = &g_array_index(script->words, uint32_t, first);
	memset(words, 0, n_words * sizeof(*words));
	memcpy(words, bytes, n_bytes);
}

void script_end(struct script *script)
{
	struct script_command *command = last_command(script);
	command->n_words = script->words->len - command->word;
	command->n_fields = script->fields->len - command->first_field;
	g_assert_cmpuint(command->n_words, <=, VIRGL_LENGTH_MAX + 1);
	g_array_index(script->words, uint32_t, command->word) =
		VIRGL_HEADER(command->code, command->object, command->n_words - 1);
}

void script_cut(struct script *script)
{
	uint32_t first = 0;
	for (unsigned i = 0; i < script->steps->len; i++)
		first += g_array_index(script->steps, struct script_step, i).n_words;
	if (first >= script->words->len)
		return;
	struct script_step step = { SCRIPT_STEP_SUBMIT, first, script->words->len - first, 0 };
	g_array_append_val(script->steps, step);
}

void script_unref(struct script *script, uint32_t resource)
{
	struct script_step step = { .kind = SCRIPT_STEP_UNREF, .resource = resource };
	script_cut(script);
	g_array_append_val(script->steps, step);
}

/*
 * Returns whether an earlier step has given the resource back. We look through the steps, as few
 * scripts give anything back.
 */
static bool is_gone(const struct script *script, unsigned n_steps, uint32_t resource)
{
	for (unsigned i = 0; i < n_steps; i++) {
		const struct script_step *step =
			&g_array_index(script->steps, struct script_step, i);
		if (step->kind == SCRIPT_STEP_UNREF && step->resource == resource)
			return true;
	}
	return false;
}

void script_walk(const struct script *script, const struct script_walker *walker, void *user)
{
	for (unsigned i = 0; i < script->steps->len; i++) {
		const struct script_step *step =
			&g_array_index(script->steps, struct script_step, i);
		if (step->kind == SCRIPT_STEP_SUBMIT) {
			g_autofree uint32_t *words =
				g_memdup2(&g_array_index(script->words, uint32_t, step->first_word),
					step->n_words * sizeof(uint32_t));
			walker->submit(user, words, step->n_words);
		} else if (!is_gone(script, i, step->resource)) {
			walker->unref(user, step->resource);
		}
	}
}

void script_put_any(struct script *script, const char *name, uint32_t value)
{
	script_put(script, SCRIPT_FIELD_ANY, name, UINT32_MAX, value);
}

void script_put_float(struct script *script, const char *name, float value)
{
	uint32_t word;
	memcpy(&word, &value, sizeof(word));
	script_put(script, SCRIPT_FIELD_FLOAT, name, UINT32_MAX, word);
}

void script_put_number(struct script *script, const char *name, uint32_t limit, uint32_t value)
{
	script_put(script, SCRIPT_FIELD_NUMBER, name, limit, value);
}

void script_put_enum(struct script *script, const char *name, uint32_t last, uint32_t value)
{
	script_put(script, SCRIPT_FIELD_ENUM, name, last, value);
}

void script_put_format(struct script *script, const char *name, uint32_t format)
{
	script_put(script, SCRIPT_FIELD_FORMAT, name, VIRGL_FORMAT_LAST, format);
}

void script_put_new(struct script *script, uint32_t handle)
{
	script_put(script, SCRIPT_FIELD_NEW_HANDLE, "handle", UINT32_MAX, handle);
}

void script_put_object(struct script *script, const char *name, uint32_t handle)
{
	script_put(script, SCRIPT_FIELD_OBJECT, name, UINT32_MAX, handle);
}

void script_put_resource(struct script *script, const char *name, uint32_t resource)
{
	script_put(script, SCRIPT_FIELD_RESOURCE, name, UINT32_MAX, resource);
}

uint32_t script_pixel_bytes(uint32_t format)
{
	switch (format) {
	case VIRGL_FORMAT_R8:
		return 1;
	case VIRGL_FORMAT_R8G8:
	case VIRGL_FORMAT_Z16:
		return 2;
	case VIRGL_FORMAT_R16G16B16A16F:
	case VIRGL_FORMAT_R32G32F:
		return 8;
	case VIRGL_FORMAT_R32G32B32A32F:
		return 16;
	default:
		return 4;
	}
}
