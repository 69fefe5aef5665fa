/* SPDX-License-Identifier: MIT */
#include "guest-tools/resize/uevents.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KERNEL_GROUP 1
#define MESSAGE_BYTES 4096

int uevents_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool is_display(const char *message, size_t n)
{
	bool drm = false, plugged = false;
	for (const char *at = message; at < message + n; at += strlen(at) + 1) {
		drm |= strcmp(at, "SUBSYSTEM=drm") == 0;
		plugged |= strcmp(at, "HOTPLUG=1") == 0;
	}
	return drm && plugged;
}

/* Only the kernel's own are heard; other programs may send to anybody. */
bool uevents_take(int fd)
{
	bool found = false;
	char message[MESSAGE_BYTES + 1];
	for (;;) {
		struct sockaddr_nl from = { 0 };
		socklen_t size = sizeof from;
		ssize_t n =
			recvfrom(fd, message, MESSAGE_BYTES, 0, (struct sockaddr *)&from, &size);
		/* Too many came at once, and there may have been one. */
		if (n < 0 && errno == ENOBUFS)
			found = true;
		else if (n < 0 && errno != EINTR)
			return found;
		if (n <= 0 || from.nl_pid != 0)
			continue;
		message[n] = 0;
		found |= is_display(message, (size_t)n);
	}
}
