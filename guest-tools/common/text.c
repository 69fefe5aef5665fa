/* SPDX-License-Identifier: MIT */
#include "guest-tools/common/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void text_copy(char *out, size_t size, const char *text)
{
	assert(size > 0);
	size_t length = strnlen(text, size - 1);
	memmove(out, text, length);
	out[length] = 0;
}

void text_append(char *out, size_t size, const char *text)
{
	assert(size > 0);
	size_t used = strnlen(out, size - 1);
	text_copy(out + used, size - used, text);
}

void text_append_format(char *out, size_t size, const char *format, ...)
{
	va_list args;
	assert(size > 0);
	size_t used = strnlen(out, size - 1);
	va_start(args, format);
	vsnprintf(out + used, size - used, format, args);
	va_end(args);
}

void text_append_item(char *out, size_t size, const char *separator, const char *item)
{
	if (out[0])
		text_append(out, size, separator);
	text_append(out, size, item);
}

bool text_read(const char *path, char *out, size_t size)
{
	out[0] = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	size_t used = 0;
	ssize_t n;
	while (used < size - 1 && (n = read(fd, out + used, size - 1 - used)) > 0)
		used += (size_t)n;
	close(fd);
	while (used > 0 && strchr(" \n\r\t", out[used - 1]))
		used--;
	out[used] = 0;
	return true;
}

long text_read_number(const char *path, long fallback)
{
	char text[64], *end;
	if (!text_read(path, text, sizeof text))
		return fallback;
	long value = strtol(text, &end, 0);
	return end == text ? fallback : value;
}

char *text_load(const char *path, size_t limit_bytes)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return NULL;
	char *text = NULL;
	size_t used = 0, room = 0;
	while (used < limit_bytes) {
		if (used + 1 >= room) {
			room = room ? room * 2 : 4096;
			char *more = realloc(text, room);
			if (!more)
				break;
			text = more;
		}
		size_t want = room - 1 - used;
		if (want > limit_bytes - used)
			want = limit_bytes - used;
		size_t n = fread(text + used, 1, want, file);
		if (n == 0)
			break;
		used += n;
	}
	fclose(file);
	if (text)
		text[used] = 0;
	return text ? text : strdup("");
}

bool text_link_name(const char *path, char *out, size_t size)
{
	char target[1024];
	ssize_t n = readlink(path, target, sizeof target - 1);
	out[0] = 0;
	if (n < 0)
		return false;
	target[n] = 0;
	const char *slash = strrchr(target, '/');
	text_copy(out, size, slash ? slash + 1 : target);
	return true;
}

bool text_has_word(const char *text, const char *word)
{
	size_t length = strlen(word);
	bool prefix = length > 0 && word[length - 1] == '=';
	for (const char *at = text; (at = strstr(at, word)); at += length) {
		bool starts = at == text || strchr(" \t\n", at[-1]);
		bool ends = prefix || at[length] == 0 || strchr(" \t\n", at[length]);
		if (starts && ends)
			return true;
	}
	return false;
}

void text_each_path(const char *pattern, bool (*each)(void *user, const char *path), void *user)
{
	glob_t found;
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (!each(user, found.gl_pathv[i]))
			break;
	globfree(&found);
}

size_t text_find_path(const char *pattern, char *first, size_t size)
{
	glob_t found;
	if (first)
		first[0] = 0;
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	size_t n = found.gl_pathc;
	if (first && n > 0)
		text_copy(first, size, found.gl_pathv[0]);
	globfree(&found);
	return n;
}

bool text_each_line(const char *path, bool (*each)(void *user, const char *line), void *user)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	while ((n = getline(&line, &room, file)) >= 0) {
		if (n > 0 && line[n - 1] == '\n')
			line[n - 1] = 0;
		if (!each(user, line))
			break;
	}
	free(line);
	fclose(file);
	return true;
}

struct process_search {
	const char *name;
	int pid;
};

static bool process_matches(void *user, const char *path)
{
	struct process_search *search = user;
	char comm[32];
	if (text_read(path, comm, sizeof comm) && strncmp(comm, search->name, 15) == 0)
		search->pid = atoi(path + strlen("/proc/"));
	return search->pid == 0;
}

int text_find_process(const char *name)
{
	struct process_search search = { .name = name };
	text_each_path("/proc/[0-9]*/comm", process_matches, &search);
	return search.pid;
}
