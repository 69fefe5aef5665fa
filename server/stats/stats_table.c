/* SPDX-License-Identifier: MIT */
#include "server/stats/stats_table.h"

/*
 * A larger number is cut to this, so that one that a worker made up does not push the others out of
 * their columns.
 */
#define SHOWN_MAX 99999.0

static double shown(double value)
{
	return MIN(value, SHOWN_MAX);
}

static const char *const stage_titles[STATS_STAGES] = { "PICTURE ms", "ENCODE ms", "WIRE ms",
	"ALL ms" };

static bool is_shown(unsigned stage, bool wide)
{
	return wide || stage == STATS_FLUSH_TO_WIRE;
}

void stats_table_add_heading(GString *text, bool wide)
{
	g_string_append_printf(text, "%-14s %4s %-9s %6s %6s %5s %4s %-10s", "DESKTOP", "HEAD",
		"SIZE", "FLUSH", "SENT", "DROP", "DMG%", "ENCODER");
	for (unsigned i = 0; i < STATS_STAGES; i++) {
		if (is_shown(i, wide))
			g_string_append_printf(text, " %12s", stage_titles[i]);
	}
	g_string_append_printf(
		text, " %7s %6s %-15s %s\n", "MBIT/S", "RTT ms", "CPU% g/r/d/q", "CLIENT");
}

/* Adds "p50/p95" in milliseconds. */
static void add_times(GString *text, const struct stats_times *times)
{
	char both[32] = "-";
	if (times->n > 0)
		g_snprintf(both, sizeof(both), "%.1f/%.1f", shown(times->p50_us / 1000),
			shown(times->p95_us / 1000));
	g_string_append_printf(text, " %12s", both);
}

static void add_cpu(GString *text, const struct stats_report *report)
{
	g_autoptr(GString) cpu = g_string_new(NULL);
	for (unsigned i = 0; i < STATS_PROCESSES; i++) {
		double percent = report->processes[i].cpu_percent;
		g_string_append(cpu, i ? "/" : "");
		if (percent < 0)
			g_string_append_c(cpu, '-');
		else
			g_string_append_printf(cpu, "%.0f", shown(percent));
	}
	g_string_append_printf(text, " %-15s", cpu->str);
}

static double sum_of_clients(const struct stats_report *report)
{
	double bytes_per_s = 0;
	for (unsigned i = 0; i < report->n_clients; i++)
		bytes_per_s += report->clients[i].rates[STATS_CLIENT_SENT_BYTES];
	return bytes_per_s;
}

/* What belongs to the desktop stands on the line of its first head. */
static void add_desktop_columns(
	GString *text, const struct stats_report *report, double bytes_per_s)
{
	const struct stats_client_report *client = report->n_clients ? &report->clients[0] : NULL;
	g_string_append_printf(text, " %7.2f", shown(bytes_per_s * 8 / 1e6));
	if (client)
		g_string_append_printf(text, " %6.1f",
			shown((double)client->gauges[STATS_CLIENT_ROUND_TRIP_US] / 1000));
	else
		g_string_append_printf(text, " %6s", "-");
	add_cpu(text, report);
	g_string_append_printf(text, " %s", client ? client->address : "-");
	if (report->n_clients > 1)
		g_string_append_printf(text, " +%u", report->n_clients - 1);
	g_string_append_c(text, '\n');
}

static void add_head(GString *text, const struct stats_report *report, unsigned index, bool wide)
{
	const struct stats_head_report *head = &report->heads[index];
	g_assert(index < report->n_heads);
	g_autofree char *size =
		g_strdup_printf("%ux%u", (unsigned)MIN(head->gauges[STATS_WIDTH], FRAME_SIZE_MAX),
			(unsigned)MIN(head->gauges[STATS_HEIGHT], FRAME_SIZE_MAX));
	double sent = head->rates[STATS_FRAMES_SENT] - head->rates[STATS_FRAMES_SUPERSEDED];
	double dropped = head->rates[STATS_FRAMES_MERGED] + head->rates[STATS_FRAMES_SUPERSEDED];
	g_string_append_printf(text, "%-14.14s %4u %-9s %6.1f %6.1f %5.1f",
		index ? "" : report->name, head->number, size,
		shown(head->rates[STATS_FRAMES_FLUSHED]), shown(MAX(sent, 0)), shown(dropped));
	if (head->sent_percent >= 0)
		g_string_append_printf(text, " %4.0f", shown(head->sent_percent));
	else
		g_string_append_printf(text, " %4s", "-");
	g_string_append_printf(text, " %-10.10s", *head->encoder ? head->encoder : "-");
	for (unsigned i = 0; i < STATS_STAGES; i++) {
		if (is_shown(i, wide))
			add_times(text, &head->stages[i]);
	}
	double bytes_per_s = head->rates[STATS_SENT_BYTES];
	if (index == 0)
		add_desktop_columns(text, report,
			head->counts[STATS_SENT_BYTES] ? bytes_per_s : sum_of_clients(report));
	else
		g_string_append_printf(text, " %7.2f\n", shown(bytes_per_s * 8 / 1e6));
}

static void add_headless(GString *text, const struct stats_report *report, bool wide)
{
	g_string_append_printf(text, "%-14.14s %4s %-9s %6s %6s %5s %4s %-10s", report->name, "-",
		"off", "-", "-", "-", "-", "-");
	for (unsigned i = 0; i < STATS_STAGES; i++) {
		if (is_shown(i, wide))
			g_string_append_printf(text, " %12s", "-");
	}
	add_desktop_columns(text, report, sum_of_clients(report));
}

void stats_table_add(GString *text, const struct stats_report *report, bool wide)
{
	g_assert(report->n_heads <= FRAME_HEADS_MAX && report->n_clients <= STATS_CLIENTS_MAX);
	for (unsigned i = 0; i < report->n_heads; i++)
		add_head(text, report, i, wide);
	if (report->n_heads == 0)
		add_headless(text, report, wide);
}

/* ---- the list ---- */

static void list_head(
	GString *text, const struct stats_report *report, const struct stats_head_report *head)
{
	g_autofree char *prefix = g_strdup_printf("%s head %u", report->name, head->number);
	for (unsigned i = 0; i < STATS_GAUGES; i++)
		g_string_append_printf(text, "%s %s %" G_GUINT64_FORMAT "\n", prefix,
			stats_gauge_names[i].name, head->gauges[i]);
	g_string_append_printf(
		text, "%s encoder %s\n", prefix, *head->encoder ? head->encoder : "-");
	for (unsigned i = 0; i < STATS_COUNTS; i++) {
		g_string_append_printf(text, "%s %s %" G_GUINT64_FORMAT, prefix,
			stats_count_names[i].name, head->counts[i]);
		if (report->interval_s > 0)
			g_string_append_printf(text, " %.2f/s", head->rates[i]);
		g_string_append_c(text, '\n');
	}
	for (unsigned i = 0; i < STATS_STAGES; i++) {
		const struct stats_times *times = &head->stages[i];
		g_string_append_printf(text,
			"%s %s n %" G_GUINT64_FORMAT " p50 %.0f p95 %.0f p99 %.0f\n", prefix,
			stats_stage_names[i], times->n, times->p50_us, times->p95_us,
			times->p99_us);
	}
}

static void list_client(
	GString *text, const struct stats_report *report, const struct stats_client_report *client)
{
	g_autofree char *prefix = g_strdup_printf("%s client %u", report->name, client->number);
	g_string_append_printf(text, "%s address %s\n", prefix, client->address);
	for (unsigned i = 0; i < STATS_CLIENT_COUNTS; i++) {
		g_string_append_printf(text, "%s %s %" G_GUINT64_FORMAT, prefix,
			stats_client_count_names[i], client->counts[i]);
		if (report->interval_s > 0)
			g_string_append_printf(text, " %.2f/s", client->rates[i]);
		g_string_append_c(text, '\n');
	}
	for (unsigned i = 0; i < STATS_CLIENT_GAUGES; i++)
		g_string_append_printf(text, "%s %s %" G_GUINT64_FORMAT "\n", prefix,
			stats_client_gauge_names[i], client->gauges[i]);
}

static void list_guest(GString *text, const struct stats_report *report)
{
	for (unsigned i = 0; i < STATS_GUEST_COUNTS; i++) {
		g_string_append_printf(text, "%s guest %s %" G_GUINT64_FORMAT, report->name,
			stats_guest_count_names[i], report->guest_counts[i]);
		if (report->interval_s > 0)
			g_string_append_printf(text, " %.2f/s", report->guest_rates[i]);
		g_string_append_c(text, '\n');
	}
}

static void list_door(GString *text, const struct stats_report *report)
{
	for (unsigned i = 0; i < STATS_DOOR_COUNTS; i++) {
		g_string_append_printf(text, "%s door %s %" G_GUINT64_FORMAT, report->name,
			stats_door_count_names[i], report->door_counts[i]);
		if (report->interval_s > 0)
			g_string_append_printf(text, " %.2f/s", report->door_rates[i]);
		g_string_append_c(text, '\n');
	}
}

void stats_table_add_list(GString *text, const struct stats_report *report)
{
	for (unsigned i = 0; i < STATS_PROCESSES; i++) {
		const struct stats_process_report *process = &report->processes[i];
		if (!process->pid)
			continue;
		g_string_append_printf(text, "%s process %s pid %d cpu_s %.2f", report->name,
			stats_process_names[i], process->pid, process->cpu_s);
		if (process->cpu_percent >= 0)
			g_string_append_printf(text, " cpu_percent %.1f", process->cpu_percent);
		g_string_append_c(text, '\n');
	}
	list_guest(text, report);
	list_door(text, report);
	for (unsigned i = 0; i < report->n_heads; i++)
		list_head(text, report, &report->heads[i]);
	for (unsigned i = 0; i < report->n_clients; i++)
		list_client(text, report, &report->clients[i]);
}
