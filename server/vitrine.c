/* SPDX-License-Identifier: MIT */
/* vitrine is the command that people type; see vitrine(1). */
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "server/command/background.h"
#include "server/command/connect_command.h"
#include "server/command/control_command.h"
#include "server/command/flight_command.h"
#include "server/command/gpus.h"
#include "server/command/list_command.h"
#include "common/fd.h"
#include "common/log.h"
#include "server/run/run.h"
#include "server/command/screenshot_command.h"
#include "server/command/show.h"
#include "server/command/stats_command.h"
#include "server/command/ticket_command.h"
#include "server/command/upgrade_command.h"

static int print_version(int argc, char **argv)
{
	return printf("vitrine %s\n", VITRINE_VERSION) < 0;
}

static int print_help(int argc, char **argv);

static const struct {
	const char *name;
	const char *help; /* NULL: another spelling of one above */
	int (*main)(int argc, char **argv);
} commands[] = {
	{ "run", "run a virtual machine with an OpenGL desktop", run_main },
	{ "attach", "what a desktop in the background says", attach_main },
	{ "stop", "power a desktop off", stop_main },
	{ "list", "the desktops that run, a line each", list_main },
	{ "pause", "have a desktop's machine stand still", pause_main },
	{ "resume", "have it go on, or wake it", resume_main },
	{ "reset", "press a desktop's reset button", reset_main },
	{ "send-key", "press keys in a desktop, as ctrl-alt-del", send_key_main },
	{ "hand-over", "have a client that looks on drive a desktop", hand_over_main },
	{ "screenshot", "what a desktop shows, as a PNG file", screenshot_main },
	{ "show", "the desktops that run, and what their guests say", show_main },
	{ "stats", "what running desktops do, in figures", stats_main },
	{ "top", "the same as a table that is renewed", top_main },
	{ "connect", "a viewer for a desktop, and again when its display was replaced",
		connect_main },
	{ "ticket", "a password that lets one session in", ticket_main },
	{ "flight", "how a desktop's processes came to their ends", flight_main },
	{ "upgrade", "have running desktops drawn by the installed build", upgrade_main },
	{ "gpus", "the GPUs of this machine and what each can do", gpus_main },
	{ "version", "print the version", print_version },
	{ "help", "print this", print_help },
	{ "--version", NULL, print_version },
	{ "--help", NULL, print_help },
	{ "-h", NULL, print_help },
};

static int print_help(int argc, char **argv)
{
	printf("Usage: vitrine COMMAND [OPTIONS]\n\n");
	for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (commands[i].help)
			printf("  %-10s %s\n", commands[i].name, commands[i].help);
	}
	printf("\nvitrine run --help says more, and vitrine(1).\n");
	return 0;
}

int main(int argc, char **argv)
{
	fd_fill_standard();
	log_init("vitrine");
	signal(SIGPIPE, SIG_IGN);
	/* A file that may not grow is an error as a full disk is, and not the desktop's end. */
	signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		g_warning("no command; vitrine help names them");
		return 1;
	}
	/* GLib's --help of a command begins with this name. */
	g_autofree char *name = g_strdup_printf("vitrine %s", argv[1]);
	for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		g_set_prgname(name);
		return commands[i].main(argc - 1, argv + 1);
	}
	g_warning("no command \"%s\"; vitrine help names them", argv[1]);
	return 1;
}
