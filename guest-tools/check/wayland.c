/* SPDX-License-Identifier: MIT */
/*
 * Compositors do not say what they draw with, so this file judges them from outside, by the nodes
 * they hold open and by what their command line and environment forced. wlroots always opens the
 * render node to draw; Mutter, KWin and Weston draw through the card node that they set modes with.
 */
#include "guest-tools/check/wayland.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest-tools/check/environment.h"
#include "guest-tools/check/limits.h"
#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"

static const struct {
	const char *name; /* This is the process's name. */
	bool wlroots;
} compositors[] = {
	{ "gnome-shell", false },
	{ "kwin_wayland", false },
	{ "weston", false },
	{ "mutter", false },
	{ "cosmic-comp", false },
	{ "Hyprland", false },
	{ "sway", true },
	{ "labwc", true },
	{ "wayfire", true },
	{ "cage", true },
	{ "river", true },
};

/* With one of these words in its environment or command line, a compositor draws in software. */
static const char *const software_words[] = { "WLR_RENDERER=pixman", "KWIN_COMPOSE=Q",
	"--use-pixman", "--renderer=pixman" };

struct nodes_held {
	bool readable, card, render;
};

static struct nodes_held find_nodes(int pid, const struct guest *guest)
{
	struct nodes_held held = { 0 };
	char path[64], target[256];
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *folder = opendir(path);
	if (!folder)
		return held;
	held.readable = true;
	for (struct dirent *entry; (entry = readdir(folder));) {
		ssize_t n = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
		target[n > 0 ? n : 0] = 0;
		held.render |= guest->render_path[0] && strcmp(target, guest->render_path) == 0;
		held.card |= guest->card_path[0] && strcmp(target, guest->card_path) == 0;
	}
	closedir(folder);
	return held;
}

static bool is_software_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_LENGTH(software_words); i++)
		if (strcmp(word, software_words[i]) == 0)
			return true;
	return environment_forces(word);
}

/* Finds the first forcing word of /proc/PID/environ or cmdline, whose words end with zero bytes. */
static bool find_forced(int pid, const char *name, char *out, size_t size)
{
	char path[64], text[PROCESS_WORDS_BYTES_MAX];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	size_t length = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[length] = 0;
	for (const char *word = text; word < text + length; word += strlen(word) + 1) {
		if (!is_software_word(word))
			continue;
		text_copy(out, size, word);
		return true;
	}
	return false;
}

static void judge(const struct guest *guest, struct finding *finding, size_t which, int pid)
{
	const char *name = compositors[which].name;
	char word[96], argument[160];
	struct nodes_held held = find_nodes(pid, guest);
	if (!held.readable) {
		finding_skip(finding, "%s (process %d) belongs to somebody else", name, pid);
		return;
	}
	if (find_forced(pid, "environ", word, sizeof word) ||
		find_forced(pid, "cmdline", word, sizeof word)) {
		snprintf(argument, sizeof argument, "%s, told so by %s", name, word);
		finding_value(finding, "%s (process %d) has %s", name, pid, word);
		finding_warn(finding, "wayland.software", argument);
	} else if (held.render || (held.card && !compositors[which].wlroots)) {
		finding_pass(finding, "%s (process %d) draws through %s", name, pid,
			held.render ? guest->render_path : guest->card_path);
	} else {
		finding_value(finding, "%s (process %d) uses %s", name, pid,
			held.card ? "the card only" : "neither card nor render node");
		finding_warn(finding, "wayland.software", name);
	}
}

void wayland_run(struct guest *guest, struct finding *finding)
{
	for (size_t i = 0; i < ARRAY_LENGTH(compositors); i++) {
		int pid = text_find_process(compositors[i].name);
		if (pid == 0)
			continue;
		judge(guest, finding, i, pid);
		return;
	}
	finding_skip(finding, "no Wayland compositor is running");
}
