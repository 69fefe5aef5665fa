/* SPDX-License-Identifier: MIT */
/* worker_hangs: checks what becomes of a worker's processes that hang, and of those that cannot
 * die. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process.h"
#include "server/keeper/limits.h"
#include "tests/unit/server/keeper/worker_stage.h"

/* ---- one that hangs ---- */

static const char *awaited; /* NULL: nothing */
static bool is_said;

static void on_log(const char *domain, GLogLevelFlags level, const char *message, gpointer user)
{
	is_said |= awaited && strstr(message, awaited);
	g_log_default_handler(domain, level, message, user);
}

static void listen_for(const char *words)
{
	awaited = words;
	is_said = false;
}

static void stop(pid_t pid)
{
	siginfo_t info;
	g_assert_cmpint(kill(pid, SIGSTOP), ==, 0);
	g_assert_cmpint(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), ==, 0);
}

/* A spare that was stopped does not take over; a fresh process does. */
static void test_stopped_when_taken(void)
{
	struct stage stage;
	stage_begin(&stage, 0);
	spare_keep(&stage.worker.spare, DESKTOP_SPARE_READY);
	pid_t spare = stage_await_spare(&stage);
	stop(spare);
	listen_for("is stopped: killed");
	g_assert_cmpint(stage_replace(&stage, SIGKILL), !=, spare);
	g_assert_true(is_said);
	g_assert_true(process_wait_end(spare, PATIENCE_MS));
	/* It is dead, and heard of a moment later. */
	WAIT_UNTIL(stage.worker.spare.process.pid != spare);
	stage_await_spare(&stage);
	stage_finish(&stage);
}

/* It is found while the worker works, too. */
static void test_stopped_while_it_waits(void)
{
	struct stage stage;
	stage_begin(&stage, 0);
	spare_keep(&stage.worker.spare, DESKTOP_SPARE_READY);
	pid_t spare = stage_await_spare(&stage);
	stop(spare);
	WAIT_UNTIL(stage.worker.spare.process.pid > 0 && stage.worker.spare.process.pid != spare);
	g_assert_cmpuint(stage.worker.n_starts, ==, 1);
	stage_finish(&stage);
}

/* One that hangs looks as if it waited. It takes over, does not hear of it, and is replaced. */
static void test_deaf(void)
{
	struct stage stage;
	stage_begin(&stage, 0);
	spare_keep(&stage.worker.spare, DESKTOP_SPARE_READY);
	pid_t spare = stage_await_spare(&stage);
	WAIT_UNTIL(heartbeat_memory_read(&stage.worker.spare.process.heartbeat, HEARTBEAT_MAIN)
			   .state == HEARTBEAT_IDLE);
	g_assert_cmpint(kill(spare, SIGWINCH), ==, 0);
	g_assert_cmpint(stage_replace(&stage, SIGKILL), ==, spare);
	WAIT_UNTIL(stage.n_ready == 3);
	g_assert_cmpint(stage.worker.process.pid, !=, spare);
	g_assert_cmpint(stage.end, ==, WORKER_ENDED_FROM_OUTSIDE);
	/* One that hears is left alone. */
	spare = stage_await_spare(&stage);
	g_assert_cmpint(stage_replace(&stage, SIGKILL), ==, spare);
	stage_run_for(SPARE_ANSWER_MS + A_WHILE_MS);
	g_assert_cmpint(stage.worker.process.pid, ==, spare);
	stage_finish(&stage);
}

/* ---- one that reads slowly on purpose ---- */

#define SLOW_PAUSE_MS 300
#define SLOW_MESSAGES 400

struct slow_reader {
	int fd;
	int stop; /* atomic */
};

static gpointer read_slowly(gpointer data)
{
	struct slow_reader *reader = data;
	char bytes[64];
	while (!__atomic_load_n(&reader->stop, __ATOMIC_ACQUIRE)) {
		g_usleep(SLOW_PAUSE_MS * 1000);
		while (recv(reader->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0 &&
			g_random_boolean())
			;
	}
	return NULL;
}

/* However it divides its pauses, the keeper waits for it as long as for one that reads nothing. */
static void test_slow(void)
{
	struct stage stage;
	int pair[2];
	stage_begin(&stage, 0);
	g_assert_cmpint(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), ==, 0);
	int own = stage.worker.process.link;
	stage.worker.process.link = pair[0];
	struct slow_reader reader = { .fd = pair[1] };
	GThread *thread = g_thread_new("slow", read_slowly, &reader);
	struct keeper_frame_link m = { .header.type = KEEPER_MESSAGE_FRAME_LINK };
	gint64 begun_us = g_get_monotonic_time();
	unsigned n = 0;
	while (n < SLOW_MESSAGES && worker_send(&stage.worker, &m, sizeof(m), NULL, 0))
		n++;
	gint64 took_ms = (g_get_monotonic_time() - begun_us) / 1000;
	g_assert_cmpuint(n, <, SLOW_MESSAGES);
	g_assert_cmpint(took_ms, >=, SEND_TIMEOUT_MS);
	g_assert_cmpint(took_ms, <, 2 * SEND_TIMEOUT_MS + A_WHILE_MS);
	__atomic_store_n(&reader.stop, 1, __ATOMIC_RELEASE);
	g_thread_join(thread);
	WAIT_UNTIL(stage.n_ready == 2);
	close(pair[1]);
	close(own);
	stage_finish(&stage);
}

/* ---- one that cannot die ---- */

#define FREEZER "/sys/fs/cgroup/freezer"

/* A process in it gets no signal, SIGKILL neither, as one that waits in a driver. */
struct freezer {
	char *folder;
};

static bool write_line(const struct freezer *freezer, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(freezer->folder, name, NULL);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Gives false, and has the test skipped, where that cannot be had. */
static bool freezer_init(struct freezer *freezer)
{
	freezer->folder = g_strdup_printf("%s/vitrine-test-%d", FREEZER, (int)getpid());
	if (g_mkdir(freezer->folder, 0700) == 0)
		return true;
	g_test_skip("a process that cannot die needs the right to " FREEZER);
	g_free(freezer->folder);
	return false;
}

static void freeze(const struct freezer *freezer, pid_t pid)
{
	g_autofree char *number = g_strdup_printf("%d", (int)pid);
	g_assert_true(write_line(freezer, "cgroup.procs", number));
	g_assert_true(write_line(freezer, "freezer.state", "FROZEN"));
}

static void thaw(const struct freezer *freezer)
{
	g_assert_true(write_line(freezer, "freezer.state", "THAWED"));
}

static void freezer_finish(struct freezer *freezer)
{
	/* It is busy until the last process is reaped. */
	WAIT_UNTIL(g_rmdir(freezer->folder) == 0);
	g_free(freezer->folder);
}

/* Has the worker's process killed while it is frozen; another one works meanwhile. */
static void leave_one(struct stage *stage, const struct freezer *freezer)
{
	pid_t pid = stage->worker.process.pid;
	unsigned n_ready = stage->n_ready;
	freeze(freezer, pid);
	listen_for("does not end: left behind");
	worker_kill(&stage->worker, FLIGHT_CAUSE_RING, "does not stop a ring");
	g_assert_cmpint(stage->worker.state, ==, WORKER_ENDING);
	WAIT_UNTIL(stage->n_ready == n_ready + 1);
	g_assert_true(is_said && stage_is_alive(pid));
	g_assert_cmpint(stage->worker.process.pid, !=, pid);
	thaw(freezer);
	WAIT_UNTIL(!stage_is_alive(pid));
}

static void test_left_behind(void)
{
	struct stage stage;
	struct freezer freezer;
	if (!freezer_init(&freezer))
		return;
	stage_begin(&stage, 0);
	leave_one(&stage, &freezer);
	pid_t pid = stage.worker.process.pid;
	freeze(&freezer, pid);
	worker_hand_over(&stage.worker);
	WAIT_UNTIL(stage.n_ready == 3);
	g_assert_true(stage_is_alive(pid));
	thaw(&freezer);
	WAIT_UNTIL(!stage_is_alive(pid));
	g_assert_cmpuint(stage.n_failed, ==, 0);
	stage_finish(&stage);
	freezer_finish(&freezer);
}

/* A spare that cannot die keeps no other one away, and the keeper's own end waits for nobody. */
static void test_left_behind_at_the_end(void)
{
	struct stage stage;
	struct freezer freezer;
	if (!freezer_init(&freezer))
		return;
	stage_begin(&stage, 0);
	spare_keep(&stage.worker.spare, DESKTOP_SPARE_READY);
	pid_t pids[] = { stage_await_spare(&stage), 0, 0, stage.starter.servant.pid };
	freeze(&freezer, pids[0]);
	spare_drop(&stage.worker.spare);
	WAIT_UNTIL(stage.worker.spare.process.pid > 0 && stage.worker.spare.process.pid != pids[0]);
	pids[1] = stage.worker.spare.process.pid;
	pids[2] = stage.worker.process.pid;
	freeze(&freezer, pids[1]);
	freeze(&freezer, pids[2]);
	freeze(&freezer, pids[3]);
	gint64 begin_us = g_get_monotonic_time();
	worker_finish(&stage.worker);
	starter_finish(&stage.starter);
	g_assert_cmpint(g_get_monotonic_time() - begin_us, <, PATIENCE_MS * G_GINT64_CONSTANT(500));
	for (unsigned i = 0; i < G_N_ELEMENTS(pids); i++)
		g_assert_true(stage_is_alive(pids[i]));
	thaw(&freezer);
	for (unsigned i = 1; i < G_N_ELEMENTS(pids); i++)
		g_assert_cmpint(waitpid(pids[i], NULL, 0), ==, pids[i]);
	WAIT_UNTIL(!stage_is_alive(pids[0]));
	freezer_finish(&freezer);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* The worker warns of each end, which must not end the test. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	g_log_set_default_handler(on_log, NULL);
	g_test_add_func("/worker/hangs/stopped-when-taken", test_stopped_when_taken);
	g_test_add_func("/worker/hangs/stopped-while-it-waits", test_stopped_while_it_waits);
	g_test_add_func("/worker/hangs/deaf", test_deaf);
	g_test_add_func("/worker/hangs/slow", test_slow);
	g_test_add_func("/worker/left-behind/worker", test_left_behind);
	g_test_add_func("/worker/left-behind/at-the-end", test_left_behind_at_the_end);
	return g_test_run();
}
