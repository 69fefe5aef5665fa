/* SPDX-License-Identifier: MIT */
#include "render/stream/decoder.h"

#include <stddef.h>

static bool fail(struct stream_fault *fault, const struct stream_shape *shape, uint64_t value,
	uint64_t limit, const char *field, const char *why)
{
	*fault = (struct stream_fault){ .command = shape ? shape->name : "unknown",
		.field = field,
		.value = value,
		.limit = limit,
		.why = why };
	return false;
}

/*
 * Returns true for commands that may have any length: END_TRANSFERS fills the rest of Mesa's area
 * for transfers, and NOP may.
 */
static bool is_filler(const struct stream_shape *shape)
{
	return shape->n_fields == 0 && shape->n_group == 0;
}

static bool has_own_length(const struct stream_shape *shape, uint32_t length)
{
	if (is_filler(shape))
		return true;
	if (shape->lengths || length < shape->n_fields || shape->n_group == 0) {
		uint64_t lengths = shape->lengths ? shape->lengths : 1ull << shape->n_fields;
		return length < 64 && lengths >> length & 1;
	}
	uint32_t rest = length - shape->n_fields;
	return rest % shape->n_group == 0 && rest / shape->n_group <= shape->groups_max;
}

bool stream_decode(const uint32_t *words, uint32_t n_words, struct stream_command *command,
	struct stream_fault *fault)
{
	if (n_words == 0)
		return fail(fault, NULL, 0, 1, "header", "the stream has ended");
	uint32_t header = words[0];
	*command = (struct stream_command){ .words = words,
		.number = header & 0xff,
		.object = header >> 8 & 0xff,
		.length = header >> 16 };
	command->shape = stream_find_shape(command->number, command->object);
	if (!command->shape && command->number < STREAM_NUMBERS)
		return fail(fault, NULL, command->object, STREAM_OBJECTS - 1, "object type",
			"is no object that can be made or bound");
	if (!command->shape)
		return fail(fault, NULL, command->number, STREAM_NUMBERS - 1, "number",
			"is no command");
	if (command->length > n_words - 1)
		return fail(fault, command->shape, command->length, n_words - 1, "length",
			"reaches past the end of the stream");
	if (!has_own_length(command->shape, command->length))
		return fail(fault, command->shape, command->length, command->shape->n_fields,
			"length", "is none of this command's");
	return true;
}

const struct stream_field *stream_field_at(const struct stream_command *command, uint32_t index)
{
	static const struct stream_field filler = { .name = "filler", .kind = STREAM_WORD };
	const struct stream_shape *shape = command->shape;
	if (index >= 1 && index <= shape->n_fields)
		return &shape->fields[index - 1];
	if (index == 0 || shape->n_group == 0)
		return &filler;
	return &shape->group[(index - 1 - shape->n_fields) % shape->n_group];
}

uint32_t stream_count_groups(const struct stream_command *command)
{
	const struct stream_shape *shape = command->shape;
	if (shape->n_group == 0 || command->length < shape->n_fields)
		return 0;
	return (command->length - shape->n_fields) / shape->n_group;
}

uint32_t stream_shader_text_index(const struct stream_command *command)
{
	uint32_t n_outputs = command->words[2] == STREAM_STAGE_COMPUTE ? 0 : command->words[5];
	if (n_outputs > command->length)
		return command->length + 1;
	return n_outputs == 0 ? 6 : 6 + 4 + 2 * n_outputs;
}
