/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "guest-tools/check/limits.h"
#include "guest-tools/common/port.h"
#include "guest-tools/check/report.h"
#include "guest-tools/common/descriptor.h"
#include "guest-tools/common/timing.h"
#include "protocol/guest_report.h"

static int write_all(int fd, const char *text, size_t length)
{
	for (double end_ms = timing_now_ms() + PORT_WRITE_MS; length > 0;) {
		ssize_t n = write(fd, text, length);
		if (n > 0) {
			text += n;
			length -= (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (timing_now_ms() > end_ms)
			return -ETIMEDOUT;
		timing_sleep_ms(50);
	}
	return 0;
}

int report_to_port(
	const char *path, const struct check_results *results, const struct verdict *verdict)
{
	char device[64], *text = NULL;
	size_t length = 0;
	if (!path && !port_find(GUEST_REPORT_PORT, device, sizeof device))
		return -ENODEV;
	FILE *memory = open_memstream(&text, &length);
	if (!memory)
		return -ENOMEM;
	report_line(memory, results, verdict);
	fclose(memory);
	/* The host drops a longer line, and strings of the host and of Mesa can make it so long. */
	if (length > GUEST_REPORT_TEXT_LINE_MAX) {
		free(text);
		return -EMSGSIZE;
	}
	int fd = open(path ? path : device, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	int rc = fd < 0 ? -errno : write_all(fd, text, length);
	descriptor_close(fd);
	free(text);
	return rc;
}
