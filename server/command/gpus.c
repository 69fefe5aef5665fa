/* SPDX-License-Identifier: MIT */
#include "server/command/gpus.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "protocol/gpu_report_keys.h"
#include "protocol/worker_options.h"
#include "server/command/gpus_missing.h"
#include "server/desktop/render_nodes.h"
#include "server/desktop/workers.h"

static void info_free(gpointer data)
{
	struct gpu_info *info = data;
	g_free(info->node);
	g_free(info->driver);
	g_key_file_free(info->report);
	g_strfreev(info->encoders);
	g_strfreev(info->missing);
	g_free(info);
}

/* ---- asking one ---- */

struct question {
	GMainLoop *loop;
	GCancellable *cancel;
	GSubprocess *process;
	pid_t group;     /* the process, and whatever it starts; 0: it has ended already */
	GString *output; /* so far */
	char buffer[4096];
	unsigned n_open; /* of: its output, the process */
	bool late;
	int signal; /* that we got meanwhile; 0: none */
};

static void on_closed(struct question *question)
{
	if (--question->n_open == 0)
		g_main_loop_quit(question->loop);
}

static void on_ended(GObject *source, GAsyncResult *result, gpointer user)
{
	g_subprocess_wait_finish(G_SUBPROCESS(source), result, NULL);
	on_closed(user);
}

static void on_output(GObject *source, GAsyncResult *result, gpointer user)
{
	struct question *question = user;
	gssize n = g_input_stream_read_finish(G_INPUT_STREAM(source), result, NULL);
	if (n <= 0) {
		on_closed(question);
		return;
	}
	g_string_append_len(question->output, question->buffer, n);
	g_input_stream_read_async(G_INPUT_STREAM(source), question->buffer,
		sizeof(question->buffer), G_PRIORITY_DEFAULT, question->cancel, on_output,
		question);
}

/* GStreamer's scanner, which may be what hangs, is a child of display's and would outlive it. */
static void end_all(struct question *question)
{
	if (question->group > 0)
		kill(-question->group, SIGKILL);
	g_cancellable_cancel(question->cancel);
}

static gboolean on_late(gpointer user)
{
	struct question *question = user;
	question->late = true;
	end_all(question);
	return G_SOURCE_CONTINUE;
}

/* A terminal sends its signals to our group, which the question is none of. */
static gboolean on_interrupt(gpointer user)
{
	struct question *question = user;
	question->signal = SIGINT;
	end_all(question);
	return G_SOURCE_CONTINUE;
}

static gboolean on_terminate(gpointer user)
{
	struct question *question = user;
	question->signal = SIGTERM;
	end_all(question);
	return G_SOURCE_CONTINUE;
}

static void enter_group(gpointer user)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Gives a process that is a group of its own; NULL and why. */
static GSubprocess *start(char **argv, GError **error)
{
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
	g_subprocess_launcher_set_child_setup(launcher, enter_group, NULL, NULL);
	return g_subprocess_launcher_spawnv(launcher, (const char *const *)argv, error);
}

/* Gives what it printed, also when it was ended for being late; the caller frees it. */
static char *ask(GSubprocess *process, unsigned timeout_ms, bool *late)
{
	const char *pid = g_subprocess_get_identifier(process);
	struct question question = { .loop = g_main_loop_new(NULL, FALSE),
		.cancel = g_cancellable_new(),
		.process = process,
		.group = pid ? atoi(pid) : 0,
		.output = g_string_new(NULL),
		.n_open = 2 };
	guint sources[] = { g_timeout_add(timeout_ms, on_late, &question),
		g_unix_signal_add(SIGINT, on_interrupt, &question),
		g_unix_signal_add(SIGTERM, on_terminate, &question) };
	g_input_stream_read_async(g_subprocess_get_stdout_pipe(process), question.buffer,
		sizeof(question.buffer), G_PRIORITY_DEFAULT, question.cancel, on_output, &question);
	g_subprocess_wait_async(process, question.cancel, on_ended, &question);
	g_main_loop_run(question.loop);
	for (unsigned i = 0; i < G_N_ELEMENTS(sources); i++)
		g_source_remove(sources[i]);
	/* Nobody handles it any more. */
	if (question.signal)
		raise(question.signal);
	g_main_loop_unref(question.loop);
	g_object_unref(question.cancel);
	*late = question.late;
	char *output = g_utf8_make_valid(question.output->str, (gssize)question.output->len);
	g_string_free(question.output, TRUE);
	return output;
}

static char *describe_failure(GSubprocess *process, bool late)
{
	if (late)
		return g_strdup_printf(
			"its driver gives no answer in %d s", GPUS_TIMEOUT_MS / 1000);
	if (g_subprocess_get_if_signaled(process))
		return g_strdup_printf("its driver crashes: signal %d (%s)",
			g_subprocess_get_term_sig(process),
			g_strsignal(g_subprocess_get_term_sig(process)));
	return g_strdup_printf("vitrine-render ends with status %d",
		g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process) : -1);
}

static void set_failure(GKeyFile *report, const char *why)
{
	g_key_file_set_boolean(report, GPU_REPORT_GROUP, "works", FALSE);
	g_key_file_set_string(report, GPU_REPORT_GROUP, "why", why);
}

/* A node of NULL asks about the CPU. */
static GKeyFile *get_report(const char *renderer, char *node)
{
	struct worker_render_options options = {
		.report = true, .software = !node, .render_node = node
	};
	quotas_set_initial(&options.quotas);
	g_auto(GStrv) argv = worker_options_format(&worker_render_table, renderer, &options);
	GKeyFile *report = g_key_file_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocess) process = start(argv, &error);
	if (!process) {
		set_failure(report, error->message);
		return report;
	}
	bool late;
	g_autofree char *output = ask(process, GPUS_TIMEOUT_MS, &late);
	if (late || !g_subprocess_get_successful(process) ||
		!g_key_file_load_from_data(report, output, strlen(output), G_KEY_FILE_NONE, NULL) ||
		!g_key_file_has_key(report, GPU_REPORT_GROUP, "works", NULL)) {
		g_autofree char *why = describe_failure(process, late);
		set_failure(report, why);
	}
	return report;
}

/* ---- encoders ---- */

/* The caller frees it; NULL: it has ended as it should. */
static char *describe_end(GSubprocess *process, bool late, unsigned timeout_ms)
{
	if (late)
		return g_strdup_printf("late, no answer in %u s", timeout_ms / 1000);
	if (g_subprocess_get_successful(process))
		return NULL;
	if (g_subprocess_get_if_signaled(process))
		return g_strdup_printf("signal %d (%s)", g_subprocess_get_term_sig(process),
			g_strsignal(g_subprocess_get_term_sig(process)));
	return g_strdup_printf("status %d", g_subprocess_get_exit_status(process));
}

/*
 * Gives the lines that begin with "encoder", without that word, and of one whose trial was not over
 * how that `end`ed it.
 */
static char **pick_encoders(const char *output, const char *end)
{
	static const char told[] = "encoder ", begun[] = "trying ";
	const char *at_work = NULL;
	GPtrArray *lines = g_ptr_array_new();
	g_auto(GStrv) all = g_strsplit(output, "\n", -1);
	for (unsigned i = 0; all[i]; i++) {
		if (g_str_has_prefix(all[i], told)) {
			g_ptr_array_add(lines, g_strdup(all[i] + strlen(told)));
			at_work = NULL;
		} else if (g_str_has_prefix(all[i], begun)) {
			at_work = all[i] + strlen(begun);
		}
	}
	if (end && at_work)
		g_ptr_array_add(lines,
			g_strdup_printf("%s: ended the trial: %s; what comes after it was not "
					"tried",
				at_work, end));
	else if (end)
		g_ptr_array_add(lines, g_strdup_printf("vitrine-display --report: %s", end));
	g_ptr_array_add(lines, NULL);
	return (char **)g_ptr_array_free(lines, FALSE);
}

/*
 * They are tried by vitrine-display, whose drivers may crash or hang like the others. The display
 * of a desktop that is drawn by the CPU opens no GPU, so none is asked for.
 */
static char **get_encoders(const struct gpus_survey_options *survey, const char *node)
{
	struct worker_display_options options = {
		.report = true, .software = !node, .render_node = (char *)node
	};
	g_auto(GStrv) argv =
		worker_options_format(&worker_display_table, survey->display, &options);
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocess) process = start(argv, &error);
	if (!process)
		return pick_encoders("", error->message);
	bool late;
	g_autofree char *output = ask(process, survey->encoders_timeout_ms, &late);
	g_autofree char *end = describe_end(process, late, survey->encoders_timeout_ms);
	return pick_encoders(output, end);
}

static bool flag(const struct gpu_info *info, const char *name)
{
	return g_key_file_get_boolean(info->report, GPU_REPORT_GROUP, name, NULL);
}

/* Where OpenGL does not start, sysfs still knows which driver the device has. */
static char *find_driver(const struct gpu_info *info, const char *name)
{
	if (flag(info, "works"))
		return g_key_file_get_string(info->report, GPU_REPORT_GROUP, "driver", NULL);
	g_autofree char *path = g_strdup_printf("/sys/class/drm/%s/device/driver", name);
	g_autofree char *target = g_file_read_link(path, NULL);
	return target ? g_path_get_basename(target) : NULL;
}

static void add(
	GPtrArray *gpus, const struct gpus_survey_options *options, char *node, const char *name)
{
	struct gpu_info *info = g_new0(struct gpu_info, 1);
	info->node = node;
	info->report = get_report(options->renderer, node);
	info->driver = name ? find_driver(info, name) : NULL;
	info->encoders =
		options->display && flag(info, "works") ? get_encoders(options, node) : NULL;
	info->missing = node ? gpus_find_missing(info, "") : gpus_find_idle_cards("");
	g_ptr_array_add(gpus, info);
}

/* ---- all of them ---- */

/*
 * Marks the one that a desktop's keeper would take (gpu_search.h): the first that works and does
 * not draw with the CPU.
 */
static void mark_default(GPtrArray *gpus)
{
	for (unsigned i = 0; i < gpus->len; i++) {
		struct gpu_info *info = gpus->pdata[i];
		g_assert(!info->is_default);
		bool last = i + 1 == gpus->len;
		if (flag(info, "virgl") && (last || !flag(info, "software"))) {
			info->is_default = true;
			return;
		}
	}
}

GPtrArray *gpus_survey(const struct gpus_survey_options *options)
{
	g_assert(options->nodes_dir && options->renderer);
	GPtrArray *gpus = g_ptr_array_new_with_free_func(info_free);
	g_autoptr(GPtrArray) names = render_nodes_find(options->nodes_dir);
	for (unsigned i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		add(gpus, options, g_build_filename(options->nodes_dir, name, NULL), name);
	}
	add(gpus, options, NULL, NULL);
	mark_default(gpus);
	return gpus;
}

/* ---- the command ---- */

int gpus_main(int argc, char **argv)
{
	gboolean json = FALSE, no_encoders = FALSE;
	g_autofree char *nodes_dir = NULL, *worker_dir = NULL;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
		{ "no-encoders", 0, 0, G_OPTION_ARG_NONE, &no_encoders,
			"Leave encoders out, whose trials take longest", NULL },
		{ "nodes-dir", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &nodes_dir,
			"Where the render nodes are", "DIR" },
		{ "worker-dir", 0, 0, G_OPTION_ARG_FILENAME, &worker_dir, "Where vitrine-render is",
			"DIR" },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;
	g_option_context_set_summary(context, "Lists the GPUs and what each can do.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_warning("%s", error->message);
		return 1;
	}
	if (argc > 1) {
		g_warning("unexpected argument %s", argv[1]);
		return 1;
	}
	if (!worker_dir)
		worker_dir = workers_find_dir();
	g_autofree char *renderer = workers_find_renderer(worker_dir);
	g_autofree char *display = workers_find_display(worker_dir);
	const struct gpus_survey_options options = {
		.nodes_dir = nodes_dir ? nodes_dir : "/dev/dri",
		.renderer = renderer,
		.display = no_encoders ? NULL : display,
		.encoders_timeout_ms = GPUS_ENCODERS_TIMEOUT_MS,
	};
	g_autoptr(GPtrArray) gpus = gpus_survey(&options);
	g_autofree char *output = json ? gpus_describe_json(gpus) : gpus_describe(gpus);
	return fputs(output, stdout) < 0 || fflush(stdout) != 0;
}
