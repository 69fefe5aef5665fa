/* SPDX-License-Identifier: MIT */
#include "server/keeper/vhost_user.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/monotonic.h"
#include "protocol/flight_events.h"

enum step { STEP_AGAIN, STEP_MORE, STEP_CLOSED, STEP_REFUSED };

static void close_fds(struct vhost_user_call *call)
{
	for (unsigned i = 0; i < call->n_fds; i++) {
		if (call->fds[i] >= 0)
			close(call->fds[i]);
	}
	call->n_fds = 0;
}

static enum step refuse(
	const struct vhost_user *v, const struct vhost_user_row *row, const char *reason)
{
	if (row)
		g_warning("QEMU: %s: %s: conversation ended", row->name, reason);
	else
		g_warning("QEMU: request %u: %s: conversation ended", v->header.request, reason);
	return STEP_REFUSED;
}

static const struct vhost_user_row *find_row(const struct vhost_user *v)
{
	for (size_t i = 0; i < v->class->table_length; i++) {
		if (v->class->table[i].request == v->header.request)
			return &v->class->table[i];
	}
	return NULL;
}

/*
 * Gives whether all came. What the kernel does not give, although there is place for it in the
 * message, is for want of free descriptors here; what it was is lost then.
 */
static bool take_fds(struct vhost_user_call *call, struct msghdr *msg)
{
	bool fit = !(msg->msg_flags & MSG_CTRUNC);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (call->n_fds < VHOST_USER_FDS_MAX) {
				call->fds[call->n_fds++] = fd;
			} else {
				close(fd);
				fit = false;
			}
		}
	}
	return fit;
}

static enum step receive(struct vhost_user *v, void *to, size_t want_bytes)
{
	char control[CMSG_SPACE(sizeof(int) * VHOST_USER_FDS_MAX)];
	struct iovec iov = { .iov_base = to, .iov_len = want_bytes };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	ssize_t n;
	do
		n = recvmsg(v->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? STEP_AGAIN : STEP_CLOSED;
	if (!take_fds(&v->call, &msg)) {
		v->lacks_fds = v->call.n_fds < VHOST_USER_FDS_MAX;
		return refuse(v, NULL,
			v->lacks_fds ? "no room for its descriptors (too many open files here)" :
				       "too many descriptors");
	}
	if (n == 0)
		return v->have_bytes ? refuse(v, NULL, "message cut short") : STEP_CLOSED;
	v->have_bytes += (size_t)n;
	return STEP_MORE;
}

static enum step check_header(const struct vhost_user *v)
{
	const struct vhost_user_row *row = find_row(v);
	const struct vhost_user_header *h = &v->header;
	if (!row)
		return refuse(v, NULL, "unknown or not offered");
	if ((h->flags & VHOST_USER_FLAG_VERSION_MASK) != VHOST_USER_VERSION)
		return refuse(v, row, "wrong protocol version");
	if (h->flags & ~(VHOST_USER_FLAG_VERSION_MASK | VHOST_USER_FLAG_NEED_REPLY))
		return refuse(v, row, "unexpected flags");
	if (h->size_bytes < row->size_min || h->size_bytes > row->size_max) {
		g_autofree char *reason = g_strdup_printf("payload of %u bytes, expected %u to %u",
			h->size_bytes, row->size_min, row->size_max);
		return refuse(v, row, reason);
	}
	/* The table is ours, so what it lets through fits. */
	g_assert(row->size_max <= sizeof(v->call.payload));
	const char *reason = v->class->admit(v->user, row);
	return reason ? refuse(v, row, reason) : STEP_MORE;
}

static enum step send_reply(struct vhost_user *v, size_t payload_bytes)
{
	g_assert(payload_bytes <= sizeof(v->call.payload));
	struct vhost_user_header header = { .request = v->header.request,
		.flags = VHOST_USER_VERSION | VHOST_USER_FLAG_REPLY,
		.size_bytes = (uint32_t)payload_bytes };
	char buffer[sizeof(header) + sizeof(v->call.payload)];
	memcpy(buffer, &header, sizeof(header));
	memcpy(buffer + sizeof(header), &v->call.payload, payload_bytes);

	size_t size = sizeof(header) + payload_bytes;
	for (size_t sent = 0; sent < size;) {
		ssize_t n = send(v->fd, buffer + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		struct pollfd p = { .fd = v->fd, .events = POLLOUT };
		if (errno == EAGAIN && poll(&p, 1, REPLY_TIMEOUT_MS) <= 0)
			return refuse(v, find_row(v), "the answer is not taken");
		if (errno != EAGAIN && errno != EINTR)
			return STEP_CLOSED;
	}
	return STEP_MORE;
}

static enum step dispatch(struct vhost_user *v)
{
	const struct vhost_user_row *row = find_row(v);
	struct vhost_user_call *call = &v->call;
	if (call->n_fds < row->fds_min || call->n_fds > row->fds_max) {
		g_autofree char *reason = g_strdup_printf("%u descriptors, expected %u to %u",
			call->n_fds, row->fds_min, row->fds_max);
		return refuse(v, row, reason);
	}
	call->request = v->header.request;
	call->size_bytes = v->header.size_bytes;
	call->reply_bytes = 0;
	flight_note_often(FLIGHT_QEMU_ASKED, monotonic_now_ns(), v->header.request, 0, 0);
	g_debug("QEMU: %s, %u bytes, %u descriptors", row->name, call->size_bytes, call->n_fds);
	const char *reason = row->handle(v->user, call);
	if (reason)
		return refuse(v, row, reason);
	if (call->reply_bytes == 0 && (v->header.flags & VHOST_USER_FLAG_NEED_REPLY) &&
		v->class->acknowledges(v->user)) {
		call->payload.u64 = 0;
		call->reply_bytes = sizeof(call->payload.u64);
	}
	return call->reply_bytes > 0 ? send_reply(v, call->reply_bytes) : STEP_MORE;
}

/* Receives as much as there is without waiting, and handles the message when it is complete. */
static enum step step(struct vhost_user *v)
{
	const size_t header_bytes = sizeof(v->header);
	if (v->have_bytes < header_bytes) {
		enum step s = receive(
			v, (char *)&v->header + v->have_bytes, header_bytes - v->have_bytes);
		if (s != STEP_MORE || v->have_bytes < header_bytes)
			return s;
		s = check_header(v);
		if (s != STEP_MORE)
			return s;
		memset(&v->call.payload, 0, sizeof(v->call.payload));
	}
	size_t have = v->have_bytes - header_bytes;
	if (have < v->header.size_bytes) {
		enum step s =
			receive(v, (char *)&v->call.payload + have, v->header.size_bytes - have);
		if (s != STEP_MORE || v->have_bytes < header_bytes + v->header.size_bytes)
			return s;
	}
	enum step s = dispatch(v);
	close_fds(&v->call);
	v->have_bytes = 0;
	return s;
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer user)
{
	struct vhost_user *v = user;
	enum step s;
	do
		s = step(v);
	while (s == STEP_MORE);
	if (s == STEP_AGAIN)
		return G_SOURCE_CONTINUE;
	v->source = 0;
	v->class->closed(v->user, s == STEP_REFUSED);
	return G_SOURCE_REMOVE;
}

void vhost_user_open(struct vhost_user *v, int fd, const struct vhost_user_class *class, void *user)
{
	g_assert(fd >= 0 && class->admit && class->acknowledges && class->closed);
	*v = (struct vhost_user){ .class = class, .user = user, .fd = fd };
	v->source = g_unix_fd_add(fd, G_IO_IN, on_readable, v);
}

void vhost_user_close(struct vhost_user *v)
{
	g_clear_handle_id(&v->source, g_source_remove);
	close_fds(&v->call);
	fd_close(&v->fd);
}
