/* SPDX-License-Identifier: MIT */
/* vitrine-guest-resize gives a desktop the size of the window in which a client shows it. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "guest-tools/resize/randr.h"
#include "guest-tools/resize/sessions.h"
#include "guest-tools/resize/wlr.h"

static const struct option options[] = {
	{ "watch", no_argument, NULL, 'w' },
	{ "x11", no_argument, NULL, 'x' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ 0 },
};

static void write_help(FILE *file)
{
	fputs("Usage: vitrine-guest-resize [OPTION]...\n"
	      "Follows the mode that the host prefers in the desktop of $WAYLAND_DISPLAY or "
	      "$DISPLAY.\n\n"
	      "  --watch  in all Wayland desktops of this user, as they come and go\n"
	      "  --x11    only on X, as at the start of every session\n",
		file);
}

struct resize_arguments {
	bool watch, x11;
};

static struct resize_arguments parse_arguments(int argc, char **argv)
{
	struct resize_arguments arguments = { 0 };
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'w':
			arguments.watch = true;
			break;
		case 'x':
			arguments.x11 = true;
			break;
		case 'h':
			write_help(stdout);
			exit(0);
		case 'v':
			puts("vitrine-guest-resize " VITRINE_VERSION);
			exit(0);
		default:
			write_help(stderr);
			exit(64);
		}
	}
	return arguments;
}

int main(int argc, char **argv)
{
	struct resize_arguments arguments = parse_arguments(argc, argv);
	const char *wayland = getenv("WAYLAND_DISPLAY");
	setvbuf(stderr, NULL, _IOLBF, 0);
	/* The kernel's name for a process is cut, and would be vitrine-guest-recover's, too. */
	prctl(PR_SET_NAME, "vitrine-resize");
	if (arguments.watch)
		return sessions_watch(wlr_follow);
	/* There the unit with --watch follows. */
	if (wayland && *wayland)
		return arguments.x11 ? 0 : wlr_follow(wayland);
	if (getenv("DISPLAY"))
		return randr_follow();
	fprintf(stderr, "neither WAYLAND_DISPLAY nor DISPLAY: no desktop to follow\n");
	return 1;
}
