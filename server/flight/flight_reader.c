/* SPDX-License-Identifier: MIT */
#include "server/flight/flight_reader.h"

#include <gio/gio.h>
#include <signal.h>
#include <string.h>

#include "common/monotonic.h"
#include "protocol/flight_events.h"

/* Memory that was refused this long before the end is what ended it, if it crashed. */
#define REFUSED_BEFORE_NS MONOTONIC_NS_PER_S

static void clean(char *text, size_t size_bytes)
{
	text[size_bytes - 1] = '\0';
	for (char *c = text; *c; c++)
		*c = g_ascii_isprint(*c) ? *c : '?';
}

static void add_fault(struct flight_report *report, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_fault(struct flight_report *report, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_ptr_array_add(report->faults, g_strdup_vprintf(format, args));
	va_end(args);
}

/* ---- the head ---- */

static void clean_head(struct flight_head *head)
{
	clean(head->desktop, sizeof(head->desktop));
	clean(head->program, sizeof(head->program));
	clean(head->kernel, sizeof(head->kernel));
	clean(head->work, sizeof(head->work));
	clean(head->why, sizeof(head->why));
	clean(head->gpu, sizeof(head->gpu));
	if (head->cause >= FLIGHT_CAUSES)
		head->cause = FLIGHT_CAUSE_UNKNOWN;
	if (head->process >= FLIGHT_PROCESSES)
		head->process = FLIGHT_PROCESS_NONE;
}

static bool read_head(
	struct flight_head *head, const void *bytes, size_t size_bytes, GError **error)
{
	const char *why = NULL;
	if (size_bytes < sizeof(*head)) {
		why = size_bytes == 0 ? "nothing is in it" : "it is too short";
	} else {
		memcpy(head, bytes, sizeof(*head));
		if (head->magic != FLIGHT_FILE_MAGIC)
			why = "it is no flight file";
		else if (head->version != FLIGHT_FILE_VERSION)
			why = "it is of another version";
	}
	if (!why) {
		clean_head(head);
		return true;
	}
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s", why);
	return false;
}

/* ---- sections ---- */

/* Gives a copy as large as it should be, with zeros where the file ends sooner; NULL: none. */
static void *copy_section(struct flight_report *report, enum flight_section_kind kind,
	const char *bytes, size_t size_bytes, size_t wanted_bytes)
{
	for (unsigned i = 0; i < FLIGHT_SECTIONS_MAX; i++) {
		const struct flight_section *section = &report->head.sections[i];
		if (section->kind != (uint32_t)kind)
			continue;
		if (section->size_bytes != wanted_bytes) {
			add_fault(report, "section %u has %u bytes, and not %zu", i,
				section->size_bytes, wanted_bytes);
			return NULL;
		}
		uint64_t left_bytes =
			section->offset_bytes < size_bytes ? size_bytes - section->offset_bytes : 0;
		char *copy = g_malloc0(wanted_bytes);
		if (left_bytes > 0)
			memcpy(copy, bytes + section->offset_bytes, MIN(left_bytes, wanted_bytes));
		if (left_bytes < wanted_bytes)
			add_fault(report, "section %u is cut off", i);
		return copy;
	}
	return NULL;
}

static bool has_section(const struct flight_head *head, enum flight_section_kind kind)
{
	for (unsigned i = 0; i < FLIGHT_SECTIONS_MAX; i++) {
		if (head->sections[i].kind == (uint32_t)kind)
			return true;
	}
	return false;
}

static int compare_times(gconstpointer a, gconstpointer b)
{
	const struct flight_entry *one = a, *other = b;
	return one->time_ns < other->time_ns ? -1 : one->time_ns > other->time_ns;
}

/*
 * An event is whole if its serial is the last that its place can have had. One that was begun when
 * the process died has the serial of the one before it there.
 */
static void read_ring(struct flight_recording *recording, const struct flight_event *ring,
	unsigned n_places, uint64_t count)
{
	uint64_t n = MIN(count, n_places);
	recording->n_lost += count - n;
	for (uint64_t serial = count - n; serial < count; serial++) {
		const struct flight_event *event = &ring[serial % n_places];
		if ((uint32_t)(event->tag >> 32) != (uint32_t)(serial + 1)) {
			recording->n_torn++;
			continue;
		}
		struct flight_entry entry = { .time_ns = event->time_ns,
			.event = (uint16_t)event->tag,
			.thread = (uint16_t)(event->tag >> 16) };
		memcpy(entry.args, event->args, sizeof(entry.args));
		g_array_append_val(recording->entries, entry);
	}
}

static void clean_memory(struct flight_memory *memory)
{
	for (unsigned i = 0; i < FLIGHT_THREADS_MAX; i++)
		clean(memory->threads[i].name, FLIGHT_THREAD_BYTES);
	for (unsigned i = 0; i < FLIGHT_TEXTS; i++)
		clean(memory->texts[i], FLIGHT_TEXT_BYTES);
	for (unsigned i = 0; i < FLIGHT_MODULES_MAX; i++)
		clean(memory->modules[i].name, FLIGHT_MODULE_BYTES);
	memory->n_modules = MIN(memory->n_modules, FLIGHT_MODULES_MAX);
	memory->n_threads = MIN(memory->n_threads, FLIGHT_THREADS_MAX);
	for (unsigned i = 0; i < FLIGHT_STACKS_MAX; i++) {
		struct flight_stack *stack = &memory->stacks[i];
		stack->n_frames = MIN(stack->n_frames, FLIGHT_FRAMES_MAX);
		if (stack->kind > FLIGHT_STACK_ASKED)
			stack->kind = FLIGHT_STACK_NONE;
	}
}

static void read_recording(struct flight_report *report, struct flight_recording *recording,
	enum flight_section_kind kind, const void *bytes, size_t size_bytes)
{
	recording->entries = g_array_new(FALSE, FALSE, sizeof(struct flight_entry));
	struct flight_memory *memory =
		copy_section(report, kind, bytes, size_bytes, sizeof(struct flight_memory));
	if (!memory)
		return;
	if (memory->magic != FLIGHT_MAGIC || memory->version != FLIGHT_VERSION) {
		add_fault(report, "a recording has another beginning than ours have");
		g_free(memory);
		return;
	}
	clean_memory(memory);
	recording->memory = memory;
	read_ring(recording, memory->rare, FLIGHT_RARE_MAX, memory->n_rare);
	read_ring(recording, memory->often, FLIGHT_OFTEN_MAX, memory->n_often);
	g_array_sort(recording->entries, compare_times);
}

static void read_heartbeat(struct flight_report *report, const void *bytes, size_t size_bytes)
{
	struct heartbeat *heartbeat = copy_section(
		report, FLIGHT_SECTION_HEARTBEAT, bytes, size_bytes, sizeof(struct heartbeat));
	if (heartbeat && heartbeat->version != HEARTBEAT_VERSION) {
		add_fault(report, "the heartbeat is of another version");
		g_clear_pointer(&heartbeat, g_free);
	}
	for (unsigned i = 0; heartbeat && i < HEARTBEAT_LOOPS; i++)
		clean((char *)heartbeat->beats[i].text, HEARTBEAT_TEXT_BYTES);
	report->heartbeat = heartbeat;
}

/* ---- what it comes to ---- */

static bool is_crash(enum flight_cause cause)
{
	return cause == FLIGHT_CAUSE_SEGV || cause == FLIGHT_CAUSE_ABORT ||
	       cause == FLIGHT_CAUSE_BUS || cause == FLIGHT_CAUSE_EXIT;
}

static bool was_refused_memory(const struct flight_report *report)
{
	const struct flight_memory *memory = report->own.memory;
	if (!memory || memory->n_refused == 0)
		return false;
	uint64_t end_ns = report->head.written_ns;
	return memory->refused_ns <= end_ns && end_ns - memory->refused_ns < REFUSED_BEFORE_NS;
}

/* What a keeper's own handler has written, since nobody else tells of its end. */
static enum flight_cause find_own_crash(const struct flight_memory *memory)
{
	for (unsigned i = 0; memory && i < FLIGHT_STACKS_MAX; i++) {
		if (memory->stacks[i].kind == FLIGHT_STACK_CRASHED)
			return flight_cause_of_end(memory->stacks[i].signal_number & 0x7f);
	}
	return FLIGHT_CAUSE_KILLED;
}

static enum flight_cause find_cause(const struct flight_report *report, bool in_use)
{
	enum flight_cause cause = report->head.cause;
	if (cause == FLIGHT_CAUSE_RUNNING && !in_use)
		return find_own_crash(report->own.memory);
	return is_crash(cause) && was_refused_memory(report) ? FLIGHT_CAUSE_OUT_OF_MEMORY : cause;
}

/* Of who could not say when it ended the last words are the latest that is known. */
static void find_time(struct flight_report *report)
{
	struct flight_head *head = &report->head;
	const GArray *entries = report->own.entries;
	if (head->cause != FLIGHT_CAUSE_RUNNING || entries->len == 0)
		return;
	uint64_t last_ns = g_array_index(entries, struct flight_entry, entries->len - 1).time_ns;
	if (last_ns <= head->written_ns)
		return;
	head->realtime_ns += last_ns - head->written_ns;
	head->written_ns = last_ns;
}

struct flight_report *flight_report_read(
	const void *bytes, size_t size_bytes, bool in_use, GError **error)
{
	struct flight_head head;
	if (!read_head(&head, bytes, size_bytes, error))
		return NULL;
	struct flight_report *report = g_new0(struct flight_report, 1);
	report->head = head;
	report->faults = g_ptr_array_new_with_free_func(g_free);
	if (head.size_bytes > size_bytes)
		add_fault(report, "the file has %zu bytes of %u", size_bytes, head.size_bytes);
	read_recording(report, &report->own, FLIGHT_SECTION_FLIGHT, bytes, size_bytes);
	report->is_by_run = has_section(&head, FLIGHT_SECTION_RUN_FLIGHT);
	read_recording(report, &report->keeper,
		report->is_by_run ? FLIGHT_SECTION_RUN_FLIGHT : FLIGHT_SECTION_KEEPER_FLIGHT, bytes,
		size_bytes);
	read_heartbeat(report, bytes, size_bytes);
	report->cause = find_cause(report, in_use);
	if (report->cause != FLIGHT_CAUSE_RUNNING)
		find_time(report);
	return report;
}

static void finish_recording(struct flight_recording *recording)
{
	g_array_unref(recording->entries);
	g_free(recording->memory);
}

void flight_report_free(struct flight_report *report)
{
	if (!report)
		return;
	finish_recording(&report->own);
	finish_recording(&report->keeper);
	g_ptr_array_unref(report->faults);
	g_free(report->heartbeat);
	g_free(report);
}

/* ---- words ---- */

const char *flight_recording_thread(const struct flight_recording *recording, unsigned thread)
{
	bool named = recording->memory && thread > 0 && thread < recording->memory->n_threads &&
		     recording->memory->threads[thread].name[0];
	return named ? recording->memory->threads[thread].name : "-";
}

void flight_recording_add_place(
	const struct flight_recording *recording, GString *text, uint64_t address)
{
	const struct flight_memory *memory = recording->memory;
	for (unsigned i = 0; memory && i < memory->n_modules; i++) {
		const struct flight_module *module = &memory->modules[i];
		if (address < module->begin || address >= module->end)
			continue;
		g_string_append_printf(text, "%s+0x%" G_GINT64_MODIFIER "x", module->name,
			address - module->begin);
		return;
	}
	g_string_append_printf(text, "0x%" G_GINT64_MODIFIER "x", address);
}

const char *flight_entry_name(const struct flight_entry *entry)
{
	const struct flight_row *row = flight_find_row(entry->event);
	return row ? row->name : NULL;
}

void flight_entry_add_fields(const struct flight_entry *entry, GString *text)
{
	const struct flight_row *row = flight_find_row(entry->event);
	for (unsigned i = 0; i < FLIGHT_ARGS; i++) {
		enum flight_field_kind kind = row ? row->fields[i].kind : FLIGHT_HEX;
		if (kind == FLIGHT_NO_FIELD)
			break;
		g_string_append_printf(
			text, "%s%s=", i > 0 ? " " : "", row ? row->fields[i].name : "word");
		flight_format_field(text, kind, entry->args, i);
		if (kind == FLIGHT_NAME)
			break;
	}
}
