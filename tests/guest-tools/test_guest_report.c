/* SPDX-License-Identifier: MIT */
/*
 * guest_report: checks that the host keeps the known members of a guest's report, cleaned, and that
 * a flood and a long line do no harm.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/guest_report.h"
#include "server/desktop/guest_report.h"

static GKeyFile *parse(const char *line)
{
	return guest_report_parse(line, strlen(line), NULL);
}

static void test_parse(void)
{
	g_autoptr(GKeyFile) file = parse(
		"{\"vitrine_guest_report\":1,\"accelerated\":false,"
		"\"verdict\":\"no\\u001b[31m \\u0007x\",\"fix\":null,\"cause\":7,\"other\":[1]}");
	g_assert_nonnull(file);
	g_autofree char *verdict = g_key_file_get_string(file, GUEST_REPORT_GROUP, "verdict", NULL);
	g_autofree char *accelerated =
		g_key_file_get_string(file, GUEST_REPORT_GROUP, "accelerated", NULL);
	g_assert_cmpstr(verdict, ==, "no [31m  x");
	g_assert_cmpstr(accelerated, ==, "no");
	g_assert_false(g_key_file_has_key(file, GUEST_REPORT_GROUP, "fix", NULL));
	g_assert_false(g_key_file_has_key(file, GUEST_REPORT_GROUP, "cause", NULL));
}

static void test_refuse(void)
{
	static const char *const lines[] = { "", "null", "[]", "{}",
		"{\"vitrine_guest_report\":2,\"verdict\":\"x\"}", "{\"vitrine_guest_report\":1}",
		"{\"vitrine_guest_report\":\"1\",\"verdict\":\"x\"}",
		"{\"vitrine_guest_report\":1,\"verdict\":{}}",
		"{\"vitrine_guest_report\":1,\"verdict\":\"x\"" };
	for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autoptr(GKeyFile) file = parse(lines[i]);
		g_assert_null(file);
	}
	g_autofree char *deep = g_strnfill(GUEST_REPORT_TEXT_LINE_MAX - 1, '[');
	g_autoptr(GKeyFile) file = parse(deep);
	g_assert_null(file);
}

static gboolean stop(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

static void run_for(unsigned milliseconds)
{
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_timeout_add(milliseconds, stop, loop);
	g_main_loop_run(loop);
}

static void send_text(int fd, const char *text)
{
	g_assert_cmpint(send(fd, text, strlen(text), MSG_NOSIGNAL), ==, (ssize_t)strlen(text));
}

static void test_stream(void)
{
	int pair[2];
	g_autofree char *dir = g_dir_make_tmp("vitrine-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "report", NULL);
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	struct guest_report *report = guest_report_create(pair[0], path);

	g_autofree char *longer = g_strnfill(3 * GUEST_REPORT_TEXT_LINE_MAX, 'a');
	send_text(pair[1], longer);
	send_text(pair[1], "\nnonsense\n{\"vitrine_guest_report\":1,\"accel");
	run_for(1500);
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	send_text(pair[1], "erated\":true,\"verdict\":\"good\"}\n");
	run_for(600);
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_assert_true(g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL));
	g_autofree char *verdict = g_key_file_get_string(file, GUEST_REPORT_GROUP, "verdict", NULL);
	g_assert_cmpstr(verdict, ==, "good");

	close(pair[1]);
	run_for(300);
	guest_report_destroy(report);
	g_unlink(path);
	g_rmdir(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guest-report/parse", test_parse);
	g_test_add_func("/guest-report/refuse", test_refuse);
	g_test_add_func("/guest-report/stream", test_stream);
	return g_test_run();
}
