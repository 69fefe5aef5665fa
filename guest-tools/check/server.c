/* SPDX-License-Identifier: MIT */
/*
 * This file checks what Xorg was told, and what it did. wayland.c has the other kind of display
 * server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest-tools/check/groups.h"
#include "guest-tools/check/wayland.h"
#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"

struct xorg_config {
	const char *path;
	bool in_device;
	char wrong[256]; /* It reads Driver "fbdev" in FILE, or so. */
	unsigned n_files;
};

/* Finds the first word in quotes after a keyword, as in Driver "modesetting". */
static bool quoted_after(const char *line, const char *keyword, char *out, size_t size)
{
	line += strspn(line, " \t");
	if (strncasecmp(line, keyword, strlen(keyword)) != 0)
		return false;
	const char *open = strchr(line, '"');
	if (!open)
		return false;
	text_copy(out, size, open + 1);
	char *end = strchr(out, '"');
	if (end)
		*end = 0;
	return end != NULL;
}

static bool config_line(void *user, const char *line)
{
	struct xorg_config *config = user;
	char word[64];
	if (quoted_after(line, "Section", word, sizeof word))
		config->in_device = strcasecmp(word, "Device") == 0;
	if (!config->in_device)
		return true;
	bool wrong = quoted_after(line, "Driver", word, sizeof word) &&
		     strcasecmp(word, "modesetting") != 0;
	if (quoted_after(line, "Option", word, sizeof word) && strcasecmp(word, "AccelMethod") == 0)
		wrong = strstr(line, "\"none\"") != NULL || strstr(line, "\"None\"") != NULL;
	if (quoted_after(line, "BusID", word, sizeof word))
		wrong = true; /* A bus address is wrong, since addresses move between hosts. */
	if (wrong && !config->wrong[0]) {
		line += strspn(line, " \t");
		snprintf(config->wrong, sizeof config->wrong, "%.100s in %.120s", line,
			config->path);
	}
	return true;
}

static bool config_file(void *user, const char *path)
{
	struct xorg_config *config = user;
	config->path = path;
	config->in_device = false;
	config->n_files++;
	text_each_line(path, config_line, config);
	return true;
}

static void run_xorg_config(struct guest *guest, struct finding *finding)
{
	static const char *const places[] = { "/etc/X11/xorg.conf", "/etc/X11/xorg.conf.d/*.conf",
		"/usr/share/X11/xorg.conf.d/*.conf" };
	struct xorg_config config = { 0 };
	for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
		text_each_path(places[i], config_file, &config);
	if (!config.wrong[0]) {
		finding_pass(
			finding, "%u files, none picks a driver or a bus address", config.n_files);
		return;
	}
	finding_value(finding, "%s", config.wrong);
	finding_fail(finding, "xorg.config", config.wrong);
}

struct xorg_log {
	char version[32], driver[32], renderer[128], no_glamor[200];
	bool glamor, no_screens;
};

static bool log_line(void *user, const char *line)
{
	struct xorg_log *log = user;
	const char *at;
	if ((at = strstr(line, "X.Org X Server ")))
		text_copy(log->version, sizeof log->version, at + 15);
	/* A line such as "(II) modeset(0): ..." names the driver that became screen 0. */
	if ((at = strstr(line, "(0): ")) && !log->driver[0]) {
		const char *begin = at;
		while (begin > line && begin[-1] != ' ')
			begin--;
		text_copy(log->driver, sizeof log->driver, begin);
		log->driver[strcspn(log->driver, "(")] = 0;
	}
	if ((at = strstr(line, "glamor X acceleration enabled on "))) {
		log->glamor = true;
		text_copy(log->renderer, sizeof log->renderer, at + 33);
	}
	log->no_screens |= strstr(line, "no screens found") != NULL ||
			   strstr(line, "Cannot run in framebuffer mode") != NULL;
	if (strstr(line, "glamor initialization failed") ||
		strstr(line, "Refusing to try glamor") || strstr(line, "glamor disabled") ||
		strstr(line, "ShadowFB: preferred YES"))
		text_copy(log->no_glamor, sizeof log->no_glamor, line);
	return true;
}

static void find_xorg_log(char *path, size_t size)
{
	char pattern[512], found[512];
	static const char *const names[] = { "%s/.local/share/xorg/Xorg.0.log",
		"/var/log/Xorg.0.log", "/home/*/.local/share/xorg/Xorg.0.log",
		"/var/lib/gdm*/.local/share/xorg/Xorg.0.log" };
	const char *home = getenv("HOME");
	path[0] = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		if (i == 0)
			snprintf(pattern, sizeof pattern, "%s/.local/share/xorg/Xorg.0.log",
				home ? home : "/root");
		if (text_find_path(i == 0 ? pattern : names[i], found, sizeof found) == 0 ||
			access(found, R_OK) != 0)
			continue;
		text_copy(path, size, found);
		return;
	}
}

static void run_xorg(struct guest *guest, struct finding *finding)
{
	char path[512];
	struct xorg_log log = { 0 };
	int major = 0, minor = 0;
	find_xorg_log(path, sizeof path);
	if (!path[0]) {
		finding_skip(finding, "no Xorg log: Xorg did not run, or not for this user");
		return;
	}
	text_each_line(path, log_line, &log);
	finding_value(finding, "Xorg %s, driver %s, %s%s (%s)", log.version[0] ? log.version : "?",
		log.driver[0] ? log.driver : "none", log.glamor ? "glamor on " : "no glamor",
		log.glamor ? log.renderer : "", path);
	sscanf(log.version, "%d.%d", &major, &minor);
	if (log.no_screens)
		finding_fail(finding, "xorg.no-screens", path);
	else if (log.driver[0] && strcasecmp(log.driver, "modeset") != 0)
		finding_fail(finding, "xorg.driver", log.driver);
	else if (!log.glamor)
		finding_fail(finding, "xorg.no-glamor",
			log.no_glamor[0] ? log.no_glamor : "no reason logged");
	else if (strstr(log.renderer, "llvmpipe") && strncmp(log.renderer, "virgl", 5) != 0)
		finding_fail(finding, "xorg.no-glamor", log.renderer);
	else if (major == 1 && minor < 19)
		finding_warn(finding, "xorg.too-old", log.version);
}

const struct check server_checks[] = {
	{ "server.xorg-config", "Xorg's configuration", 0, CHECK_ROOM_SELF,
		"no Device section with a driver or bus address",
		"Xorg finds the device and its driver by itself; old files make it take another "
		"one.",
		run_xorg_config },
	{ "server.xorg", "Xorg", 0, CHECK_ROOM_SELF,
		"1.19 or newer, modesetting with glamor on virgl",
		"Without glamor each window is drawn by the processor.", run_xorg },
	{ "server.wayland", "Wayland compositor", CHECK_NEEDS_CARD, CHECK_ROOM_SELF,
		"draws through the render node",
		"A compositor that lost the GPU goes on in software and says so only in its log.",
		wayland_run },
	{ 0 },
};
