/* SPDX-License-Identifier: MIT */
/* flight: files of a desktop's folder, which is written next, and what is read from them. */
#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "protocol/flight_events.h"
#include "server/flight/flight_folder.h"
#include "server/flight/flight_reader.h"

static char *state_dir;

static struct flight_head make_head(enum flight_cause cause)
{
	return (struct flight_head){ .process = FLIGHT_PROCESS_RENDER,
		.cause = cause,
		.pid = 4711,
		.desktop = "box",
		.why = "because\x1b[31m" };
}

static struct flight_memory *make_memory(void)
{
	struct flight_memory *memory = g_new0(struct flight_memory, 1);
	flight_init(memory);
	flight_use(memory);
	flight_begin_thread("gpu");
	flight_note_name(FLIGHT_CONTEXT_MADE, 50, "glmark2");
	flight_note(FLIGHT_WORKER_ENDED, FLIGHT_PROCESS_DISPLAY, 12, SIGSEGV);
	flight_note(60000, 1, 2, 3);
	flight_note_often(FLIGHT_COMMAND, monotonic_now_ns(), 0x207, 50, 0x1100);
	flight_use(NULL);
	return memory;
}

static int write_one(struct flight_folder *folder, enum flight_cause cause)
{
	struct flight_head head = make_head(cause);
	g_autofree struct flight_memory *memory = make_memory();
	const struct flight_bytes part = { FLIGHT_SECTION_FLIGHT, memory, sizeof(*memory) };
	return flight_folder_write(folder, &head, &part, 1);
}

static void test_folder(void)
{
	struct flight_folder folder, second;
	struct stat st;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = flight_folder_path("box");
	g_autofree char *file = flight_folder_file("box", 3);
	g_assert_true(flight_folder_open(&folder, "box", FLIGHT_PART_KEEPER, &error));
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0700);
	g_assert_cmpint(stat(file, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
	g_auto(GStrv) names = flight_folder_list();
	g_assert_cmpuint(g_strv_length(names), ==, 1);
	g_assert_cmpstr(names[0], ==, "box");
	g_assert_false(flight_folder_open(&second, "box", FLIGHT_PART_KEEPER, &error));
	g_assert_nonnull(strstr(error->message, "another desktop"));
	flight_folder_close(&folder);
	/* Open to others it is not used. */
	chmod(path, 0755);
	g_assert_false(flight_folder_open(&folder, "box", FLIGHT_PART_KEEPER, NULL));
	chmod(path, 0700);
}

/* Empty ones, then ends that nothing was wrong with, then the oldest. */
static void test_order(void)
{
	struct flight_folder folder;
	g_assert_true(flight_folder_open(&folder, "order", FLIGHT_PART_KEEPER, NULL));
	g_assert_cmpuint(flight_folder_choose(&folder), ==, 0);
	folder.slots[0].in_use = true;
	g_assert_cmpint(write_one(&folder, FLIGHT_CAUSE_SEGV), ==, 1);
	g_assert_cmpint(write_one(&folder, FLIGHT_CAUSE_ENDED), ==, 2);
	for (int i = 3; i < FLIGHT_SLOTS; i++)
		g_assert_cmpint(write_one(&folder, FLIGHT_CAUSE_KILLED), ==, i);
	g_assert_cmpint(write_one(&folder, FLIGHT_CAUSE_KILLED), ==, 2);
	g_assert_cmpint(write_one(&folder, FLIGHT_CAUSE_KILLED), ==, 1);
	g_assert_cmpint(write_one(&folder, FLIGHT_CAUSE_KILLED), ==, 3);
	flight_folder_close(&folder);
	/* Who comes later knows what is there. */
	g_assert_true(flight_folder_open(&folder, "order", FLIGHT_PART_KEEPER, NULL));
	g_assert_cmpuint(flight_folder_choose(&folder), ==, 0);
	folder.slots[0].in_use = true;
	g_assert_cmpuint(flight_folder_choose(&folder), ==, 4);
	flight_folder_close(&folder);
}

static GBytes *read_slot(const char *desktop, unsigned slot)
{
	g_autofree char *path = flight_folder_file(desktop, slot);
	char *bytes;
	gsize size_bytes;
	g_assert_true(g_file_get_contents(path, &bytes, &size_bytes, NULL));
	return g_bytes_new_take(bytes, size_bytes);
}

static struct flight_report *read_bytes(GBytes *bytes, size_t size_bytes)
{
	gsize whole_bytes;
	const void *data = g_bytes_get_data(bytes, &whole_bytes);
	return flight_report_read(data, MIN(size_bytes, whole_bytes), false, NULL);
}

static void test_read(void)
{
	struct flight_folder folder;
	g_assert_true(flight_folder_open(&folder, "read", FLIGHT_PART_KEEPER, NULL));
	g_assert_cmpint(write_one(&folder, FLIGHT_CAUSE_SEGV), ==, 0);
	flight_folder_close(&folder);
	g_autoptr(GBytes) bytes = read_slot("read", 0);
	struct flight_report *report = read_bytes(bytes, SIZE_MAX);
	g_assert_nonnull(report);
	g_assert_cmpuint(report->faults->len, ==, 0);
	g_assert_cmpint(report->cause, ==, FLIGHT_CAUSE_SEGV);
	g_assert_cmpstr(report->head.why, ==, "because?[31m");
	g_assert_cmpuint(report->own.entries->len, ==, 4);
	g_autofree char *text = flight_text_write(report);
	g_assert_nonnull(strstr(text, "cause      segv: it crashed"));
	g_assert_nonnull(strstr(text, "gpu         context-made    context=50 name=glmark2\n"));
	g_assert_nonnull(strstr(text, "process=vitrine-display pid=12 end=signal:11\n"));
	g_assert_nonnull(strstr(text, "event-60000"));
	g_assert_nonnull(strstr(text, "type=SUBMIT_3D context=50 answer=OK\n"));
	g_autofree char *json = flight_json_write(report);
	g_assert_nonnull(strstr(json, "\"cause\" : \"segv\""));
	g_assert_nonnull(strstr(json, "context=50 name=glmark2"));
	flight_report_free(report);
}

static void say(struct heartbeat_beat *beat, const char *text, uint32_t context)
{
	beat->state = HEARTBEAT_WORKING;
	beat->context = context;
	g_strlcpy((char *)beat->text, text, sizeof(beat->text));
}

/* Loops are named as people know them. */
static void test_loops(void)
{
	g_autoptr(GBytes) bytes = read_slot("read", 0);
	struct flight_report *report = read_bytes(bytes, SIZE_MAX);
	struct heartbeat *heartbeat = g_new0(struct heartbeat, 1);
	say(&heartbeat->beats[HEARTBEAT_MAIN], "the loop", 0);
	say(&heartbeat->beats[HEARTBEAT_GPU], "SUBMIT_3D", 50);
	say(&heartbeat->beats[HEARTBEAT_SPICE + 1], "the loop", 0);
	g_assert_null(report->heartbeat);
	report->heartbeat = heartbeat;
	g_autofree char *text = flight_text_write(report);
	g_assert_nonnull(strstr(text, " main     working  the loop\n"));
	g_assert_nonnull(strstr(text, " gpu      working  SUBMIT_3D of context 50\n"));
	g_assert_nonnull(strstr(text, " head 1   working  the loop\n"));
	flight_report_free(report);
}

/* A file is read as far as it goes, wherever it ends. */
static void test_cut(void)
{
	struct flight_folder folder;
	g_assert_true(flight_folder_open(&folder, "cut", FLIGHT_PART_KEEPER, NULL));
	write_one(&folder, FLIGHT_CAUSE_BUS);
	flight_folder_close(&folder);
	g_autoptr(GBytes) bytes = read_slot("cut", 0);
	g_assert_null(read_bytes(bytes, 0));
	g_assert_null(read_bytes(bytes, sizeof(struct flight_head) - 1));
	for (size_t size_bytes = sizeof(struct flight_head); size_bytes < g_bytes_get_size(bytes);
		size_bytes += 1999) {
		struct flight_report *report = read_bytes(bytes, size_bytes);
		g_assert_nonnull(report);
		g_assert_cmpint(report->cause, ==, FLIGHT_CAUSE_BUS);
		g_assert_cmpuint(report->faults->len, >=, 1);
		g_autofree char *text = flight_text_write(report);
		g_assert_nonnull(strstr(text, "not read"));
		flight_report_free(report);
	}
}

/* What was being written when the process died is left out, and so is what lies. */
static void test_torn(void)
{
	g_autofree struct flight_memory *memory = make_memory();
	struct flight_folder folder;
	struct flight_head head = make_head(FLIGHT_CAUSE_SEGV);
	memory->n_rare++;
	memory->n_often = UINT64_MAX;
	memory->n_modules = UINT32_MAX;
	memory->n_threads = UINT32_MAX;
	memory->stacks[0].kind = FLIGHT_STACK_CRASHED;
	memory->stacks[0].n_frames = UINT32_MAX;
	const struct flight_bytes part = { FLIGHT_SECTION_FLIGHT, memory, sizeof(*memory) };
	g_assert_true(flight_folder_open(&folder, "torn", FLIGHT_PART_KEEPER, NULL));
	g_assert_cmpint(flight_folder_write(&folder, &head, &part, 1), ==, 0);
	flight_folder_close(&folder);
	g_autoptr(GBytes) bytes = read_slot("torn", 0);
	struct flight_report *report = read_bytes(bytes, SIZE_MAX);
	g_assert_cmpuint(report->own.n_torn, ==, 1 + FLIGHT_OFTEN_MAX);
	g_assert_cmpuint(report->own.entries->len, ==, 3);
	g_autofree char *text = flight_text_write(report);
	g_assert_nonnull(strstr(text, "events are not whole"));
	flight_report_free(report);
}

static enum flight_cause read_cause(struct flight_head *head, struct flight_memory *memory)
{
	struct flight_folder folder;
	const struct flight_bytes part = { FLIGHT_SECTION_FLIGHT, memory, sizeof(*memory) };
	g_assert_true(flight_folder_open(&folder, "causes", FLIGHT_PART_KEEPER, NULL));
	int slot = flight_folder_write(&folder, head, &part, 1);
	g_assert_cmpint(slot, >=, 0);
	flight_folder_close(&folder);
	g_autoptr(GBytes) bytes = read_slot("causes", (unsigned)slot);
	struct flight_report *report = read_bytes(bytes, SIZE_MAX);
	enum flight_cause cause = report->cause;
	flight_report_free(report);
	return cause;
}

/* What the recording says more exactly than the keeper could. */
static void test_causes(void)
{
	g_autofree struct flight_memory *memory = make_memory();
	struct flight_head head = make_head(FLIGHT_CAUSE_ABORT);
	g_assert_cmpint(read_cause(&head, memory), ==, FLIGHT_CAUSE_ABORT);
	flight_use(memory);
	flight_note_refused(1 << 20);
	flight_use(NULL);
	g_assert_cmpint(read_cause(&head, memory), ==, FLIGHT_CAUSE_OUT_OF_MEMORY);
	head = make_head(FLIGHT_CAUSE_HUNG_MAIN);
	g_assert_cmpint(read_cause(&head, memory), ==, FLIGHT_CAUSE_HUNG_MAIN);
	head = make_head(FLIGHT_CAUSE_RUNNING);
	g_assert_cmpint(read_cause(&head, memory), ==, FLIGHT_CAUSE_KILLED);
	memory->stacks[0].kind = FLIGHT_STACK_CRASHED;
	memory->stacks[0].signal_number = SIGABRT;
	g_assert_cmpint(read_cause(&head, memory), ==, FLIGHT_CAUSE_ABORT);
}

/* Each event has a name and a number of its own, and each cause a name. */
static void test_tables(void)
{
	for (unsigned i = 0; i < flight_n_rows; i++) {
		g_assert_true(flight_find_row(flight_rows[i].event) == &flight_rows[i]);
		for (unsigned j = 0; j < FLIGHT_ARGS; j++)
			g_assert_true(flight_rows[i].fields[j].kind != FLIGHT_NAME || j == 1);
	}
	for (unsigned i = 0; i < FLIGHT_CAUSES; i++) {
		g_assert_true(flight_cause_name(i) && flight_cause_phrase(i));
		for (unsigned j = 0; j < i; j++)
			g_assert_cmpstr(flight_cause_name(i), !=, flight_cause_name(j));
	}
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(path);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	state_dir = g_dir_make_tmp("vitrine-flight-XXXXXX", &error);
	g_assert_no_error(error);
	g_setenv("XDG_STATE_HOME", state_dir, TRUE);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/flight/folder", test_folder);
	g_test_add_func("/flight/order", test_order);
	g_test_add_func("/flight/read", test_read);
	g_test_add_func("/flight/loops", test_loops);
	g_test_add_func("/flight/cut", test_cut);
	g_test_add_func("/flight/torn", test_torn);
	g_test_add_func("/flight/causes", test_causes);
	g_test_add_func("/flight/tables", test_tables);
	int status = g_test_run();
	nftw(state_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	g_free(state_dir);
	return status;
}
