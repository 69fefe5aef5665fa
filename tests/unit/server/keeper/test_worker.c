/* SPDX-License-Identifier: MIT */
/* worker: checks when there is a spare process, what becomes of it, and which one takes over. */
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/process.h"
#include "server/keeper/limits.h"
#include "tests/unit/server/keeper/worker_stage.h"

/*
 * An idle desktop has no spare, nor has one whose worker was killed from outside, as by a host that
 * is short of memory.
 */
static void test_no_spare(void)
{
	struct stage stage;
	stage_begin(&stage, LONG_MS);
	stage_run_for(A_WHILE_MS);
	g_assert_cmpint(stage.worker.spare.process.pid, ==, 0);
	stage_replace(&stage, SIGKILL);
	stage_run_for(A_WHILE_MS);
	g_assert_cmpint(stage.worker.spare.process.pid, ==, 0);
	g_assert_cmpuint(stage.n_ended, ==, 1);
	stage_finish(&stage);
}

/* The spare says READY and is not heard until it is needed. Then the next one waits. */
static void test_takes_over(void)
{
	struct stage stage;
	stage_begin(&stage, LONG_MS);
	stage_replace(&stage, SIGABRT);
	for (unsigned i = 0; i < 5; i++) {
		pid_t spare = stage_await_spare(&stage);
		unsigned n_starts = stage.worker.n_starts;
		g_assert_true(stage_is_alive(spare));
		stage_run_for(20);
		g_assert_cmpuint(stage.n_ready, ==, i + 2);
		/* A spare takes over whatever ended the worker. */
		g_assert_cmpint(stage_replace(&stage, i % 2 ? SIGKILL : SIGABRT), ==, spare);
		g_assert_cmpuint(stage.worker.n_starts, ==, n_starts + 1);
		g_assert_cmpint(stage.worker.spare.process.pid, !=, spare);
	}
	stage_finish(&stage);
}

/*
 * Each process has a heartbeat of its own, and the dead one's is kept until somebody asked for it.
 */
static void test_own_heartbeat(void)
{
	struct stage stage;
	stage_begin(&stage, LONG_MS);
	stage_replace(&stage, SIGABRT);
	stage_await_spare(&stage);
	const struct heartbeat *page = stage.worker.process.heartbeat.map;
	const struct heartbeat *spare_page = stage.worker.spare.process.heartbeat.map;
	g_assert_true(page != NULL && spare_page != NULL && page != spare_page);
	stage_replace(&stage, SIGABRT);
	g_assert_true(stage.worker.process.heartbeat.map == spare_page);
	g_assert_true(stage.worker.spare.process.heartbeat.map == page);
	stage_finish(&stage);
}

/* When nothing has crashed for the time, the spare goes, and a kill does not bring it back. */
static void test_not_for_ever(void)
{
	struct stage stage;
	stage_begin(&stage, LONG_MS);
	stage_replace(&stage, SIGABRT);
	pid_t spare = stage_await_spare(&stage);
	g_assert_true(stage_is_alive(spare));
	worker_want_spare(&stage.worker, A_WHILE_MS);
	WAIT_UNTIL(stage.worker.spare.process.pid == 0);
	g_assert_true(process_wait_end(spare, PATIENCE_MS));
	stage_replace(&stage, SIGKILL);
	stage_run_for(A_WHILE_MS);
	g_assert_cmpint(stage.worker.spare.process.pid, ==, 0);
	stage_finish(&stage);
}

/* A spare that ends does no harm: the worker goes on, and its next end is repaired. */
static void test_spare_ends(void)
{
	struct stage stage;
	stage_begin(&stage, LONG_MS);
	pid_t works = stage_replace(&stage, SIGABRT);
	pid_t spare = stage_await_spare(&stage);
	g_test_expect_message(
		"vitrine-gpu", G_LOG_LEVEL_WARNING, "spare fake-worker*killed by signal 9*");
	kill(spare, SIGKILL);
	WAIT_UNTIL(stage.worker.spare.process.pid == 0);
	g_test_assert_expected_messages();
	stage_run_for(A_WHILE_MS);
	g_assert_cmpint(stage.worker.process.pid, ==, works);
	g_assert_cmpuint(stage.n_ended, ==, 1);
	stage_replace(&stage, SIGABRT);
	stage_await_spare(&stage);
	stage_finish(&stage);
}

/* ---- what the operator wants ---- */

/* One waits before anything has ended, and the next one after each end, whatever it was. */
static void test_kept_ready(void)
{
	struct stage stage;
	stage_begin(&stage, 0);
	spare_keep(&stage.worker.spare, DESKTOP_SPARE_READY);
	for (unsigned i = 0; i < 3; i++) {
		pid_t spare = stage_await_spare(&stage);
		stage_run_for(20);
		g_assert_cmpint(stage_replace(&stage, i % 2 ? SIGKILL : SIGABRT), ==, spare);
	}
	stage_finish(&stage);
}

/*
 * One that has begun nothing takes over, too, and is told to begin then. After a crash it is to be
 * ready, and when nothing has crashed for a while one that has begun nothing waits again.
 */
static void test_kept_loaded(void)
{
	struct stage stage;
	g_setenv("FAKE_WORKER_WAITS", "1", TRUE);
	stage_begin(&stage, 0);
	struct spare *spare = &stage.worker.spare;
	spare_keep(spare, DESKTOP_SPARE_FORK);
	for (unsigned i = 0; i < 2; i++) {
		pid_t pid = stage_await_spare(&stage);
		WAIT_UNTIL(spare_get_state(spare) == STATS_SPARE_LOADED);
		g_assert_cmpint(stage_replace(&stage, SIGKILL), ==, pid);
	}
	pid_t loaded = stage_await_spare(&stage);
	worker_want_spare(&stage.worker, A_WHILE_MS);
	WAIT_UNTIL(spare_get_state(spare) == STATS_SPARE_READY);
	g_assert_cmpint(spare->process.pid, ==, loaded);
	WAIT_UNTIL(spare_get_state(spare) == STATS_SPARE_LOADED);
	g_assert_cmpint(spare->process.pid, !=, loaded);
	spare_keep(spare, DESKTOP_SPARE_NONE);
	WAIT_UNTIL(spare->process.pid == 0);
	stage_run_for(A_WHILE_MS);
	g_assert_cmpint(spare->process.pid, ==, 0);
	stage_finish(&stage);
	g_unsetenv("FAKE_WORKER_WAITS");
}

/* Spares that die at once are replaced, but seldom. */
static void test_no_busy_loop(void)
{
	struct stage stage;
	unsigned n = 0;
	stage_begin(&stage, 0);
	spare_keep(&stage.worker.spare, DESKTOP_SPARE_READY);
	for (gint64 over_us = g_get_monotonic_time() + 4000000; g_get_monotonic_time() < over_us;) {
		pid_t pid = stage.worker.spare.process.pid;
		if (pid > 0 && kill(pid, SIGKILL) == 0) {
			n++;
			WAIT_UNTIL(stage.worker.spare.process.pid != pid);
		}
		stage_run_for(5);
	}
	/* At 0.2, 1.2 and 3.2 s. */
	g_assert_cmpuint(n, >=, 2);
	g_assert_cmpuint(n, <=, 3);
	g_assert_cmpuint(stage.worker.n_starts, ==, 1);
	stage_finish(&stage);
}

/* A spare of a GPU that is not to be drawn with any more goes, and one of the other one comes. */
static void test_other_command(void)
{
	struct stage stage;
	stage_begin(&stage, 0);
	spare_keep(&stage.worker.spare, DESKTOP_SPARE_READY);
	pid_t spare = stage_await_spare(&stage);
	worker_set_command(&stage.worker, 1);
	WAIT_UNTIL(stage.worker.spare.process.pid != spare);
	stage_await_spare(&stage);
	g_assert_cmpuint(stage.worker.spare.process.command, ==, 1);
	/* When the worker ends before it is gone it does not take over. */
	worker_set_command(&stage.worker, 0);
	g_assert_cmpint(stage_replace(&stage, SIGKILL), >, 0);
	g_assert_cmpuint(stage.worker.process.command, ==, 0);
	stage_finish(&stage);
}

/* Both end at once, so that the keeper may hear of the spare's end only after it has chosen it. */
static void test_both_end(void)
{
	struct stage stage;
	stage_begin(&stage, LONG_MS);
	stage_replace(&stage, SIGABRT);
	for (unsigned i = 0; i < 10; i++) {
		WAIT_UNTIL(
			stage.worker.spare.process.pid > 0 && stage.worker.state == WORKER_READY);
		pid_t works = stage.worker.process.pid, spare = stage.worker.spare.process.pid;
		kill(spare, SIGKILL);
		kill(works, SIGABRT);
		WAIT_UNTIL(stage.worker.state == WORKER_READY &&
			   stage.worker.process.pid != works && stage.worker.process.pid != spare);
	}
	stage_finish(&stage);
}

/* Whoever owns one that makes place for another hears why: what it held is lost as by any end. */
static void test_handed_over(void)
{
	struct stage stage;
	stage_begin(&stage, 0);
	pid_t pid = stage.worker.process.pid;
	worker_hand_over(&stage.worker);
	WAIT_UNTIL(stage.n_ready == 2);
	g_assert_cmpint(stage.worker.process.pid, !=, pid);
	g_assert_cmpuint(stage.n_ended, ==, 1);
	g_assert_cmpint(stage.end, ==, WORKER_REPLACED);
	stage_finish(&stage);
}

/* One that says much at once, or for ever, does not keep the others of the loop waiting. */
static void test_talks(void)
{
	struct stage stage;
	const unsigned n_areas = 2 * WORKER_HEARD_MAX;
	int waiting_bytes = 0;
	stage_begin(&stage, 0);
	for (unsigned i = 0; i < n_areas; i++) {
		struct keeper_listener m = { .header.type = KEEPER_MESSAGE_LISTENER };
		const int fd = STDIN_FILENO;
		g_assert_true(worker_send(&stage.worker, &m, sizeof(m), &fd, 1));
	}
	while (waiting_bytes < (int)(n_areas * sizeof(struct keeper_pointer_area))) {
		g_usleep(1000);
		g_assert_cmpint(ioctl(stage.worker.process.link, FIONREAD, &waiting_bytes), ==, 0);
	}
	while (stage.n_areas == 0)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(stage.n_areas, <=, WORKER_HEARD_MAX);
	WAIT_UNTIL(stage.n_areas == n_areas);
	stage_finish(&stage);
}

/* ---- the GPU is reset ---- */

/* A spare has lost what it had made ready, as the worker has, so both are replaced. */
static void test_reset_takes_spare(void)
{
	struct stage stage;
	stage_begin(&stage, LONG_MS);
	stage_replace(&stage, SIGABRT);
	pid_t spare = stage_await_spare(&stage);
	g_assert_true(stage_is_alive(spare));
	stage_run_for(A_WHILE_MS);
	pid_t works = stage_replace(&stage, SIGUSR1);
	g_assert_cmpint(stage.end, ==, WORKER_GPU_RESET);
	g_assert_cmpint(works, !=, spare);
	g_assert_true(process_wait_end(spare, PATIENCE_MS));
	stage_finish(&stage);
}

/* Begins while so many starts meet a reset. */
static void reset_at_start(struct stage *stage, unsigned n_resets)
{
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("fake-worker-XXXXXX", &path, NULL);
	g_assert_cmpint(ftruncate(fd, n_resets), ==, 0);
	g_setenv("FAKE_WORKER_RESETS", path, TRUE);
	stage_begin(stage, 0);
	g_unsetenv("FAKE_WORKER_RESETS");
	g_unlink(path);
	close(fd);
}

/* The first start may meet resets, too, but not for ever. */
static void test_reset_at_start(void)
{
	struct stage stage;
	reset_at_start(&stage, 3);
	g_assert_cmpuint(stage.n_ready, ==, 1);
	g_assert_cmpuint(stage.worker.n_starts, ==, 4);
	stage_finish(&stage);
	reset_at_start(&stage, 100);
	g_assert_cmpuint(stage.n_ready, ==, 0);
	g_assert_cmpuint(stage.n_failed, ==, 1);
	g_assert_cmpuint(stage.worker.n_starts, ==, 4);
	stage_finish(&stage);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* The worker warns of each end, which must not end the test. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/worker/spare/none", test_no_spare);
	g_test_add_func("/worker/spare/takes-over", test_takes_over);
	g_test_add_func("/worker/spare/own-heartbeat", test_own_heartbeat);
	g_test_add_func("/worker/spare/not-for-ever", test_not_for_ever);
	g_test_add_func("/worker/spare/ends", test_spare_ends);
	g_test_add_func("/worker/spare/both-end", test_both_end);
	g_test_add_func("/worker/spare/kept-ready", test_kept_ready);
	g_test_add_func("/worker/spare/kept-loaded", test_kept_loaded);
	g_test_add_func("/worker/spare/no-busy-loop", test_no_busy_loop);
	g_test_add_func("/worker/spare/other-command", test_other_command);
	g_test_add_func("/worker/handed-over", test_handed_over);
	g_test_add_func("/worker/talks", test_talks);
	g_test_add_func("/worker/reset/takes-spare", test_reset_takes_spare);
	g_test_add_func("/worker/reset/at-start", test_reset_at_start);
	return g_test_run();
}
