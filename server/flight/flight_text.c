/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "common/monotonic.h"
#include "common/process.h"
#include "protocol/flight_events.h"
#include "server/flight/flight_reader.h"

static void add_time(GString *text, uint64_t realtime_ns)
{
	g_autoptr(GDateTime) time =
		g_date_time_new_from_unix_utc((gint64)(realtime_ns / MONOTONIC_NS_PER_S));
	g_autofree char *words = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
	g_string_append(text, words ? words : "?");
}

static void add_line(GString *text, const char *name, const char *words)
{
	if (words[0])
		g_string_append_printf(text, "  %-10s %s\n", name, words);
}

static void add_judgement(GString *text, const struct flight_head *head)
{
	if (!(head->judged & FLIGHT_JUDGED))
		return;
	g_string_append_printf(
		text, "  judged     context %u, time %u of late", head->context, head->n_crashes);
	if (head->judged & FLIGHT_JUDGED_CONTEXT_LOST)
		g_string_append(text, "; the context is lost");
	if (head->judged & FLIGHT_JUDGED_NAME_LOST)
		g_string_append(text, "; all of its name are lost");
	if (head->judged & FLIGHT_JUDGED_UNSEEN_LOST)
		g_string_append(text, "; all are lost that no head has shown");
	if (head->refused_s)
		g_string_append_printf(text, "; its name is refused for %u s", head->refused_s);
	if (head->all_refused_s)
		g_string_append_printf(text, "; all are refused for %u s", head->all_refused_s);
	g_string_append_c(text, '\n');
}

static void add_head(GString *text, const struct flight_report *report)
{
	const struct flight_head *head = &report->head;
	g_string_append_printf(text, "%s (pid %d) of %s, ", flight_process_name(head->process),
		head->pid, head->desktop[0] ? head->desktop : "a desktop without a name");
	add_time(text, head->realtime_ns);
	g_string_append_printf(text, "\n  cause      %s: %s\n", flight_cause_name(report->cause),
		flight_cause_phrase(report->cause));
	add_line(text, "why", head->why);
	if (head->has_wait_status) {
		g_autofree char *end = process_describe_end(head->wait_status);
		add_line(text, "end", end);
	}
	add_line(text, "at", head->work);
	if (head->for_ns)
		g_string_append_printf(text, "  for        %.1f s\n", (double)head->for_ns / 1e9);
	add_judgement(text, head);
	if (head->written_ns >= head->began_ns && head->began_ns)
		g_string_append_printf(text, "  lived      %.3f s, start %u\n",
			(double)(head->written_ns - head->began_ns) / 1e9, head->n_start);
	add_line(text, "program", head->program);
	add_line(text, "kernel", head->kernel);
	add_line(text, "gpu", head->gpu);
}

static void add_stack(
	GString *text, const struct flight_recording *recording, const struct flight_stack *stack)
{
	g_string_append_printf(text, "  stack of thread %s, %s",
		flight_recording_thread(recording, stack->thread),
		stack->kind == FLIGHT_STACK_CRASHED ? "which crashed" : "when it was asked");
	if (stack->kind == FLIGHT_STACK_CRASHED) {
		g_string_append_printf(
			text, " by signal %d (code %d)", stack->signal_number, stack->signal_code);
		if (stack->signal_code > 0)
			g_string_append_printf(
				text, " at 0x%" G_GINT64_MODIFIER "x", stack->address);
	}
	g_string_append(text, stack->is_whole ? "\n" : ", which could not be followed\n");
	if (stack->n_frames == 0) {
		g_string_append(text, "    ");
		flight_recording_add_place(recording, text, stack->pc);
		g_string_append_c(text, '\n');
	}
	for (unsigned i = 0; i < stack->n_frames; i++) {
		g_string_append(text, "    ");
		flight_recording_add_place(recording, text, stack->frames[i]);
		g_string_append_c(text, '\n');
	}
}

/* Times are before the file was written, so that those of two processes can be compared. */
static void add_entry(GString *text, const struct flight_report *report,
	const struct flight_recording *recording, const struct flight_entry *entry)
{
	const char *name = flight_entry_name(entry);
	double before_s = (double)(int64_t)(entry->time_ns - report->head.written_ns) / 1e9;
	g_autofree char *unknown = name ? NULL : g_strdup_printf("event-%u", entry->event);
	g_string_append_printf(text, "  %+13.6f %-11s %-15s ", before_s,
		flight_recording_thread(recording, entry->thread), name ? name : unknown);
	flight_entry_add_fields(entry, text);
	g_string_append_c(text, '\n');
}

static void add_recording(GString *text, const struct flight_report *report,
	const struct flight_recording *recording, const char *title)
{
	static const char *const names[FLIGHT_TEXTS] = { "program", "driver", "libraries", "said" };
	const struct flight_memory *memory = recording->memory;
	if (!memory)
		return;
	g_string_append_printf(text, "\n%s\n", title);
	for (unsigned i = 0; i < FLIGHT_TEXTS; i++)
		add_line(text, names[i], memory->texts[i]);
	if (memory->n_refused)
		g_string_append_printf(text,
			"  refused    %" G_GUINT64_FORMAT
			" times memory, at last %" G_GUINT64_FORMAT " bytes\n",
			memory->n_refused, memory->refused_bytes);
	for (unsigned i = 0; i < FLIGHT_STACKS_MAX; i++) {
		if (memory->stacks[i].kind != FLIGHT_STACK_NONE)
			add_stack(text, recording, &memory->stacks[i]);
	}
	if (recording->n_lost)
		g_string_append_printf(
			text, "  %" G_GUINT64_FORMAT " older events are gone\n", recording->n_lost);
	if (recording->n_torn)
		g_string_append_printf(text, "  %u events are not whole\n", recording->n_torn);
	for (guint i = 0; i < recording->entries->len; i++)
		add_entry(text, report, recording,
			&g_array_index(recording->entries, struct flight_entry, i));
}

static char *describe_loop(unsigned loop)
{
	static const char *const names[HEARTBEAT_SPICE] = { [HEARTBEAT_MAIN] = "main",
		[HEARTBEAT_GPU] = "gpu",
		[HEARTBEAT_GPU_WORK] = "the GPU",
		[HEARTBEAT_RELAY] = "relay" };
	return loop < HEARTBEAT_SPICE ? g_strdup(names[loop]) :
					g_strdup_printf("head %u", loop - HEARTBEAT_SPICE);
}

static void add_beats(GString *text, const struct flight_report *report)
{
	static const char *const states[] = { "unused", "idle", "starting", "working" };
	if (!report->heartbeat)
		return;
	g_string_append(text, "\nwhat its loops were at\n");
	for (unsigned i = 0; i < HEARTBEAT_LOOPS; i++) {
		const struct heartbeat_beat *beat = &report->heartbeat->beats[i];
		if (beat->state == HEARTBEAT_UNUSED || beat->state > HEARTBEAT_WORKING)
			continue;
		double since_s = (double)(int64_t)(beat->since_ns - report->head.written_ns) / 1e9;
		g_autofree char *loop = describe_loop(i);
		g_string_append_printf(text, "  %+13.6f %-8s %-8s %s", since_s, loop,
			states[beat->state], (const char *)beat->text);
		if (beat->context != 0)
			g_string_append_printf(text, " of context %u", beat->context);
		g_string_append_c(text, '\n');
	}
}

char *flight_text_write(const struct flight_report *report)
{
	GString *text = g_string_new(NULL);
	add_head(text, report);
	for (guint i = 0; i < report->faults->len; i++)
		g_string_append_printf(
			text, "  not read   %s\n", (const char *)report->faults->pdata[i]);
	add_beats(text, report);
	add_recording(text, report, &report->own, "what it did");
	add_recording(text, report, &report->keeper,
		report->is_by_run ? "what vitrine run did" : "what the keeper did");
	return g_string_free(text, FALSE);
}
