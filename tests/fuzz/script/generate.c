/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/script/generate.h"

#include <string.h>

#include "tests/fuzz/script/emit.h"

/* All tables as one; NULL beyond the last. */
static const struct emit_command *command_at(unsigned index)
{
	const struct {
		const struct emit_command *commands;
		unsigned n;
	} tables[] = {
		{ emit_object_commands, emit_n_object_commands },
		{ emit_state_commands, emit_n_state_commands },
		{ emit_draw_commands, emit_n_draw_commands },
		{ emit_transfer_commands, emit_n_transfer_commands },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
		if (index < tables[i].n)
			return &tables[i].commands[index];
		index -= tables[i].n;
	}
	return NULL;
}

const char *generate_name(unsigned index)
{
	const struct emit_command *command = command_at(index);
	return command ? command->name : NULL;
}

static const struct emit_command *find_command(const char *name)
{
	const struct emit_command *command;
	for (unsigned i = 0; (command = command_at(i)); i++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

static const struct emit_command *choose_command(struct choices *choices)
{
	const struct emit_command *command;
	uint32_t weight = 0;
	for (unsigned i = 0; (command = command_at(i)); i++)
		weight += command->weight;
	uint32_t wanted = choose(choices, weight);
	for (unsigned i = 0; (command = command_at(i)); i++) {
		if (wanted < command->weight)
			return command;
		wanted -= command->weight;
	}
	g_assert_not_reached();
}

void generate(struct choices *choices, const char *wanted, struct script *script)
{
	struct model model;
	const struct emit_command *must = wanted ? find_command(wanted) : NULL;
	uint32_t n = choose_between(choices, 1, GENERATE_COMMANDS_MAX),
		 must_be = choose(choices, n);
	g_assert(must || !wanted);
	model_init(&model, choices, script);
	for (uint32_t i = 0; i < n && (choices_are_left(choices) || i <= must_be); i++) {
		if (must && i == must_be)
			must->emit(&model);
		else
			choose_command(choices)->emit(&model);
	}
	script_cut(script);
	model_finish(&model);
}
