/* SPDX-License-Identifier: MIT */
/* This file checks device nodes, and who may open them. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-tools/check/groups.h"
#include "guest-tools/check/nodes.h"
#include "guest-tools/common/text.h"

/* Describes a node's owner, such as "root:render 0660". */
static void describe_owner(const char *path, char *out, size_t size)
{
	struct stat status;
	text_copy(out, size, "gone");
	if (stat(path, &status) != 0)
		return;
	const struct passwd *owner = getpwuid(status.st_uid);
	const struct group *group = getgrgid(status.st_gid);
	snprintf(out, size, "%s:%s %04o", owner ? owner->pw_name : "?",
		group ? group->gr_name : "?", (unsigned)status.st_mode & 07777);
}

static void run_card(struct guest *guest, struct finding *finding)
{
	char owner[64], group[32];
	describe_owner(guest->card_path, owner, sizeof owner);
	guest_node_group(guest->card_path, group, sizeof group);
	if (guest->card_error == 0) {
		finding_pass(finding, "%s opens (%s)", guest->card_path, owner);
	} else if (guest->card_error == EACCES && group[0]) {
		finding_pass(finding,
			"%s (%s) is not for this user; logind gives it to the seat's desktop",
			guest->card_path, owner);
	} else {
		finding_value(finding, "%s (%s): %s", guest->card_path, owner,
			strerror(guest->card_error));
		finding_fail(finding,
			guest->card_error == EACCES ? "nodes.wrong-mode" : "nodes.missing",
			guest->card_path);
	}
}

void nodes_blame_render(const struct guest *guest, struct finding *finding)
{
	char argument[128];
	if (guest->render_error != EACCES && guest->render_error != EPERM) {
		finding_fail(finding, "nodes.missing", guest->render_path);
	} else if (!guest->render_group[0]) {
		finding_fail(finding, "nodes.wrong-mode", guest->render_path);
	} else {
		snprintf(argument, sizeof argument, "%s %s", guest->render_group, guest->user);
		finding_fail(finding, "nodes.no-right", argument);
	}
}

static void run_render(struct guest *guest, struct finding *finding)
{
	char owner[64];
	if (!guest->render_path[0]) {
		finding_value(finding, "the driver made none");
		finding_fail(finding, "nodes.no-render", NULL);
		return;
	}
	describe_owner(guest->render_path, owner, sizeof owner);
	if (guest->render_error == 0) {
		finding_pass(finding, "%s opens (%s)", guest->render_path, owner);
		return;
	}
	finding_value(
		finding, "%s (%s): %s", guest->render_path, owner, strerror(guest->render_error));
	nodes_blame_render(guest, finding);
}

/* Opens `path` as another user, with all groups of that user. Gives 0 or errno. */
static int open_as(uid_t uid, const char *path)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		const struct passwd *person = getpwuid(uid);
		if (!person || initgroups(person->pw_name, person->pw_gid) != 0 ||
			setgid(person->pw_gid) != 0 || setuid(uid) != 0)
			_exit(0); /* When we cannot become that user, nobody is blamed. */
		_exit(open(path, O_RDWR | O_CLOEXEC) < 0 ? errno : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 0;
	return WEXITSTATUS(status);
}

struct session_walk {
	const struct guest *guest;
	unsigned n_sessions, n_active;
	uid_t uid;
	bool active, user_class;
	char locked_out[128]; /* These people may not open the render node. */
	char active_names[128];
};

static bool session_line(void *user, const char *line)
{
	struct session_walk *walk = user;
	if (strncmp(line, "UID=", 4) == 0)
		walk->uid = (uid_t)strtoul(line + 4, NULL, 10);
	else if (strcmp(line, "ACTIVE=1") == 0)
		walk->active = true;
	else if (strcmp(line, "CLASS=user") == 0)
		walk->user_class = true;
	return true;
}

static void add_name(char *list, size_t size, const char *name)
{
	char words[160];
	text_copy(words, sizeof words, list);
	for (char *at = words; (at = strchr(at, ','));)
		*at = ' ';
	if (!text_has_word(words, name))
		text_append_item(list, size, ",", name);
}

static bool session_file(void *user, const char *path)
{
	struct session_walk *walk = user;
	if (strstr(path, ".ref"))
		return true;
	walk->active = walk->user_class = false;
	walk->uid = 0;
	text_each_line(path, session_line, walk);
	walk->n_sessions++;
	const struct passwd *person = getpwuid(walk->uid);
	if (!walk->active || !walk->user_class || !person)
		return true;
	walk->n_active++;
	add_name(walk->active_names, sizeof walk->active_names, person->pw_name);
	if (walk->guest->root && walk->uid != 0 && walk->guest->render_path[0] &&
		open_as(walk->uid, walk->guest->render_path) != 0)
		add_name(walk->locked_out, sizeof walk->locked_out, person->pw_name);
	return true;
}

static void run_sessions(struct guest *guest, struct finding *finding)
{
	struct session_walk walk = { .guest = guest };
	if (!text_find_process("systemd-logind") && !text_find_process("elogind-daemon") &&
		!text_find_process("elogind")) {
		finding_value(finding, "logind is not running");
		finding_warn(finding, "nodes.no-logind", NULL);
		return;
	}
	text_each_path("/run/systemd/sessions/*", session_file, &walk);
	if (walk.n_active == 0) {
		finding_pass(finding, "logind runs, nobody is logged in");
		return;
	}
	finding_value(finding, "active: %s", walk.active_names);
	if (walk.locked_out[0])
		finding_fail(finding, "nodes.person-no-right", walk.locked_out);
}

const struct check nodes_checks[] = {
	{ "nodes.card", "card node", CHECK_NEEDS_CARD, CHECK_ROOM_SELF,
		"exists, with a group that may open it",
		"The display server shows its picture through this node.", run_card },
	{ "nodes.render", "render node", CHECK_NEEDS_CARD, CHECK_ROOM_SELF, "this user can open it",
		"Programs draw through this node; who cannot open it gets software rendering.",
		run_render },
	{ "nodes.sessions", "logind and people", CHECK_NEEDS_CARD, CHECK_ROOM_SELF,
		"whoever is logged in may open the render node",
		"logind gives the nodes to the person at the seat; groups do for everybody else.",
		run_sessions },
	{ 0 },
};
