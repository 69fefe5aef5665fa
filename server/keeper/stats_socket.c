/* SPDX-License-Identifier: MIT */
#include "server/keeper/stats_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/shm.h"
#include "common/listen.h"

static bool write_header(int fd, enum stats_worker worker)
{
	struct stats *map = shm_map(fd, sizeof(*map), true);
	if (!map)
		return false;
	map->magic = STATS_MAGIC;
	map->version = STATS_VERSION;
	map->size_bytes = sizeof(*map);
	map->worker = worker;
	shm_unmap(map, sizeof(*map));
	return true;
}

/* Opens the same memory once more, so that it cannot be written through the new descriptor. */
static int open_for_reading(int fd)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool make_memory(
	const char *name, enum stats_worker worker, int *fd, int *read_fd, GError **error)
{
	*fd = shm_create(name, sizeof(struct stats));
	int number = *fd < 0 ? -*fd : 0;
	if (number == 0 && (!write_header(*fd, worker) || (*read_fd = open_for_reading(*fd)) < 0))
		number = errno;
	if (number == 0)
		return true;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(number),
		"cannot make %s (%zu bytes): %s", name, sizeof(struct stats), g_strerror(number));
	return false;
}

bool stats_socket_init(struct stats_socket *board, GError **error)
{
	*board = STATS_SOCKET_NONE;
	return make_memory("vitrine-stats-render", STATS_RENDER, &board->render_fd,
		       &board->render_read_fd, error) &&
	       make_memory("vitrine-stats-display", STATS_DISPLAY, &board->display_fd,
		       &board->display_read_fd, error);
}

static gboolean on_reader(int listener, GIOCondition condition, gpointer user)
{
	struct stats_socket *board = user;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return G_SOURCE_CONTINUE;
	struct stats_answer answer = { .header.type = STATS_MESSAGE_ANSWER,
		.version = STATS_VERSION };
	board->fill(board->user, &answer);
	int fds[2] = { board->render_read_fd, board->display_read_fd };
	int result = link_send(fd, &answer, sizeof(answer), fds, 2);
	if (result < 0)
		g_debug("stats: a reader was not answered: %s", g_strerror(-result));
	close(fd);
	return G_SOURCE_CONTINUE;
}

bool stats_socket_listen(struct stats_socket *board, const char *path,
	void (*fill)(void *user, struct stats_answer *answer), void *user, GError **error)
{
	g_assert(board->render_read_fd >= 0 && board->display_read_fd >= 0);
	g_assert(fill && board->listener < 0);
	board->listener = listen_unix_packets(path, error);
	if (board->listener < 0)
		return false;
	board->path = g_strdup(path);
	board->fill = fill;
	board->user = user;
	board->source = g_unix_fd_add(board->listener, G_IO_IN, on_reader, board);
	return true;
}

void stats_socket_finish(struct stats_socket *board)
{
	g_clear_handle_id(&board->source, g_source_remove);
	if (board->path)
		unlink(board->path);
	g_clear_pointer(&board->path, g_free);
	fd_close(&board->listener);
	fd_close(&board->render_fd);
	fd_close(&board->display_fd);
	fd_close(&board->render_read_fd);
	fd_close(&board->display_read_fd);
}
