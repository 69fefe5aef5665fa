/* SPDX-License-Identifier: MIT */
#include "server/desktop/users.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "server/desktop/desktop.h"

#define VIEW_SUFFIX "/view"

static bool has_name(const struct users *users, const char *name)
{
	for (unsigned i = 0; i < users->n; i++)
		if (g_str_equal(users->all[i].name, name))
			return true;
	return g_str_equal(name, USERS_DESKTOP) || g_str_equal(name, USERS_VIEW);
}

static bool is_name(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!g_ascii_isalnum(text[i]) && !strchr(".-_@", text[i]))
			return false;
	return length > 0 && length <= KEEPER_USER_MAX;
}

static bool is_password(const char *text)
{
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i++)
		if (g_ascii_iscntrl(text[i]))
			return false;
	return length > 0 && length <= KEEPER_TICKET_MAX && g_utf8_validate(text, -1, NULL);
}

/* Returns what is wrong with the line, or NULL. */
static const char *add(struct users *users, const char *line)
{
	const char *colon = strchr(line, ':');
	size_t length = colon ? (size_t)(colon - line) : 0;
	size_t suffix = strlen(VIEW_SUFFIX);
	if (!colon)
		return "no colon";
	if (users->n == USERS_MAX)
		return "one user too many";
	struct user *user = &users->all[users->n];
	user->view_only = length > suffix && memcmp(colon - suffix, VIEW_SUFFIX, suffix) == 0;
	length -= user->view_only ? suffix : 0;
	if (!is_name(line, length))
		return "no name of 1 to 63 letters, digits, \".\", \"-\", \"_\", \"@\"";
	if (!is_password(colon + 1))
		return "no password of 1 to 59 bytes of UTF-8";
	g_strlcpy(user->name, line, length + 1);
	if (has_name(users, user->name))
		return "a name that there is already";
	g_strlcpy(user->password, colon + 1, sizeof(user->password));
	users->n++;
	return NULL;
}

static bool parse(char *text, const char *what, struct users *users, GError **error)
{
	unsigned number = 0;
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (g_str_has_suffix(line, "\r"))
			line[strlen(line) - 1] = '\0';
		number++;
		const char *wrong = line[0] == '\0' || line[0] == '#' ? NULL : add(users, line);
		if (wrong)
			return desktop_fail(error, "%s: line %u: %s", what, number, wrong);
	}
	return true;
}

/* Gives how many bytes there are, up to one more than there may be, or -1. */
static ssize_t read_all(int fd, char *text)
{
	size_t n = 0;
	while (n <= USERS_FILE_MAX_BYTES) {
		ssize_t more = read(fd, text + n, USERS_FILE_MAX_BYTES + 1 - n);
		if (more < 0 && errno != EINTR)
			return -1;
		if (more == 0)
			break;
		n += more > 0 ? (size_t)more : 0;
	}
	return (ssize_t)n;
}

bool users_read_fd(int fd, const char *what, struct users *users, GError **error)
{
	char text[USERS_FILE_MAX_BYTES + 2] = "";
	ssize_t n = read_all(fd, text);
	bool good = false;
	memset(users, 0, sizeof(*users));
	if (n < 0)
		desktop_fail(error, "%s: %s", what, g_strerror(errno));
	else if (n > USERS_FILE_MAX_BYTES)
		desktop_fail(error, "%s: more than %d bytes", what, USERS_FILE_MAX_BYTES);
	else if (memchr(text, '\0', (size_t)n))
		desktop_fail(error, "%s: it is no text", what);
	else
		good = parse(text, what, users, error);
	explicit_bzero(text, sizeof(text));
	if (!good)
		users_finish(users);
	return good;
}

bool users_read(const char *path, struct users *users, GError **error)
{
	g_autofree char *what = g_strdup_printf("--users-file=%s", path);
	if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
		return desktop_fail(error, "%s: not a plain file", what);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return desktop_fail(error, "%s: %s", what, g_strerror(errno));
	bool good = users_read_fd(fd, what, users, error);
	close(fd);
	return good;
}

void users_finish(struct users *users)
{
	explicit_bzero(users, sizeof(*users));
}
