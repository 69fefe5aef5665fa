/* SPDX-License-Identifier: MIT */
/*
 * signals: checks which signals end `vitrine run`, and which have it read its files again. A child
 * with a terminal of its own, which then hangs up, stands for it.
 */
#include "server/run/signals.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000

struct heard {
	GMainLoop *loop;
	unsigned ends, reads, presses;
};

static void on_end(void *user)
{
	struct heard *heard = user;
	heard->ends++;
	g_main_loop_quit(heard->loop);
}

static void on_read_again(void *user)
{
	struct heard *heard = user;
	heard->reads++;
	g_main_loop_quit(heard->loop);
}

static void on_press_power(void *user)
{
	struct heard *heard = user;
	heard->presses++;
	g_main_loop_quit(heard->loop);
}

static gboolean on_late(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_CONTINUE;
}

static void listen_to(struct heard *heard, struct signals *signals)
{
	const struct signals_events events = { heard, on_end, on_read_again, on_press_power };
	*heard = (struct heard){ .loop = g_main_loop_new(NULL, FALSE) };
	signals_init(signals, &events);
}

static void wait_for_one(struct heard *heard, unsigned patience_ms)
{
	unsigned timer = g_timeout_add(patience_ms, on_late, heard->loop);
	g_main_loop_run(heard->loop);
	g_source_remove(timer);
}

static void expect_signal(int number, unsigned ends, unsigned reads)
{
	struct heard heard;
	struct signals signals;
	listen_to(&heard, &signals);
	raise(number);
	wait_for_one(&heard, PATIENCE_MS);
	g_assert_cmpuint(heard.ends, ==, ends);
	g_assert_cmpuint(heard.reads, ==, reads);
	g_assert_cmpuint(heard.presses, ==, number == SIGUSR1);
	signals_finish(&signals);
	g_main_loop_unref(heard.loop);
}

static void test_ends(void)
{
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_MESSAGE, "ends: SIGTERM");
	expect_signal(SIGTERM, 1, 0);
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_MESSAGE, "ends: SIGINT");
	expect_signal(SIGINT, 1, 0);
	g_test_assert_expected_messages();
}

static void test_presses_power(void)
{
	expect_signal(SIGUSR1, 0, 0);
}

static void test_reads_again(void)
{
	expect_signal(SIGHUP, 0, 1);
}

/* This is what nohup(1) does, and a shell with what it runs behind its back. */
static void test_ignored(void)
{
	struct heard heard;
	struct signals signals;
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	listen_to(&heard, &signals);
	raise(SIGHUP);
	raise(SIGINT);
	wait_for_one(&heard, 200);
	g_assert_cmpuint(heard.ends + heard.reads, ==, 0);
	signals_finish(&signals);
	g_main_loop_unref(heard.loop);
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
}

/* It leads a session whose terminal this is, and says when it listens. */
static void run_child(int terminal, int say)
{
	struct heard heard;
	struct signals signals;
	if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0) < 0)
		_exit(10);
	listen_to(&heard, &signals);
	/*
	 * GCC 12's ThreadSanitizer makes room for a thread's signals in its first call that blocks,
	 * and loses one that comes just then. This is that call, while nobody sends any.
	 */
	g_main_context_iteration(NULL, FALSE);
	if (write(say, "1", 1) != 1)
		_exit(11);
	wait_for_one(&heard, PATIENCE_MS);
	if (heard.reads != 1 || heard.ends != 0 || write(say, "2", 1) != 1)
		_exit(12);
	wait_for_one(&heard, PATIENCE_MS);
	_exit(heard.reads == 1 && heard.ends == 1 ? 0 : 13);
}

static void test_terminal_goes(void)
{
	int say[2], status;
	char byte;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) {
		g_test_skip("no terminals here");
		return;
	}
	int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	g_assert_cmpint(terminal, >=, 0);
	g_assert_cmpint(pipe2(say, O_CLOEXEC), ==, 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(master);
		run_child(terminal, say[1]);
	}
	close(terminal);
	close(say[1]);
	g_assert_cmpint(read(say[0], &byte, 1), ==, 1);
	/* The terminal is there: whoever sends this wants the files read. */
	kill(pid, SIGHUP);
	g_assert_cmpint(read(say[0], &byte, 1), ==, 1);
	close(master);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFEXITED(status));
	g_assert_cmpint(WEXITSTATUS(status), ==, 0);
	close(say[0]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/signals/terminal-goes", test_terminal_goes);
	g_test_add_func("/signals/ends", test_ends);
	g_test_add_func("/signals/reads-again", test_reads_again);
	g_test_add_func("/signals/presses-power", test_presses_power);
	g_test_add_func("/signals/ignored", test_ignored);
	return g_test_run();
}
