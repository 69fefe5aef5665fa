/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what a flight file says (protocol/flight_file.h). The input is such a file, or, since one
 * has 160 KiB, changes of one that is well-formed. Whatever it says, what is printed of it is
 * printable, and its JSON is some.
 */
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/flight_events.h"
#include "server/flight/flight_reader.h"
#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

#define RECORDINGS 2
#define TEMPLATE_BYTES                                                                             \
	(FLIGHT_HEAD_BYTES + RECORDINGS * sizeof(struct flight_memory) + sizeof(struct heartbeat))

static void fill_memory(struct flight_memory *memory)
{
	flight_init(memory);
	flight_use(memory);
	flight_begin_thread("gpu");
	for (unsigned i = 0; i < flight_n_rows; i++)
		flight_note((uint16_t)flight_rows[i].event, i, 0x41414141, 0x207);
	for (unsigned i = 0; i < 8; i++)
		flight_note_often(FLIGHT_COMMAND, i, 0x207, i, 0x1100);
	flight_use(NULL);
	memory->stacks[0] = (struct flight_stack){ .kind = FLIGHT_STACK_CRASHED, .n_frames = 3 };
	memory->n_modules = 2;
	memory->modules[0] = (struct flight_module){ 0, 4096, { 0 }, "libc.so.6" };
}

static uint8_t *make_template(void)
{
	uint8_t *bytes = g_malloc0(TEMPLATE_BYTES);
	struct flight_head *head = (void *)bytes;
	uint64_t at_bytes = FLIGHT_HEAD_BYTES;
	const struct flight_section parts[] = {
		{ FLIGHT_SECTION_FLIGHT, sizeof(struct flight_memory), 0 },
		{ FLIGHT_SECTION_HEARTBEAT, sizeof(struct heartbeat), 0 },
		{ FLIGHT_SECTION_KEEPER_FLIGHT, sizeof(struct flight_memory), 0 },
	};
	*head = (struct flight_head){ .magic = FLIGHT_FILE_MAGIC,
		.version = FLIGHT_FILE_VERSION,
		.size_bytes = TEMPLATE_BYTES,
		.process = FLIGHT_PROCESS_RENDER,
		.cause = FLIGHT_CAUSE_SEGV,
		.judged = FLIGHT_JUDGED,
		.has_wait_status = 1,
		.desktop = "box" };
	for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
		head->sections[i] = parts[i];
		head->sections[i].offset_bytes = at_bytes;
		if (parts[i].kind == FLIGHT_SECTION_HEARTBEAT)
			((struct heartbeat *)(bytes + at_bytes))->version = HEARTBEAT_VERSION;
		else
			fill_memory((void *)(bytes + at_bytes));
		at_bytes += parts[i].size_bytes;
	}
	return bytes;
}

static void expect_printable(const char *text)
{
	for (const char *at = text; *at; at++)
		g_assert(*at == '\n' || g_ascii_isprint(*at));
}

static void expect_json(const char *text)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	expect_printable(text);
	g_assert(json_parser_load_from_data(parser, text, -1, NULL));
}

static void read_file(const uint8_t *bytes, size_t size_bytes, bool in_use)
{
	g_autoptr(GError) error = NULL;
	/* A copy of exactly this size, so that a sanitizer sees its end. */
	g_autofree uint8_t *copy = g_memdup2(bytes, size_bytes);
	struct flight_report *report = flight_report_read(copy, size_bytes, in_use, &error);
	g_assert(report ? !error : error && error->message[0]);
	if (!report)
		return;
	g_autofree char *text = flight_text_write(report);
	g_autofree char *json = flight_json_write(report);
	expect_printable(text);
	expect_json(json);
	flight_report_free(report);
}

/* Each change is a place, and bytes that stand there. */
static void change(uint8_t *bytes, struct feed *feed)
{
	while (feed->left_bytes > 0) {
		size_t at_bytes = feed_u32(feed) % TEMPLATE_BYTES;
		size_t n;
		const uint8_t *with = feed_take(feed, 1 + feed_u8(feed) % 64, &n);
		memcpy(bytes + at_bytes, with, MIN(n, TEMPLATE_BYTES - at_bytes));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	static uint8_t *template;
	struct feed feed = { data, size_bytes };
	feed_drop_log();
	if (!template)
		template = make_template();
	uint8_t kind = feed_u8(&feed);
	if (kind & 1) {
		read_file(feed.data, feed.left_bytes, kind & 2);
		return 0;
	}
	g_autofree uint8_t *bytes = g_memdup2(template, TEMPLATE_BYTES);
	size_t cut_bytes = kind & 4 ? feed_u32(&feed) % TEMPLATE_BYTES : TEMPLATE_BYTES;
	change(bytes, &feed);
	read_file(bytes, cut_bytes, kind & 2);
	return 0;
}
