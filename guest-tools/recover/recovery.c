/* SPDX-License-Identifier: MIT */
#include "guest-tools/recover/recovery.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest-tools/common/text.h"
#include "guest-tools/recover/launch.h"
#include "guest-tools/recover/manager.h"
#include "guest-tools/recover/origin.h"
#include "guest-tools/recover/word.h"

static void signal_program(
	const struct recovery *recovery, const struct lost_program *program, int number)
{
	fprintf(stderr, "%s (pid %d) gets signal %d\n", program->name, program->pid, number);
	if (!recovery->dry && programs_is_alive(program))
		kill(program->pid, number);
}

static void end_later(
	struct recovery *recovery, const struct lost_program *program, double after_ms)
{
	if (recovery->n_ends == PROGRAMS_MAX)
		return;
	recovery->ends[recovery->n_ends++] =
		(struct recovery_end){ *program, programs_now_ms() + after_ms };
}

int recovery_work(struct recovery *recovery)
{
	double now_ms = programs_now_ms(), next_ms = -1;
	for (unsigned i = recovery->n_ends; i-- > 0;) {
		struct recovery_end *end = &recovery->ends[i];
		bool alive = programs_is_alive(&end->program);
		if (alive && end->deadline_ms > now_ms) {
			double left_ms = end->deadline_ms - now_ms;
			next_ms = next_ms < 0 || left_ms < next_ms ? left_ms : next_ms;
			continue;
		}
		if (alive)
			signal_program(recovery, &end->program, SIGKILL);
		*end = recovery->ends[--recovery->n_ends];
	}
	return next_ms < 0 ? -1 : (int)next_ms + 1;
}

static void run(const struct recovery *recovery, const char *const words[])
{
	char line[512] = "";
	for (unsigned i = 0; words[i]; i++)
		text_append_item(line, sizeof line, " ", words[i]);
	fprintf(stderr, "runs: %s\n", line);
	if (!recovery->dry)
		launch_start(words);
}

/* ---- what has a display server ---- */

/* Before Linux 5.7 whoever opened the device had a context, also one that never draws by it. */
static bool every_opener_has_context(void)
{
	struct utsname name;
	unsigned major, minor;
	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 5 || (major == 5 && minor < 7));
}

static bool is_desktop(const struct lost_program *program)
{
	return program->is_server && (program->has_painted || !every_opener_has_context());
}

/* Nothing but a service starts again what showed pictures by itself, as a kiosk does. */
static bool is_kiosk(const struct lost_program *program)
{
	return program->has_card && program->has_painted && !program->is_server &&
	       origin_of_process(program->pid).kind == ORIGIN_SYSTEM_UNIT;
}

static struct origin find_origin(const struct lost_program *program)
{
	struct origin origin = origin_of_process(program->pid), session;
	if (origin.kind == ORIGIN_USER_UNIT && origin_find_session(&origin, &session))
		origin = session;
	return origin.kind == ORIGIN_SESSION ? origin_of_starter(&origin) : origin;
}

static bool has_systemd(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

static void restart_unit(const struct recovery *recovery, const char *name)
{
	const char *const words[] = { "systemctl", "--no-block", "restart", "--", name, NULL };
	if (recovery->dry || !manager_restart(MANAGER_SOCKET, name))
		run(recovery, words);
	else
		fprintf(stderr, "restarts: %s\n", name);
}

static void restart_origin(const struct recovery *recovery, const struct origin *origin)
{
	char machine[32];
	snprintf(machine, sizeof machine, "--machine=%u@.host", (unsigned)origin->uid);
	const char *const session[] = { "loginctl", "terminate-session", "--", origin->name, NULL };
	const char *const user[] = { "systemctl", "--user", machine, "--no-block", "restart", "--",
		origin->name, NULL };
	if (origin->kind == ORIGIN_SYSTEM_UNIT)
		restart_unit(recovery, origin->name);
	else if (origin->kind == ORIGIN_SESSION)
		run(recovery, session);
	else
		run(recovery, user);
}

/* Where there is no systemd a display manager starts a new server when its own has ended. */
static void restart_desktop(struct recovery *recovery, const struct lost_program *server)
{
	const char *command = recovery->policy.restart_command;
	const char *const words[] = { "sh", "-c", command, NULL };
	struct origin origin = { 0 };
	if (!command[0] && has_systemd())
		origin = find_origin(server);
	bool is_stopped = origin.kind != ORIGIN_UNKNOWN;
	if (command[0])
		run(recovery, words);
	else if (origin.kind != ORIGIN_UNKNOWN)
		restart_origin(recovery, &origin);
	else
		signal_program(recovery, server, SIGTERM);
	end_later(recovery, server, is_stopped ? SERVER_STOPPED_MS : SERVER_END_MS);
}

/* ---- who is told what ---- */

static void append_names(char *text, size_t size, const struct programs *lost, bool desktops)
{
	char item[40], names[400] = "";
	for (unsigned i = 0; i < lost->n; i++) {
		const struct lost_program *program = &lost->all[i];
		if ((is_desktop(program) || is_kiosk(program)) != desktops)
			continue;
		snprintf(item, sizeof item, "%s (pid %d)", program->name, program->pid);
		text_append_item(names, sizeof names, ", ", item);
	}
	text_append(text, size, names);
}

static void tell(const struct recovery *recovery, const struct notice *notice, struct word *word,
	const char *summary)
{
	text_copy(word->summary, sizeof word->summary, summary);
	fprintf(stderr, "notice %llu: %u contexts lost (%s)\n", (unsigned long long)notice->serial,
		notice->n_lost, notice->cause);
	if (recovery->dry)
		fprintf(stderr, "%s: %s\n", word->summary, word->body);
	else
		word_tell(word);
}

static void tell_of_desktop(const struct recovery *recovery, const struct notice *notice,
	const struct programs *lost, bool restarted)
{
	struct word word = { .delay_ms = restarted ? SERVER_END_MS + WORD_PAUSE_MS : 0 };
	for (unsigned i = 0; i < lost->n; i++)
		word_add_user(&word, lost->all[i].uid);
	text_append_format(word.body, sizeof word.body,
		"%s; lost all they draw with: ", notice_describe_cause(notice));
	append_names(word.body, sizeof word.body, lost, true);
	text_append(word.body, sizeof word.body,
		restarted ?
			". The desktop was started anew; what its programs had not saved is gone." :
			". Log out and in again, or restart the display manager.");
	tell(recovery, notice, &word,
		restarted ? "Your desktop was restarted" : "Your desktop has lost its graphics");
}

static void tell_of_programs(const struct recovery *recovery, const struct notice *notice,
	const struct programs *lost, bool ended)
{
	struct word word = { 0 };
	for (unsigned i = 0; i < lost->n; i++)
		word_add_user(&word, lost->all[i].uid);
	text_append_format(word.body, sizeof word.body, "%s; %s: ", notice_describe_cause(notice),
		ended ? "ended" : "must be ended and started again");
	append_names(word.body, sizeof word.body, lost, false);
	tell(recovery, notice, &word, "Programs have lost their graphics");
}

/* ---- one notice ---- */

/* Gives whether one was restarted, which takes its session's programs along. */
static bool handle_desktops(
	struct recovery *recovery, const struct notice *notice, const struct programs *lost)
{
	const struct policy *policy = &recovery->policy;
	unsigned n_desktops = 0;
	for (unsigned i = 0; i < lost->n; i++)
		n_desktops += is_desktop(&lost->all[i]) || is_kiosk(&lost->all[i]);
	if (n_desktops == 0 || policy->desktop == POLICY_NOTHING)
		return false;
	bool restart = policy->desktop == POLICY_ACT;
	if (restart && !history_add(&recovery->history, policy->restarts,
			       1000.0 * policy->restarts_s, programs_now_ms())) {
		fprintf(stderr, "%u restarts in %u s: no more for now\n", policy->restarts,
			policy->restarts_s);
		restart = false;
	}
	for (unsigned i = 0; restart && !recovery->dry && i < lost->n; i++)
		programs_hurry_end(&lost->all[i]);
	for (unsigned i = 0; restart && i < lost->n; i++)
		if (is_desktop(&lost->all[i]) || is_kiosk(&lost->all[i]))
			restart_desktop(recovery, &lost->all[i]);
	tell_of_desktop(recovery, notice, lost, restart);
	return restart;
}

static void handle_programs(
	struct recovery *recovery, const struct notice *notice, const struct programs *lost)
{
	unsigned n_programs = 0;
	/* Of several by that name one has lost its context, and nobody says which. */
	bool ends = recovery->policy.program == POLICY_ACT &&
		    !(notice_is_refused(notice) && lost->n > 1);
	for (unsigned i = 0; i < lost->n; i++) {
		const struct lost_program *program = &lost->all[i];
		if (is_desktop(program) || is_kiosk(program))
			continue;
		n_programs++;
		if (!ends)
			continue;
		signal_program(recovery, program, SIGTERM);
		end_later(recovery, program, PROGRAM_END_MS);
	}
	if (n_programs > 0 && recovery->policy.program != POLICY_NOTHING)
		tell_of_programs(recovery, notice, lost, ends);
}

void recovery_handle(struct recovery *recovery, const struct notice *notice, double received_ms)
{
	static struct programs lost;
	programs_find_lost(&lost, notice, received_ms);
	if (notice->n_untold > 0)
		fprintf(stderr, "%llu notices before this one did not come\n",
			(unsigned long long)notice->n_untold);
	if (lost.n == 0)
		fprintf(stderr, "notice %llu: %u contexts lost (%s), none of a program that runs\n",
			(unsigned long long)notice->serial, notice->n_lost, notice->cause);
	if (!handle_desktops(recovery, notice, &lost))
		handle_programs(recovery, notice, &lost);
}

void recovery_lock(const struct recovery *recovery)
{
	const char *const sessions[] = { "loginctl", "lock-sessions", NULL };
	const char *const command[] = { "sh", "-c", recovery->policy.lock_command, NULL };
	if (recovery->policy.lock)
		run(recovery, recovery->policy.lock_command[0] ? command : sessions);
}
