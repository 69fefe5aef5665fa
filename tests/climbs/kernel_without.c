/* SPDX-License-Identifier: MIT */
/*
 * kernel-without [--without=FEATURE,...] [--user=ID] [--set=NAME=VALUE] [ARGUMENT...] -- PROGRAM
 * [ARGUMENT...]
 *
 * Executes a program for which the kernel lacks something: a filter gives the answers that a kernel
 * without it gives. "landlock-after-N" stands for what came behind Landlock's ABI N. Arguments
 * before the -- that are not its own become the program's first ones, so that whoever puts them in
 * front need not know of it. Started by root it becomes another user after the filter is there, and
 * then needs no new privileges.
 */
#include "tests/climbs/old_landlock.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | \
		CLONE_NEWCGROUP)

enum compare { ALWAYS, EQUAL, ANY_BIT };

/* The call fails with `error` where its argument compares. */
struct lack {
	const char *feature;
	int call;
	enum compare compare;
	unsigned argument;
	uint32_t value;
	int error;
};

#define NO_NAMESPACE(name, flag, errno_given)                                                      \
	{ name, SYS_unshare, ANY_BIT, 0, (flag), (errno_given) },                                  \
		{ name, SYS_clone, ANY_BIT, 0, (flag), (errno_given) },                            \
	{                                                                                          \
		name, SYS_clone3, ALWAYS, 0, 0, ENOSYS                                             \
	}

static const struct lack lacks[] = {
	{ "landlock", SYS_landlock_create_ruleset, ALWAYS, 0, 0, ENOSYS },
	{ "landlock", SYS_landlock_add_rule, ALWAYS, 0, 0, ENOSYS },
	{ "landlock", SYS_landlock_restrict_self, ALWAYS, 0, 0, ENOSYS },
	/* Built in, and not switched on at boot (lsm=). */
	{ "landlock-at-boot", SYS_landlock_create_ruleset, ALWAYS, 0, 0, EOPNOTSUPP },
	{ "seccomp", SYS_seccomp, ALWAYS, 0, 0, ENOSYS },
	{ "seccomp", SYS_prctl, EQUAL, 0, PR_SET_SECCOMP, EINVAL },
	{ "seccomp", SYS_prctl, EQUAL, 0, PR_GET_SECCOMP, EINVAL },
	/* As in a container, and where an administrator has forbidden them. */
	NO_NAMESPACE("namespaces", NAMESPACES, EPERM),
	/* As where none are left (user.max_user_namespaces). */
	NO_NAMESPACE("user-namespaces", CLONE_NEWUSER, ENOSPC),
	/* As where the kernel was built without. */
	NO_NAMESPACE("network-namespaces", CLONE_NEWNET, EINVAL),
	NO_NAMESPACE("mount-namespaces", CLONE_NEWNS, EINVAL),
	NO_NAMESPACE("pid-namespaces", CLONE_NEWPID, EINVAL),
	NO_NAMESPACE("ipc-namespaces", CLONE_NEWIPC, EINVAL),
	/* Before Linux 5.12. */
	{ "read-only-mounts", SYS_mount_setattr, ALWAYS, 0, 0, ENOSYS },
};
#define N_LACKS (sizeof(lacks) / sizeof(lacks[0]))

static struct sock_filter program[8 * N_LACKS + 8];
static unsigned short length;

static void put(uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
	program[length++] = (struct sock_filter){ code, if_true, if_false, k };
}

static void put_load(size_t offset)
{
	put(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Each row is a piece of its own, that goes on behind itself where the call is another one. */
static void put_lack(const struct lack *lack)
{
	put_load(offsetof(struct seccomp_data, nr));
	put(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)lack->call, 0, lack->compare == ALWAYS ? 1 : 3);
	if (lack->compare != ALWAYS) {
		/* The low half, which comes first on a little-endian machine. */
		put_load(offsetof(struct seccomp_data, args) + 8 * lack->argument);
		put(BPF_JMP | (lack->compare == EQUAL ? BPF_JEQ : BPF_JSET) | BPF_K, lack->value, 0,
			1);
	}
	put(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)lack->error, 0, 0);
}

static bool put_feature(const char *name)
{
	bool found = false;
	for (size_t i = 0; i < N_LACKS; i++) {
		if (strcmp(lacks[i].feature, name) != 0)
			continue;
		put_lack(&lacks[i]);
		found = true;
	}
	return found;
}

static int fail(const char *what)
{
	fprintf(stderr, "kernel-without: %s: %s\n", what, strerror(errno));
	return 125;
}

static int install(char *features)
{
	if (!features || !*features)
		return 0;
	for (char *name = strtok(features, ","); name; name = strtok(NULL, ",")) {
		unsigned abi;
		if (sscanf(name, "landlock-after-%u", &abi) == 1) {
			errno = -old_landlock_begin(abi);
			if (errno)
				return fail(name);
		} else if (!put_feature(name)) {
			errno = EINVAL;
			return fail(name);
		}
	}
	put(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	struct sock_fprog filter = { length, program };
	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail("no new privileges");
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0 ? fail("filter") : 0;
}

static int become(const char *user)
{
	if (!user)
		return 0;
	uid_t id = (uid_t)strtoul(user, NULL, 10);
	if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0)
		return fail("another user");
	/* The change has taken it away. */
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? fail("death signal") : 0;
}

int main(int argc, char **argv)
{
	char **next = argv;
	char *features = NULL;
	const char *user = NULL;
	int at = 1;
	for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
		if (strncmp(argv[at], "--without=", 10) == 0)
			features = argv[at] + 10;
		else if (strncmp(argv[at], "--user=", 7) == 0)
			user = argv[at] + 7;
		else if (strncmp(argv[at], "--set=", 6) == 0)
			putenv(argv[at] + 6);
		else
			*++next = argv[at];
	}
	if (at + 1 >= argc) {
		fprintf(stderr, "usage: kernel-without [OPTION...] -- PROGRAM [ARGUMENT...]\n");
		return 125;
	}
	/* The program's name goes before what was given first. */
	argv[0] = argv[at + 1];
	for (at += 2; at < argc; at++)
		*++next = argv[at];
	*++next = NULL;
	int status = install(features);
	if (status == 0)
		status = become(user);
	if (status != 0)
		return status;
	execv(argv[0], argv);
	return fail(argv[0]);
}
