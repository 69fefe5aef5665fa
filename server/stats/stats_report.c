/* SPDX-License-Identifier: MIT */
#include "server/stats/stats_report.h"

#include <string.h>

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Gives what was counted since `before`, or everything when there is no before. */
static uint64_t get_growth(const uint64_t *before, uint64_t now)
{
	uint64_t then = before ? *before : 0;
	return now > then ? now - then : 0;
}

static double get_rate(const uint64_t *before, uint64_t now, double interval_s)
{
	return before && interval_s > 0 ? (double)get_growth(before, now) / interval_s : 0;
}

static double get_percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : -1;
}

/* ---- times ---- */

/* Gives the time that `percent` of the entries do not exceed, by proportion inside its bucket. */
static double percentile(const struct stats_times *times, double percent)
{
	double rank = (double)times->n * percent / 100, below = 0;
	g_assert(percent >= 0 && percent <= 100);
	for (unsigned i = 0; i < STATS_BUCKETS; i++) {
		double n = (double)times->buckets[i];
		if (n > 0 && below + n >= rank) {
			double start = (double)stats_bucket_start_us(i);
			double end = (double)stats_bucket_start_us(i + 1);
			return start + (end - start) * MAX(rank - below, 0) / n;
		}
		below += n;
	}
	return 0;
}

static void fill_times(struct stats_times *times, const struct stats_histogram *before,
	const struct stats_histogram *now)
{
	for (unsigned i = 0; i < STATS_BUCKETS; i++) {
		times->buckets[i] =
			get_growth(before ? &before->buckets[i] : NULL, now->buckets[i]);
		times->n = add_saturated(times->n, times->buckets[i]);
	}
	times->sum_us = get_growth(before ? &before->sum_us : NULL, now->sum_us);
	times->p50_us = percentile(times, 50);
	times->p95_us = percentile(times, 95);
	times->p99_us = percentile(times, 99);
}

/* ---- heads ---- */

struct pair {
	const struct stats_snapshot *before, *now; /* before: NULL for none */
	double interval_s;
};

static const struct stats_head *head_of(
	const struct stats_snapshot *snapshot, enum stats_worker worker, unsigned head)
{
	return snapshot ? &stats_snapshot_of(snapshot, worker)->heads[head] : NULL;
}

static void fill_head(struct stats_head_report *report, const struct pair *pair, unsigned head)
{
	uint64_t growth[STATS_COUNTS];
	g_assert(pair->now && head < FRAME_HEADS_MAX);
	report->number = head;
	for (unsigned i = 0; i < STATS_COUNTS; i++) {
		enum stats_worker worker = stats_count_names[i].worker;
		const struct stats_head *was = head_of(pair->before, worker, head);
		const uint64_t *before = was ? &was->counts[i] : NULL;
		report->counts[i] = head_of(pair->now, worker, head)->counts[i];
		report->rates[i] = get_rate(before, report->counts[i], pair->interval_s);
		growth[i] = get_growth(before, report->counts[i]);
	}
	for (unsigned i = 0; i < STATS_GAUGES; i++)
		report->gauges[i] =
			head_of(pair->now, stats_gauge_names[i].worker, head)->gauges[i];
	const struct stats_head *was = head_of(pair->before, STATS_DISPLAY, head);
	const struct stats_head *is = head_of(pair->now, STATS_DISPLAY, head);
	stats_snapshot_text(is->encoder, STATS_ENCODER_BYTES, report->encoder);
	for (unsigned i = 0; i < STATS_STAGES; i++)
		fill_times(&report->stages[i], was ? &was->stages[i] : NULL, &is->stages[i]);
	report->changed_percent =
		get_percent(growth[STATS_CHANGED_PIXELS], growth[STATS_FLUSHED_PIXELS]);
	report->sent_percent = get_percent(growth[STATS_SENT_PIXELS], growth[STATS_FLUSHED_PIXELS]);
}

/* ---- clients ---- */

static void fill_client(
	struct stats_client_report *report, const struct pair *pair, unsigned number)
{
	const struct stats_client *now = &pair->now->display.clients[number];
	const struct stats_client *before = NULL;
	if (pair->before && pair->before->display.clients[number].connected &&
		memcmp(pair->before->display.clients[number].address, now->address,
			sizeof(now->address)) == 0)
		before = &pair->before->display.clients[number];
	report->number = number;
	stats_snapshot_text(now->address, STATS_ADDRESS_BYTES, report->address);
	for (unsigned i = 0; i < STATS_CLIENT_COUNTS; i++) {
		report->counts[i] = now->counts[i];
		report->rates[i] = get_rate(
			before ? &before->counts[i] : NULL, now->counts[i], pair->interval_s);
	}
	memcpy(report->gauges, now->gauges, sizeof(report->gauges));
}

/* ---- guest, door and processes ---- */

static void fill_guest(struct stats_report *report, const struct pair *pair)
{
	for (unsigned i = 0; i < STATS_GUEST_COUNTS; i++) {
		const uint64_t *before = pair->before ? &pair->before->render.guest[i] : NULL;
		report->guest_counts[i] = pair->now->render.guest[i];
		report->guest_rates[i] =
			get_rate(before, report->guest_counts[i], pair->interval_s);
	}
}

static void fill_door(struct stats_report *report, const struct pair *pair)
{
	for (unsigned i = 0; i < STATS_DOOR_COUNTS; i++) {
		const uint64_t *before = pair->before ? &pair->before->display.door[i] : NULL;
		report->door_counts[i] = pair->now->display.door[i];
		report->door_rates[i] = get_rate(before, report->door_counts[i], pair->interval_s);
	}
}

static void fill_process(
	struct stats_process_report *report, const struct pair *pair, enum stats_process process)
{
	const struct stats_process_times *now = &pair->now->processes[process];
	const struct stats_process_times *before =
		pair->before ? &pair->before->processes[process] : NULL;
	report->pid = now->pid;
	report->cpu_s = (double)now->cpu_us / G_USEC_PER_SEC;
	report->cpu_percent = -1;
	if (now->pid && before && before->pid == now->pid &&
		before->start_ticks == now->start_ticks && pair->interval_s > 0)
		report->cpu_percent = get_rate(&before->cpu_us, now->cpu_us, pair->interval_s) *
				      100 / G_USEC_PER_SEC;
}

static bool is_same_keeper(const struct stats_snapshot *a, const struct stats_snapshot *b)
{
	const struct stats_process_times *x = &a->processes[STATS_PROCESS_KEEPER];
	const struct stats_process_times *y = &b->processes[STATS_PROCESS_KEEPER];
	return x->pid == y->pid && x->start_ticks == y->start_ticks;
}

struct stats_report *stats_report_make(
	const struct stats_snapshot *before, const struct stats_snapshot *now)
{
	struct stats_report *report = g_new0(struct stats_report, 1);
	struct pair pair = { .before = before && is_same_keeper(before, now) ? before : NULL,
		.now = now };
	/* Our own clock took both, one after the other; only the rest of them is the workers'. */
	g_assert(!before || before->time_us <= now->time_us);
	if (pair.before)
		pair.interval_s = (double)(now->time_us - before->time_us) / G_USEC_PER_SEC;
	g_strlcpy(report->name, now->name, sizeof(report->name));
	report->interval_s = pair.interval_s;
	report->render_starts = now->render_starts;
	report->display_starts = now->display_starts;
	report->spare = now->spare;
	report->spare_pid = now->spare_pid;
	report->spare_own_kib = now->spare_own_kib;
	fill_guest(report, &pair);
	fill_door(report, &pair);
	for (unsigned i = 0; i < STATS_PROCESSES; i++)
		fill_process(&report->processes[i], &pair, i);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (now->render.heads[i].gauges[STATS_ON])
			fill_head(&report->heads[report->n_heads++], &pair, i);
	}
	for (unsigned i = 0; i < STATS_CLIENTS_MAX; i++) {
		if (now->display.clients[i].connected)
			fill_client(&report->clients[report->n_clients++], &pair, i);
	}
	return report;
}
