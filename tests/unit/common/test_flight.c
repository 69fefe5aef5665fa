/* SPDX-License-Identifier: MIT */
/* Writes into a flight recorder, from several threads, and ends processes that have one. */
#include "common/flight.h"

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/monotonic.h"

static struct flight_memory *memory;

static void begin(void)
{
	memory = mmap(
		NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	g_assert_true(memory != MAP_FAILED);
	flight_init(memory);
	flight_use(memory);
}

static void end(void)
{
	flight_use(NULL);
	munmap(memory, sizeof(*memory));
}

static void test_events(void)
{
	begin();
	flight_begin_thread("main");
	uint64_t before_ns = monotonic_now_ns();
	flight_note(7, 1, 2, 3);
	flight_note_name(8, 50, "gl\xc3\xa4ss\x1b[31m and more than fits");
	flight_note_often(9, 123, 4, 5, 6);
	g_assert_cmpuint(memory->n_rare, ==, 2);
	g_assert_cmpuint(memory->n_often, ==, 1);
	g_assert_cmphex(memory->rare[0].tag, ==, 7 | 1 << 16 | UINT64_C(1) << 32);
	g_assert_cmpuint(memory->rare[0].time_ns, >=, before_ns);
	g_assert_cmpuint(memory->rare[0].args[2], ==, 3);
	g_assert_cmpuint(memory->rare[1].args[0], ==, 50);
	g_assert_cmpmem(&memory->rare[1].args[1], 16, "gl??ss?[31m and ", 16);
	g_assert_cmpuint(memory->often[0].time_ns, ==, 123);
	g_assert_cmpstr(memory->threads[1].name, ==, "main");
	g_assert_cmpuint(memory->threads[1].tid, ==, (unsigned)gettid());
	end();
}

/* The ring holds the newest ones, each in its place. */
static void test_round(void)
{
	begin();
	unsigned n = 3 * FLIGHT_RARE_MAX + 5;
	for (unsigned i = 0; i < n; i++)
		flight_note(7, i, 0, 0);
	for (unsigned i = n - FLIGHT_RARE_MAX; i < n; i++) {
		const struct flight_event *event = &memory->rare[i % FLIGHT_RARE_MAX];
		g_assert_cmpuint(event->args[0], ==, i);
		g_assert_cmpuint(event->tag >> 32, ==, i + 1);
	}
	end();
}

#define WRITERS 4
#define NOTES 20000

static gpointer write_many(gpointer user)
{
	for (unsigned i = 0; i < NOTES; i++)
		flight_note((uint16_t)GPOINTER_TO_UINT(user), i, ~(uint64_t)i, 0);
	return NULL;
}

/* Nobody's event is lost, and none is another one's half. */
static void test_threads(void)
{
	GThread *threads[WRITERS];
	begin();
	for (unsigned i = 0; i < WRITERS; i++)
		threads[i] = g_thread_new("writer", write_many, GUINT_TO_POINTER(i + 1));
	for (unsigned i = 0; i < WRITERS; i++)
		g_thread_join(threads[i]);
	g_assert_cmpuint(memory->n_rare, ==, WRITERS * NOTES);
	for (unsigned i = 0; i < FLIGHT_RARE_MAX; i++)
		g_assert_cmphex(memory->rare[i].args[0], ==, ~memory->rare[i].args[1]);
	end();
}

static void test_texts(void)
{
	begin();
	char longer[FLIGHT_TEXT_BYTES + 20];
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	flight_set_text(FLIGHT_TEXT_DRIVER, longer);
	g_assert_cmpuint(strlen(memory->texts[FLIGHT_TEXT_DRIVER]), ==, FLIGHT_TEXT_BYTES - 1);
	flight_set_text(FLIGHT_TEXT_DRIVER, "a\nb");
	g_assert_cmpstr(memory->texts[FLIGHT_TEXT_DRIVER], ==, "a?b");
	for (unsigned i = 0; i < FLIGHT_THREADS_MAX + 3; i++)
		flight_begin_thread("one of many threads");
	flight_find_modules();
	g_assert_cmpuint(memory->n_modules, >, 3);
	for (unsigned i = 0; i < memory->n_modules; i++)
		g_assert_true(memory->modules[i].name[0] || memory->modules[i].end);
	flight_note_refused(4096);
	g_assert_cmpuint(memory->n_refused, ==, 1);
	end();
}

/* ---- ends ---- */

/* Sanitizers have handlers of their own, and flight_watch_crashes() leaves them alone. */
static bool skip_without_handlers(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	g_test_skip("sanitizers have handlers of their own");
	return true;
#else
	return false;
#endif
}

static int wait_end(pid_t pid)
{
	int status = 0;
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return status;
}

static void __attribute__((noinline)) die(int kind)
{
	if (kind == SIGSEGV)
		*(volatile int *)16 = 1;
	else if (kind == SIGABRT)
		g_assert_cmpint(kind, ==, 0);
	else
		raise(kind);
}

static pid_t start_dying(int kind)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	/* What GLib says of the end is not a result of this test. */
	g_assert_nonnull(freopen("/dev/null", "w", stdout));
	close(STDERR_FILENO);
	flight_begin_thread("main");
	flight_watch_crashes();
	die(kind);
	_exit(0);
}

static void check_end(int kind)
{
	begin();
	int status = wait_end(start_dying(kind));
	g_assert_true(WIFSIGNALED(status));
	g_assert_cmpint(WTERMSIG(status), ==, kind);
	const struct flight_stack *stack = &memory->stacks[0];
	g_assert_cmpuint(memory->n_stacks, ==, 1);
	g_assert_cmpuint(stack->kind, ==, FLIGHT_STACK_CRASHED);
	g_assert_cmpint(stack->signal_number, ==, kind);
	g_assert_cmpuint(stack->thread, ==, 1);
	g_assert_cmpuint(stack->is_whole, ==, 1);
	g_assert_cmpuint(stack->n_frames, >, 2);
	g_assert_cmphex(stack->frames[0], ==, stack->pc);
	if (kind == SIGSEGV)
		g_assert_cmphex(stack->address, ==, 16);
	if (kind == SIGABRT)
		g_assert_nonnull(strstr(memory->texts[FLIGHT_TEXT_LAST_WORDS], "kind == 0"));
	end();
}

static void test_crashes(void)
{
	if (skip_without_handlers())
		return;
	const int kinds[] = { SIGSEGV, SIGABRT, SIGBUS, SIGSYS, SIGFPE, SIGILL, SIGTRAP };
	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
		check_end(kinds[i]);
}

/* A stack that is full has no room for a handler. */
static int __attribute__((noinline)) recurse(volatile char *above)
{
	volatile char here[4096];
	here[0] = above ? above[0] : 0;
	/* The compiler is not to know that it never ends. */
	return getpid() == 0 ? 0 : recurse(here) + here[0];
}

static void test_full_stack(void)
{
	if (skip_without_handlers())
		return;
	begin();
	pid_t pid = fork();
	if (pid == 0) {
		flight_watch_crashes();
		_exit(recurse(NULL));
	}
	int status = wait_end(pid);
	g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	g_assert_cmpuint(memory->stacks[0].kind, ==, FLIGHT_STACK_CRASHED);
	g_assert_cmphex(memory->stacks[0].pc, !=, 0);
	end();
}

static gpointer sleep_long(gpointer user)
{
	flight_begin_thread("sleeper");
	for (;;)
		pause();
	return NULL;
}

/* A process that is asked says where each of its threads is, and goes on. */
static void test_asked(void)
{
	if (skip_without_handlers())
		return;
	begin();
	pid_t pid = fork();
	if (pid == 0) {
		flight_begin_thread("main");
		flight_watch_crashes();
		g_thread_new("sleeper", sleep_long, NULL);
		for (;;)
			pause();
	}
	for (unsigned i = 0; i < 1000 && __atomic_load_n(&memory->n_threads, 0) < 3; i++)
		g_usleep(5000);
	g_usleep(50000);
	g_assert_cmpint(kill(pid, flight_signal()), ==, 0);
	for (unsigned i = 0; i < 1000 && __atomic_load_n(&memory->n_stacks, 0) < 2; i++)
		g_usleep(5000);
	g_assert_cmpuint(memory->n_stacks, ==, 2);
	g_assert_cmpint(memory->stacks[0].kind, ==, FLIGHT_STACK_ASKED);
	g_assert_cmpint(memory->stacks[1].kind, ==, FLIGHT_STACK_ASKED);
	g_assert_cmpuint(memory->stacks[0].thread + memory->stacks[1].thread, ==, 1 + 2);
	g_assert_cmpint(waitpid(pid, NULL, WNOHANG), ==, 0);
	kill(pid, SIGKILL);
	wait_end(pid);
	end();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/flight/events", test_events);
	g_test_add_func("/flight/round", test_round);
	g_test_add_func("/flight/threads", test_threads);
	g_test_add_func("/flight/texts", test_texts);
	g_test_add_func("/flight/crashes", test_crashes);
	g_test_add_func("/flight/full-stack", test_full_stack);
	g_test_add_func("/flight/asked", test_asked);
	return g_test_run();
}
