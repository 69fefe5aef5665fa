/* SPDX-License-Identifier: MIT */
/*
 * flight_writer: files are written while nobody waits for the disk. The disk is this program's
 * pwrite(), which stands still or is full when it is told to.
 */
#include <errno.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/flight_events.h"
#include "server/flight/flight_reader.h"
#include "server/flight/flight_writer.h"

#define SOON_US (10 * G_USEC_PER_SEC)

static struct {
	GMutex lock;
	GCond changed;
	bool stands_still, is_full;
	unsigned n_waiting;
} disk;

ssize_t __real_pwrite64(int fd, const void *bytes, size_t size_bytes, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size_bytes, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size_bytes, off_t offset);

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size_bytes, off_t offset)
{
	g_mutex_lock(&disk.lock);
	disk.n_waiting++;
	g_cond_broadcast(&disk.changed);
	while (disk.stands_still)
		g_cond_wait(&disk.changed, &disk.lock);
	disk.n_waiting--;
	bool is_full = disk.is_full;
	g_mutex_unlock(&disk.lock);
	errno = ENOSPC;
	return is_full ? -1 : __real_pwrite64(fd, bytes, size_bytes, offset);
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size_bytes, off_t offset)
{
	return __wrap_pwrite64(fd, bytes, size_bytes, offset);
}

static void set_disk(bool stands_still, bool is_full)
{
	g_mutex_lock(&disk.lock);
	disk.stands_still = stands_still;
	disk.is_full = is_full;
	g_cond_broadcast(&disk.changed);
	g_mutex_unlock(&disk.lock);
}

static void await_writer(void)
{
	gint64 end_us = g_get_monotonic_time() + SOON_US;
	g_mutex_lock(&disk.lock);
	while (disk.n_waiting == 0)
		g_assert_true(g_cond_wait_until(&disk.changed, &disk.lock, end_us));
	g_mutex_unlock(&disk.lock);
}

static struct flight_writer *begin(const char *desktop)
{
	const struct flight_head own = { .process = FLIGHT_PROCESS_KEEPER, .pid = 1 };
	g_autoptr(GError) error = NULL;
	struct flight_writer *writer =
		flight_writer_create(desktop, FLIGHT_PART_KEEPER, &own, &error);
	g_assert_no_error(error);
	flight_begin_thread("main");
	flight_note(FLIGHT_STARTED, 1, 0, 0);
	return writer;
}

static void keep(struct flight_writer *writer, int pid)
{
	const struct flight_head head = {
		.process = FLIGHT_PROCESS_RENDER, .cause = FLIGHT_CAUSE_SEGV, .pid = pid
	};
	const struct flight_bytes part = { FLIGHT_SECTION_KEEPER_FLIGHT,
		flight_writer_memory(writer), sizeof(struct flight_memory) };
	flight_writer_keep(writer, &head, &part, 1);
}

static struct flight_report *read_file(const char *desktop, unsigned number)
{
	g_autofree char *path = flight_folder_file(desktop, number);
	g_autofree char *bytes = NULL;
	gsize size_bytes;
	g_assert_true(g_file_get_contents(path, &bytes, &size_bytes, NULL));
	return flight_report_read(
		bytes, size_bytes, flight_folder_in_use(desktop, flight_folder_part(number)), NULL);
}

static unsigned count_files(const char *desktop)
{
	unsigned n = 0;
	for (unsigned i = 0; i < FLIGHT_SLOTS; i++) {
		struct flight_report *report = read_file(desktop, i);
		n += report && report->head.process == FLIGHT_PROCESS_RENDER;
		if (report)
			g_assert_cmpuint(report->faults->len, ==, 0);
		flight_report_free(report);
	}
	return n;
}

static void test_keeps(void)
{
	struct flight_writer *writer = begin("keeps");
	flight_writer_start(writer);
	for (int i = 0; i < 3; i++)
		keep(writer, 100 + i);
	flight_writer_set_end(writer, FLIGHT_CAUSE_ENDED, "so");
	flight_writer_finish(writer);
	g_assert_cmpuint(count_files("keeps"), ==, 3);
	struct flight_report *own = read_file("keeps", 0);
	g_assert_cmpint(own->cause, ==, FLIGHT_CAUSE_ENDED);
	g_assert_cmpuint(own->faults->len, ==, 0);
	g_autofree char *text = flight_text_write(own);
	g_assert_nonnull(strstr(text, "started"));
	g_assert_nonnull(strstr(text, "death-kept"));
	flight_report_free(own);
}

/* What is too much for a disk that stands still is left out, and nobody waits for it. */
static void test_stands_still(void)
{
	struct flight_writer *writer = begin("still");
	flight_writer_start(writer);
	set_disk(true, false);
	gint64 begun_us = g_get_monotonic_time();
	keep(writer, 1);
	await_writer();
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_WARNING, "*the disk is late with others");
	for (int i = 0; i < FLIGHT_JOBS_MAX + 3; i++)
		keep(writer, 2 + i);
	g_test_assert_expected_messages();
	flight_note(FLIGHT_READY, 0, 0, 0);
	flight_writer_poke(writer);
	flight_writer_set_end(writer, FLIGHT_CAUSE_QEMU, "so");
	g_assert_cmpint(g_get_monotonic_time() - begun_us, <, G_USEC_PER_SEC);
	set_disk(false, false);
	flight_writer_finish(writer);
	g_assert_cmpuint(count_files("still"), ==, 1 + FLIGHT_JOBS_MAX);
}

/* The end of a process comes, too. */
static void test_ends_without(void)
{
	struct flight_writer *writer = begin("without");
	flight_writer_start(writer);
	set_disk(true, false);
	keep(writer, 1);
	await_writer();
	gint64 begun_us = g_get_monotonic_time();
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_WARNING, "the disk stands still*");
	flight_writer_finish(writer);
	g_test_assert_expected_messages();
	g_assert_cmpint(
		g_get_monotonic_time() - begun_us, <, (FLIGHT_FINISH_MS + 3000) * INT64_C(1000));
	set_disk(false, false);
	/* The thread goes on, and lets go of the files. */
	while (flight_folder_in_use("without", FLIGHT_PART_KEEPER))
		g_usleep(1000);
}

/* It is said once, and what comes when there is room is kept. */
static void test_full(void)
{
	set_disk(false, true);
	g_test_expect_message(
		"vitrine-gpu", G_LOG_LEVEL_WARNING, "what this process does is not kept: *");
	struct flight_writer *writer = begin("full");
	keep(writer, 1);
	keep(writer, 2);
	g_test_assert_expected_messages();
	set_disk(false, false);
	keep(writer, 3);
	flight_writer_set_end(writer, FLIGHT_CAUSE_ENDED, "");
	flight_writer_finish(writer);
	g_assert_cmpuint(count_files("full"), ==, 1);
}

/* A process that is killed, or crashes, is not one that runs. */
static void test_killed(int signal_number, enum flight_cause cause, const char *desktop)
{
	pid_t pid = fork();
	int status;
	if (pid == 0) {
		struct flight_writer *writer = begin(desktop);
		flight_watch_crashes();
		flight_writer_start(writer);
		raise(signal_number);
		_exit(0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFSIGNALED(status));
	struct flight_report *report = read_file(desktop, 0);
	g_assert_cmpuint(report->faults->len, ==, 0);
	g_assert_cmpint(report->cause, ==, cause);
	flight_report_free(report);
}

static void test_ends(void)
{
	struct flight_writer *writer = begin("runs");
	struct flight_report *report = read_file("runs", 0);
	g_assert_cmpint(report->cause, ==, FLIGHT_CAUSE_RUNNING);
	flight_report_free(report);
	flight_writer_finish(writer);
	test_killed(SIGKILL, FLIGHT_CAUSE_KILLED, "killed");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	test_killed(SIGSEGV, FLIGHT_CAUSE_SEGV, "crashes");
#endif
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(path);
}

int main(int argc, char **argv)
{
	g_autofree char *state_dir = g_dir_make_tmp("vitrine-flight-XXXXXX", NULL);
	g_setenv("XDG_STATE_HOME", state_dir, TRUE);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/flight_writer/ends", test_ends);
	g_test_add_func("/flight_writer/keeps", test_keeps);
	g_test_add_func("/flight_writer/stands-still", test_stands_still);
	g_test_add_func("/flight_writer/ends-without", test_ends_without);
	g_test_add_func("/flight_writer/full", test_full);
	int status = g_test_run();
	nftw(state_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return status;
}
