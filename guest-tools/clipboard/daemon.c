/* SPDX-License-Identifier: MIT */
#include "guest-tools/clipboard/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest-tools/clipboard/limits.h"

bool daemon_connect(struct daemon *daemon, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	*daemon = (struct daemon){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (daemon->fd >= 0 &&
		connect(daemon->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	int reason = errno;
	daemon_close(daemon);
	errno = reason;
	return false;
}

void daemon_close(struct daemon *daemon)
{
	if (daemon->fd >= 0)
		close(daemon->fd);
	free(daemon->data);
	*daemon = (struct daemon){ .fd = -1 };
}

static bool read_some(struct daemon *daemon, void *to, size_t n_bytes, size_t *n_read)
{
	ssize_t n = recv(daemon->fd, to, n_bytes, MSG_DONTWAIT);
	*n_read = n > 0 ? (size_t)n : 0;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool read_header(struct daemon *daemon)
{
	size_t n;
	if (!read_some(daemon, (char *)&daemon->header + daemon->header_filled,
		    sizeof(daemon->header) - daemon->header_filled, &n))
		return false;
	daemon->header_filled += n;
	if (daemon->header_filled < sizeof(daemon->header))
		return true;
	daemon->data_filled = 0;
	daemon->is_skipped = daemon->header.size_bytes > COPY_MAX_BYTES;
	daemon->data = daemon->is_skipped ? NULL : malloc((size_t)daemon->header.size_bytes + 1);
	return true;
}

static bool read_data(struct daemon *daemon)
{
	uint8_t rest[4096];
	size_t n, left = daemon->header.size_bytes - daemon->data_filled;
	void *to = daemon->data ? daemon->data + daemon->data_filled : rest;
	if (!daemon->data && left > sizeof(rest))
		left = sizeof(rest);
	if (!read_some(daemon, to, left, &n))
		return false;
	daemon->data_filled += (uint32_t)n;
	return true;
}

bool daemon_handle(struct daemon *daemon, daemon_handler handler, void *user)
{
	if (daemon->header_filled < sizeof(daemon->header)) {
		if (!read_header(daemon))
			return false;
	} else if (!read_data(daemon)) {
		return false;
	}
	if (daemon->header_filled < sizeof(daemon->header) ||
		daemon->data_filled < daemon->header.size_bytes)
		return true;
	uint8_t *data = daemon->data;
	daemon->data = NULL;
	daemon->header_filled = 0;
	if (data) {
		data[daemon->header.size_bytes] = '\0';
		handler(user, &daemon->header, data);
	}
	free(data);
	return true;
}

static bool send_all(int fd, const void *data, size_t n_bytes)
{
	while (n_bytes > 0) {
		ssize_t n = send(fd, data, n_bytes, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return false;
		if (n <= 0)
			continue;
		data = (const char *)data + n;
		n_bytes -= (size_t)n;
	}
	return true;
}

void daemon_send(struct daemon *daemon, enum daemon_type type, uint32_t arg1, uint32_t arg2,
	const void *data, uint32_t size_bytes)
{
	const struct daemon_message header = { type, arg1, arg2, size_bytes };
	/* Its end is noticed where it is read. */
	if (daemon->fd >= 0 && send_all(daemon->fd, &header, sizeof(header)))
		send_all(daemon->fd, data, size_bytes);
}
