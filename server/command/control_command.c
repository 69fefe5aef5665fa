/* SPDX-License-Identifier: MIT */
#include "server/command/control_command.h"

#include <string.h>

#include "server/command/control_client.h"
#include "server/command/ticket_client.h"

/* Gives the words behind the options, at least `n_min` and at most `n_max`; NULL: wrong usage. */
static char **parse(const GOptionEntry *entries, const char *words, const char *summary, int n_min,
	int n_max, int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(words);
	g_autoptr(GError) error = NULL;
	g_option_context_set_summary(context, summary);
	if (entries)
		g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_warning("%s", error->message);
		return NULL;
	}
	if (argc - 1 < n_min || argc - 1 > n_max) {
		g_warning("give %s; --help says more", words);
		return NULL;
	}
	return g_strdupv(argv + 1);
}

typedef gboolean (*plain_call)(VitrineDesktop1 *desktop, GCancellable *cancel, GError **error);

static int call_plain(const char *summary, plain_call call, int argc, char **argv)
{
	g_auto(GStrv) words = parse(NULL, "[NAME]", summary, 0, 1, argc, argv);
	if (!words)
		return EXIT_CODE_USAGE;
	g_autofree char *name = ticket_client_find(words[0]);
	if (!name)
		return EXIT_CODE_NO_DESKTOP;
	g_autoptr(GError) error = NULL;
	g_autoptr(VitrineDesktop1) desktop = control_client_connect(name, &error);
	if (desktop && call(desktop, NULL, &error))
		return EXIT_CODE_DONE;
	return control_client_failed(name, error);
}

int pause_main(int argc, char **argv)
{
	return call_plain("Has a desktop's machine stand still; clients keep their picture.",
		vitrine_desktop1_call_pause_sync, argc, argv);
}

int resume_main(int argc, char **argv)
{
	return call_plain("Has a desktop's machine go on that is paused, or sleeps.",
		vitrine_desktop1_call_resume_sync, argc, argv);
}

int reset_main(int argc, char **argv)
{
	return call_plain(
		"Presses a desktop's reset button: its guest loses what it has not written.",
		vitrine_desktop1_call_reset_sync, argc, argv);
}

/* ---- send-key ---- */

/* Keys stand with "-" or "+" between them. */
static char **split_keys(const char *text)
{
	return g_strsplit_set(text, "-+", -1);
}

static int send_each(VitrineDesktop1 *desktop, const char *name, char *const *chords, int hold_ms)
{
	for (unsigned i = 0; chords[i]; i++) {
		g_autoptr(GError) error = NULL;
		g_auto(GStrv) keys = split_keys(chords[i]);
		if (!vitrine_desktop1_call_send_keys_sync(
			    desktop, (const char *const *)keys, (guint)hold_ms, NULL, &error)) {
			g_autofree char *what = g_strdup_printf("%s: %s", name, chords[i]);
			return control_client_failed(what, error);
		}
	}
	return EXIT_CODE_DONE;
}

int send_key_main(int argc, char **argv)
{
	int hold_ms = 0;
	const GOptionEntry entries[] = {
		{ "hold", 0, 0, G_OPTION_ARG_INT, &hold_ms,
			"How long the keys are held (default 100)", "MILLISECONDS" },
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) words = parse(entries, "NAME KEYS...",
		"Presses keys in a desktop, as ctrl-alt-del or ctrl-alt-f3.", 2, G_MAXINT, argc,
		argv);
	if (!words || hold_ms < 0)
		return EXIT_CODE_USAGE;
	g_autofree char *name = ticket_client_find(words[0]);
	if (!name)
		return EXIT_CODE_NO_DESKTOP;
	g_autoptr(GError) error = NULL;
	g_autoptr(VitrineDesktop1) desktop = control_client_connect(name, &error);
	return desktop ? send_each(desktop, name, words + 1, hold_ms) :
			 (int)control_client_failed(name, error);
}

/* ---- hand-over ---- */

int hand_over_main(int argc, char **argv)
{
	g_auto(GStrv) words = parse(NULL, "NAME [CLIENT]",
		"Gives keys and pointer of a desktop to a client that looks on, named as in the "
		"log "
		"(ADDRESS:PORT); without one, back to who came to drive.",
		1, 2, argc, argv);
	if (!words)
		return EXIT_CODE_USAGE;
	g_autofree char *name = ticket_client_find(words[0]);
	if (!name)
		return EXIT_CODE_NO_DESKTOP;
	g_autoptr(GError) error = NULL;
	g_autoptr(VitrineDesktop1) desktop = control_client_connect(name, &error);
	const char *client = words[1] ? words[1] : "";
	if (desktop && vitrine_desktop1_call_hand_over_sync(desktop, client, NULL, &error))
		return EXIT_CODE_DONE;
	return control_client_failed(name, error);
}
