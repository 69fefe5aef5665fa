/* SPDX-License-Identifier: MIT */
/* log: checks what a person reads on standard error. A child logs, since a writer is for good. */
#include "common/log.h"

#include <glib.h>

#define THREADS 4
#define LINES 50

static gpointer run_logger(gpointer data)
{
	for (unsigned i = 0; i < LINES; i++)
		g_message("line");
	return NULL;
}

static void log_all(void)
{
	log_init("program");
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	g_message("a message");
	g_message("red \x1b[31m, \xc2\x9b"
		  "31m and \x7f, but\ttabs and \xc3\xa4 \xc2\xa0");
	g_warning("a warning");
	g_log("library", G_LOG_LEVEL_CRITICAL, "a fault");
	g_info("nobody asked for this");
	g_print("printed\n");
}

static void test_lines(void)
{
	if (g_test_subprocess()) {
		log_all();
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr(
		"program: a message\n"
		"program: red ?[31m, ??31m and ?, but\ttabs and \xc3\xa4 \xc2\xa0\n"
		"program: a warning\nprogram: CRITICAL: a fault\n");
	/* "?" stands for any character above. */
	g_test_trap_assert_stderr_unmatched("*\x1b*");
	g_test_trap_assert_stderr_unmatched("*\xc2\x9b*");
	g_test_trap_assert_stderr_unmatched("*\x7f*");
	g_test_trap_assert_stdout("*printed\n*");
}

/* ThreadSanitizer, too, looks at this: GLib's own writer would not pass. */
static void test_threads(void)
{
	if (g_test_subprocess()) {
		GThread *threads[THREADS];
		log_init("program");
		for (unsigned i = 0; i < THREADS; i++)
			threads[i] = g_thread_new("logger", run_logger, NULL);
		for (unsigned i = 0; i < THREADS; i++)
			g_thread_join(threads[i]);
		return;
	}
	g_autoptr(GString) lines = g_string_new(NULL);
	for (unsigned i = 0; i < THREADS * LINES; i++)
		g_string_append(lines, "program: line\n");
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr(lines->str);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/log/lines", test_lines);
	g_test_add_func("/log/threads", test_threads);
	return g_test_run();
}
