/* SPDX-License-Identifier: MIT */
#include "guest-tools/common/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WIRE_HEADER_BYTES 8
#define REQUEST_MAX_BYTES 1024

static bool fill_address(struct sockaddr_un *address, const char *name)
{
	const char *folder = getenv("XDG_RUNTIME_DIR");
	int length = name[0] == '/' ?
			     snprintf(address->sun_path, sizeof(address->sun_path), "%s", name) :
			     snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s",
				     folder ? folder : "", name);
	return length >= 0 && (size_t)length < sizeof(address->sun_path);
}

bool wire_connect(struct wire *wire, const char *display)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *name = display ? display : getenv("WAYLAND_DISPLAY");
	*wire = (struct wire){ .fd = -1, .last_id = 1 };
	if (!fill_address(&address, name ? name : "wayland-0")) {
		errno = ENAMETOOLONG;
		return false;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = errno;
		close(fd);
		errno = error;
		return false;
	}
	wire->fd = fd;
	return true;
}

uint32_t wire_new_id(struct wire *wire)
{
	return ++wire->last_id;
}

/* ---- requests ---- */

static size_t put_number(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
	return sizeof(value);
}

/* A string has its length with the zero byte before it, and is filled up to four bytes. */
static size_t put_text(uint8_t *to, const char *text)
{
	uint32_t length = (uint32_t)strlen(text) + 1;
	size_t padded = (length + 3u) & ~3u;
	put_number(to, length);
	memset(to + 4, 0, padded);
	memcpy(to + 4, text, length);
	return 4 + padded;
}

static bool send_bytes(struct wire *wire, const uint8_t *bytes, size_t n_bytes, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { { 0 } };
	while (n_bytes > 0) {
		struct iovec part = { (void *)bytes, n_bytes };
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
		if (fd >= 0) {
			control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS };
			memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
			message.msg_control = control.bytes;
			message.msg_controllen = sizeof(control.bytes);
		}
		ssize_t n = sendmsg(wire->fd, &message, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return false;
		if (n <= 0)
			continue;
		fd = -1;
		bytes += n;
		n_bytes -= (size_t)n;
	}
	return true;
}

bool wire_send(struct wire *wire, uint32_t object, unsigned opcode, int fd, const char *format, ...)
{
	uint8_t bytes[REQUEST_MAX_BYTES];
	size_t n = WIRE_HEADER_BYTES;
	va_list values;
	va_start(values, format);
	for (; *format; format++) {
		if (*format == 's')
			n += put_text(bytes + n, va_arg(values, const char *));
		else
			n += put_number(bytes + n, va_arg(values, uint32_t));
	}
	va_end(values);
	put_number(bytes, object);
	put_number(bytes + 4, (uint32_t)n << 16 | opcode);
	return send_bytes(wire, bytes, n, fd);
}

/* ---- events ---- */

static void keep_fds(struct wire *wire, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (wire->n_fds < WIRE_FDS_MAX)
				wire->fds[wire->n_fds++] = fd;
			else
				close(fd);
		}
	}
}

bool wire_read(struct wire *wire)
{
	char control[CMSG_SPACE(28 * sizeof(int))];
	struct iovec part = { wire->in + wire->in_filled, sizeof(wire->in) - wire->in_filled };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(wire->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	keep_fds(wire, &message);
	wire->in_filled += (size_t)n;
	return n > 0;
}

bool wire_next(struct wire *wire, size_t *at, struct wire_event *event)
{
	uint32_t header[2];
	if (wire->in_filled - *at < WIRE_HEADER_BYTES)
		return false;
	memcpy(header, wire->in + *at, sizeof(header));
	size_t size = header[1] >> 16;
	if (size < WIRE_HEADER_BYTES || wire->in_filled - *at < size)
		return false;
	*event = (struct wire_event){ header[0], header[1] & 0xffff,
		wire->in + *at + WIRE_HEADER_BYTES, size - WIRE_HEADER_BYTES };
	*at += size;
	return true;
}

void wire_done(struct wire *wire, size_t at)
{
	memmove(wire->in, wire->in + at, wire->in_filled - at);
	wire->in_filled -= at;
}

uint32_t wire_number(struct wire_event *event)
{
	uint32_t value = 0;
	if (event->left_bytes < sizeof(value))
		return 0;
	memcpy(&value, event->at, sizeof(value));
	event->at += sizeof(value);
	event->left_bytes -= sizeof(value);
	return value;
}

const char *wire_text(struct wire_event *event)
{
	uint32_t length = wire_number(event);
	size_t padded = ((size_t)length + 3) & ~(size_t)3;
	const char *text = (const char *)event->at;
	if (length == 0 || padded > event->left_bytes || text[length - 1] != '\0')
		return "";
	event->at += padded;
	event->left_bytes -= padded;
	return text;
}

int wire_take_fd(struct wire *wire)
{
	if (wire->n_fds == 0)
		return -1;
	int fd = wire->fds[0];
	memmove(wire->fds, wire->fds + 1, --wire->n_fds * sizeof(fd));
	return fd;
}
