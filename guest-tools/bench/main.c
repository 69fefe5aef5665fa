/* SPDX-License-Identifier: MIT */
/* vitrine-guest-bench: how fast this guest's OpenGL is, in figures that can be compared. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "guest-tools/bench/workloads.h"
#include "guest-tools/common/gl.h"
#include "guest-tools/common/json.h"
#include "guest-tools/common/kms.h"
#include "guest-tools/common/text.h"
#include "guest-tools/common/timing.h"

#define BENCH_SCHEMA_VERSION 1
#define RUNS_MAX 20000
#define FLIPS_MAX 2000

struct bench {
	bool json, hands_off;
	double seconds;
	const char *only, *node;
	struct gl gl;
};

struct result {
	bool done;
	double rate, median_ms, p95_ms, worst_ms;
	unsigned n_runs;
	char problem[128];
};

static void summarize(struct result *result, double *times_ms, double per_run)
{
	double sum_ms = 0;
	for (unsigned i = 0; i < result->n_runs; i++)
		sum_ms += times_ms[i];
	timing_sort(times_ms, result->n_runs);
	result->done = result->n_runs > 0 && sum_ms > 0;
	if (!result->done)
		return;
	result->rate = per_run * result->n_runs * 1000.0 / sum_ms;
	result->median_ms = times_ms[result->n_runs / 2];
	result->p95_ms = times_ms[result->n_runs * 95 / 100];
	result->worst_ms = times_ms[result->n_runs - 1];
}

static void run_workload(
	struct bench *bench, const struct workload *workload, struct result *result)
{
	static double times_ms[RUNS_MAX];
	struct gl *gl = &bench->gl;
	if (!workload->set_up(gl)) {
		text_copy(result->problem, sizeof result->problem,
			gl->error[0] ? gl->error : "no set-up");
		workload->tear_down(gl);
		return;
	}
	for (unsigned i = 0; i < 2; i++) { /* shaders, caches */
		workload->run(gl);
		gl->fn.Finish();
	}
	double end_ms = timing_now_ms() + bench->seconds * 1000.0;
	for (double before_ms = timing_now_ms(); before_ms < end_ms && result->n_runs < RUNS_MAX;) {
		workload->run(gl);
		gl->fn.Finish();
		double after_ms = timing_now_ms();
		times_ms[result->n_runs++] = after_ms - before_ms;
		before_ms = after_ms;
	}
	GLenum error = gl->fn.GetError();
	workload->tear_down(gl);
	if (error == GL_NO_ERROR)
		summarize(result, times_ms, workload->per_run);
	else
		snprintf(result->problem, sizeof result->problem, "GL error 0x%04x", error);
}

static int time_flips(struct bench *bench, struct kms *kms, struct result *result)
{
	static double times_ms[FLIPS_MAX];
	double before_ms = 0, end_ms = timing_now_ms() + bench->seconds * 1000.0;
	int rc = kms_make_buffers(kms);
	if (rc == 0)
		rc = kms_light(kms);
	if (rc == 0)
		rc = kms_flip(kms, 1, 5000, &before_ms);
	for (unsigned i = 0; rc == 0 && i < FLIPS_MAX && timing_now_ms() < end_ms; i++) {
		double event_ms = 0;
		rc = kms_flip(kms, i & 1, 5000, &event_ms);
		times_ms[result->n_runs++] = event_ms - before_ms;
		before_ms = event_ms;
	}
	if (rc == 0)
		summarize(result, times_ms, 1);
	return rc;
}

static void run_flips(struct bench *bench, struct result *result)
{
	struct kms kms;
	char card[512];
	int rc = -ENODEV;
	if (bench->hands_off) {
		text_copy(result->problem, sizeof result->problem,
			"asked to keep its hands off the display");
		return;
	}
	if (text_find_path("/dev/dri/card*", card, sizeof card) > 0)
		rc = kms_open(&kms, card);
	if (rc == 0) {
		rc = kms_become_master(&kms);
		if (rc == 0)
			rc = time_flips(bench, &kms, result);
		kms_close(&kms);
	}
	if (rc < 0)
		snprintf(result->problem, sizeof result->problem, "the display is not free: %s",
			strerror(-rc));
}

static void write_result(struct json *json, const char *name, const char *unit, const char *what,
	const struct result *result)
{
	if (!json->file) {
		if (result->done)
			printf("%-10s %12.1f %-12s median %8.2f ms, p95 %8.2f, worst %8.2f, %u "
			       "runs\n",
				name, result->rate, unit, result->median_ms, result->p95_ms,
				result->worst_ms, result->n_runs);
		else
			printf("%-10s skipped: %s\n", name, result->problem);
		fflush(stdout);
		return;
	}
	json_object(json, NULL);
	json_string(json, "name", name);
	json_string(json, "what", what);
	json_string(json, "unit", unit);
	json_number(json, "rate", result->done ? result->rate : NAN);
	json_number(json, "median_ms", result->done ? result->median_ms : NAN);
	json_number(json, "p95_ms", result->done ? result->p95_ms : NAN);
	json_number(json, "worst_ms", result->done ? result->worst_ms : NAN);
	json_integer(json, "runs", result->n_runs);
	json_string(json, "skipped", result->done ? NULL : result->problem);
	json_object_end(json);
}

static bool wanted(const struct bench *bench, const char *name)
{
	size_t length = strlen(name);
	if (!bench->only)
		return true;
	for (const char *at = bench->only; (at = strstr(at, name)); at += length)
		if ((at == bench->only || at[-1] == ',') && (at[length] == 0 || at[length] == ','))
			return true;
	return false;
}

static int run_all(struct bench *bench, struct json *json)
{
	unsigned n_done = 0;
	for (unsigned i = 0; i < workloads_length; i++) {
		struct result result = { .done = false };
		if (!wanted(bench, workloads[i].name))
			continue;
		run_workload(bench, &workloads[i], &result);
		n_done += result.done;
		write_result(
			json, workloads[i].name, workloads[i].unit, workloads[i].what, &result);
	}
	gl_close(&bench->gl);
	if (wanted(bench, "flips")) {
		struct result result = { .done = false };
		run_flips(bench, &result);
		n_done += result.done;
		write_result(json, "flips", "flip/s",
			"page flips in the preferred mode, each waited for", &result);
	}
	return n_done > 0 ? 0 : 3;
}

static int run_json(struct bench *bench)
{
	struct json json = { .file = stdout };
	struct utsname name;
	uname(&name);
	json_object(&json, NULL);
	json_integer(&json, "schema", BENCH_SCHEMA_VERSION);
	json_string(&json, "tool", "vitrine-guest-bench " VITRINE_VERSION);
	json_string(&json, "renderer", bench->gl.renderer);
	json_string(&json, "version",
		bench->gl.desktop_version[0] ? bench->gl.desktop_version : bench->gl.es_version);
	json_string(&json, "kernel", name.release);
	json_number(&json, "seconds_each", bench->seconds);
	json_array(&json, "workloads");
	int status = run_all(bench, &json);
	json_array_end(&json);
	json_object_end(&json);
	return status;
}

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "seconds", required_argument, NULL, 's' },
	{ "only", required_argument, NULL, 'o' },
	{ "node", required_argument, NULL, 'n' },
	{ "hands-off", no_argument, NULL, 'q' },
	{ "list", no_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ 0 },
};

static void answer_at_once(int option)
{
	if (option == 'v')
		puts("vitrine-guest-bench " VITRINE_VERSION);
	for (unsigned i = 0; option == 'l' && i < workloads_length; i++)
		printf("%-10s %s\n", workloads[i].name, workloads[i].what);
	if (option == 'l')
		puts("flips      page flips in the preferred mode, each waited for");
	if (option == 'h')
		puts("Usage: vitrine-guest-bench [OPTION]...\n"
		     "Runs small fixed OpenGL workloads and says how fast they were.\n\n"
		     "  --json        results as JSON (vitrine-guest-bench.schema.json)\n"
		     "  --seconds S   time for each workload, 1 by default\n"
		     "  --only LIST   only these, separated by commas\n"
		     "  --node PATH   a render node other than the first\n"
		     "  --hands-off   do not take the display for page flips\n"
		     "  --list        the workloads\n"
		     "Exit: 0 something was measured, 3 nothing could be, 64 wrong usage.");
	exit(0);
}

static bool parse(int argc, char **argv, struct bench *bench)
{
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'j':
			bench->json = true;
			break;
		case 's':
			bench->seconds = atof(optarg);
			break;
		case 'o':
			bench->only = optarg;
			break;
		case 'n':
			bench->node = optarg;
			break;
		case 'q':
			bench->hands_off = true;
			break;
		case '?':
			return false;
		default:
			answer_at_once(option);
		}
	}
	return optind == argc && bench->seconds > 0;
}

int main(int argc, char **argv)
{
	struct bench bench = { .seconds = 1 };
	char node[512] = "";
	if (!parse(argc, argv, &bench)) {
		fputs("vitrine-guest-bench: see --help\n", stderr);
		return 64;
	}
	if (!bench.node && text_find_path("/dev/dri/renderD*", node, sizeof node) > 0)
		bench.node = node;
	if (!gl_open(&bench.gl, bench.node)) {
		fprintf(stderr, "vitrine-guest-bench: no OpenGL ES: %s\n", bench.gl.error);
		return 3;
	}
	if (bench.json)
		return run_json(&bench);
	struct json none = { .file = NULL };
	printf("%s, %s\n", bench.gl.renderer, bench.gl.es_version);
	return run_all(&bench, &none);
}
