/* SPDX-License-Identifier: MIT */
#include "display/relay/outer.h"

#include <errno.h>
#include <glib.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* A client that answers nothing is gone after about a minute. */
#define KEEPALIVE_IDLE_S 30
#define KEEPALIVE_EVERY_S 10
#define KEEPALIVE_PROBES 3
#define UNACKNOWLEDGED_MAX_MS 60000

void outer_prepare(int fd)
{
	const struct {
		int level, option, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, OUTER_UNSENT_BYTES },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MAX_MS },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(options); i++)
		setsockopt(fd, options[i].level, options[i].option, &options[i].value,
				sizeof(options[i].value));
}

ssize_t outer_read(int fd, uint8_t *bytes, size_t size_bytes)
{
	ssize_t n = recv(fd, bytes, size_bytes, 0);
	return n < 0 ? -errno : n;
}

/* poll(2) reports room by the same rule. */
static bool has_room(int fd)
{
	int unsent_bytes = 0;
	return ioctl(fd, SIOCOUTQNSD, &unsent_bytes) < 0 || unsent_bytes < OUTER_UNSENT_BYTES;
}

ssize_t outer_write(int fd, const uint8_t *bytes, size_t size_bytes)
{
	if (!has_room(fd))
		return -EAGAIN;
	ssize_t n = send(fd, bytes, MIN(size_bytes, OUTER_UNSENT_BYTES), MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

void outer_describe(int fd, char *text, size_t size_bytes)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	char host[INET6_ADDRSTRLEN + IFNAMSIZ + 1], port[8];
	g_strlcpy(text, "unknown", size_bytes);
	if (getpeername(fd, (struct sockaddr *)&address, &size) < 0 ||
			getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port,
					sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	g_snprintf(text, size_bytes, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
