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

void gpu_socket_init(struct gpu_socket *s, gpu_socket_first_size first_size, void *user)
{
	*s = (struct gpu_socket){
		.fd = -1, .first_size = first_size, .user = user, .is_answered = !first_size
	};
}

static void drop(struct gpu_socket *s)
{
	g_clear_handle_id(&s->source, g_source_remove);
	fd_close(&s->fd);
	s->answer_bytes = 0;
}

void gpu_socket_finish(struct gpu_socket *s)
{
	drop(s);
}

/* QEMU answers for head 0 what a guest would be told that asked it. */
static void take_answer(struct gpu_socket *s)
{
	const struct gpu_socket_answer *answer = &s->answer;
	uint32_t width = answer->info.pmodes[0].r.width, height = answer->info.pmodes[0].r.height;
	s->is_answered = true;
	if (answer->request != VHOST_USER_GPU_GET_DISPLAY_INFO ||
		answer->size_bytes != sizeof(answer->info) || width == 0 || height == 0)
		g_info("QEMU does not say which size the device was given");
	else
		s->first_size(s->user, width, height);
}

/*
 * Reads the one answer that is awaited. Whatever else QEMU says is of no interest; only that it
 * hangs up is.
 */
static gboolean on_readable(int fd, GIOCondition condition, gpointer user)
{
	struct gpu_socket *s = user;
	char scratch[512];
	char *to = s->is_answered ? scratch : (char *)&s->answer + s->answer_bytes;
	size_t room = s->is_answered ? sizeof(scratch) : sizeof(s->answer) - s->answer_bytes;
	ssize_t n = recv(fd, to, room, MSG_DONTWAIT);
	if (n > 0 && !s->is_answered) {
		s->answer_bytes += (size_t)n;
		if (s->answer_bytes == sizeof(s->answer))
			take_answer(s);
	}
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return G_SOURCE_CONTINUE;
	s->source = 0;
	drop(s);
	return G_SOURCE_REMOVE;
}

static void ask_first_size(const struct gpu_socket *s)
{
	const uint32_t question[] = { VHOST_USER_GPU_GET_DISPLAY_INFO, 0, 0 };
	if (s->is_answered)
		return;
	if (send(s->fd, question, sizeof(question), MSG_DONTWAIT | MSG_NOSIGNAL) !=
		(ssize_t)sizeof(question))
		g_info("QEMU cannot be asked which size the device was given: %s",
			g_strerror(errno));
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
	ask_first_size(s);
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
