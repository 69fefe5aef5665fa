/* SPDX-License-Identifier: MIT */
#include "server/command/flight_command.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/confine/confine.h"
#include "common/fd.h"
#include "server/desktop/run_dir.h"
#include "server/flight/flight_folder.h"
#include "server/flight/flight_reader.h"

/* Processes of one desktop end within this time: those who wait give up sooner. */
#define SAME_END_NS UINT64_C(60000000000)

struct flight_wish {
	char *desktop;    /* NULL: a file by its path */
	const char *file; /* a number, or a path; NULL: the newest */
	gboolean list, json;
};

struct flight_file {
	char *path;
	guint8 *bytes;
	size_t size_bytes;
	bool in_use; /* the desktop runs */
};

static void flight_file_free(gpointer user)
{
	struct flight_file *file = user;
	g_free(file->path);
	g_free(file->bytes);
	g_free(file);
}

/* ---- files are opened and read first, and taken apart when nothing can be opened any more ---- */

static bool read_all(struct flight_file *file, int fd)
{
	ssize_t n = 0;
	file->bytes = g_malloc(FLIGHT_FILE_BYTES_MAX);
	while (file->size_bytes < FLIGHT_FILE_BYTES_MAX &&
		(n = read(fd, file->bytes + file->size_bytes,
			 FLIGHT_FILE_BYTES_MAX - file->size_bytes)) > 0)
		file->size_bytes += (size_t)n;
	return file->size_bytes == FLIGHT_FILE_BYTES_MAX || n == 0;
}

static struct flight_file *open_file(const char *path, GError **error)
{
	struct stat st;
	struct flight_file *file = g_new0(struct flight_file, 1);
	file->path = g_strdup(path);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	if (fd >= 0 && !regular)
		errno = EINVAL;
	if (!regular || !read_all(file, fd)) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "%s: %s", path,
			g_strerror(errno));
		g_clear_pointer(&file, flight_file_free);
	}
	fd_close(&fd);
	return file;
}

static GPtrArray *open_files(const struct flight_wish *wish, GError **error)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(flight_file_free);
	bool by_path = wish->file && strchr(wish->file, '/');
	bool in_use[FLIGHT_PARTS] = { false };
	for (unsigned part = 0; wish->desktop && part < FLIGHT_PARTS; part++)
		in_use[part] = flight_folder_in_use(wish->desktop, part);
	for (unsigned slot = 0; !by_path && slot < FLIGHT_FILES; slot++) {
		g_autofree char *number = g_strdup_printf("%02u", slot);
		g_autofree char *path = flight_folder_file(wish->desktop, slot);
		if (wish->file && strcmp(wish->file, number) != 0)
			continue;
		struct flight_file *file = open_file(path, wish->file ? error : NULL);
		if (file) {
			file->in_use = in_use[flight_folder_part(slot)];
			g_ptr_array_add(files, file);
		}
	}
	struct flight_file *file = by_path ? open_file(wish->file, error) : NULL;
	if (file)
		g_ptr_array_add(files, file);
	if (files->len == 0 && (!error || !*error))
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
			wish->file ? "no such file: --list names them" :
				     "nothing is known of such a desktop");
	return files;
}

/* What is in the files is a stranger's. */
static bool lock_in(GError **error)
{
	const struct confine_rules rules = {
		.process = "vitrine flight",
		.calls = { confine_calls_common, confine_calls_sanitizer },
	};
	struct confine_state state = { 0 };
	return confine_apply(&rules, CONFINE_AUTO, &state, error);
}

/* ---- printing ---- */

struct flight_found {
	const struct flight_file *file;
	struct flight_report *report;
};

static void finish_found(gpointer user)
{
	struct flight_found *found = user;
	flight_report_free(found->report);
}

static int compare_ends(gconstpointer a, gconstpointer b)
{
	const struct flight_found *one = a, *other = b;
	uint64_t one_ns = one->report->head.realtime_ns, other_ns = other->report->head.realtime_ns;
	return one_ns < other_ns ? -1 : one_ns > other_ns;
}

/* An empty file of a desktop is no fault. */
static GArray *read_files(const GPtrArray *files)
{
	GArray *found = g_array_new(FALSE, FALSE, sizeof(struct flight_found));
	g_array_set_clear_func(found, finish_found);
	for (guint i = 0; i < files->len; i++) {
		const struct flight_file *file = files->pdata[i];
		g_autoptr(GError) error = NULL;
		struct flight_found one = { file,
			flight_report_read(file->bytes, file->size_bytes, file->in_use, &error) };
		if (one.report)
			g_array_append_val(found, one);
		else if (files->len == 1)
			g_warning("%s: %s", file->path, error->message);
	}
	g_array_sort(found, compare_ends);
	return found;
}

static void print_line(const struct flight_found *found)
{
	const struct flight_head *head = &found->report->head;
	g_autofree char *file = g_path_get_basename(found->file->path);
	g_autoptr(GDateTime) time =
		g_date_time_new_from_unix_utc((gint64)(head->realtime_ns / 1000000000));
	g_autofree char *when = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
	printf("%.2s  %s  %-15s %-18s %s\n", file, when ? when : "?",
		flight_process_name(head->process), flight_cause_name(found->report->cause),
		head->why);
}

/* The newest end of one process, or of any; who runs has none. */
static const struct flight_found *find_newest_of(const GArray *found, enum flight_process process)
{
	for (guint i = found->len; i-- > 0;) {
		const struct flight_found *one = &g_array_index(found, struct flight_found, i);
		if (one->report->cause != FLIGHT_CAUSE_RUNNING &&
			(process == FLIGHT_PROCESS_NONE ||
				one->report->head.process == (uint32_t)process))
			return one;
	}
	return NULL;
}

/* Whose end this one only followed from. */
static enum flight_process find_first(enum flight_cause cause)
{
	switch (cause) {
	case FLIGHT_CAUSE_QEMU:
		return FLIGHT_PROCESS_QEMU;
	case FLIGHT_CAUSE_KEEPER:
		return FLIGHT_PROCESS_KEEPER;
	case FLIGHT_CAUSE_RUN:
		return FLIGHT_PROCESS_RUN;
	default:
		return FLIGHT_PROCESS_NONE;
	}
}

/*
 * An older desktop of that name may have left such an end, too. Who was killed has the time of its
 * last words, which may be any time before.
 */
static bool is_of_same(const struct flight_found *first, const struct flight_found *end)
{
	uint64_t first_ns = first->report->head.realtime_ns, end_ns = end->report->head.realtime_ns;
	return first->report->head.cause == FLIGHT_CAUSE_RUNNING ||
	       (first_ns > end_ns ? first_ns - end_ns : end_ns - first_ns) < SAME_END_NS;
}

/* Processes of a desktop end one because of the other: what is asked for is the first of them. */
static const struct flight_found *find_newest(const GArray *found)
{
	const struct flight_found *newest = find_newest_of(found, FLIGHT_PROCESS_NONE);
	if (!newest)
		return found->len > 0 ? &g_array_index(found, struct flight_found, 0) : NULL;
	for (unsigned i = 0; i < FLIGHT_PROCESSES; i++) {
		enum flight_process process = find_first(newest->report->cause);
		const struct flight_found *first = process ? find_newest_of(found, process) : NULL;
		if (!first || first == newest || !is_of_same(first, newest))
			break;
		newest = first;
	}
	return newest;
}

static bool print(const struct flight_wish *wish, const GArray *found)
{
	if (found->len == 0)
		return false;
	for (guint i = 0; wish->list && i < found->len; i++)
		print_line(&g_array_index(found, struct flight_found, i));
	if (wish->list)
		return fflush(stdout) == 0;
	const struct flight_report *report = find_newest(found)->report;
	g_autofree char *text = wish->json ? flight_json_write(report) : flight_text_write(report);
	return fputs(text, stdout) >= 0 && fflush(stdout) == 0;
}

/* ---- the command line ---- */

/* The only one that runs, or the only one that has ever run. */
static char *find_only(void)
{
	g_auto(GStrv) running = run_dir_list();
	g_auto(GStrv) known = flight_folder_list();
	if (g_strv_length(running) == 1)
		return g_strdup(running[0]);
	if (g_strv_length(known) == 1)
		return g_strdup(known[0]);
	g_autofree char *names = g_strjoinv(", ", known);
	if (known[0])
		g_warning("several desktops are known: name one of %s", names);
	else
		g_warning("no desktop is known");
	return NULL;
}

static bool parse(struct flight_wish *wish, int argc, char **argv)
{
	const GOptionEntry entries[] = {
		{ "list", 0, 0, G_OPTION_ARG_NONE, &wish->list, "Name all ends that are known",
			NULL },
		{ "json", 0, 0, G_OPTION_ARG_NONE, &wish->json, "Print for programs", NULL },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("[DESKTOP [FILE]]");
	g_autoptr(GError) error = NULL;
	g_option_context_set_summary(context,
		"Says how the desktop's last process came to its end, or the one that FILE is "
		"of:\na number that --list says, or a path. Where only one desktop runs, or is "
		"known,\nit need not be named.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_warning("%s", error->message);
		return false;
	}
	if (argc > 3 || (wish->list && (argc == 3 || wish->json))) {
		g_warning("give a desktop, and --list or one file");
		return false;
	}
	bool by_path = argc == 2 && strchr(argv[1], '/');
	if (!by_path)
		wish->desktop = argc > 1 ? g_strdup(argv[1]) : find_only();
	if (!by_path && !wish->desktop)
		return false;
	wish->file = by_path ? argv[1] : argc == 3 ? argv[2] : NULL;
	if (wish->desktop && !run_dir_name_ok(wish->desktop)) {
		g_warning("\"%s\" is no name of a desktop", wish->desktop);
		return false;
	}
	return true;
}

int flight_main(int argc, char **argv)
{
	struct flight_wish wish = { 0 };
	g_autoptr(GError) error = NULL;
	bool understood = parse(&wish, argc, argv);
	g_autofree char *desktop = wish.desktop;
	if (!understood)
		return 1;
	g_autoptr(GPtrArray) files = open_files(&wish, &error);
	if (files->len == 0 || !lock_in(&error)) {
		g_warning("%s", error->message);
		return 1;
	}
	g_autoptr(GArray) found = read_files(files);
	if (found->len == 0 && files->len > 1)
		g_warning("%s: nothing has ended yet", wish.desktop);
	return print(&wish, found) ? 0 : 1;
}
