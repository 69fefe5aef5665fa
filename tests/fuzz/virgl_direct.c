/* SPDX-License-Identifier: MIT */
/*
 * virgl-direct: generated scripts into virglrenderer, with nothing between or through the checker.
 *
 *	virgl-direct [FIRST [LAST]]                scripts as generated: each must go through
 *	virgl-direct --break [FIRST [LAST]]        one thing of each is wrong
 *	virgl-direct --each …                      these seeds for every command of the protocol
 *	virgl-direct --command NAME …              only that command
 *	virgl-direct --check …                     the checker (render/stream) stands between
 *	virgl-direct --show …                      what the scripts are, without running them
 *
 * Scripts run in children; one that dies takes one script with it and is replaced. What killed it
 * is listed by kind: the sanitizer's summary, where virglrenderer is built with one (it is found by
 * LD_LIBRARY_PATH), or the signal. Exit 0: nothing was wrong, 1: something was, 77: no OpenGL.
 */
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fuzz/script/breakage.h"
#include "tests/fuzz/script/checked.h"
#include "tests/fuzz/script/generate.h"
#include "tests/fuzz/script/run.h"

#define SCRIPT_SECONDS_MAX 60 /* a script that takes longer hangs */
#define EXIT_NO_GL 77
#define SUMMARY "SUMMARY: "

static gboolean breaks, checks, each, show, is_child;
static char *only;
static gint start;
static guint64 first = 1, last = 200;

static const GOptionEntry entries[] = {
	{ "break", 0, 0, G_OPTION_ARG_NONE, &breaks, "make one thing of each script wrong", NULL },
	{ "check", 0, 0, G_OPTION_ARG_NONE, &checks, "through the checker", NULL },
	{ "each", 0, 0, G_OPTION_ARG_NONE, &each, "the seeds for each command", NULL },
	{ "command", 0, 0, G_OPTION_ARG_STRING, &only, "only this command", "NAME" },
	{ "show", 0, 0, G_OPTION_ARG_NONE, &show, "print the scripts, run none", NULL },
	{ "start", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_INT, &start, "a child's first job", "N" },
	{ "child", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &is_child, "a child", NULL },
	{ NULL },
};

/* ---- jobs: a seed and the command that is asked for ---- */

struct job {
	uint64_t seed;
	const char *wanted;
};

static void add_jobs(GArray *jobs, const char *wanted)
{
	for (uint64_t seed = first; seed <= last; seed++) {
		struct job job = { seed, wanted };
		g_array_append_val(jobs, job);
	}
}

static GArray *make_jobs(void)
{
	GArray *jobs = g_array_new(FALSE, FALSE, sizeof(struct job));
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	const char *name;
	if (!each)
		add_jobs(jobs, only);
	else
		for (unsigned i = 0; (name = generate_name(i)); i++)
			if ((breaks || generate_is_everywhere(i)) &&
				g_hash_table_add(seen, (gpointer)name))
				add_jobs(jobs, name);
	return jobs;
}

/* The script of a job; what is broken in it, NULL: nothing is. */
static char *make_script(const struct job *job, struct script *script)
{
	struct choices choices;
	struct breakage breakage;
	script_clear(script);
	choices_from_seed(&choices, job->seed);
	generate(&choices, job->wanted, script);
	if (!breaks || !breakage_make(&choices, script, job->wanted, &breakage))
		return NULL;
	return breakage_describe(&breakage);
}

/* ---- a child ---- */

static void on_unref(void *user, uint32_t resource)
{
	run_unref(resource);
}

/* Valid where the device offers blobs, which ours does not. */
static bool is_not_offered(const struct stream_fault *fault)
{
	return g_str_has_prefix(fault->command, "PIPE_RESOURCE_");
}

/* What there is to complain of, in one line; freed by the caller. */
static char *run_job(const struct script *script)
{
	static const struct checked_options options = { run_submit, on_unref, NULL };
	struct stream_fault fault;
	g_autofree char *refusal = NULL;
	if (!checks) {
		run_script(script);
	} else {
		run_begin(script);
		if (!checked_run(script, &options, &fault) && !is_not_offered(&fault))
			refusal = g_strdup_printf(
				"the checker refuses: %s, %s 0x%" G_GINT64_MODIFIER "x: %s\n",
				fault.command, fault.field, fault.value, fault.why);
		run_end();
	}
	g_autofree char *all = g_strconcat(refusal ? refusal : "", run_complaints(), NULL);
	return g_strdelimit(g_steal_pointer(&all), "\n", ';');
}

static int run_child(const GArray *jobs)
{
	struct script script;
	script_init(&script);
	if (!run_start())
		return EXIT_NO_GL;
	for (unsigned i = (unsigned)start; i < jobs->len; i++) {
		g_autofree char *broken = make_script(&g_array_index(jobs, struct job, i), &script);
		printf("start %u\n", i);
		fflush(stdout);
		alarm(SCRIPT_SECONDS_MAX);
		g_autofree char *complaints = run_job(&script);
		alarm(0);
		printf("done %u %.2000s\n", i, complaints);
		fflush(stdout);
	}
	script_finish(&script);
	fflush(stdout);
	_exit(EXIT_SUCCESS); /* GL drivers' own exit handlers are none of our business */
}

/* ---- the parent ---- */

struct tally {
	unsigned n_run, n_clean, n_complained, n_crashed;
	GHashTable *crashes; /* kind → struct kind */
};

struct kind {
	unsigned n;
	char *example;
};

static void kind_free(gpointer data)
{
	struct kind *kind = data;
	g_free(kind->example);
	g_free(kind);
}

static void note(GHashTable *kinds, const char *key, const char *example)
{
	struct kind *kind = g_hash_table_lookup(kinds, key);
	if (!kind) {
		kind = g_new0(struct kind, 1);
		kind->example = g_strdup(example);
		g_hash_table_insert(kinds, g_strdup(key), kind);
		printf("  %s\n    first: %s\n", key, example);
		fflush(stdout);
	}
	kind->n++;
}

static char *describe(const GArray *jobs, unsigned index)
{
	struct script script;
	const struct job *job = &g_array_index(jobs, struct job, index);
	script_init(&script);
	g_autofree char *broken = make_script(job, &script);
	script_finish(&script);
	return g_strdup_printf("seed %" G_GUINT64_FORMAT "%s%s: %s", job->seed,
		job->wanted ? " for " : "", job->wanted ? job->wanted : "",
		broken ? broken : "as generated");
}

/* What a dead child wrote last: the sanitizer's summary, an assertion, or nothing. */
static char *last_words(int status, const char *errors)
{
	g_auto(GStrv) lines = g_strsplit(errors, "\n", -1);
	const char *found = NULL;
	for (unsigned i = 0; lines[i]; i++)
		if (g_str_has_prefix(lines[i], SUMMARY) || strstr(lines[i], "Assertion"))
			found = lines[i];
	if (WIFSIGNALED(status))
		return g_strdup_printf("%s%s%s",
			WTERMSIG(status) == SIGALRM ? "hangs" : strsignal(WTERMSIG(status)),
			found ? ": " : "", found ? found : "");
	return g_strdup_printf("exit %d: %s", WEXITSTATUS(status), found ? found : "");
}

static void read_line(struct tally *tally, const GArray *jobs, char *line, int *running)
{
	unsigned index;
	int length = 0;
	if (sscanf(line, "start %u", &index) == 1) {
		*running = (int)index;
		tally->n_run++;
	} else if (sscanf(line, "done %u %n", &index, &length) == 1) {
		*running = -1;
		start = (int)index + 1;
		if (line[length] == '\0' || line[length] == '\n') {
			tally->n_clean++;
			return;
		}
		tally->n_complained++;
		if (!breaks) {
			g_autofree char *script = describe(jobs, index);
			g_autofree char *text =
				g_strdup_printf("%s: %s", script, g_strchomp(line + length));
			g_auto(GStrv) complaints = g_strsplit(line + length, ";", 2);
			note(tally->crashes, complaints[0], text);
		}
	}
}

/* One child, until it ends; answers its exit status. */
static int follow_child(struct tally *tally, const GArray *jobs, char **argv)
{
	int running = -1, status = 0, pid = 0, out = -1;
	g_autofree char *errors_path = NULL, *at = g_strdup_printf("--start=%d", start);
	g_autofree char *errors = NULL;
	g_autoptr(GPtrArray) args = g_ptr_array_new();
	g_ptr_array_add(args, argv[0]);
	g_ptr_array_add(args, (gpointer) "--child");
	g_ptr_array_add(args, at);
	for (char **arg = argv + 1; *arg; arg++)
		g_ptr_array_add(args, *arg);
	g_ptr_array_add(args, NULL);
	int errors_fd = g_file_open_tmp("virgl-direct-XXXXXX", &errors_path, NULL);
	g_autoptr(GError) error = NULL;
	if (!g_spawn_async_with_pipes_and_fds(NULL, (const char *const *)args->pdata, NULL,
		    G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1, -1, errors_fd, NULL, NULL, 0, &pid,
		    NULL, &out, NULL, &error))
		g_error("%s: %s", argv[0], error->message);
	FILE *lines = fdopen(out, "r");
	char line[4096];
	while (fgets(line, sizeof(line), lines))
		read_line(tally, jobs, line, &running);
	fclose(lines);
	waitpid(pid, &status, 0);
	close(errors_fd);
	g_file_get_contents(errors_path, &errors, NULL, NULL);
	unlink(errors_path);
	if (running >= 0) {
		g_autofree char *kind = last_words(status, errors);
		g_autofree char *text = describe(jobs, (unsigned)running);
		tally->n_crashed++;
		note(tally->crashes, kind, text);
		start = running + 1;
		return 0;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

static int run_parent(const GArray *jobs, char **argv)
{
	struct tally tally = {
		.crashes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, kind_free),
	};
	GHashTableIter iter;
	gpointer key, value;
	while (start < (int)jobs->len) {
		int status = follow_child(&tally, jobs, argv);
		if (status != 0)
			return status;
	}
	printf("%u scripts: %u taken whole, %u refused in part, %u killed the renderer\n",
		tally.n_run, tally.n_clean, tally.n_complained, tally.n_crashed);
	g_hash_table_iter_init(&iter, tally.crashes);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const struct kind *kind = value;
		printf("%5u  %s\n       %s\n", kind->n, (const char *)key, kind->example);
	}
	return tally.n_crashed > 0 || (!breaks && tally.n_complained > 0);
}

/* ---- showing ---- */

static void show_command(const struct script *script, const struct script_command *command)
{
	printf("%6u %s", command->word, command->name);
	for (uint32_t i = 0; i < command->n_fields; i++) {
		const struct script_field *field = &g_array_index(
			script->fields, struct script_field, command->first_field + i);
		if (field->n_words == 1)
			printf(" %s=0x%x", field->name,
				g_array_index(script->words, uint32_t, field->word));
		else if (field->kind == SCRIPT_FIELD_TEXT)
			printf("\n%s",
				(const char *)&g_array_index(script->words, uint32_t, field->word));
	}
	printf("\n");
}

static void show_job(const struct job *job)
{
	struct script script;
	gboolean wanted = breaks;
	script_init(&script);
	breaks = FALSE;
	make_script(job, &script);
	breaks = wanted;
	for (unsigned i = 0; i < script.resources->len; i++) {
		const struct script_resource *r =
			&g_array_index(script.resources, struct script_resource, i);
		printf("resource %u: target %u format %u bind 0x%x %ux%ux%u layers %u levels %u "
		       "samples %u backing %u\n",
			r->id, r->target, r->format, r->bind, r->width, r->height, r->depth,
			r->array_size, r->last_level + 1, r->nr_samples, r->backing_bytes);
	}
	for (unsigned i = 0; i < script.commands->len; i++)
		show_command(&script, &g_array_index(script.commands, struct script_command, i));
	g_autofree char *broken = make_script(job, &script);
	printf("%s\n", broken ? broken : "as generated");
	script_finish(&script);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GOptionContext) context = g_option_context_new("[FIRST [LAST]]");
	g_auto(GStrv) args = g_strdupv(argv), left = g_strdupv(argv);
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse_strv(context, &left, &error)) {
		fprintf(stderr, "%s\n", error->message);
		return 2;
	}
	if (left[1]) {
		first = last = g_ascii_strtoull(left[1], NULL, 10);
		if (left[2])
			last = g_ascii_strtoull(left[2], NULL, 10);
	}
	g_autoptr(GArray) jobs = make_jobs();
	if (show)
		for (unsigned i = 0; i < jobs->len; i++)
			show_job(&g_array_index(jobs, struct job, i));
	else
		return is_child ? run_child(jobs) : run_parent(jobs, args);
	return 0;
}
