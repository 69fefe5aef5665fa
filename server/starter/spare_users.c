/* SPDX-License-Identifier: MIT */
#include "server/starter/spare_users.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHES "/var/cache/vitrine"
#define GPUS "/dev/dri"
#define GPU_GROUPS_MAX 8

struct id_range {
	uint64_t first, n;
};

/* Reads root's row of a file of subordinate IDs: "root:100000:65536", or "0:..." (subuid(5)). */
static struct id_range read_range(const char *path)
{
	g_autofree char *text = NULL;
	struct id_range range = { 0 };
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return range;
	g_auto(GStrv) rows = g_strsplit(text, "\n", -1);
	for (unsigned i = 0; rows[i]; i++) {
		g_auto(GStrv) fields = g_strsplit(rows[i], ":", -1);
		if (g_strv_length(fields) != 3 ||
			(!g_str_equal(fields[0], "root") && !g_str_equal(fields[0], "0")))
			continue;
		if (g_ascii_string_to_unsigned(fields[1], 10, 1, INT32_MAX, &range.first, NULL) &&
			g_ascii_string_to_unsigned(fields[2], 10, 1, INT32_MAX, &range.n, NULL))
			return range;
	}
	return (struct id_range){ 0 };
}

/* Gives what is in both. */
static struct id_range intersect(struct id_range a, struct id_range b)
{
	uint64_t first = MAX(a.first, b.first);
	uint64_t end = MIN(a.first + a.n, b.first + b.n);
	return (struct id_range){ first, end > first ? end - first : 0 };
}

uid_t spare_users_find_in(const char *users, const char *groups, const char *name, unsigned n)
{
	struct id_range range = intersect(read_range(users), read_range(groups));
	if (range.n < n)
		range = (struct id_range){ SPARE_USERS_FIRST, SPARE_USERS_N };
	return (uid_t)(range.first + g_str_hash(name) % (range.n / n) * n);
}

uid_t spare_users_find(const char *name, unsigned n)
{
	return spare_users_find_in("/etc/subuid", "/etc/subgid", name, n);
}

static int make_folder(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

char *spare_users_find_cache(uid_t user)
{
	return g_strdup_printf(CACHES "/%u", (unsigned)user);
}

char *spare_users_make_cache(uid_t user)
{
	char *path = spare_users_find_cache(user);
	int caches = make_folder(CACHES, 0755);
	int fd = caches >= 0 ? make_folder(path, 0700) : -1;
	if (fd < 0 || fchown(fd, user, (gid_t)user) < 0)
		g_message("%s: %s: what workers keep is made anew at each start", path,
			g_strerror(errno));
	if (fd >= 0)
		close(fd);
	if (caches >= 0)
		close(caches);
	return path;
}

/* A node that root's group may open is for root. */
static bool is_for_group(const struct stat *st)
{
	return (st->st_mode & 060) == 060 && st->st_gid != 0;
}

bool spare_users_reach_gpus_in(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		struct stat st;
		if (g_str_has_prefix(name, "renderD") && stat(path, &st) == 0 &&
			(st.st_mode & 06) != 06 && !is_for_group(&st))
			return false;
	}
	return true;
}

bool spare_users_reach_gpus(void)
{
	return spare_users_reach_gpus_in(GPUS);
}

bool spare_users_take_gpu_groups(void)
{
	gid_t groups[GPU_GROUPS_MAX];
	unsigned n = 0;
	g_autoptr(GDir) dir = g_dir_open(GPUS, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir)) && n < GPU_GROUPS_MAX;) {
		g_autofree char *path = g_build_filename(GPUS, name, NULL);
		struct stat st;
		if (g_str_has_prefix(name, "renderD") && stat(path, &st) == 0 &&
			S_ISCHR(st.st_mode) && is_for_group(&st))
			groups[n++] = st.st_gid;
	}
	return setgroups(n, groups) == 0;
}
