/* SPDX-License-Identifier: MIT */
#include "guest-tools/recover/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest-tools/common/text.h"
#include "guest-tools/recover/limits.h"

#define SECONDS_MAX 86400

static bool read_deed(const char *value, const char *act, enum policy_deed *deed)
{
	if (strcmp(value, act) == 0)
		*deed = POLICY_ACT;
	else if (strcmp(value, "notify") == 0)
		*deed = POLICY_TELL;
	else if (strcmp(value, "none") == 0)
		*deed = POLICY_NOTHING;
	else
		return false;
	return true;
}

static bool read_number(const char *value, unsigned max, unsigned *number)
{
	char *end;
	unsigned long read = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || read > max)
		return false;
	*number = (unsigned)read;
	return true;
}

static bool read_switch(const char *value, bool *on)
{
	*on = strcmp(value, "yes") == 0;
	return *on || strcmp(value, "no") == 0;
}

static bool read_command(const char *value, char command[POLICY_COMMAND_BYTES])
{
	if (strlen(value) >= POLICY_COMMAND_BYTES)
		return false;
	text_copy(command, POLICY_COMMAND_BYTES, value);
	return true;
}

static bool read_value(struct policy *policy, const char *key, const char *value)
{
	if (strcmp(key, "DESKTOP") == 0)
		return read_deed(value, "restart", &policy->desktop);
	if (strcmp(key, "PROGRAM") == 0)
		return read_deed(value, "end", &policy->program);
	if (strcmp(key, "RESTARTS") == 0)
		return read_number(value, HISTORY_MAX, &policy->restarts);
	if (strcmp(key, "RESTARTS_SECONDS") == 0)
		return read_number(value, SECONDS_MAX, &policy->restarts_s);
	if (strcmp(key, "LOCK") == 0)
		return read_switch(value, &policy->lock);
	if (strcmp(key, "LOCK_COMMAND") == 0)
		return read_command(value, policy->lock_command);
	return strcmp(key, "RESTART_COMMAND") == 0 && read_command(value, policy->restart_command);
}

bool policy_read_line(struct policy *policy, const char *line)
{
	char text[512];
	line += strspn(line, " \t");
	if (line[0] == 0 || line[0] == '#')
		return true;
	if (strlen(line) >= sizeof text)
		return false;
	text_copy(text, sizeof text, line);
	for (size_t n = strlen(text); n > 0 && strchr(" \t\r", text[n - 1]); n--)
		text[n - 1] = 0;
	char *value = strchr(text, '=');
	if (!value)
		return false;
	*value++ = 0;
	return read_value(policy, text, value);
}

struct policy_file {
	struct policy *policy;
	char *wrong;
	size_t size;
};

static bool file_line(void *user, const char *line)
{
	struct policy_file *file = user;
	if (!policy_read_line(file->policy, line) && !file->wrong[0])
		text_copy(file->wrong, file->size, line);
	return true;
}

bool policy_read(struct policy *policy, const char *path, char *wrong, size_t size)
{
	struct policy_file file = { policy, wrong, size };
	wrong[0] = 0;
	return text_each_line(path, file_line, &file);
}
