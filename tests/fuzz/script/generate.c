/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/script/generate.h"

#include <string.h>

#include "tests/fuzz/script/emit.h"

/* Sees all tables as one; returns NULL beyond the last command. */
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
		{ emit_newer_commands, emit_n_newer_commands },
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

bool generate_is_everywhere(unsigned index)
{
	const struct emit_command *command = command_at(index);
	return command < emit_newer_commands ||
	       command >= emit_newer_commands + emit_n_newer_commands;
}

static const struct emit_command *find_command(const char *name)
{
	const struct emit_command *command;
	for (unsigned i = 0; (command = command_at(i)); i++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

/*
 * Lists each command as often as its weight says. We make it once, as a fuzzer chooses some million
 * times.
 */
static const GPtrArray *get_by_weight(void)
{
	static GPtrArray *commands;
	const struct emit_command *command;
	if (commands)
		return commands;
	commands = g_ptr_array_new();
	for (unsigned i = 0; (command = command_at(i)); i++)
		for (unsigned n = 0; n < command->weight; n++)
			g_ptr_array_add(commands, (gpointer)command);
	return commands;
}

static const struct emit_command *choose_command(struct choices *choices)
{
	const GPtrArray *commands = get_by_weight();
	return g_ptr_array_index(commands, choose(choices, commands->len));
}

static void generate_any(struct model *model, uint32_t n)
{
	for (uint32_t i = 0; i < n && choices_are_left(model->choices); i++)
		choose_command(model->choices)->emit(model);
}

void generate(struct choices *choices, const char *wanted, struct script *script)
{
	struct model model;
	const struct emit_command *must = wanted ? find_command(wanted) : NULL;
	g_assert(must || !wanted);
	model_init(&model, choices, script);
	if (must) {
		generate_any(&model, choose(choices, GENERATE_AROUND_MAX + 1));
		must->emit(&model);
		emit_any_draw(&model);
		emit_any_launch(&model);
		generate_any(&model, choose(choices, GENERATE_AROUND_MAX + 1));
	} else {
		generate_any(&model, choose_between(choices, 1, GENERATE_COMMANDS_MAX));
	}
	script_cut(script);
	model_finish(&model);
}
