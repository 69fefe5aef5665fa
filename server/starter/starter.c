/* SPDX-License-Identifier: MIT */
#include "server/starter/starter.h"

#include <errno.h>
#include <sys/wait.h>

#include "protocol/contracts.h"
#include "server/starter/starter_process.h"

bool starter_init(struct starter *starter, const struct starter_plan *plan, GError **error)
{
	g_assert(plan->n_commands <= STARTER_COMMANDS_MAX);
	starter->plan = plan;
	return servant_init(&starter->servant, "starter", starter_process_run, plan, error);
}

void starter_finish(struct starter *starter)
{
	servant_finish(&starter->servant);
}

void starter_watch(struct starter *starter)
{
	servant_watch(&starter->servant,
		"what runs goes on, and the desktop ends when it needs another worker");
}

pid_t starter_spawn(struct starter *starter, unsigned command, const int fds[SERVANT_FDS],
	int *pidfd, GError **error)
{
	g_assert(command < starter->plan->n_commands);
	for (unsigned i = 0; i < SERVANT_FDS; i++)
		g_assert(fds[i] >= 0);
	const char *program = starter->plan->commands[command].argv[0];
	struct servant_answer answer;
	if (!servant_ask(&starter->servant, (uint8_t)command, fds, &answer, pidfd)) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_PIPE,
			"cannot start %s: the starter is gone", program);
		return -1;
	}
	if (answer.error == 0)
		return answer.pid;
	if (answer.pid > 0)
		waitpid(answer.pid, NULL, 0);
	g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(answer.error),
		"cannot start %s: %s", program, g_strerror(answer.error));
	return -1;
}

static void set_refusal(GError **error, const char *program, const struct servant_answer *answer)
{
	g_autofree char *name = g_path_get_basename(program);
	if (answer->error == EPROTO)
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
			"the new %s's %s is of version %u, and this desktop's of version %u: it "
			"must be restarted",
			name, contract_name(answer->details[0]), answer->details[1],
			answer->details[0] < CONTRACTS ? contract_version(answer->details[0]) : 0);
	else if (answer->error == ENODATA)
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
			"%s does not say what it keeps to: it is of a build before that was asked",
			program);
	else
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(answer->error), "%s: %s",
			program, g_strerror(answer->error));
}

enum starter_change starter_set_program(
	struct starter *starter, unsigned command, enum starter_program which, GError **error)
{
	struct servant_answer answer;
	int fd;
	g_assert(command < starter->plan->n_commands);
	uint8_t request = (uint8_t)(which << STARTER_PROGRAM_SHIFT | command);
	if (!servant_ask(&starter->servant, request, NULL, &answer, &fd)) {
		g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_PIPE, "the starter is gone");
		return STARTER_CANNOT;
	}
	if (answer.error == 0)
		return STARTER_CHANGED;
	if (answer.error == EALREADY)
		return STARTER_IS_SAME;
	set_refusal(error, starter->plan->commands[command].argv[0], &answer);
	return STARTER_CANNOT;
}

bool starter_is_usable(const struct starter *starter)
{
	return servant_is_usable(&starter->servant);
}
