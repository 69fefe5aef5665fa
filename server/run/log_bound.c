/* SPDX-License-Identifier: MIT */
#include "server/run/log_bound.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd.h"

#define BLOCK_BYTES 4096
#define STAT_BLOCK_BYTES 512

/* Who appends goes on at the new end, and who does not leaves a hole. */
static bool begin_anew(int fd, off_t size_bytes)
{
	g_autofree char *end = g_malloc(LOG_BOUND_KEPT_BYTES);
	ssize_t n = pread(fd, end, LOG_BOUND_KEPT_BYTES, size_bytes - LOG_BOUND_KEPT_BYTES);
	return ftruncate(fd, 0) == 0 && n >= 0 && pwrite(fd, end, (size_t)n, 0) == n;
}

static bool cut(int fd, off_t size_bytes)
{
	off_t hole_bytes = (size_bytes - LOG_BOUND_KEPT_BYTES) / BLOCK_BYTES * BLOCK_BYTES;
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, hole_bytes) == 0)
		return true;
	return errno == EOPNOTSUPP && begin_anew(fd, size_bytes);
}

bool log_bound_cut(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool is_long = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		       st.st_size > LOG_BOUND_MAX_BYTES &&
		       st.st_blocks > LOG_BOUND_MAX_BYTES / STAT_BLOCK_BYTES;
	bool is_cut = is_long && cut(fd, st.st_size);
	if (is_long && !is_cut)
		g_warning_once("%s grows: %s", path, g_strerror(errno));
	fd_close(&fd);
	return is_cut;
}

static gboolean on_look(gpointer user)
{
	const struct log_bound *logs = user;
	for (unsigned i = 0; i < LOG_BOUND_FILES; i++)
		log_bound_cut(logs->paths[i]);
	return G_SOURCE_CONTINUE;
}

void log_bound_begin(
	struct log_bound *logs, const char *folder, const char *const names[LOG_BOUND_FILES])
{
	for (unsigned i = 0; i < LOG_BOUND_FILES; i++)
		logs->paths[i] = g_build_filename(folder, names[i], NULL);
	logs->source = g_timeout_add_seconds(LOG_BOUND_LOOK_S, on_look, logs);
}

void log_bound_finish(struct log_bound *logs)
{
	g_clear_handle_id(&logs->source, g_source_remove);
	for (unsigned i = 0; i < LOG_BOUND_FILES; i++)
		g_clear_pointer(&logs->paths[i], g_free);
}
