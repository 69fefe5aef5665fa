/* SPDX-License-Identifier: MIT */
/*
 * vitrine-guest-recover: a line of the host's is read as its contract says and no other is, the
 * file's lines mean what its manual says, restarts are bounded, and a unit's name is believed only
 * where systemd put it. What ends is not held up by a thread of the lowest priority.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-tools/common/array.h"
#include "guest-tools/recover/history.h"
#include "guest-tools/recover/notice.h"
#include "guest-tools/recover/origin.h"
#include "guest-tools/recover/policy.h"
#include "guest-tools/recover/programs.h"

static int number, failed;

static void ok(bool good, const char *name)
{
	failed += !good;
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, name);
}

static struct notice notice;

static bool parses(const char *line)
{
	return notice_parse(&notice, line, strlen(line));
}

static void test_notice(void)
{
	ok(parses("vitrine-lost 1 3 crash 3 2 1,p,Xorg 7,b,some%20game 4294967295,-,") &&
			notice.serial == 3 && notice.n_untold == 2 && notice.n_lost == 3 &&
			notice.n_contexts == 3 && strcmp(notice.cause, "crash") == 0,
		"a notice is read");
	ok(notice.contexts[0].has_painted && !notice.contexts[0].is_blamed &&
			notice.contexts[1].is_blamed && notice.contexts[1].id == 7 &&
			strcmp(notice.contexts[1].name, "some game") == 0 &&
			notice.contexts[2].id == UINT32_MAX && notice.contexts[2].name[0] == 0,
		"and its contexts");
	ok(notice_find_name(&notice, "Xorg") == &notice.contexts[0] &&
			!notice_find_name(&notice, "Xor") && !notice_find_name(&notice, ""),
		"a name is found whole, and nobody is nameless");
	ok(parses("vitrine-lost 1 1 later-word 9 0 1,pxz,a") && notice.contexts[0].has_painted,
		"words of a later host are borne");
	ok(parses("vitrine-lost 1 1 hang 0 0") && notice.n_contexts == 0, "nobody need be named");
}

static void test_refused(void)
{
	static const char *const lines[] = { "", "vitrine-lost", "vitrine-lost 2 1 crash 1 0 1,p,a",
		"vitrine-lost 1 1 crash 1", "vitrine-lost 1 1 crash 1 0 ",
		"vitrine-lost 1 1 crash 1 0 1,p", " vitrine-lost 1 1 crash 1 0",
		"vitrine-lost 1  1 crash 1 0", "vitrine-lost 1 -1 crash 1 0",
		"vitrine-lost 1 18446744073709551616 crash 1 0", "vitrine-lost 1 01 crash 1 0",
		"vitrine-lost 1 1 CRASH 1 0", "vitrine-lost 1 1 sixteen-letters- 1 0",
		"vitrine-lost 1 1 crash 1025 0", "vitrine-lost 1 1 crash 1 0 0,p,a",
		"vitrine-lost 1 1 crash 1 0 4294967296,p,a", "vitrine-lost 1 1 crash 1 0 1,,a",
		"vitrine-lost 1 1 crash 1 0 1,p,%0", "vitrine-lost 1 1 crash 1 0 1,p,%00",
		"vitrine-lost 1 1 crash 1 0 1,p,%2G", "vitrine-lost 1 1 crash 1 0 1,p,a\x01",
		"vitrine-lost 1 1 crash 1 0 1,p,a 2,p,b", "vitrine-lost 1 1 crash 1 0 1,p,a ",
		"vitrine-lost 1 1 crash 1 0 1,p,"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	unsigned n_read = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
		if (parses(lines[i]))
			printf("# read: %s\n", lines[i]);
		n_read += parses(lines[i]);
	}
	ok(n_read == 0, "lines that the contract does not know are refused");
	ok(!notice_parse(&notice, "vitrine-lost 1 1 crash 1 0 1,p,a\0", 33), "a NUL, too");
}

static bool locks(const char *line)
{
	return notice_is_lock(line, strlen(line));
}

static void test_lock(void)
{
	struct policy policy = POLICY_INITIAL;
	ok(locks("vitrine-lock 1") && !locks("vitrine-lock 2") && !locks("vitrine-lock 1 ") &&
			!locks("vitrine-lock") && !locks("vitrine-lost 1 1 hang 0 0") &&
			!parses("vitrine-lock 1"),
		"the word that locks is that and no other");
	ok(policy.lock && policy_read_line(&policy, "LOCK=no") && !policy.lock &&
			!policy_read_line(&policy, "LOCK=maybe") &&
			policy_read_line(&policy, "LOCK_COMMAND=vlock -a") &&
			strcmp(policy.lock_command, "vlock -a") == 0,
		"it can be left out, or done otherwise");
}

static void test_policy(void)
{
	struct policy policy = POLICY_INITIAL;
	ok(policy.desktop == POLICY_ACT && policy.program == POLICY_TELL && policy.restarts == 3,
		"without a file a desktop is restarted, three times");
	ok(policy_read_line(&policy, "DESKTOP=notify") && policy.desktop == POLICY_TELL &&
			policy_read_line(&policy, "  PROGRAM=end \r") &&
			policy.program == POLICY_ACT && policy_read_line(&policy, "RESTARTS=0") &&
			policy.restarts == 0 &&
			policy_read_line(&policy, "RESTART_COMMAND=a = b # c") &&
			strcmp(policy.restart_command, "a = b # c") == 0,
		"lines are read");
	ok(policy_read_line(&policy, "# no line") && policy_read_line(&policy, ""), "or are none");
	ok(!policy_read_line(&policy, "DESKTOP=end") && !policy_read_line(&policy, "PROGRAM") &&
			!policy_read_line(&policy, "RESTARTS=33") &&
			!policy_read_line(&policy, "RESTARTS=-1") &&
			!policy_read_line(&policy, "RESTARTS=3x") &&
			!policy_read_line(&policy, "COLOUR=red") && policy.desktop == POLICY_TELL &&
			policy.restarts == 0,
		"what is not understood changes nothing");
}

static void test_history(void)
{
	struct history history = { 0 };
	ok(history_add(&history, 2, 1000, 0) && history_add(&history, 2, 1000, 500) &&
			!history_add(&history, 2, 1000, 900) &&
			history_add(&history, 2, 1000, 1001) &&
			!history_add(&history, 2, 1000, 1400),
		"so many in so much time, and no more");
	ok(!history_add(&history, 0, 1000, 9000), "none where none are allowed");
}

static bool is_at(const char *cgroup, enum origin_kind kind, const char *name)
{
	struct origin origin = origin_parse(cgroup);
	return origin.kind == kind && strcmp(origin.name, name) == 0;
}

static void test_origin(void)
{
	ok(is_at("0::/system.slice/lightdm.service\n", ORIGIN_SYSTEM_UNIT, "lightdm.service") &&
			is_at("0::/system.slice/system-kiosk.slice/kiosk@1.service/x\n",
				ORIGIN_SYSTEM_UNIT, "kiosk@1.service"),
		"a service");
	ok(is_at("0::/user.slice/user-1000.slice/session-c2.scope\n", ORIGIN_SESSION, "c2"),
		"a session");
	ok(is_at("12:cpu:/\n1:name=systemd:/user.slice/user-0.slice/session-4.scope\n0::/\n",
		   ORIGIN_SESSION, "4"),
		"also where there are several hierarchies");
	const char *shell = "0::/user.slice/user-1000.slice/user@1000.service/session.slice/"
			    "org.gnome.Shell@wayland.service\n";
	ok(is_at(shell, ORIGIN_USER_UNIT, "org.gnome.Shell@wayland.service") &&
			origin_parse(shell).uid == 1000,
		"a user's service");
	ok(is_at("0::/user.slice/user-1000.slice/user@1000.service/system.slice/lightdm.service\n",
		   ORIGIN_USER_UNIT, "lightdm.service"),
		"a user's groups are the user's, whatever their names");
	ok(is_at("0::/init.scope\n", ORIGIN_UNKNOWN, "") && is_at("", ORIGIN_UNKNOWN, "") &&
			is_at("0::/\n", ORIGIN_UNKNOWN, "") &&
			is_at("0::/docker/1234.service-x\n", ORIGIN_UNKNOWN, "") &&
			is_at("0::/user.slice/user-1.slice/session-.scope\n", ORIGIN_UNKNOWN, ""),
		"others are unknown");
}

/* Since boot, as the kernel counts it: field 22 of a process whose name has no space. */
static uint64_t read_start_ticks(int pid)
{
	char path[64], text[1024] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *file = fopen(path, "r");
	if (file && !fgets(text, sizeof text, file))
		text[0] = '\0';
	if (file)
		fclose(file);
	const char *field = text;
	for (unsigned i = 1; field && i < 22; i++) {
		field = strchr(field, ' ');
		field = field ? field + 1 : NULL;
	}
	return field ? strtoull(field, NULL, 10) : 0;
}

static void test_hurry(void)
{
	if (geteuid() != 0) {
		printf("ok %d # SKIP only root may\n", ++number);
		return;
	}
	pid_t child = fork();
	if (child == 0)
		for (;;)
			pause();
	setpriority(PRIO_PROCESS, (id_t)child, 19);
	struct lost_program program = { .pid = child, .start_ticks = read_start_ticks(child) + 1 };
	programs_hurry_end(&program);
	bool is_left = getpriority(PRIO_PROCESS, (id_t)child) == 19;
	program.start_ticks--;
	programs_hurry_end(&program);
	ok(is_left && getpriority(PRIO_PROCESS, (id_t)child) == 0,
		"no thread of what ends has a low priority; another process by that number keeps "
		"it");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

int main(void)
{
	test_hurry();
	test_notice();
	test_refused();
	test_lock();
	test_policy();
	test_history();
	test_origin();
	printf("1..%d\n", number);
	return failed > 0;
}
