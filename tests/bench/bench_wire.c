/* SPDX-License-Identifier: MIT */
/*
 * bench-wire measures vitrine-gpu against the distribution's vhost-user-gpu, by the same front end
 * in the same run: five pairs, each in the other order than the one before. It prints medians and
 * ratios of medians.
 *
 * The options are --pairs=N, and --ours to measure only vitrine-gpu.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/measure.h"
#include "tests/bench/samples.h"

#define PAIRS_MAX 50

static const struct {
	const char *name;
	const char *unit;
	double target; /* of ours / stock; 0: none */
	bool more_is_better;
} FIGURE_TABLE[FIGURES] = {
	[FIGURE_EMPTY_P50_US] = { "empty command, p50", "us", 1.05, false },
	[FIGURE_EMPTY_P95_US] = { "empty command, p95", "us", 0, false },
	[FIGURE_EMPTY_CPU_US] = { "empty command, CPU", "us", 0, false },
	[FIGURE_FRAMES_PER_S] = { "2D full frames, 1080p", "/s", 1.5, true },
	[FIGURE_FLIPS_PER_S] = { "2D flips by the guest", "/s", 0, true },
	[FIGURE_FRAME_CPU_MS] = { "2D CPU for each frame", "ms", 0, false },
	[FIGURE_SUBMIT_P50_US] = { "SUBMIT_3D flat out, p50", "us", 0, false },
	[FIGURE_SUBMIT_P95_US] = { "SUBMIT_3D flat out, p95", "us", 0, false },
	[FIGURE_SUBMIT_CPU_US] = { "SUBMIT_3D flat out, CPU", "us", 0, false },
	[FIGURE_PACED_P50_US] = { "SUBMIT_3D at 60/s, p50", "us", 1.05, false },
	[FIGURE_PACED_P95_US] = { "SUBMIT_3D at 60/s, p95", "us", 0, false },
};

static double median(const struct figures *runs, unsigned n, unsigned figure)
{
	struct samples samples = { 0 };
	for (unsigned i = 0; i < n; i++)
		samples_add(&samples, runs[i].values[figure]);
	double value = samples_quantile(&samples, 0.5);
	samples_finish(&samples);
	return value;
}

static void print_runs(const char *name, const struct figures *runs, unsigned n, unsigned figure)
{
	printf("    %-6s", name);
	for (unsigned i = 0; i < n; i++)
		printf(" %9.3f", runs[i].values[figure]);
	printf("\n");
}

/* Returns the number of targets missed. */
static unsigned print_table(const struct figures *ours, const struct figures *stock, unsigned n)
{
	unsigned missed = 0;
	printf("%-26s %12s %12s %8s  %s\n", "", "ours", "stock", "ratio", "target");
	for (unsigned f = 0; f < FIGURES; f++) {
		double a = median(ours, n, f), b = median(stock, n, f), ratio = b > 0 ? a / b : 0;
		double target = FIGURE_TABLE[f].target;
		printf("%-26s %9.3f %-2s %9.3f %-2s", FIGURE_TABLE[f].name, a, FIGURE_TABLE[f].unit,
			b, FIGURE_TABLE[f].unit);
		printf(" %8.3f", ratio);
		if (target > 0 && b > 0) {
			bool met =
				FIGURE_TABLE[f].more_is_better ? ratio >= target : ratio <= target;
			printf("  %s %.2f: %s",
				FIGURE_TABLE[f].more_is_better ? ">=" : "<=", target,
				met ? "met" : "MISSED");
			missed += !met;
		}
		printf("\n");
	}
	printf("\nsingle runs\n");
	for (unsigned f = 0; f < FIGURES; f++) {
		printf("  %s\n", FIGURE_TABLE[f].name);
		print_runs("ours", ours, n, f);
		print_runs("stock", stock, n, f);
	}
	return missed;
}

int main(int argc, char **argv)
{
	static struct figures ours[PAIRS_MAX], stock[PAIRS_MAX];
	unsigned pairs = 5;
	bool only_ours = false;
	for (int i = 1; i < argc; i++) {
		if (g_str_has_prefix(argv[i], "--pairs="))
			pairs = (unsigned)CLAMP(atoi(argv[i] + 8), 1, PAIRS_MAX);
		else if (!strcmp(argv[i], "--ours"))
			only_ours = true;
	}
	argc = 1;
	wire_init(&argc, &argv);
	if (!only_ours && !wire_stock()) {
		printf("no vhost-user-gpu of QEMU here (package qemu-system-gui)\n");
		return 77;
	}
	for (unsigned i = 0; i < pairs; i++) {
		for (unsigned k = 0; k < 2; k++) {
			bool is_ours = (i + k) % 2;
			if (is_ours)
				measure(true, &ours[i]);
			else if (!only_ours)
				measure(false, &stock[i]);
		}
		fprintf(stderr, "pair %u of %u\n", i + 1, pairs);
	}
	unsigned missed = print_table(ours, stock, pairs);
	printf("\n%u target%s missed\n", missed, missed == 1 ? "" : "s");
	return missed ? 1 : 0;
}
