/* SPDX-License-Identifier: MIT */
#include "server/keeper/gpu_socket.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "protocol/vhost_user.h"
#include "server/keeper/limits.h"

struct gpu_update {
	uint32_t request, flags, size_bytes;
	uint32_t scanout, x, y, width, height;
	uint32_t pixel;
} __attribute__((packed));

/* QEMU makes the surface at SCANOUT, and shows it with its new size at the next UPDATE. */
struct resize {
	struct vhost_user_gpu_scanout scanout;
	struct gpu_update update;
} __attribute__((packed));

#define GPU_HEADER_BYTES 12

void gpu_socket_init(struct gpu_socket *s)
{
	*s = (struct gpu_socket){ .fd = -1 };
}

static void drop(struct gpu_socket *s)
{
	g_clear_handle_id(&s->source, g_source_remove);
	fd_close(&s->fd);
}

void gpu_socket_finish(struct gpu_socket *s)
{
	drop(s);
}

/* We asked nothing, so whatever QEMU says is of no interest; only that it hangs up is. */
static gboolean on_readable(int fd, GIOCondition condition, gpointer user)
{
	struct gpu_socket *s = user;
	char scratch[512];
	ssize_t n = recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT);
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return G_SOURCE_CONTINUE;
	s->source = 0;
	drop(s);
	return G_SOURCE_REMOVE;
}

static void tell(const struct gpu_socket *s)
{
	if (s->fd < 0 || s->width == 0 || s->height == 0)
		return;
	uint32_t factor = MAX(s->width, s->height) > GPU_SOCKET_SIDE_MAX / 2 ? 1 : 2;
	struct resize m = {
		.scanout = { .request = VHOST_USER_GPU_SCANOUT,
			.size_bytes = sizeof(m.scanout) - GPU_HEADER_BYTES,
			.width = s->width * factor,
			.height = s->height * factor },
		.update = { .request = VHOST_USER_GPU_UPDATE,
			.size_bytes = sizeof(m.update) - GPU_HEADER_BYTES,
			.width = 1,
			.height = 1 },
	};
	ssize_t n = send(s->fd, &m, sizeof(m), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == (ssize_t)sizeof(m))
		g_debug("QEMU's console is now %ux%u", m.scanout.width, m.scanout.height);
	else
		g_info("QEMU did not take the console's size: %s",
			n < 0 ? g_strerror(errno) : "cut");
}

void gpu_socket_replace(struct gpu_socket *s, int fd)
{
	g_assert(fd >= 0);
	drop(s);
	s->fd = fd;
	s->source = g_unix_fd_add(fd, G_IO_IN, on_readable, s);
	tell(s);
}

void gpu_socket_set_desktop(struct gpu_socket *s, uint32_t width, uint32_t height)
{
	if (width == 0 || height == 0 || width > GPU_SOCKET_SIDE_MAX ||
		height > GPU_SOCKET_SIDE_MAX)
		return;
	s->width = width;
	s->height = height;
	tell(s);
}
