/* SPDX-License-Identifier: MIT */
/* vitrine-guest-bench says how fast this guest's OpenGL is, in figures that can be compared. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "guest-tools/bench/measure.h"
#include "guest-tools/bench/workloads.h"
#include "guest-tools/common/gl.h"
#include "guest-tools/common/json.h"
#include "guest-tools/common/text.h"

#define BENCH_SCHEMA_VERSION 1

struct bench {
	bool json, hands_off;
	double seconds;
	const char *only, *node;
	struct gl gl;
};

static void write_measurement(struct json *json, const char *name, const char *unit,
	const char *what, const struct measurement *measurement)
{
	if (!json->file) {
		if (measurement->done)
			printf("%-10s %12.1f %-12s median %8.2f ms, p95 %8.2f, worst %8.2f, %u "
			       "runs\n",
				name, measurement->rate, unit, measurement->median_ms,
				measurement->p95_ms, measurement->worst_ms, measurement->n_runs);
		else
			printf("%-10s skipped: %s\n", name, measurement->problem);
		fflush(stdout);
		return;
	}
	json_object(json, NULL);
	json_string(json, "name", name);
	json_string(json, "what", what);
	json_string(json, "unit", unit);
	json_number(json, "rate", measurement->done ? measurement->rate : NAN);
	json_number(json, "median_ms", measurement->done ? measurement->median_ms : NAN);
	json_number(json, "p95_ms", measurement->done ? measurement->p95_ms : NAN);
	json_number(json, "worst_ms", measurement->done ? measurement->worst_ms : NAN);
	json_integer(json, "runs", measurement->n_runs);
	json_string(json, "skipped", measurement->done ? NULL : measurement->problem);
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
		struct measurement measurement = { .done = false };
		if (!wanted(bench, workloads[i].name))
			continue;
		measure_workload(&bench->gl, &workloads[i], bench->seconds, &measurement);
		n_done += measurement.done;
		write_measurement(json, workloads[i].name, workloads[i].unit, workloads[i].what,
			&measurement);
	}
	gl_close(&bench->gl);
	if (wanted(bench, "flips")) {
		struct measurement measurement = { .done = false };
		if (bench->hands_off)
			text_copy(measurement.problem, sizeof measurement.problem,
				"asked to keep its hands off the display");
		else
			measure_flips(bench->seconds, &measurement);
		n_done += measurement.done;
		write_measurement(json, "flips", "flip/s",
			"page flips in the preferred mode, each waited for", &measurement);
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
