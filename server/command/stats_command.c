/* SPDX-License-Identifier: MIT */
#include "server/command/stats_command.h"

#include <glib.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "server/desktop/run_dir.h"
#include "server/stats/stats_json.h"
#include "server/stats/stats_report.h"
#include "server/stats/stats_table.h"

#define TOP_INTERVAL_S 2.0
#define INTERVAL_MIN_S 0.05
#define INTERVAL_MAX_S 86400.0
#define CLEAR_SCREEN "\033[H\033[2J"

/* This is one desktop that is looked at. */
struct subject {
	char *label; /* its name, or the socket that was named */
	char *socket_path, *qemu_pid_file;
	struct stats_snapshot *before, *now; /* NULL: none */
};

struct wish {
	char *name, *socket_path; /* at most one of them */
	double interval_s;        /* 0: not given */
	int count;                /* 0: for ever */
	gboolean json;
};

static void subject_free(gpointer data)
{
	struct subject *subject = data;
	g_free(subject->label);
	g_free(subject->socket_path);
	g_free(subject->qemu_pid_file);
	g_free(subject->before);
	g_free(subject->now);
	g_free(subject);
}

static struct subject *subject_of_name(const char *name)
{
	g_autofree char *base = run_dir_base();
	struct subject *subject = g_new0(struct subject, 1);
	subject->label = g_strdup(name);
	subject->socket_path = g_build_filename(base, name, STATS_SOCKET_FILE, NULL);
	subject->qemu_pid_file = g_build_filename(base, name, QEMU_PID_FILE, NULL);
	return subject;
}

static struct subject *subject_of_socket(const char *path)
{
	struct subject *subject = g_new0(struct subject, 1);
	subject->label = g_strdup(path);
	subject->socket_path = g_strdup(path);
	return subject;
}

static bool is_wanted(const struct wish *wish, const char *name)
{
	return !wish->name || g_str_equal(wish->name, name);
}

/* Gives the desktops that are meant and run now, with what was seen of each before. */
static GPtrArray *find_subjects(const struct wish *wish, GPtrArray *earlier)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(subject_free);
	g_assert(!wish->name || !wish->socket_path);
	if (wish->socket_path)
		g_ptr_array_add(found, subject_of_socket(wish->socket_path));
	g_auto(GStrv) names = wish->socket_path ? g_new0(char *, 1) : run_dir_list();
	for (unsigned i = 0; names[i]; i++) {
		if (is_wanted(wish, names[i]))
			g_ptr_array_add(found, subject_of_name(names[i]));
	}
	for (unsigned i = 0; earlier && i < found->len; i++) {
		struct subject *is = g_ptr_array_index(found, i);
		for (unsigned j = 0; j < earlier->len; j++) {
			struct subject *was = g_ptr_array_index(earlier, j);
			if (g_str_equal(is->label, was->label) && was->now)
				is->before = g_steal_pointer(&was->now);
		}
	}
	return found;
}

/* Adds a report of each that answers, and a line for each that does not. */
static void look(GPtrArray *subjects, GPtrArray *reports, GString *complaints)
{
	for (unsigned i = 0; i < subjects->len; i++) {
		struct subject *subject = g_ptr_array_index(subjects, i);
		g_autoptr(GError) error = NULL;
		g_assert(!subject->now);
		subject->now =
			stats_snapshot_take(subject->socket_path, subject->qemu_pid_file, &error);
		if (subject->now)
			g_ptr_array_add(reports, stats_report_make(subject->before, subject->now));
		else
			g_string_append_printf(
				complaints, "%s: %s\n", subject->label, error->message);
	}
}

static void wait_s(double seconds)
{
	g_assert(seconds > 0 && seconds <= INTERVAL_MAX_S);
	fflush(stdout);
	g_usleep((gulong)(seconds * G_USEC_PER_SEC));
}

/* ---- options ---- */

static bool parse(struct wish *wish, int argc, char **argv, const char *summary, bool is_top)
{
	int count = G_MININT; /* not given */
	const GOptionEntry common[] = {
		{ "interval", 'i', 0, G_OPTION_ARG_DOUBLE, &wish->interval_s,
			is_top ? "Time between two looks (default 2)" :
				 "Also rates, over this time",
			"SECONDS" },
		{ "socket", 0, 0, G_OPTION_ARG_FILENAME, &wish->socket_path,
			"A vitrine-gpu that was given this --stats-socket", "PATH" },
		G_OPTION_ENTRY_NULL,
	};
	const GOptionEntry own[2][2] = {
		{ { "json", 0, 0, G_OPTION_ARG_NONE, &wish->json, "As JSON", NULL } },
		{ { "count", 'n', 0, G_OPTION_ARG_INT, &count, "End after so many looks", "N" } },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("[NAME]");
	g_autoptr(GError) error = NULL;
	g_option_context_set_summary(context, summary);
	g_option_context_add_main_entries(context, common, NULL);
	g_option_context_add_main_entries(context, own[is_top], NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_warning("%s", error->message);
		return false;
	}
	if (argc > 2 || (argc == 2 && wish->socket_path)) {
		g_warning("give one name, or --socket");
		return false;
	}
	if (wish->interval_s != 0 &&
		!(wish->interval_s >= INTERVAL_MIN_S && wish->interval_s <= INTERVAL_MAX_S)) {
		g_warning("--interval: from %g to %g seconds", INTERVAL_MIN_S, INTERVAL_MAX_S);
		return false;
	}
	if (count < 1 && count != G_MININT) {
		g_warning("--count: 1 or more");
		return false;
	}
	wish->count = MAX(count, 0);
	wish->name = argc == 2 ? g_strdup(argv[1]) : NULL;
	return true;
}

static void wish_finish(struct wish *wish)
{
	g_free(wish->name);
	g_free(wish->socket_path);
}

/* ---- vitrine stats ---- */

static int print_stats(const struct wish *wish)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString) complaints = g_string_new(NULL);
	g_autoptr(GPtrArray) reports = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) subjects = find_subjects(wish, NULL);
	if (wish->interval_s > 0) {
		g_autoptr(GPtrArray) earlier = g_steal_pointer(&subjects);
		g_autoptr(GPtrArray) first = g_ptr_array_new_with_free_func(g_free);
		g_autoptr(GString) unsaid = g_string_new(NULL);
		look(earlier, first, unsaid);
		wait_s(wish->interval_s);
		subjects = find_subjects(wish, earlier);
	}
	look(subjects, reports, complaints);
	if (complaints->len > 0)
		fprintf(stderr, "%s", complaints->str);
	if (wish->name && subjects->len == 0)
		g_warning("no desktop named \"%s\" is running", wish->name);
	for (unsigned i = 0; i < reports->len && !wish->json; i++)
		stats_table_add_list(text, g_ptr_array_index(reports, i));
	g_autofree char *json = wish->json ? stats_json_write(reports) : NULL;
	bool written = fputs(json ? json : text->str, stdout) >= 0 && fflush(stdout) == 0;
	bool named = wish->name || wish->socket_path;
	return written && complaints->len == 0 && (!named || reports->len > 0) ? 0 : 1;
}

int stats_main(int argc, char **argv)
{
	struct wish wish = { 0 };
	int status = 1;
	if (parse(&wish, argc, argv, "What running desktops do, in figures.", false))
		status = print_stats(&wish);
	wish_finish(&wish);
	return status;
}

/* ---- vitrine top ---- */

static unsigned get_terminal_width(void)
{
	struct winsize size;
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

/*
 * Cuts lines that the terminal would wrap; a width of 0 cuts none. Bytes are columns, because all
 * is ASCII but names of sockets in complaints.
 */
static void print_cut(const char *text, unsigned width)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (unsigned i = 0; lines[i] && (*lines[i] || lines[i + 1]); i++)
		printf("%.*s\n", width ? (int)width : G_MAXINT, lines[i]);
}

static bool print_table(const GPtrArray *reports, const GString *complaints)
{
	g_autoptr(GString) text = g_string_new(NULL);
	bool terminal = isatty(STDOUT_FILENO);
	unsigned width = get_terminal_width();
	bool wide = width == 0 || width >= STATS_TABLE_WIDE;
	if (reports->len == 0 && complaints->len == 0)
		g_string_append(text, "no desktop is running\n");
	else
		stats_table_add_heading(text, wide);
	for (unsigned i = 0; i < reports->len; i++)
		stats_table_add(text, g_ptr_array_index(reports, i), wide);
	g_string_append(text, complaints->str);
	if (terminal)
		fputs(CLEAR_SCREEN, stdout);
	print_cut(text->str, width);
	if (!terminal)
		putchar('\n');
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* The first look only gives the later ones something to compare with. */
static int watch(const struct wish *wish)
{
	double interval_s = wish->interval_s > 0 ? wish->interval_s : TOP_INTERVAL_S;
	g_autoptr(GPtrArray) subjects = NULL;
	bool going = true;
	unsigned n_reports = 0;
	for (int n = 0; going && (wish->count == 0 || n <= wish->count); n++) {
		g_autoptr(GPtrArray) earlier = g_steal_pointer(&subjects);
		g_autoptr(GPtrArray) reports = g_ptr_array_new_with_free_func(g_free);
		g_autoptr(GString) complaints = g_string_new(NULL);
		subjects = find_subjects(wish, earlier);
		look(subjects, reports, complaints);
		n_reports = reports->len;
		if (n > 0)
			going = print_table(reports, complaints);
		if (going && (n == 0 || n != wish->count))
			wait_s(n == 0 ? MIN(interval_s, 1) : interval_s);
	}
	bool named = wish->name || wish->socket_path;
	return going && (!named || n_reports > 0) ? 0 : 1;
}

int top_main(int argc, char **argv)
{
	struct wish wish = { 0 };
	int status = 1;
	if (parse(&wish, argc, argv, "Running desktops, a line for each head, again and again.",
		    true))
		status = watch(&wish);
	wish_finish(&wish);
	return status;
}
