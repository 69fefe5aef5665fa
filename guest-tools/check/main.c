/* SPDX-License-Identifier: MIT */
/* vitrine-guest-check says why a guest is or is not accelerated, and proves it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest-tools/check/bundle.h"
#include "guest-tools/check/report.h"
#include "guest-tools/check/watch.h"

enum option_id {
	OPTION_JSON = 256,
	OPTION_ONLY,
	OPTION_LIST,
	OPTION_EXPLAIN,
	OPTION_WATCH,
	OPTION_SECONDS,
	OPTION_BUNDLE,
	OPTION_REPORT,
	OPTION_REPORT_PORT,
	OPTION_VERDICT,
	OPTION_HANDS_OFF,
	OPTION_COLOR,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "only", required_argument, NULL, OPTION_ONLY },
	{ "list", no_argument, NULL, OPTION_LIST },
	{ "explain", required_argument, NULL, OPTION_EXPLAIN },
	{ "watch", no_argument, NULL, OPTION_WATCH },
	{ "seconds", required_argument, NULL, OPTION_SECONDS },
	{ "bundle", required_argument, NULL, OPTION_BUNDLE },
	{ "report", no_argument, NULL, OPTION_REPORT },
	{ "report-port", required_argument, NULL, OPTION_REPORT_PORT },
	{ "verdict", no_argument, NULL, OPTION_VERDICT },
	{ "hands-off", no_argument, NULL, OPTION_HANDS_OFF },
	{ "color", required_argument, NULL, OPTION_COLOR },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

struct arguments {
	bool json, watch, report, verdict, hands_off, color;
	const char *only, *bundle, *report_port;
	int seconds;
};

static void write_help(FILE *file)
{
	fputs("Usage: vitrine-guest-check [OPTION]...\n"
	      "Says whether this guest's OpenGL is accelerated, and if not, why and how to mend "
	      "it.\n\n"
	      "  --json            the whole result as JSON (vitrine-guest-check.schema.json)\n"
	      "  --verdict         one sentence only\n"
	      "  --only LIST       only these checks or groups, separated by commas\n"
	      "  --list            the checks\n"
	      "  --explain ID      what a check or cause means\n"
	      "  --watch           frames, flips and GPU errors as they happen (more as root)\n"
	      "  --seconds N       end --watch after N seconds\n"
	      "  --bundle FILE     a tar for support, without secrets\n"
	      "  --report          tell the host through port org.vitrine.guest.0, if there\n"
	      "  --report-port DEV the same through this device or file\n"
	      "  --hands-off       never take the display, not even for a moment\n"
	      "  --color WHEN      always, never or auto\n"
	      "Exit: 0 pass, 1 warnings, 2 failures, 3 could not test, 64 wrong usage.\n",
		file);
}

/* Ends the process for options that are answers by themselves. */
static void answer_at_once(int option, const char *value)
{
	if (option == OPTION_HELP)
		write_help(stdout);
	else if (option == OPTION_VERSION)
		puts("vitrine-guest-check " VITRINE_VERSION);
	else if (option == OPTION_LIST)
		report_list(stdout);
	else if (option == OPTION_EXPLAIN && !report_explain(stdout, value)) {
		fprintf(stderr, "vitrine-guest-check: no check or cause '%s'; see --list\n", value);
		exit(64);
	}
	exit(0);
}

static bool only_is_known(const char *only)
{
	char list[512];
	snprintf(list, sizeof list, "%s", only);
	for (char *at = NULL, *word = strtok_r(list, ",", &at); word;
		word = strtok_r(NULL, ",", &at)) {
		bool known = false;
		for (size_t i = 0; check_at(i) && !known; i++)
			known = check_selected(check_at(i)->id, word);
		if (known)
			continue;
		fprintf(stderr, "vitrine-guest-check: --only: no check or group '%s'; see --list\n",
			word);
		return false;
	}
	return true;
}

static bool parse(int argc, char **argv, struct arguments *arguments)
{
	arguments->color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case OPTION_JSON:
			arguments->json = true;
			break;
		case OPTION_ONLY:
			arguments->only = optarg;
			break;
		case OPTION_WATCH:
			arguments->watch = true;
			break;
		case OPTION_SECONDS:
			arguments->seconds = atoi(optarg);
			break;
		case OPTION_BUNDLE:
			arguments->bundle = optarg;
			break;
		case OPTION_REPORT:
			arguments->report = true;
			break;
		case OPTION_REPORT_PORT:
			arguments->report = true;
			arguments->report_port = optarg;
			break;
		case OPTION_VERDICT:
			arguments->verdict = true;
			break;
		case OPTION_HANDS_OFF:
			arguments->hands_off = true;
			break;
		case OPTION_COLOR:
			if (strcmp(optarg, "auto") != 0)
				arguments->color = strcmp(optarg, "always") == 0;
			break;
		case '?':
			return false;
		default:
			answer_at_once(option, optarg);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "vitrine-guest-check: what is '%s'? See --help\n", argv[optind]);
		return false;
	}
	return !arguments->only || only_is_known(arguments->only);
}

static void tell_host(const struct arguments *arguments, const struct check_results *results,
	const struct verdict *verdict)
{
	int rc = report_to_port(arguments->report_port, results, verdict);
	if (rc == -ENODEV)
		return; /* Without the port, the host does not ask. */
	if (rc < 0)
		fprintf(stderr, "vitrine-guest-check: the host was not told: %s\n", strerror(-rc));
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	if (!parse(argc, argv, &arguments))
		return 64;
	if (arguments.watch)
		return watch_run(arguments.seconds);
	struct check_results *results = check_run(arguments.only, arguments.hands_off);
	if (!results) {
		perror("vitrine-guest-check");
		return 3;
	}
	struct verdict verdict;
	verdict_make(results, &verdict);
	if (arguments.report)
		tell_host(&arguments, results, &verdict);
	if (arguments.bundle)
		return bundle_write(arguments.bundle, results, &verdict) ? verdict.exit_status : 3;
	if (arguments.json)
		report_json(stdout, results, &verdict);
	else if (arguments.verdict)
		puts(verdict.sentence);
	else
		report_text(stdout, results, &verdict, arguments.color);
	return verdict.exit_status;
}
