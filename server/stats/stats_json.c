/* SPDX-License-Identifier: MIT */
#include "server/stats/stats_json.h"

#include <json-glib/json-glib.h>

static void add_number(JsonBuilder *b, const char *name, uint64_t value)
{
	json_builder_set_member_name(b, name);
	json_builder_add_int_value(b, value > G_MAXINT64 ? G_MAXINT64 : (gint64)value);
}

static void add_double(JsonBuilder *b, const char *name, double value)
{
	json_builder_set_member_name(b, name);
	json_builder_add_double_value(b, value);
}

/* A figure that is not known is null. */
static void add_share(JsonBuilder *b, const char *name, double value)
{
	json_builder_set_member_name(b, name);
	if (value >= 0)
		json_builder_add_double_value(b, value);
	else
		json_builder_add_null_value(b);
}

static void add_text(JsonBuilder *b, const char *name, const char *text)
{
	json_builder_set_member_name(b, name);
	json_builder_add_string_value(b, text);
}

static void begin_object(JsonBuilder *b, const char *name)
{
	json_builder_set_member_name(b, name);
	json_builder_begin_object(b);
}

static void begin_array(JsonBuilder *b, const char *name)
{
	json_builder_set_member_name(b, name);
	json_builder_begin_array(b);
}

/* A bucket is [from, to, how many]; empty ones are left out. */
static void add_buckets(JsonBuilder *b, const struct stats_times *times)
{
	begin_array(b, "buckets_us");
	for (unsigned i = 0; i < STATS_BUCKETS; i++) {
		if (!times->buckets[i])
			continue;
		json_builder_begin_array(b);
		json_builder_add_int_value(b, (gint64)stats_bucket_start_us(i));
		json_builder_add_int_value(b, (gint64)stats_bucket_start_us(i + 1));
		json_builder_add_int_value(b, (gint64)MIN(times->buckets[i], (uint64_t)G_MAXINT64));
		json_builder_end_array(b);
	}
	json_builder_end_array(b);
}

static void add_times(JsonBuilder *b, const char *name, const struct stats_times *times)
{
	begin_object(b, name);
	add_number(b, "count", times->n);
	add_number(b, "sum_us", times->sum_us);
	add_double(b, "p50_us", times->p50_us);
	add_double(b, "p95_us", times->p95_us);
	add_double(b, "p99_us", times->p99_us);
	add_buckets(b, times);
	json_builder_end_object(b);
}

static void add_head(JsonBuilder *b, const struct stats_head_report *head, bool rates)
{
	json_builder_begin_object(b);
	add_number(b, "head", head->number);
	for (unsigned i = 0; i < STATS_GAUGES; i++)
		add_number(b, stats_gauge_names[i].name, head->gauges[i]);
	add_text(b, "encoder", head->encoder);
	add_share(b, "changed_percent", head->changed_percent);
	add_share(b, "sent_percent", head->sent_percent);
	begin_object(b, "totals");
	for (unsigned i = 0; i < STATS_COUNTS; i++)
		add_number(b, stats_count_names[i].name, head->counts[i]);
	json_builder_end_object(b);
	if (rates) {
		begin_object(b, "per_second");
		for (unsigned i = 0; i < STATS_COUNTS; i++)
			add_double(b, stats_count_names[i].name, head->rates[i]);
		json_builder_end_object(b);
	}
	begin_object(b, "stages");
	for (unsigned i = 0; i < STATS_STAGES; i++)
		add_times(b, stats_stage_names[i], &head->stages[i]);
	json_builder_end_object(b);
	json_builder_end_object(b);
}

static void add_client(JsonBuilder *b, const struct stats_client_report *client, bool rates)
{
	json_builder_begin_object(b);
	add_text(b, "address", client->address);
	for (unsigned i = 0; i < STATS_CLIENT_GAUGES; i++)
		add_number(b, stats_client_gauge_names[i], client->gauges[i]);
	begin_object(b, "totals");
	for (unsigned i = 0; i < STATS_CLIENT_COUNTS; i++)
		add_number(b, stats_client_count_names[i], client->counts[i]);
	json_builder_end_object(b);
	if (rates) {
		begin_object(b, "per_second");
		for (unsigned i = 0; i < STATS_CLIENT_COUNTS; i++)
			add_double(b, stats_client_count_names[i], client->rates[i]);
		json_builder_end_object(b);
	}
	json_builder_end_object(b);
}

static void add_processes(JsonBuilder *b, const struct stats_report *report)
{
	const uint32_t starts[STATS_PROCESSES] = {
		[STATS_PROCESS_KEEPER] = 1,
		[STATS_PROCESS_RENDER] = report->render_starts,
		[STATS_PROCESS_DISPLAY] = report->display_starts,
		[STATS_PROCESS_QEMU] = 1,
	};
	begin_array(b, "processes");
	for (unsigned i = 0; i < STATS_PROCESSES; i++) {
		const struct stats_process_report *process = &report->processes[i];
		if (!process->pid)
			continue;
		json_builder_begin_object(b);
		add_text(b, "name", stats_process_names[i]);
		add_number(b, "pid", (uint64_t)process->pid);
		add_number(b, "starts", starts[i]);
		add_double(b, "cpu_s", process->cpu_s);
		add_share(b, "cpu_percent", process->cpu_percent);
		json_builder_end_object(b);
	}
	json_builder_end_array(b);
}

static void add_spare(JsonBuilder *b, const struct stats_report *report)
{
	begin_object(b, "spare_render");
	add_text(b, "state", stats_spare_names[report->spare]);
	if (report->spare != STATS_SPARE_NONE) {
		add_number(b, "pid", (uint64_t)MAX(report->spare_pid, 0));
		add_number(b, "own_kib", report->spare_own_kib);
	}
	json_builder_end_object(b);
}

struct counts {
	const char *const *names;
	const uint64_t *totals;
	const double *rates; /* NULL: none are known */
	unsigned n;
};

static void add_counts(JsonBuilder *b, const char *name, const struct counts *counts)
{
	begin_object(b, name);
	begin_object(b, "totals");
	for (unsigned i = 0; i < counts->n; i++)
		add_number(b, counts->names[i], counts->totals[i]);
	json_builder_end_object(b);
	if (counts->rates) {
		begin_object(b, "per_second");
		for (unsigned i = 0; i < counts->n; i++)
			add_double(b, counts->names[i], counts->rates[i]);
		json_builder_end_object(b);
	}
	json_builder_end_object(b);
}

static void add_guest(JsonBuilder *b, const struct stats_report *report, bool rates)
{
	const struct counts counts = { stats_guest_count_names, report->guest_counts,
		rates ? report->guest_rates : NULL, STATS_GUEST_COUNTS };
	add_counts(b, "guest", &counts);
}

static void add_door(JsonBuilder *b, const struct stats_report *report, bool rates)
{
	const struct counts counts = { stats_door_count_names, report->door_counts,
		rates ? report->door_rates : NULL, STATS_DOOR_COUNTS };
	add_counts(b, "door", &counts);
}

static void add_desktop(JsonBuilder *b, const struct stats_report *report)
{
	bool rates = report->interval_s > 0;
	g_assert(report->n_heads <= FRAME_HEADS_MAX && report->n_clients <= STATS_CLIENTS_MAX);
	json_builder_begin_object(b);
	add_text(b, "name", report->name);
	add_share(b, "interval_s", rates ? report->interval_s : -1);
	add_processes(b, report);
	add_spare(b, report);
	add_guest(b, report, rates);
	add_door(b, report, rates);
	begin_array(b, "heads");
	for (unsigned i = 0; i < report->n_heads; i++)
		add_head(b, &report->heads[i], rates);
	json_builder_end_array(b);
	begin_array(b, "clients");
	for (unsigned i = 0; i < report->n_clients; i++)
		add_client(b, &report->clients[i], rates);
	json_builder_end_array(b);
	json_builder_end_object(b);
}

char *stats_json_write(const GPtrArray *reports)
{
	g_autoptr(JsonBuilder) b = json_builder_new();
	json_builder_begin_object(b);
	add_number(b, "version", STATS_JSON_VERSION);
	begin_array(b, "desktops");
	for (unsigned i = 0; i < reports->len; i++)
		add_desktop(b, g_ptr_array_index(reports, i));
	json_builder_end_array(b);
	json_builder_end_object(b);
	g_autoptr(JsonNode) root = json_builder_get_root(b);
	g_autofree char *text = json_to_string(root, TRUE);
	return g_strconcat(text, "\n", NULL);
}
