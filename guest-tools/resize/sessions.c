/* SPDX-License-Identifier: MIT */
#include "guest-tools/resize/sessions.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "guest-tools/common/text.h"

static bool is_display(const char *name)
{
	static const char prefix[] = "wayland-";
	size_t n = strlen(name);
	return strncmp(name, prefix, sizeof prefix - 1) == 0 &&
	       !(n > 5 && strcmp(name + n - 5, ".lock") == 0);
}

static void start(int (*follow)(const char *display), const char *name)
{
	if (!is_display(name))
		return;
	pid_t pid = fork();
	if (pid < 0)
		perror("fork");
	if (pid == 0)
		_exit(follow(name));
}

static void start_those_there(int (*follow)(const char *display), const char *path)
{
	DIR *folder = opendir(path);
	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder));)
		start(follow, entry->d_name);
	closedir(folder);
}

int sessions_watch(int (*follow)(const char *display))
{
	_Alignas(struct inotify_event) char events[sizeof(struct inotify_event) + NAME_MAX + 1];
	const char *path = getenv("XDG_RUNTIME_DIR");
	int fd = inotify_init1(IN_CLOEXEC);
	if (!path || fd < 0 || inotify_add_watch(fd, path, IN_CREATE | IN_MOVED_TO) < 0) {
		fprintf(stderr, "%s: %s\n", path ? path : "XDG_RUNTIME_DIR",
			path ? strerror(errno) : "not set");
		return 1;
	}
	/* The kernel takes children that have ended. */
	signal(SIGCHLD, SIG_IGN);
	start_those_there(follow, path);
	for (;;) {
		ssize_t n = read(fd, events, sizeof events);
		if (n < 0 && errno != EINTR)
			return 1;
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(events + at);
			if (event->len > 0)
				start(follow, event->name);
			at += (ssize_t)sizeof *event + event->len;
		}
	}
}
