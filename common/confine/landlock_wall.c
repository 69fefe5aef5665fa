/* SPDX-License-Identifier: MIT */
/*
 * Landlock's interface as linux/landlock.h of 6.12 has it (ABI 6). Debian 12's header knows ABI 2,
 * and the kernel that runs may know more than the one that was compiled for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/confine/parts.h"

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

#define FS_EXECUTE (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_REMOVE_DIR (1ull << 4)
#define FS_REMOVE_FILE (1ull << 5)
#define FS_MAKE_DIR (1ull << 7)
#define FS_MAKE_REG (1ull << 8)
#define FS_ABI_1 ((1ull << 13) - 1) /* all of EXECUTE to MAKE_SYM */
#define FS_REFER (1ull << 13)       /* from ABI 2 on */
#define FS_TRUNCATE (1ull << 14)    /* 3 */
#define FS_IOCTL_DEV (1ull << 15)   /* 5 */
#define NET_BIND_TCP (1ull << 0)    /* 4 */
#define NET_CONNECT_TCP (1ull << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ull << 0) /* 6 */
#define SCOPE_SIGNAL (1ull << 1)

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* from ABI 4 on */
	uint64_t scoped;             /* 6 */
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

struct net_port_attr {
	uint64_t allowed_access;
	uint64_t port;
};

static int create_ruleset(const struct ruleset_attr *attr, size_t size_bytes, unsigned flags)
{
	int result = (int)syscall(SYS_landlock_create_ruleset, attr, size_bytes, flags);
	return result < 0 ? -errno : result;
}

static int add_rule(int ruleset, int type, const void *rule)
{
	return syscall(SYS_landlock_add_rule, ruleset, type, rule, 0) < 0 ? -errno : 0;
}

uint32_t confine_landlock_abi(const char **reason)
{
	int abi = create_ruleset(NULL, 0, CREATE_RULESET_VERSION);
	*reason = NULL;
	if (abi > 0)
		return (uint32_t)abi;
	*reason = abi == -EOPNOTSUPP ? "is switched off at the kernel's start" :
		  abi == -ENOSYS     ? "the kernel has none" :
				       "is refused here";
	return 0;
}

static struct ruleset_attr make_ruleset_attr(const struct confine_rules *rules, uint32_t abi)
{
	struct ruleset_attr attr = { .handled_access_fs = FS_ABI_1 };
	if (abi >= 2)
		attr.handled_access_fs |= FS_REFER;
	if (abi >= 3)
		attr.handled_access_fs |= FS_TRUNCATE;
	if (abi >= 4 && !rules->leaves_tcp)
		attr.handled_access_net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 5)
		attr.handled_access_fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		attr.scoped =
			SCOPE_ABSTRACT_UNIX_SOCKET | (rules->signals_others ? 0 : SCOPE_SIGNAL);
	return attr;
}

static size_t get_ruleset_size(uint32_t abi)
{
	if (abi < 4)
		return offsetof(struct ruleset_attr, handled_access_net);
	return abi < 6 ? offsetof(struct ruleset_attr, scoped) : sizeof(struct ruleset_attr);
}

static uint64_t get_rights(enum confine_access access)
{
	const uint64_t read = FS_READ_FILE | FS_READ_DIR;
	switch (access) {
	case CONFINE_LIST:
		return FS_READ_DIR;
	case CONFINE_READ:
		break;
	case CONFINE_EXECUTE:
		return read | FS_EXECUTE;
	case CONFINE_READ_WRITE:
		return read | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
		       FS_MAKE_REG | FS_REFER | FS_TRUNCATE;
	case CONFINE_DEVICE:
		return FS_READ_FILE | FS_WRITE_FILE | FS_IOCTL_DEV;
	case CONFINE_REMOVE:
		return FS_REMOVE_FILE;
	}
	return read;
}

/* What a file, which is no folder, can be allowed. */
#define FILE_RIGHTS (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

static int allow_path(int ruleset, const struct confine_path *path, uint64_t handled)
{
	struct stat found;
	int fd = open(path->path, O_PATH | O_CLOEXEC);
	/* It is not there or cannot be reached: then there is nothing to allow. */
	if (fd < 0)
		return 0;
	int result = fstat(fd, &found) < 0 ? -errno : 0;
	if (result == 0) {
		struct path_beneath_attr rule = { .parent_fd = fd,
			.allowed_access = get_rights(path->access) & handled };
		if (!S_ISDIR(found.st_mode))
			rule.allowed_access &= FILE_RIGHTS;
		result = add_rule(ruleset, RULE_PATH_BENEATH, &rule);
	}
	close(fd);
	return result;
}

static int allow_port(int ruleset, uint16_t port)
{
	struct net_port_attr rule = { .allowed_access = NET_CONNECT_TCP, .port = port };
	return add_rule(ruleset, RULE_NET_PORT, &rule);
}

#ifdef __SANITIZE_ADDRESS__
/* LeakSanitizer lists its threads and finds names for its report. */
static const struct confine_path sanitizer_paths[] = { { "/proc/self", CONFINE_READ, "" },
	{ "/proc/self/exe", CONFINE_READ, "" }, { "/usr", CONFINE_READ, "" } };

/* It reads what it is to suppress when it has found something. */
static int add_suppressions(int ruleset, uint64_t handled)
{
	static const char name[] = "suppressions=";
	const char *options = g_getenv("LSAN_OPTIONS");
	g_auto(GStrv) each = g_strsplit(options ? options : "", ":", -1);
	int result = 0;
	for (char **option = each; *option && result == 0; option++) {
		if (!g_str_has_prefix(*option, name))
			continue;
		const struct confine_path row = { *option + strlen(name), CONFINE_READ, "" };
		result = allow_path(ruleset, &row, handled);
	}
	return result;
}

static int add_sanitizer_paths(int ruleset, uint64_t handled)
{
	int result = add_suppressions(ruleset, handled);
	for (unsigned i = 0; result == 0 && i < G_N_ELEMENTS(sanitizer_paths); i++)
		result = allow_path(ruleset, &sanitizer_paths[i], handled);
	return result;
}
#elif defined(__SANITIZE_THREAD__)
/* ThreadSanitizer finds names for its report and writes it where log_path says. */
static int add_sanitizer_paths(int ruleset, uint64_t handled)
{
	static const struct confine_path names[] = { { "/proc/self", CONFINE_READ, "" },
		{ "/proc/self/exe", CONFINE_READ, "" }, { "/usr", CONFINE_READ, "" } };
	const char *options = g_getenv("TSAN_OPTIONS");
	const char *begin = options ? strstr(options, "log_path='") : NULL;
	int result = 0;
	for (unsigned i = 0; result == 0 && i < G_N_ELEMENTS(names); i++)
		result = allow_path(ruleset, &names[i], handled);
	if (result != 0 || !begin)
		return result;
	begin += strlen("log_path='");
	g_autofree char *file = g_strndup(begin, strcspn(begin, "'"));
	g_autofree char *folder = g_path_get_dirname(file);
	const struct confine_path reports = { folder, CONFINE_READ_WRITE, "" };
	return allow_path(ruleset, &reports, handled);
}
#else
static int add_sanitizer_paths(int ruleset, uint64_t handled)
{
	return 0;
}
#endif

static int add_rules(
	int ruleset, const struct confine_rules *rules, const struct ruleset_attr *attr)
{
	int result = add_sanitizer_paths(ruleset, attr->handled_access_fs);
	for (unsigned i = 0; result == 0 && i < rules->n_paths; i++)
		result = allow_path(ruleset, &rules->paths[i], attr->handled_access_fs);
	for (unsigned i = 0; result == 0 && attr->handled_access_net && i < rules->n_connect_ports;
		i++)
		result = allow_port(ruleset, rules->connect_ports[i]);
	return result;
}

int confine_restrict_files(const struct confine_rules *rules, uint32_t abi)
{
	struct ruleset_attr attr = make_ruleset_attr(rules, abi);
	int ruleset = create_ruleset(&attr, get_ruleset_size(abi), 0);
	if (ruleset < 0)
		return ruleset;
	int result = add_rules(ruleset, rules, &attr);
	if (result == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		result = -errno;
	close(ruleset);
	return result;
}
