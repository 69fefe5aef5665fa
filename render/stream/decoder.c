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

/* Returns how often the group stands in a command of so many words, leaving out a part of one. */
static uint32_t count_groups(const struct stream_shape *shape, uint32_t length)
{
	if (shape->n_group == 0 || length < shape->n_fields)
		return 0;
	return (length - shape->n_fields) / shape->n_group;
}

/*
 * A command of neither fields nor groups may have any length: END_TRANSFERS fills the rest of
 * Mesa's area for transfers, and NOP may.
 */
static bool has_own_length(const struct stream_command *command)
{
	const struct stream_shape *shape = command->shape;
	if (shape->lengths)
		return command->length < 64 && shape->lengths >> command->length & 1;
	if (shape->n_group == 0)
		return command->length == shape->n_fields || shape->n_fields == 0;
	return command->length == shape->n_fields + command->n_groups * shape->n_group &&
	       command->n_groups <= shape->groups_max;
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
	command->n_groups = count_groups(command->shape, command->length);
	if (!has_own_length(command))
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

uint32_t stream_shader_text_index(const struct stream_command *command)
{
	uint32_t n_outputs = command->words[2] == STREAM_STAGE_COMPUTE ? 0 : command->words[5];
	if (n_outputs > command->length)
		return command->length + 1;
	return n_outputs == 0 ? 6 : 6 + 4 + 2 * n_outputs;
}
