/* SPDX-License-Identifier: MIT */
#include "tests/wire/front_end.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void front_end_init(struct front_end *fe, int socket, int timeout_ms)
{
	*fe = (struct front_end){ .socket = socket, .timeout_ms = timeout_ms };
}

bool front_end_try_send(struct front_end *fe, uint32_t request, uint32_t flags, const void *payload,
	uint32_t payload_bytes, const int *fds, unsigned n_fds)
{
	struct vhost_user_header header = { request, flags | VHOST_USER_VERSION, payload_bytes };
	struct iovec iov[2] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)payload, .iov_len = payload_bytes },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = payload_bytes ? 2 : 1 };
	char control[CMSG_SPACE(sizeof(int) * 16)] = { 0 };
	if (n_fds > 0) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
	}
	ssize_t n = sendmsg(fe->socket, &msg, MSG_NOSIGNAL);
	return n == (ssize_t)(sizeof(header) + payload_bytes);
}

static bool read_whole(struct front_end *fe, void *data, size_t size_bytes, gint64 end)
{
	uint8_t *at = data;
	while (size_bytes > 0) {
		gint64 left = end - g_get_monotonic_time();
		struct pollfd p = { .fd = fe->socket, .events = POLLIN };
		if (left <= 0 || poll(&p, 1, (int)(left / 1000) + 1) <= 0)
			return false;
		ssize_t n = recv(fe->socket, at, size_bytes, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
		if (n > 0) {
			at += n;
			size_bytes -= (size_t)n;
		}
	}
	return true;
}

bool front_end_try_receive(struct front_end *fe, struct vhost_user_message *message)
{
	gint64 start = g_get_monotonic_time();
	gint64 end = start + (gint64)fe->timeout_ms * 1000;
	memset(message, 0, sizeof(*message));
	if (!read_whole(fe, &message->header, sizeof(message->header), end))
		return false;
	if (message->header.size_bytes > sizeof(message->payload))
		g_error("front end: answer to %u has %u bytes", message->header.request,
			message->header.size_bytes);
	if (!read_whole(fe, &message->payload, message->header.size_bytes, end))
		return false;
	fe->slowest_answer_us = MAX(fe->slowest_answer_us, g_get_monotonic_time() - start);
	return true;
}

void front_end_send(struct front_end *fe, uint32_t request, const void *payload,
	uint32_t payload_bytes, const int *fds, unsigned n_fds)
{
	if (!front_end_try_send(fe, request, 0, payload, payload_bytes, fds, n_fds))
		g_error("front end: request %u: cannot send: %s", request, g_strerror(errno));
}

static void receive_answer(
	struct front_end *fe, uint32_t request, struct vhost_user_message *answer)
{
	if (!front_end_try_receive(fe, answer))
		g_error("front end: request %u: no answer within %d ms, or hung up", request,
			fe->timeout_ms);
	g_assert_cmpuint(answer->header.request, ==, request);
	g_assert_cmpuint(
		answer->header.flags & VHOST_USER_FLAG_VERSION_MASK, ==, VHOST_USER_VERSION);
	g_assert_true(answer->header.flags & VHOST_USER_FLAG_REPLY);
}

void front_end_ask(struct front_end *fe, uint32_t request, const void *payload,
	uint32_t payload_bytes, const int *fds, unsigned n_fds, struct vhost_user_message *answer)
{
	front_end_send(fe, request, payload, payload_bytes, fds, n_fds);
	receive_answer(fe, request, answer);
}

uint64_t front_end_ask_u64(struct front_end *fe, uint32_t request)
{
	struct vhost_user_message answer;
	front_end_ask(fe, request, NULL, 0, NULL, 0, &answer);
	g_assert_cmpuint(answer.header.size_bytes, ==, sizeof(uint64_t));
	return answer.payload.u64;
}

void front_end_send_acked(struct front_end *fe, uint32_t request, const void *payload,
	uint32_t payload_bytes, const int *fds, unsigned n_fds)
{
	struct vhost_user_message answer;
	if (!(fe->protocol_features & (1u << VHOST_USER_PROTOCOL_F_REPLY_ACK))) {
		front_end_send(fe, request, payload, payload_bytes, fds, n_fds);
		return;
	}
	if (!front_end_try_send(
		    fe, request, VHOST_USER_FLAG_NEED_REPLY, payload, payload_bytes, fds, n_fds))
		g_error("front end: request %u: cannot send", request);
	receive_answer(fe, request, &answer);
	g_assert_cmpuint(answer.payload.u64, ==, 0);
}

void front_end_negotiate(struct front_end *fe, uint64_t protocol_features_wanted)
{
	fe->device_features = front_end_ask_u64(fe, VHOST_USER_GET_FEATURES);
	g_assert_true(fe->device_features & FRONT_END_F_PROTOCOL);
	uint64_t offered = front_end_ask_u64(fe, VHOST_USER_GET_PROTOCOL_FEATURES);
	fe->protocol_features = offered & protocol_features_wanted;
	front_end_send(fe, VHOST_USER_SET_PROTOCOL_FEATURES, &fe->protocol_features,
		sizeof(fe->protocol_features), NULL, 0);
	if (fe->protocol_features & (1u << VHOST_USER_PROTOCOL_F_MQ))
		fe->queue_num = front_end_ask_u64(fe, VHOST_USER_GET_QUEUE_NUM);
	fe->max_mem_slots = VHOST_USER_MEM_TABLE_MAX;
	if (fe->protocol_features & (1u << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS))
		fe->max_mem_slots = front_end_ask_u64(fe, VHOST_USER_GET_MAX_MEM_SLOTS);
	front_end_send(fe, VHOST_USER_SET_OWNER, NULL, 0, NULL, 0);
	fe->device_features = front_end_ask_u64(fe, VHOST_USER_GET_FEATURES);
}

void front_end_set_features(struct front_end *fe, uint64_t features)
{
	front_end_send(fe, VHOST_USER_SET_FEATURES, &features, sizeof(features), NULL, 0);
}

void front_end_get_config(struct front_end *fe, void *config, uint32_t size_bytes)
{
	struct vhost_user_config ask = { .offset_bytes = 0, .size_bytes = size_bytes };
	struct vhost_user_message answer;
	uint32_t bytes = (uint32_t)offsetof(struct vhost_user_config, data) + size_bytes;
	front_end_ask(fe, VHOST_USER_GET_CONFIG, &ask, bytes, NULL, 0, &answer);
	g_assert_cmpuint(answer.header.size_bytes, ==, bytes);
	g_assert_cmpuint(answer.payload.config.size_bytes, ==, size_bytes);
	memcpy(config, answer.payload.config.data, size_bytes);
}

void front_end_set_gpu_socket(struct front_end *fe, int fd)
{
	front_end_send(fe, VHOST_USER_GPU_SET_SOCKET, NULL, 0, &fd, 1);
}

static struct vhost_user_memory_region describe_region(const struct guest_memory_region *region)
{
	return (struct vhost_user_memory_region){
		.guest_addr = region->guest_addr,
		.size_bytes = region->size_bytes,
		.user_addr = region->user_addr,
		.mmap_offset_bytes = region->offset_bytes,
	};
}

void front_end_set_memory(struct front_end *fe, const struct guest_memory *memory)
{
	struct vhost_user_memory table = { 0 };
	int fds[VHOST_USER_MEM_TABLE_MAX];
	for (unsigned i = 0; i < GUEST_MEMORY_REGIONS_MAX; i++) {
		if (!memory->regions[i].present)
			continue;
		g_assert_cmpuint(table.n_regions, <, VHOST_USER_MEM_TABLE_MAX);
		fds[table.n_regions] = memory->regions[i].fd;
		table.regions[table.n_regions++] = describe_region(&memory->regions[i]);
	}
	/* We send only the regions in use, as QEMU does, not the whole array. */
	uint32_t bytes = (uint32_t)(offsetof(struct vhost_user_memory, regions) +
				    table.n_regions * sizeof(table.regions[0]));
	front_end_send_acked(fe, VHOST_USER_SET_MEM_TABLE, &table, bytes, fds, table.n_regions);
}

void front_end_add_memory(struct front_end *fe, const struct guest_memory_region *region)
{
	struct vhost_user_memory_single single = { .region = describe_region(region) };
	front_end_send_acked(fe, VHOST_USER_ADD_MEM_REG, &single, sizeof(single), &region->fd, 1);
}

void front_end_remove_memory(struct front_end *fe, const struct guest_memory_region *region)
{
	struct vhost_user_memory_single single = { .region = describe_region(region) };
	front_end_send_acked(fe, VHOST_USER_REM_MEM_REG, &single, sizeof(single), NULL, 0);
}

static void set_vring_fd(struct front_end *fe, uint32_t request, unsigned ring, int fd)
{
	uint64_t payload = fd < 0 ? ring | VHOST_USER_VRING_NO_FD : ring;
	front_end_send(fe, request, &payload, sizeof(payload), &fd, fd < 0 ? 0 : 1);
}

void front_end_ring_call(struct front_end *fe, unsigned ring, int fd)
{
	set_vring_fd(fe, VHOST_USER_SET_VRING_CALL, ring, fd);
}

void front_end_ring_enable(struct front_end *fe, unsigned ring, bool enable)
{
	struct vhost_user_vring_state state = { ring, enable };
	front_end_send(fe, VHOST_USER_SET_VRING_ENABLE, &state, sizeof(state), NULL, 0);
}

/* Keeps to the order of vhost_virtqueue_start() in QEMU's hw/virtio/vhost.c. */
void front_end_ring_start(struct front_end *fe, const struct guest_queue *queue, uint16_t base)
{
	struct vhost_user_vring_state num = { queue->index, queue->size };
	struct vhost_user_vring_state start = { queue->index, base };
	struct vhost_user_vring_addr addr = {
		.index = queue->index,
		.desc_user_addr = guest_memory_user_addr(queue->memory, queue->desc_addr),
		.avail_user_addr = guest_memory_user_addr(queue->memory, queue->avail_addr),
		.used_user_addr = guest_memory_user_addr(queue->memory, queue->used_addr),
		.log_guest_addr = queue->used_addr,
	};
	front_end_send(fe, VHOST_USER_SET_VRING_NUM, &num, sizeof(num), NULL, 0);
	front_end_send(fe, VHOST_USER_SET_VRING_BASE, &start, sizeof(start), NULL, 0);
	front_end_send(fe, VHOST_USER_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
	set_vring_fd(fe, VHOST_USER_SET_VRING_KICK, queue->index, queue->kick_fd);
}

uint16_t front_end_ring_stop(struct front_end *fe, unsigned ring)
{
	struct vhost_user_vring_state state = { ring, 0 };
	struct vhost_user_message answer;
	front_end_ask(fe, VHOST_USER_GET_VRING_BASE, &state, sizeof(state), NULL, 0, &answer);
	g_assert_cmpuint(answer.header.size_bytes, ==, sizeof(state));
	g_assert_cmpuint(answer.payload.state.index, ==, ring);
	return (uint16_t)answer.payload.state.num;
}
