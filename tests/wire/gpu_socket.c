/* SPDX-License-Identifier: MIT */
#include "tests/wire/gpu_socket.h"

#include <errno.h>
#include <linux/virtio_gpu.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/vhost_user.h"

#define FLAG_REPLY 4u
/* vhost-user-gpu.rst makes VHOST_USER_GPU_PROTOCOL_F_EDID bit 0; QEMU 10 offers it. */
#define GPU_PROTOCOL_F_EDID UINT64_C(1)
#define PAYLOAD_MAX (64u << 20)

struct message_header {
	uint32_t request, flags, size_bytes;
};

struct update {
	uint32_t scanout, x, y, width, height;
};

static bool read_whole(struct gpu_socket *gpu, void *data, size_t size_bytes)
{
	uint8_t *at = data;
	while (size_bytes > 0) {
		struct pollfd p[2] = { { gpu->fd, POLLIN, 0 }, { gpu->wake_fd, POLLIN, 0 } };
		if (poll(p, 2, -1) < 0 && errno == EINTR)
			continue;
		if (p[1].revents)
			return false;
		ssize_t n = recv(gpu->fd, at, size_bytes, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			gpu->closed = true;
			return false;
		}
		if (n > 0) {
			at += n;
			size_bytes -= (size_t)n;
		}
	}
	return true;
}

static void reply(struct gpu_socket *gpu, uint32_t request, const void *payload, uint32_t bytes)
{
	struct message_header header = { request, FLAG_REPLY, bytes };
	struct iovec iov[2] = { { &header, sizeof(header) }, { (void *)payload, bytes } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	if (sendmsg(gpu->fd, &msg, MSG_NOSIGNAL) < 0)
		gpu->closed = true;
}

static void reply_display_info(struct gpu_socket *gpu)
{
	struct virtio_gpu_resp_display_info info = {
		.hdr.type = VIRTIO_GPU_RESP_OK_DISPLAY_INFO,
		.pmodes[0] = { .r = { 0, 0, 1920, 1080 }, .enabled = 1 },
	};
	reply(gpu, VHOST_USER_GPU_GET_DISPLAY_INFO, &info, sizeof(info));
}

/* Answers with an EDID of zeros: the stock backend asks QEMU for one and only passes it on. */
static void reply_edid(struct gpu_socket *gpu)
{
	struct virtio_gpu_resp_edid edid = { .hdr.type = VIRTIO_GPU_RESP_OK_EDID, .size = 128 };
	reply(gpu, VHOST_USER_GPU_GET_EDID, &edid, sizeof(edid));
}

static bool set_scanout(struct gpu_socket *gpu, uint32_t size_bytes)
{
	uint32_t payload[3];
	if (size_bytes != sizeof(payload) || !read_whole(gpu, payload, sizeof(payload)))
		return false;
	if (payload[0] >= GPU_SOCKET_SCANOUTS || payload[1] > 32767 || payload[2] > 32767)
		return false;
	g_mutex_lock(&gpu->lock);
	struct gpu_socket_scanout *s = &gpu->scanouts[payload[0]];
	if (s->width != payload[1] || s->height != payload[2]) {
		g_free(s->pixels);
		s->width = payload[1];
		s->height = payload[2];
		s->pixels = g_malloc0((size_t)s->width * s->height * sizeof(uint32_t) + 1);
	}
	g_cond_broadcast(&gpu->changed);
	g_mutex_unlock(&gpu->lock);
	return true;
}

/*
 * Reads rows into the surface itself, without the further copy that QEMU makes, as that is not what
 * we measure.
 */
static bool update_scanout(struct gpu_socket *gpu, uint32_t size_bytes)
{
	struct update u;
	if (size_bytes < sizeof(u) || !read_whole(gpu, &u, sizeof(u)) ||
		u.scanout >= GPU_SOCKET_SCANOUTS)
		return false;
	struct gpu_socket_scanout *s = &gpu->scanouts[u.scanout];
	if (u.width > s->width || u.x > s->width - u.width || u.height > s->height ||
		u.y > s->height - u.height ||
		size_bytes - sizeof(u) != (uint64_t)u.width * u.height * 4)
		return false;
	if (u.width == s->width) {
		if (!read_whole(gpu, s->pixels + (size_t)u.y * s->width,
			    (size_t)u.width * u.height * 4))
			return false;
	} else {
		for (uint32_t row = 0; row < u.height; row++) {
			uint32_t *at = s->pixels + (size_t)(u.y + row) * s->width + u.x;
			if (!read_whole(gpu, at, (size_t)u.width * 4))
				return false;
		}
	}
	if (gpu->on_update)
		gpu->on_update(gpu->user, u.scanout, s);
	g_mutex_lock(&gpu->lock);
	s->updates++;
	g_cond_broadcast(&gpu->changed);
	g_mutex_unlock(&gpu->lock);
	return true;
}

static bool read_other(struct gpu_socket *gpu, const struct message_header *header)
{
	g_autofree uint32_t *payload = g_malloc0(header->size_bytes + 16);
	if (!read_whole(gpu, payload, header->size_bytes))
		return false;
	uint64_t features = GPU_PROTOCOL_F_EDID;
	switch (header->request) {
	case VHOST_USER_GPU_GET_PROTOCOL_FEATURES:
		reply(gpu, header->request, &features, sizeof(features));
		return true;
	case VHOST_USER_GPU_SET_PROTOCOL_FEATURES:
		return header->size_bytes == sizeof(uint64_t);
	case VHOST_USER_GPU_GET_DISPLAY_INFO:
		reply_display_info(gpu);
		return true;
	case VHOST_USER_GPU_GET_EDID:
		reply_edid(gpu);
		return true;
	case VHOST_USER_GPU_CURSOR_POS:
	case VHOST_USER_GPU_CURSOR_POS_HIDE:
	case VHOST_USER_GPU_CURSOR_UPDATE:
		gpu->cursor_x = (int32_t)payload[1];
		gpu->cursor_y = (int32_t)payload[2];
		return true;
	case VHOST_USER_GPU_DMABUF_SCANOUT:
		return true;
	case VHOST_USER_GPU_DMABUF_UPDATE:
		reply(gpu, header->request, NULL, 0);
		return true;
	}
	return false;
}

static bool handle_one(struct gpu_socket *gpu)
{
	struct message_header header;
	if (!read_whole(gpu, &header, sizeof(header)))
		return false;
	gpu->messages++;
	gpu->bytes += sizeof(header) + header.size_bytes;
	bool good = header.size_bytes <= PAYLOAD_MAX;
	if (good && header.request == VHOST_USER_GPU_SCANOUT)
		good = set_scanout(gpu, header.size_bytes);
	else if (good && header.request == VHOST_USER_GPU_UPDATE)
		good = update_scanout(gpu, header.size_bytes);
	else if (good)
		good = read_other(gpu, &header);
	if (!good && !gpu->closed)
		gpu->bad_messages++;
	return good;
}

static void *thread_main(void *user)
{
	struct gpu_socket *gpu = user;
	while (handle_one(gpu))
		;
	g_mutex_lock(&gpu->lock);
	g_cond_broadcast(&gpu->changed);
	g_mutex_unlock(&gpu->lock);
	return NULL;
}

struct gpu_socket *gpu_socket_create(gpu_socket_update_fn on_update, void *user)
{
	struct gpu_socket *gpu = g_new0(struct gpu_socket, 1);
	int pair[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	gpu->fd = pair[0];
	gpu->peer_fd = pair[1];
	gpu->wake_fd = eventfd(0, EFD_CLOEXEC);
	gpu->on_update = on_update;
	gpu->user = user;
	g_mutex_init(&gpu->lock);
	g_cond_init(&gpu->changed);
	gpu->thread = g_thread_new("gpu-socket", thread_main, gpu);
	return gpu;
}

void gpu_socket_close_peer(struct gpu_socket *gpu)
{
	if (gpu->peer_fd >= 0)
		close(gpu->peer_fd);
	gpu->peer_fd = -1;
}

void gpu_socket_destroy(struct gpu_socket *gpu)
{
	if (!gpu)
		return;
	gpu_socket_close_peer(gpu);
	eventfd_write(gpu->wake_fd, 1);
	g_thread_join(gpu->thread);
	close(gpu->fd);
	close(gpu->wake_fd);
	for (unsigned i = 0; i < GPU_SOCKET_SCANOUTS; i++)
		g_free(gpu->scanouts[i].pixels);
	g_mutex_clear(&gpu->lock);
	g_cond_clear(&gpu->changed);
	g_free(gpu);
}

bool gpu_socket_wait_updates(
	struct gpu_socket *gpu, unsigned scanout, uint64_t updates, int timeout_ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
	g_mutex_lock(&gpu->lock);
	while (gpu->scanouts[scanout].updates < updates &&
		g_cond_wait_until(&gpu->changed, &gpu->lock, end))
		;
	bool reached = gpu->scanouts[scanout].updates >= updates;
	g_mutex_unlock(&gpu->lock);
	return reached;
}

bool gpu_socket_wait_size(
	struct gpu_socket *gpu, unsigned scanout, uint32_t width, uint32_t height, int timeout_ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
	struct gpu_socket_scanout *s = &gpu->scanouts[scanout];
	g_mutex_lock(&gpu->lock);
	while ((s->width != width || s->height != height) &&
		g_cond_wait_until(&gpu->changed, &gpu->lock, end))
		;
	bool reached = s->width == width && s->height == height;
	g_mutex_unlock(&gpu->lock);
	return reached;
}
