/* SPDX-License-Identifier: MIT */
/*
 * virgl-direct runs generated scripts in virglrenderer, with nothing between or through the
 * checker.
 *
 * virgl-direct [FIRST [LAST]]            scripts as generated: each must go through
 * virgl-direct --break [FIRST [LAST]]    one thing of each is wrong
 * virgl-direct --each …                  these seeds for every command of the protocol
 * virgl-direct --command NAME …          only that command
 * virgl-direct --check …                 the checker (render/stream) stands between
 * virgl-direct --show …                  what the scripts are, without running them
 * virgl-direct --violations N            N scripts for every command of the protocol, through the
 *                                        checker, each with one thing wrong, and a table
 *
 * Scripts run in children; one that dies takes one script with it and is replaced. What killed it
 * is listed by kind: the sanitizer's summary, where virglrenderer is built with one (it is found by
 * LD_LIBRARY_PATH), or the signal. A guest may ask for work without end (a draw of 2^31 instances),
 * and the renderer's watchdog ends that; here a script that was broken and spends SCRIPT_CPU_S in
 * OpenGL is ended and counted. The exit status is 0 when nothing was wrong, 1 when something was,
 * and 77 when there is no OpenGL.
 */
#include <dlfcn.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fuzz/script/breakage.h"
#include "tests/fuzz/script/checked.h"
#include "tests/fuzz/script/generate.h"
#include "render/stream/decoder.h"
#include "tests/fuzz/script/run.h"
#include "tests/fuzz/virgl_tally.h"

#define SCRIPT_CPU_S 10        /* of all threads, as the watchdog has it of the clock */
#define SCRIPT_SECONDS_MAX 300 /* a script that takes longer hangs */
#define SEEDS_A_VIOLATION 20   /* not every seed breaks something */
#define EXIT_NO_GL 77
#define EXIT_SLOW 78 /* of a child */
#define SUMMARY "SUMMARY: "

static gboolean breaks, checks, each, show, is_child;
static char *only;
static gint start, n_violations;
static volatile sig_atomic_t in_checker;
static guint64 first = 1, last = 200;

static const GOptionEntry entries[] = {
	{ "break", 0, 0, G_OPTION_ARG_NONE, &breaks, "make one thing of each script wrong", NULL },
	{ "check", 0, 0, G_OPTION_ARG_NONE, &checks, "through the checker", NULL },
	{ "each", 0, 0, G_OPTION_ARG_NONE, &each, "the seeds for each command", NULL },
	{ "command", 0, 0, G_OPTION_ARG_STRING, &only, "only this command", "NAME" },
	{ "violations", 0, 0, G_OPTION_ARG_INT, &n_violations, "of every command", "N" },
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

/*
 * Makes the script of a job. Returns what is broken in it, which the caller frees; NULL when
 * nothing is.
 */
static char *make_script(const struct job *job, bool broken, struct script *script)
{
	struct choices choices;
	struct breakage breakage;
	script_clear(script);
	choices_from_seed(&choices, job->seed);
	generate(&choices, job->wanted, script);
	if (!broken || !breakage_make(&choices, script, job->wanted, &breakage))
		return NULL;
	return breakage_describe(&breakage);
}

static bool are_same(const GArray *a, const GArray *b, size_t size)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len * size) == 0;
}

/*
 * Returns whether breaking changes what the guest does, as some values are broken to what they
 * were.
 */
static bool is_violation(const struct job *job, struct script *whole, struct script *broken)
{
	make_script(job, false, whole);
	g_autofree char *text = make_script(job, true, broken);
	return text && !(are_same(whole->words, broken->words, sizeof(uint32_t)) &&
			       are_same(whole->steps, broken->steps, sizeof(struct script_step)));
}

static void add_violations(GArray *jobs, const char *wanted)
{
	struct script whole, broken;
	script_init(&whole);
	script_init(&broken);
	guint enough = jobs->len + (guint)n_violations;
	uint64_t end = first + (uint64_t)n_violations * SEEDS_A_VIOLATION;
	for (uint64_t seed = first; seed < end && jobs->len < enough; seed++) {
		struct job job = { seed, wanted };
		if (is_violation(&job, &whole, &broken))
			g_array_append_val(jobs, job);
	}
	script_finish(&whole);
	script_finish(&broken);
}

static void add_jobs(GArray *jobs, const char *wanted)
{
	if (n_violations > 0) {
		add_violations(jobs, wanted);
		return;
	}
	for (uint64_t seed = first; seed <= last; seed++) {
		struct job job = { seed, wanted };
		g_array_append_val(jobs, job);
	}
}

/* Returns the names of all commands that can be asked for, once each. */
static GPtrArray *list_names(void)
{
	GPtrArray *names = g_ptr_array_new();
	const char *name;
	for (unsigned i = 0; (name = generate_name(i)); i++) {
		bool is_valid = breaks || generate_is_everywhere(i);
		if (is_valid && !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
			g_ptr_array_add(names, (gpointer)name);
	}
	return names;
}

static GArray *make_jobs(void)
{
	GArray *jobs = g_array_new(FALSE, FALSE, sizeof(struct job));
	g_autoptr(GPtrArray) names = list_names();
	if (!each)
		add_jobs(jobs, only);
	for (unsigned i = 0; each && i < names->len; i++)
		add_jobs(jobs, names->pdata[i]);
	return jobs;
}

/* ---- a child ---- */

static void on_submit(void *user, uint32_t context, uint32_t *words, uint32_t n_words)
{
	in_checker = 0;
	run_submit(user, context, words, n_words);
	in_checker = 1;
}

static void on_unref(void *user, uint32_t resource)
{
	in_checker = 0;
	run_unref(resource);
	in_checker = 1;
}

/* Ends the child. A checker that takes that long is at fault, but OpenGL does what a guest asks. */
static void on_time_spent(int number)
{
	if (!in_checker && breaks)
		_exit(EXIT_SLOW);
	abort();
}

static void limit_time(bool limited)
{
	struct itimerval cpu = { .it_value.tv_sec = limited ? SCRIPT_CPU_S : 0 };
	setitimer(ITIMER_PROF, &cpu, NULL);
	alarm(limited ? SCRIPT_SECONDS_MAX : 0);
}

/* Returns whether the command is valid only where the device offers blobs, which ours does not. */
static bool is_not_offered(const struct stream_fault *fault)
{
	return g_str_has_prefix(fault->command, "PIPE_RESOURCE_");
}

static bool passes(const struct script *script, struct stream_fault *fault)
{
	static const struct checked_options options = { on_submit, on_unref, NULL };
	run_begin(script);
	in_checker = 1;
	bool passed = checked_run(script, &options, fault);
	in_checker = 0;
	run_end();
	return passed;
}

/*
 * Returns what there is to complain of, in one line after "refused" or "passed"; the caller frees
 * it.
 */
static char *run_job(const struct script *script)
{
	struct stream_fault fault;
	g_autofree char *refusal = NULL;
	if (!checks)
		run_script(script);
	else if (!passes(script, &fault) && (breaks || !is_not_offered(&fault)))
		refusal = g_strdup_printf("the checker refuses: %s, %s 0x%" G_GINT64_MODIFIER
					  "x: %s\n",
			fault.command, fault.field, fault.value, fault.why);
	g_autofree char *all = g_strconcat(
		refusal ? "refused " : "passed ", refusal ? refusal : "", run_complaints(), NULL);
	return g_strdelimit(g_steal_pointer(&all), "\n", ';');
}

static int run_child(const GArray *jobs)
{
	struct script script;
	script_init(&script);
	if (!run_start())
		return EXIT_NO_GL;
	signal(SIGPROF, on_time_spent);
	for (unsigned i = (unsigned)start; i < jobs->len; i++) {
		g_autofree char *broken =
			make_script(&g_array_index(jobs, struct job, i), breaks, &script);
		printf("start %u\n", i);
		fflush(stdout);
		limit_time(true);
		g_autofree char *complaints = run_job(&script);
		limit_time(false);
		printf("done %u %.2000s\n", i, complaints);
		fflush(stdout);
	}
	script_finish(&script);
	fflush(stdout);
	_exit(EXIT_SUCCESS); /* GL drivers' own exit handlers are none of our business */
}

/* ---- the parent ---- */

static char *describe(const GArray *jobs, unsigned index)
{
	struct script script;
	const struct job *job = &g_array_index(jobs, struct job, index);
	script_init(&script);
	g_autofree char *broken = make_script(job, breaks, &script);
	script_finish(&script);
	return g_strdup_printf("seed %" G_GUINT64_FORMAT "%s%s: %s", job->seed,
		job->wanted ? " for " : "", job->wanted ? job->wanted : "",
		broken ? broken : "as generated");
}

/* Returns what a dead child wrote last: the sanitizer's summary, an assertion, or nothing. */
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

static void note_complaints(
	struct tally *tally, const GArray *jobs, unsigned index, const char *complaints)
{
	g_autofree char *script = describe(jobs, index);
	g_autofree char *text = g_strdup_printf("%s: %s", script, complaints);
	g_auto(GStrv) kinds = g_strsplit(complaints, ";", 2);
	tally_note(tally, kinds[0], text);
}

static void read_line(struct tally *tally, const GArray *jobs, char *line, int *running)
{
	unsigned index;
	char outcome[16];
	int length = 0;
	if (sscanf(line, "start %u", &index) == 1) {
		*running = (int)index;
		tally->n_run++;
	} else if (sscanf(line, "done %u %15s %n", &index, outcome, &length) == 2) {
		const char *complaints = g_strchomp(line + length);
		*running = -1;
		start = (int)index + 1;
		if (!strcmp(outcome, "refused"))
			tally->n_refused++;
		else if (*complaints)
			tally->n_complained++;
		else
			tally->n_clean++;
		if (*complaints && !breaks)
			note_complaints(tally, jobs, index, complaints);
	}
}

static void note_end(struct tally *tally, const char *script, int status, const char *errors)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SLOW) {
		tally->n_slow++;
		tally_note(tally, "endless work in OpenGL (no fault)", script);
		return;
	}
	g_autofree char *kind = last_words(status, errors);
	tally->n_crashed++;
	tally_note(tally, kind, script);
}

/* Runs one child until it ends; returns its exit status. */
static int follow_child(struct tally *tally, const GArray *jobs, char **argv)
{
	int running = -1, status = 0, pid = 0, out = -1;
	g_autofree char *errors_path = NULL, *at = g_strdup_printf("--start=%d", start);
	g_autofree char *what = g_strdup_printf("--command=%s", only ? only : "");
	g_autofree char *errors = NULL;
	g_autoptr(GPtrArray) args = g_ptr_array_new();
	g_ptr_array_add(args, argv[0]);
	g_ptr_array_add(args, (gpointer) "--child");
	g_ptr_array_add(args, at);
	for (char **arg = argv + 1; *arg; arg++)
		g_ptr_array_add(args, *arg);
	if (n_violations > 0)
		g_ptr_array_add(args, what);
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
		g_autofree char *script = describe(jobs, (unsigned)running);
		note_end(tally, script, status, errors);
		start = running + 1;
		return 0;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

/* Returns 0, or the status that a child ended with that could run nothing. */
static int run_jobs(struct tally *tally, const GArray *jobs, char **argv)
{
	int status = 0;
	start = 0;
	while (start < (int)jobs->len && status == 0)
		status = follow_child(tally, jobs, argv);
	return status;
}

static int run_parent(const GArray *jobs, char **argv)
{
	struct tally tally;
	tally_init(&tally);
	int status = run_jobs(&tally, jobs, argv);
	if (status == 0) {
		printf("%u scripts: %u taken whole, %u refused in part, %u too much work, "
		       "%u killed the renderer\n",
			tally.n_run, tally.n_clean, tally.n_refused + tally.n_complained,
			tally.n_slow, tally.n_crashed);
		tally_print_kinds(&tally);
		status = tally.n_crashed > 0 ||
			 (!breaks && tally.n_refused + tally.n_complained > 0);
	}
	tally_finish(&tally);
	return status;
}

/* ---- violations of every command ---- */

static void print_row(const char *name, const struct tally *tally)
{
	printf("%-34s %9u %9u %9u %9u %9u %9u\n", name, tally->n_run, tally->n_refused,
		tally->n_clean, tally->n_complained, tally->n_slow, tally->n_crashed);
	fflush(stdout);
}

/* Names the library that this program found, as that is the one that is tested. */
static void print_library(void)
{
	Dl_info info;
	g_autofree char *bytes = NULL;
	gsize n = 0;
	void *symbol = dlsym(RTLD_DEFAULT, "virgl_renderer_init");
	if (!symbol || !dladdr(symbol, &info))
		return;
	bool has_sanitizer = g_file_get_contents(info.dli_fname, &bytes, &n, NULL) &&
			     memmem(bytes, n, "__asan_report", strlen("__asan_report"));
	printf("%s: %s AddressSanitizer\n", info.dli_fname, has_sanitizer ? "with" : "without");
}

/*
 * Names the commands that the checker knows and the generator does not; returns how many there are.
 */
static unsigned name_missing(GPtrArray *names)
{
	g_autoptr(GHashTable) missing = g_hash_table_new(g_str_hash, g_str_equal);
	for (uint32_t number = 0; number < STREAM_NUMBERS; number++) {
		for (uint32_t object = 0; object < STREAM_OBJECTS; object++) {
			const struct stream_shape *shape = stream_find_shape(number, object);
			if (shape &&
				!g_ptr_array_find_with_equal_func(
					names, shape->name, g_str_equal, NULL) &&
				g_hash_table_add(missing, (gpointer)shape->name))
				printf("%-34s the generator does not make it\n", shape->name);
		}
	}
	return g_hash_table_size(missing);
}

static int run_violations(char **argv)
{
	g_autoptr(GPtrArray) names = list_names();
	const char *asked = only;
	struct tally all;
	int status = 0;
	unsigned n_short = 0;
	tally_init(&all);
	print_library();
	printf("%-34s %9s %9s %9s %9s %9s %9s\n", "command", "broken", "refused", "passed",
		"complains", "too slow", "killed");
	for (unsigned i = 0; i < names->len && status == 0; i++) {
		struct tally tally;
		only = names->pdata[i];
		if (asked && strcmp(asked, only))
			continue;
		tally_init(&tally);
		g_autoptr(GArray) jobs = make_jobs();
		status = run_jobs(&tally, jobs, argv);
		print_row(only, &tally);
		n_short += tally.n_run < (unsigned)n_violations;
		tally_add(&all, &tally);
		tally_finish(&tally);
	}
	if (status == 0) {
		print_row("all", &all);
		tally_print_kinds(&all);
		n_short += asked ? 0 : name_missing(names);
		printf("%u commands have fewer than %d\n", n_short, n_violations);
		status = n_short > 0 || all.n_crashed > 0;
	}
	tally_finish(&all);
	return status;
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
	script_init(&script);
	make_script(job, false, &script);
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
	g_autofree char *broken = make_script(job, breaks, &script);
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
	if (n_violations > 0) {
		breaks = checks = TRUE;
		if (!is_child)
			return run_violations(args);
	}
	g_autoptr(GArray) jobs = make_jobs();
	if (show)
		for (unsigned i = 0; i < jobs->len; i++)
			show_job(&g_array_index(jobs, struct job, i));
	else
		return is_child ? run_child(jobs) : run_parent(jobs, args);
	return 0;
}
