/* SPDX-License-Identifier: MIT */
#include "tests/client/bound.h"

#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

int bound_tcp(struct sockaddr_storage *own, socklen_t *own_bytes)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size_bytes = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &size_bytes), ==, 0);
	memcpy(own, &address, sizeof(address));
	*own_bytes = size_bytes;
	return fd;
}

int bound_unix(const char *path, struct sockaddr_storage *own, socklen_t *own_bytes)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	g_assert_cmpuint(g_strlcpy(address.sun_path, path, sizeof(address.sun_path)), <,
		sizeof(address.sun_path));
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	memcpy(own, &address, sizeof(address));
	*own_bytes = sizeof(address);
	return fd;
}
