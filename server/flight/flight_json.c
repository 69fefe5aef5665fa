/* SPDX-License-Identifier: MIT */
#include <json-glib/json-glib.h>

#include "protocol/flight_events.h"
#include "server/flight/flight_reader.h"

static void add_number(JsonBuilder *json, const char *name, uint64_t value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_int_value(json, (gint64)MIN(value, (uint64_t)G_MAXINT64));
}

static void add_signed(JsonBuilder *json, const char *name, int64_t value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_int_value(json, value);
}

static void add_text(JsonBuilder *json, const char *name, const char *text)
{
	if (!text[0])
		return;
	json_builder_set_member_name(json, name);
	json_builder_add_string_value(json, text);
}

static void begin_array(JsonBuilder *json, const char *name)
{
	json_builder_set_member_name(json, name);
	json_builder_begin_array(json);
}

static void add_head(JsonBuilder *json, const struct flight_report *report)
{
	const struct flight_head *head = &report->head;
	add_number(json, "version", FLIGHT_JSON_VERSION);
	add_text(json, "desktop", head->desktop);
	add_text(json, "process", flight_process_name(head->process));
	add_signed(json, "pid", head->pid);
	add_number(json, "start", head->n_start);
	add_text(json, "cause", flight_cause_name(report->cause));
	add_text(json, "keepers-cause", flight_cause_name(head->cause));
	add_text(json, "why", head->why);
	if (head->has_wait_status)
		add_signed(json, "wait-status", head->wait_status);
	add_number(json, "was-ready", head->was_ready);
	add_text(json, "at", head->work);
	add_number(json, "context", head->context);
	add_number(json, "for-ns", head->for_ns);
	add_number(json, "realtime-ns", head->realtime_ns);
	add_number(json, "monotonic-ns", head->written_ns);
	add_number(json, "began-ns", head->began_ns);
	add_text(json, "program", head->program);
	add_number(json, "link-version", head->link_version);
	add_text(json, "kernel", head->kernel);
	add_text(json, "gpu", head->gpu);
}

static void add_judgement(JsonBuilder *json, const struct flight_head *head)
{
	if (!(head->judged & FLIGHT_JUDGED))
		return;
	json_builder_set_member_name(json, "judged");
	json_builder_begin_object(json);
	add_number(json, "crashes", head->n_crashes);
	add_number(json, "context-lost", (head->judged & FLIGHT_JUDGED_CONTEXT_LOST) != 0);
	add_number(json, "name-lost", (head->judged & FLIGHT_JUDGED_NAME_LOST) != 0);
	add_number(json, "unseen-lost", (head->judged & FLIGHT_JUDGED_UNSEEN_LOST) != 0);
	add_number(json, "refused-s", head->refused_s);
	add_number(json, "all-refused-s", head->all_refused_s);
	json_builder_end_object(json);
}

static void add_place(JsonBuilder *json, const struct flight_recording *recording, uint64_t address)
{
	g_autoptr(GString) place = g_string_new(NULL);
	flight_recording_add_place(recording, place, address);
	json_builder_add_string_value(json, place->str);
}

static void add_stack(JsonBuilder *json, const struct flight_recording *recording,
	const struct flight_stack *stack)
{
	json_builder_begin_object(json);
	add_text(json, "thread", flight_recording_thread(recording, stack->thread));
	add_text(json, "kind", stack->kind == FLIGHT_STACK_CRASHED ? "crashed" : "asked");
	add_signed(json, "signal", stack->signal_number);
	add_signed(json, "code", stack->signal_code);
	add_number(json, "whole", stack->is_whole != 0);
	json_builder_set_member_name(json, "pc");
	add_place(json, recording, stack->pc);
	begin_array(json, "frames");
	for (unsigned i = 0; i < stack->n_frames; i++)
		add_place(json, recording, stack->frames[i]);
	json_builder_end_array(json);
	json_builder_end_object(json);
}

static void add_entry(JsonBuilder *json, const struct flight_recording *recording,
	const struct flight_entry *entry)
{
	const char *name = flight_entry_name(entry);
	g_autofree char *unknown = name ? NULL : g_strdup_printf("event-%u", entry->event);
	g_autoptr(GString) fields = g_string_new(NULL);
	flight_entry_add_fields(entry, fields);
	json_builder_begin_array(json);
	json_builder_add_int_value(json, (gint64)MIN(entry->time_ns, (uint64_t)G_MAXINT64));
	json_builder_add_string_value(json, flight_recording_thread(recording, entry->thread));
	json_builder_add_string_value(json, name ? name : unknown);
	json_builder_add_string_value(json, fields->str);
	json_builder_end_array(json);
}

static void add_recording(
	JsonBuilder *json, const struct flight_recording *recording, const char *name)
{
	static const char *const names[FLIGHT_TEXTS] = { "program", "driver", "libraries", "said" };
	const struct flight_memory *memory = recording->memory;
	if (!memory)
		return;
	json_builder_set_member_name(json, name);
	json_builder_begin_object(json);
	for (unsigned i = 0; i < FLIGHT_TEXTS; i++)
		add_text(json, names[i], memory->texts[i]);
	add_number(json, "memory-refused", memory->n_refused);
	add_number(json, "events-gone", recording->n_lost);
	add_number(json, "events-torn", recording->n_torn);
	begin_array(json, "stacks");
	for (unsigned i = 0; i < FLIGHT_STACKS_MAX; i++) {
		if (memory->stacks[i].kind != FLIGHT_STACK_NONE)
			add_stack(json, recording, &memory->stacks[i]);
	}
	json_builder_end_array(json);
	begin_array(json, "events");
	for (guint i = 0; i < recording->entries->len; i++)
		add_entry(json, recording,
			&g_array_index(recording->entries, struct flight_entry, i));
	json_builder_end_array(json);
	json_builder_end_object(json);
}

char *flight_json_write(const struct flight_report *report)
{
	g_autoptr(JsonBuilder) json = json_builder_new();
	g_autoptr(JsonGenerator) generator = json_generator_new();
	json_builder_begin_object(json);
	add_head(json, report);
	add_judgement(json, &report->head);
	begin_array(json, "not-read");
	for (guint i = 0; i < report->faults->len; i++)
		json_builder_add_string_value(json, report->faults->pdata[i]);
	json_builder_end_array(json);
	add_recording(json, &report->own, "own");
	add_recording(json, &report->keeper, report->is_by_run ? "run" : "keeper");
	json_builder_end_object(json);
	g_autoptr(JsonNode) root = json_builder_get_root(json);
	json_generator_set_root(generator, root);
	json_generator_set_pretty(generator, TRUE);
	g_autofree char *text = json_generator_to_data(generator, NULL);
	return g_strconcat(text, "\n", NULL);
}
