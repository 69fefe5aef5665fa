/* SPDX-License-Identifier: MIT */
#include "guest-tools/clipboard/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 100 /* of one file: NAME, NAME (1) and so on */

/* VD_AGENT_FILE_XFER_STATUS_... */
enum { STATUS_CAN_SEND = 0, STATUS_ERROR = 2, STATUS_SUCCESS = 3, STATUS_DISABLED = 7 };

void files_init(struct files *files, const char *folder, struct daemon *daemon)
{
	*files = (struct files){ .folder = folder, .daemon = daemon };
	for (unsigned i = 0; i < FILES_MAX; i++)
		files->all[i].fd = -1;
}

static void tell(struct files *files, uint32_t id, uint32_t status)
{
	daemon_send(files->daemon, DAEMON_FILE_STATUS, id, status, NULL, 0);
}

static struct dropped_file *find(struct files *files, uint32_t id)
{
	for (unsigned i = 0; i < FILES_MAX; i++)
		if (files->all[i].fd >= 0 && files->all[i].id == id)
			return &files->all[i];
	return NULL;
}

static struct dropped_file *find_free(struct files *files)
{
	for (unsigned i = 0; i < FILES_MAX; i++)
		if (files->all[i].fd < 0)
			return &files->all[i];
	return NULL;
}

static void end(struct dropped_file *file, bool arrived)
{
	close(file->fd);
	file->fd = -1;
	if (!arrived)
		unlink(file->path);
}

/* Finds "key=" at a line's beginning in a key file. */
static bool find_value(const char *text, const char *key, char *value, size_t size)
{
	size_t length = strlen(key);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) != 0 || line[length] != '=')
			continue;
		size_t n = strcspn(line + length + 1, "\n");
		if (n == 0 || n >= size)
			return false;
		memcpy(value, line + length + 1, n);
		value[n] = '\0';
		return true;
	}
	return false;
}

/* A name is a client's: it may lead nowhere else, and not hide. */
static bool is_good_name(const char *name)
{
	return name[0] != '.' && !strchr(name, '/');
}

static int make_file(const char *folder, const char *name, char *path, size_t size)
{
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		int n = i ? snprintf(path, size, "%s/%s (%u)", folder, name, i) :
			    snprintf(path, size, "%s/%s", folder, name);
		if (n < 0 || (size_t)n >= size)
			return -1;
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

static void begin(struct files *files, uint32_t id, const char *text)
{
	struct dropped_file *file = find_free(files);
	char name[512], size[32];
	if (files->is_disabled) {
		tell(files, id, STATUS_DISABLED);
		return;
	}
	mkdir(files->folder, 0755);
	if (!file || find(files, id) || !find_value(text, "name", name, sizeof(name)) ||
		!find_value(text, "size", size, sizeof(size)) || !is_good_name(name)) {
		tell(files, id, STATUS_ERROR);
		return;
	}
	file->fd = make_file(files->folder, name, file->path, sizeof(file->path));
	file->id = id;
	file->left_bytes = strtoull(size, NULL, 10);
	if (file->fd < 0) {
		fprintf(stderr, "vitrine-guest-clipboard: %s: %s\n", file->path, strerror(errno));
		tell(files, id, STATUS_ERROR);
	} else if (file->left_bytes == 0) {
		end(file, true);
		tell(files, id, STATUS_SUCCESS);
	} else {
		tell(files, id, STATUS_CAN_SEND);
	}
}

static void write_some(
	struct files *files, struct dropped_file *file, const uint8_t *data, size_t n_bytes)
{
	while (n_bytes > 0 && n_bytes <= file->left_bytes) {
		ssize_t n = write(file->fd, data, n_bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		data += n;
		n_bytes -= (size_t)n;
		file->left_bytes -= (uint64_t)n;
	}
	if (n_bytes > 0 || file->left_bytes == 0) {
		end(file, n_bytes == 0);
		tell(files, file->id, n_bytes ? STATUS_ERROR : STATUS_SUCCESS);
	}
}

void files_handle(struct files *files, const struct daemon_message *message, const uint8_t *data)
{
	uint32_t id, n_bytes = message->size_bytes;
	if (message->type == DAEMON_FILE_DISABLE)
		files->is_disabled = true;
	if (n_bytes < sizeof(id))
		return;
	memcpy(&id, data, sizeof(id));
	struct dropped_file *file = find(files, id);
	if (message->type == DAEMON_FILE_START)
		begin(files, id, (const char *)data + sizeof(id));
	else if (message->type == DAEMON_FILE_DATA && file && n_bytes >= 12)
		write_some(files, file, data + 12, n_bytes - 12);
	else if (message->type == DAEMON_FILE_STATUS && file)
		end(file, false);
}

void files_drop(struct files *files)
{
	for (unsigned i = 0; i < FILES_MAX; i++)
		if (files->all[i].fd >= 0)
			end(&files->all[i], false);
}
