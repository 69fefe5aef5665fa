/* SPDX-License-Identifier: MIT */
#include "guest-tools/common/descriptor.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

void descriptor_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

int descriptor_ioctl(int fd, unsigned long request, void *argument)
{
	int rc;
	do
		rc = ioctl(fd, request, argument);
	while (rc < 0 && (errno == EINTR || errno == EAGAIN));
	return rc < 0 ? -errno : 0;
}
