/* SPDX-License-Identifier: MIT */
#include "server/desktop/password.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "server/desktop/desktop.h"
#include "server/desktop/limits.h"

/* The line's end, which may be two bytes, and one byte more, by which one that is too long is seen.
 */
#define BUFFER_BYTES (DESKTOP_PASSWORD_MAX_BYTES + 3)

/* Reads up to the line's end and what came along with it. Gives how many bytes, or -1. */
static ssize_t read_text_line(int fd, char *buffer)
{
	size_t n = 0;
	while (n < BUFFER_BYTES && !memchr(buffer, '\n', n)) {
		ssize_t more = read(fd, buffer + n, BUFFER_BYTES - n);
		if (more < 0 && errno != EINTR)
			return -1;
		if (more == 0)
			break;
		n += more > 0 ? (size_t)more : 0;
	}
	return (ssize_t)n;
}

/* Gives the length of the line, without its end. */
static size_t measure(const char *buffer, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (buffer[i] == '\r' || buffer[i] == '\n' || buffer[i] == '\0')
			return i;
	}
	return n;
}

char *password_read_fd(int fd, const char *what, GError **error)
{
	char buffer[BUFFER_BYTES];
	char *password = NULL;
	ssize_t n = read_text_line(fd, buffer);
	size_t length = n > 0 ? measure(buffer, (size_t)n) : 0;
	if (n < 0)
		desktop_fail(error, "%s: %s", what, g_strerror(errno));
	else if (length == 0 || length > DESKTOP_PASSWORD_MAX_BYTES)
		desktop_fail(error, "%s: the first line must have 1 to %d bytes", what,
			DESKTOP_PASSWORD_MAX_BYTES);
	else
		password = g_strndup(buffer, length);
	explicit_bzero(buffer, sizeof(buffer));
	return password;
}

char *password_read(const char *path, const char *option, GError **error)
{
	g_autofree char *what = g_strdup_printf("--%s=%s", option, path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		desktop_fail(error, "%s: %s", what, g_strerror(errno));
		return NULL;
	}
	char *password = password_read_fd(fd, what, error);
	close(fd);
	return password;
}
