/* SPDX-License-Identifier: MIT */
/*
 * These commands are about shaders: their text, which may come in several commands, how they fit
 * together, and their constants. tgsi.h knows what a text may say.
 */
#include <string.h>

#include "render/stream/check_command.h"

enum { STAGE = 2, OFFSET = 3, TOKENS = 4, N_OUTPUTS = 5, STRIDES = 6, OUTPUTS = 10 };

/* ---- how bound shaders fit together ---- */

static const uint8_t order[] = { STREAM_STAGE_VERTEX, STREAM_STAGE_TESS_CTRL,
	STREAM_STAGE_TESS_EVAL, STREAM_STAGE_GEOMETRY, STREAM_STAGE_FRAGMENT };

static bool check_link(
	struct stream_check *check, const struct shader *before, const struct shader *shader)
{
	if (!before || tgsi_check_link(&before->facts, &shader->facts, check->fault))
		return true;
	check->fault->command = check->command.shape->name;
	return false;
}

/*
 * Checks all pairs of shaders that follow each other, since virglrenderer translates a shader for
 * the one before it and the one behind it.
 */
static bool check_links(struct stream_check *check, struct shader *const shaders[STREAM_STAGES])
{
	const struct shader *before = NULL;
	for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
		const struct shader *shader = shaders[order[i]];
		if (!shader)
			continue;
		if (!check_link(check, before, shader))
			return false;
		before = shader;
	}
	return true;
}

/* Checks the bound shaders with another one in its stage. */
static bool check_links_with(struct stream_check *check, uint32_t stage, struct shader *shader)
{
	struct shader *shaders[STREAM_STAGES];
	memcpy(shaders, check->context->current->shaders, sizeof(shaders));
	shaders[stage] = shader;
	return check_links(check, shaders);
}

/*
 * Checks a new shader. As long as it is not bound virglrenderer takes the bound vertex shader for
 * the one before it, whatever is bound between them.
 */
static bool check_new_links(struct stream_check *check, struct shader *shader)
{
	const struct shader *vertex = check->context->current->shaders[STREAM_STAGE_VERTEX];
	bool is_behind =
		shader->stage != STREAM_STAGE_VERTEX && shader->stage != STREAM_STAGE_COMPUTE;
	return check_links_with(check, shader->stage, shader) &&
	       (!is_behind || check_link(check, vertex, shader));
}

/* ---- their buffers ---- */

/*
 * Returns where the places end that a shader's buffers take behind `before`, which are so many.
 * virglrenderer keeps that of the last translation, and translates no shader anew that it has
 * translated for the same neighbours, so the farthest end counts. It is past the last place when
 * there are not so many: virglrenderer 1.0 to 1.3 fails to translate the shader then, and crashes
 * with the next one.
 */
static uint32_t find_buffers_end(const struct shader *shader, uint32_t before)
{
	uint32_t mask = shader->facts.buffers, end = before;
	if (mask != 0) {
		uint32_t first = (uint32_t)__builtin_ctz(mask);
		uint32_t last = 31 - (uint32_t)__builtin_clz(mask);
		if (before + last >= STREAM_BUFFER_PLACES_MAX)
			return STREAM_BUFFER_PLACES_MAX + 1;
		end = before + last - first + 1;
	}
	return MAX(shader->buffers_end, end);
}

/* Enters it for each shader when all fit, since they are translated then. */
static bool place_buffers(struct shader *const shaders[STREAM_STAGES])
{
	uint32_t ends[STREAM_STAGES] = { 0 }, end = 0;
	for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
		const struct shader *shader = shaders[order[i]];
		end = ends[i] = shader ? find_buffers_end(shader, end) : end;
		if (end > STREAM_BUFFER_PLACES_MAX)
			return false;
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
		if (shaders[order[i]])
			shaders[order[i]]->buffers_end = ends[i];
	}
	return true;
}

/*
 * A new shader is translated behind the bound vertex shader. When there are not so many places, it
 * is refused by virglrenderer from 1.0 on, and the older one needs none.
 */
static void place_new_buffers(const struct stream_check *check, struct shader *shader)
{
	const struct shader *vertex = check->context->current->shaders[STREAM_STAGE_VERTEX];
	bool is_behind = vertex && shader->stage != STREAM_STAGE_VERTEX &&
			 shader->stage != STREAM_STAGE_COMPUTE;
	uint32_t end = find_buffers_end(shader, is_behind ? vertex->buffers_end : 0);
	shader->buffers_end = end <= STREAM_BUFFER_PLACES_MAX ? end : 0;
}

bool check_buffers_fit(struct sub_context *sub)
{
	if (sub->shaders_changed) {
		sub->shaders_changed = false;
		sub->buffers_fit = place_buffers(sub->shaders);
	}
	return sub->buffers_fit;
}

/* ---- streamed outputs ---- */

static uint32_t get_buffer(uint32_t output)
{
	return output >> 13 & 7;
}

/*
 * Checks an output, which is packed as register | first component << 8 | components << 10 | buffer
 * << 13 | offset << 16.
 */
static bool check_output(struct stream_check *check, uint32_t index, uint32_t output)
{
	if (get_buffer(output) >= STREAM_STREAMOUT_TARGETS_MAX)
		return check_refuse(check, index, STREAM_STREAMOUT_TARGETS_MAX - 1,
			"streams an output to no buffer");
	return (output >> 8 & 3) + (output >> 10 & 7) <= 4 ||
	       check_refuse(check, index, 4, "streams more components than an output has");
}

/* Returns how many names skip from one component of a buffer to a later one. */
static uint64_t count_skips(uint32_t from, uint32_t to)
{
	enum { SKIPPED_BY_NAME = 4 };
	return to > from ? ((uint64_t)to - from + SKIPPED_BY_NAME - 1) / SKIPPED_BY_NAME : 0;
}

/*
 * Returns how many names virglrenderer makes of the outputs, in its order: a buffer is filled up to
 * its stride when an output goes to another one, and so is the last.
 */
static uint64_t count_names(const struct stream_check *check, uint32_t n_outputs)
{
	const uint32_t *strides = check->words + STRIDES;
	uint32_t buffer = 0, at = 0;
	uint64_t n_names = n_outputs;
	for (uint32_t i = 0; i < n_outputs; i++) {
		uint32_t output = check->words[OUTPUTS + 2 * i], next = get_buffer(output);
		if (next != buffer) {
			n_names += count_skips(at, strides[buffer]);
			n_names += next > buffer ? next - buffer : 0;
			buffer = next;
			at = 0;
		}
		n_names += count_skips(at, output >> 16);
		at = (output >> 16) + (output >> 10 & 7);
	}
	return n_names + (n_outputs > 0 ? count_skips(at, strides[buffer]) : 0);
}

static bool check_names(struct stream_check *check, uint32_t n_outputs)
{
	return count_names(check, n_outputs) <= STREAM_STREAMOUT_NAMES_MAX ||
	       check_refuse(check, N_OUTPUTS, STREAM_STREAMOUT_NAMES_MAX,
		       "leave more room between them than a vertex has");
}

static bool take_outputs(struct stream_check *check, struct shader *shader)
{
	uint32_t n = shader->stage == STREAM_STAGE_COMPUTE ? 0 : check->words[N_OUTPUTS];
	for (uint32_t i = 0; i < n; i++) {
		shader->outputs[i] = check->words[OUTPUTS + 2 * i];
		if (!check_output(check, OUTPUTS + 2 * i, shader->outputs[i]))
			return false;
	}
	shader->n_outputs = n;
	return check_names(check, n);
}

/* ---- text ---- */

static bool check_facts(struct stream_check *check, struct shader *shader)
{
	for (uint32_t i = 0; i < shader->n_outputs; i++) {
		if (!tgsi_has_output(&shader->facts, shader->outputs[i] & 0xff))
			return check_refuse(check, 1, shader->outputs[i] & 0xff,
				"streams an output that it does not declare");
	}
	return true;
}

static bool finish(
	struct stream_check *check, struct object *object, const void *text, uint32_t bytes)
{
	struct shader *shader = object->shader;
	if (!tgsi_check(text, bytes, shader->stage, &shader->facts, check->fault)) {
		check->fault->command = check->command.shape->name;
		return false;
	}
	if (!check_facts(check, shader) || !check_new_links(check, shader))
		return false;
	place_new_buffers(check, shader);
	g_clear_pointer(&shader->text, g_byte_array_unref);
	check->context->current->shader_in_progress[shader->stage] = NULL;
	return true;
}

static uint32_t round_up(uint32_t bytes)
{
	return (bytes + 3) / 4 * 4;
}

/* virglrenderer goes by what the last part of a text says. */
static bool check_tokens(struct stream_check *check, uint32_t total)
{
	uint32_t tokens_max = total + STREAM_SHADER_TOKENS_SPARE;
	return check->words[TOKENS] <= tokens_max ||
	       check_refuse(check, TOKENS, tokens_max, "are more than the text can be");
}

static bool begin_part(struct stream_check *check, uint32_t total, uint32_t part)
{
	uint32_t stage = check->words[STAGE];
	if (check->context->current->shader_in_progress[stage])
		return check_refuse(check, 1, 0, "begins before the text of another has ended");
	if (total == 0 || total > STREAM_SHADER_TEXT_MAX)
		return check_refuse(
			check, OFFSET, STREAM_SHADER_TEXT_MAX, "is no length of a text");
	if (part > round_up(total))
		return check_refuse(check, OFFSET, part, "is less text than there is");
	return check_tokens(check, total);
}

static bool begin(struct stream_check *check, const uint32_t *text, uint32_t part)
{
	uint32_t total = check->words[OFFSET], stage = check->words[STAGE];
	if (!begin_part(check, total, part))
		return false;
	struct object *object =
		sub_insert(check->context, check->words[1], STREAM_OBJECT_SHADER, total);
	if (!object)
		return check_refuse_quota(check, 1);
	struct shader *shader = g_new0(struct shader, 1);
	*shader = (struct shader){ .n_refs = 1, .stage = stage, .total_bytes = total };
	object->shader = shader;
	if (!take_outputs(check, shader))
		return false;
	if (part >= total)
		return finish(check, object, text, part);
	shader->text = g_byte_array_new();
	g_byte_array_append(shader->text, (const uint8_t *)text, part);
	check->context->current->shader_in_progress[stage] = object;
	return true;
}

static bool go_on(struct stream_check *check, const uint32_t *text, uint32_t part)
{
	struct object *object = sub_find(check->context->current, check->words[1]);
	uint32_t offset = check->words[OFFSET] & ~STREAM_SHADER_CONTINUES;
	if (!object || object != check->context->current->shader_in_progress[check->words[STAGE]])
		return check_refuse(check, 1, 0, "is no shader whose text goes on");
	struct shader *shader = object->shader;
	if (offset != shader->text->len)
		return check_refuse(check, OFFSET, shader->text->len, "is not where it goes on");
	if (part > round_up(shader->total_bytes) - offset)
		return check_refuse(check, OFFSET, shader->total_bytes, "goes on past its end");
	if (!check_tokens(check, shader->total_bytes))
		return false;
	g_byte_array_append(shader->text, (const uint8_t *)text, part);
	return shader->text->len < shader->total_bytes ||
	       finish(check, object, shader->text->data, shader->text->len);
}

static bool check_handle(struct stream_check *check)
{
	const struct object *before = sub_find(check->context->current, check->words[1]);
	bool goes_on = check->words[OFFSET] & STREAM_SHADER_CONTINUES;
	return goes_on || !before || !before->shader || !before->shader->text ||
	       check_refuse(check, 1, 0, "is a shader whose text has not ended");
}

bool check_create_shader(struct stream_check *check)
{
	uint32_t index = stream_shader_text_index(&check->command);
	if (check->words[STAGE] != STREAM_STAGE_COMPUTE &&
		check->words[N_OUTPUTS] > STREAM_STREAMOUT_OUTPUTS_MAX)
		return check_refuse(check, N_OUTPUTS, STREAM_STREAMOUT_OUTPUTS_MAX, "are too many");
	if (index > check->command.length)
		return check_refuse(check, N_OUTPUTS, 0, "leave no room for a text");
	if (!check_handle(check))
		return false;
	uint32_t part = (check->command.length - index + 1) * 4;
	if (check->words[OFFSET] & STREAM_SHADER_CONTINUES)
		return go_on(check, check->words + index, part);
	return begin(check, check->words + index, part);
}

/* ---- constants ---- */

/*
 * Makes virglrenderer have room for a shader's constants. GL is given as many as the shader
 * declares, from memory that has the size of the largest SET_CONSTANT_BUFFER so far, so one that is
 * large enough goes before the command. That sets n of them, or it binds the shader and n is 0: a
 * driver sets constants anew then. Mesa sends fewer than a shader declares where the last vector is
 * not full.
 */
static bool make_room(
	struct stream_check *check, uint32_t stage, const struct shader *shader, uint32_t n)
{
	static const uint32_t zeros[STREAM_CONSTANTS_MAX];
	uint32_t *room = &check->context->current->constants_room[stage];
	uint32_t declared = shader ? 4 * shader->facts.n_constants : 0;
	uint32_t wanted = MAX(declared, STREAM_CONSTANTS_USUAL);
	*room = MAX(*room, n);
	if (*room >= wanted)
		return true;
	if (declared > STREAM_CONSTANTS_MAX)
		return check_refuse(check, 1, STREAM_CONSTANTS_MAX / 4,
			"has a shader that declares more constants than can be set");
	if (wanted > STREAM_CONSTANT_ROOMS_MAX - check->room_words)
		return check_refuse(check, 1, STREAM_CONSTANT_ROOMS_MAX,
			"is one of too many stages that get their first constants");
	check->room_words += wanted;
	*room = wanted;
	check_insert(check, STREAM_SET_CONSTANT_BUFFER, wanted + 2);
	check_insert_words(check, (uint32_t[]){ stage, 0 }, 2);
	check_insert_words(check, zeros, wanted);
	return true;
}

/* Without constants GL is given none, however many the shader declares. */
bool check_constants(struct stream_check *check)
{
	uint32_t stage = check->words[1], n = check->command.length - 2;
	return n == 0 || make_room(check, stage, check->context->current->shaders[stage], n);
}

/* ---- binding ---- */

/*
 * Finds a shader. virglrenderer ignores a handle of another stage, or of no shader: then *ignored
 * is true.
 */
static bool find_shader(struct stream_check *check, uint32_t index, uint32_t stage,
	struct shader **shader, bool *ignored)
{
	struct object *object = check_object(check, index);
	*ignored = check->words[index] != 0 && (!object || object->shader->stage != stage);
	*shader = object && !*ignored ? object->shader : NULL;
	return !*shader || !(*shader)->text ||
	       check_refuse(check, index, 0, "is a shader whose text has not ended");
}

bool check_bind_shader(struct stream_check *check)
{
	struct shader **bound = &check->context->current->shaders[check->words[2]];
	struct shader *shader;
	bool ignored;
	if (!find_shader(check, 1, check->words[2], &shader, &ignored))
		return false;
	if (ignored)
		return true;
	if (!check_links_with(check, check->words[2], shader))
		return false;
	bool has_constants = check->context->current->constants_room[check->words[2]] > 0;
	if (has_constants && !make_room(check, check->words[2], shader, 0))
		return false;
	shader_ref(shader);
	shader_unref(*bound);
	*bound = shader;
	check->context->current->shaders_changed = true;
	return true;
}

/*
 * Checks a command that compiles shaders together and leaves bound what was. The words are in the
 * order of the stages. It has no other effect, so one of shaders that have too many buffers is left
 * out.
 */
bool check_link_shader(struct stream_check *check)
{
	struct shader *shaders[STREAM_STAGES];
	for (uint32_t stage = 0; stage < STREAM_STAGES; stage++) {
		bool ignored;
		if (!find_shader(check, 1 + stage, stage, &shaders[stage], &ignored))
			return false;
		if (ignored)
			shaders[stage] = check->context->current->shaders[stage];
	}
	check->context->current->shaders_changed = true;
	return check_links(check, shaders) && (place_buffers(shaders) || check_drop(check));
}
