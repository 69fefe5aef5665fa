/* SPDX-License-Identifier: MIT */
#include "server/run/qemu_log.h"

#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/log.h"

#define LOG_TAIL_BYTES 2000

static const struct {
	const char *complaint, *advice;
} known[] = {
	{ "'dbus'", "this QEMU has no D-Bus display with GL (on Debian: apt install "
		    "qemu-system-modules-opengl, with QEMU 7.2 qemu-system-gui)" },
	{ "display-dbus", "this QEMU has no D-Bus display with GL (on Debian: apt install "
			  "qemu-system-modules-opengl, with QEMU 7.2 qemu-system-gui)" },
	{ "bridge helper failed",
		"QEMU's helper must be set-user-ID root and find the bridge in "
		"/etc/qemu/bridge.conf: see docs/operators.md, Network of the guest" },
};

/* Mesa says such lines about /dev/null as a render node. */
static bool is_mesa_noise(const char *line)
{
	return g_str_has_prefix(line, "failed to get driver name") ||
	       g_str_has_prefix(line, "MESA-LOADER: failed to retrieve");
}

/* The file may begin with a hole as large as all that QEMU has ever said (log_bound.h). */
static bool read_tail(const char *path, char tail[LOG_TAIL_BYTES + 1])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	ssize_t n = end >= 0 ? pread(fd, tail, LOG_TAIL_BYTES, MAX(end - LOG_TAIL_BYTES, 0)) : -1;
	tail[MAX(n, 0)] = '\0';
	fd_close(&fd);
	return n > 0;
}

void qemu_log_show(const char *path)
{
	char tail[LOG_TAIL_BYTES + 1];
	if (!read_tail(path, tail))
		return;
	log_defang(tail);
	g_auto(GStrv) lines = g_strsplit(tail, "\n", -1);
	for (unsigned i = 0; lines[i]; i++) {
		if (*lines[i] && !is_mesa_noise(lines[i]))
			fprintf(stderr, "%s\n", lines[i]);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
		if (strstr(tail, known[i].complaint)) {
			g_warning("%s", known[i].advice);
			return;
		}
	}
}
