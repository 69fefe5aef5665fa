/* SPDX-License-Identifier: MIT */
#include "guest-tools/recover/origin.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-tools/common/text.h"

#define CGROUP_BYTES 8192
#define SESSIONS "/run/systemd/sessions/"

/* Gives the path in systemd's own hierarchy: the named one where there are several, else the only
 * one. */
static bool find_path(const char *text, char *path, size_t size)
{
	const char *found = strstr(text, ":name=systemd:");
	size_t skip = strlen(":name=systemd:");
	if (!found) {
		found = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
		skip = found == text ? 3 : 4;
	}
	if (!found)
		return false;
	text_copy(path, size, found + skip);
	path[strcspn(path, "\n")] = 0;
	return true;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), n = strlen(end);
	return length > n && strcmp(text + length - n, end) == 0;
}

/* Copies the first part of a path that is no slice. Gives what follows it, or NULL. */
static const char *skip_slices(const char *path, char *part, size_t size)
{
	while (*path == '/') {
		size_t length = strcspn(path + 1, "/");
		if (length == 0 || length >= size)
			return NULL;
		text_copy(part, length + 1, path + 1);
		path += 1 + length;
		if (!ends_with(part, ".slice"))
			return path;
	}
	return NULL;
}

static void set(struct origin *origin, enum origin_kind kind, const char *name)
{
	origin->kind = kind;
	text_copy(origin->name, sizeof origin->name, name);
}

static void find_user_origin(struct origin *origin, const char *path)
{
	char part[256], *end;
	const char *rest = skip_slices(path, part, sizeof part);
	unsigned number;
	if (!rest)
		return;
	if (strncmp(part, "session-", 8) == 0 && ends_with(part, ".scope")) {
		part[strlen(part) - strlen(".scope")] = 0;
		if (isalnum((unsigned char)part[8]))
			set(origin, ORIGIN_SESSION, part + 8);
	} else if (sscanf(part, "user@%u.service", &number) == 1) {
		origin->uid = number;
		rest = skip_slices(rest, part, sizeof part);
		end = rest ? strrchr(part, '.') : NULL;
		if (end && strcmp(end, ".service") == 0)
			set(origin, ORIGIN_USER_UNIT, part);
	}
}

struct origin origin_parse(const char *text)
{
	struct origin origin = { 0 };
	char path[CGROUP_BYTES], part[256];
	if (!find_path(text, path, sizeof path))
		return origin;
	if (strncmp(path, "/user.slice/", 12) == 0)
		find_user_origin(&origin, path);
	else if (skip_slices(path, part, sizeof part) && ends_with(part, ".service"))
		set(&origin, ORIGIN_SYSTEM_UNIT, part);
	return origin;
}

struct origin origin_of_process(int pid)
{
	struct origin origin = { 0 };
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
	char *text = text_load(path, CGROUP_BYTES);
	if (text)
		origin = origin_parse(text);
	free(text);
	return origin;
}

struct session_facts {
	int leader;
	unsigned uid;
	bool has_seat;
};

static bool session_line(void *user, const char *line)
{
	struct session_facts *facts = user;
	if (strncmp(line, "LEADER=", 7) == 0)
		facts->leader = atoi(line + 7);
	else if (strncmp(line, "UID=", 4) == 0)
		facts->uid = (unsigned)strtoul(line + 4, NULL, 10);
	else if (strncmp(line, "SEAT=", 5) == 0)
		facts->has_seat = line[5] != 0;
	return true;
}

static bool status_line(void *user, const char *line)
{
	int *parent = user;
	return sscanf(line, "PPid: %d", parent) != 1;
}

struct origin origin_of_starter(const struct origin *session)
{
	struct session_facts facts = { 0 };
	char path[320];
	int parent = 0;
	snprintf(path, sizeof path, SESSIONS "%s", session->name);
	text_each_line(path, session_line, &facts);
	snprintf(path, sizeof path, "/proc/%d/status", facts.leader);
	if (facts.leader > 1)
		text_each_line(path, status_line, &parent);
	struct origin starter = { 0 };
	if (parent > 1)
		starter = origin_of_process(parent);
	return starter.kind == ORIGIN_SYSTEM_UNIT ? starter : *session;
}

struct session_search {
	unsigned uid;
	struct origin *found;
};

static bool session_file(void *user, const char *path)
{
	struct session_search *search = user;
	struct session_facts facts = { 0 };
	if (!strstr(path, ".ref"))
		text_each_line(path, session_line, &facts);
	if (facts.has_seat && facts.uid == search->uid)
		set(search->found, ORIGIN_SESSION, path + strlen(SESSIONS));
	return search->found->kind == ORIGIN_UNKNOWN;
}

bool origin_find_session(const struct origin *unit, struct origin *session)
{
	struct session_search search = { unit->uid, session };
	*session = (struct origin){ 0 };
	text_each_path(SESSIONS "*", session_file, &search);
	return session->kind == ORIGIN_SESSION;
}
