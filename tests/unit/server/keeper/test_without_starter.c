/* SPDX-License-Identifier: MIT */
/*
 * without_starter: runs vitrine-gpu as QEMU meets it and kills its starter. The desktop goes on as
 * long as its workers do, and ends when one of them must be replaced. What the starter knows is
 * looked for in its memory.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process.h"
#include "tests/unit/server/files.h"
#include "tests/unit/server/rig.h"

#define PATIENCE_MS 20000
/* It stands nowhere else: not in this program's environment, and in no command line. */
#define PASSWORD "swordfish-of-the-keeper"

static const char *const virgl[] = { "--virgl", NULL };

/* Waits for one, as it is born under its keeper's name. */
static pid_t await_starter(const struct rig *rig)
{
	for (unsigned waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 10) {
		pid_t pid = rig_find_starter(rig);
		if (pid > 0)
			return pid;
		g_usleep(10000);
	}
	g_error("vitrine-gpu has no starter");
}

static void kill_starter(const struct rig *rig)
{
	pid_t starter = await_starter(rig);
	g_assert_cmpint(kill(starter, SIGKILL), ==, 0);
	g_assert_true(process_wait_end(starter, PATIENCE_MS));
}

static void test_goes_on(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	kill_starter(rig);
	rig_start(rig, 0, 0);
	rig_wait_log(rig, "START 1 at 0", 1);
	g_assert_cmpuint(rig_stop(rig), ==, 7);
	g_autofree char *errors = rig_errors(rig);
	g_assert_nonnull(strstr(errors, "the starter (pid "));
	rig_destroy(rig);
}

static void test_ends_with_worker(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	rig_start(rig, 0, 0);
	rig_wait_log(rig, "START 1 at 0", 1);
	kill_starter(rig);
	kill(rig_renderer(rig), SIGKILL);
	int status = rig_wait_end(rig);
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	g_autofree char *errors = rig_errors(rig);
	g_assert_nonnull(strstr(errors, "vitrine-render: the starter is gone"));
	rig_free(rig);
}

/* Both are gone before the keeper can say so, and with it the workers. */
static void test_killed_with_keeper(void)
{
	struct rig *rig = rig_create(virgl);
	rig_negotiate(rig);
	pid_t starter = await_starter(rig), renderer = rig_renderer(rig);
	kill(renderer, SIGSTOP);
	kill(starter, SIGKILL);
	kill(rig->pid, SIGKILL);
	rig_wait_end(rig);
	g_assert_true(process_wait_end(starter, PATIENCE_MS));
	g_assert_true(process_wait_end(renderer, PATIENCE_MS));
	rig_free(rig);
}

/* Gives how often the text is in a process's memory; -1: we may not look. */
static int count_in_memory(pid_t pid, const char *text)
{
	g_autofree char *maps_path = g_strdup_printf("/proc/%d/maps", pid);
	g_autofree char *path = g_strdup_printf("/proc/%d/mem", pid);
	g_autofree char *maps = NULL;
	int n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !g_file_get_contents(maps_path, &maps, NULL, NULL) || !*maps)
		return -1;
	g_auto(GStrv) rows = g_strsplit(maps, "\n", -1);
	for (unsigned i = 0; rows[i]; i++) {
		unsigned long from, to;
		char mode[5];
		/* What is larger is AddressSanitizer's shadow. */
		if (sscanf(rows[i], "%lx-%lx %4s", &from, &to, mode) != 3 || mode[0] != 'r' ||
			to - from > 1ul << 28)
			continue;
		g_autofree char *bytes = g_malloc(to - from);
		ssize_t length = pread(fd, bytes, to - from, (off_t)from);
		char *at = bytes;
		while (length > 0 &&
			(at = memmem(at, (size_t)(bytes + length - at), text, strlen(text)))) {
			n++;
			at += strlen(text);
		}
	}
	close(fd);
	return n;
}

static void test_knows_no_password(void)
{
	char *file = write_file("password", PASSWORD, strlen(PASSWORD));
	g_autofree char *option = g_strdup_printf("--password-file=%s", file);
	const char *const arguments[] = { option, NULL };
	struct rig *rig = rig_create(arguments);
	rig_negotiate(rig);
	int of_keeper = count_in_memory(rig->pid, PASSWORD);
	int of_starter = count_in_memory(await_starter(rig), PASSWORD);
	rig_destroy(rig);
	remove_file(file);
	if (of_keeper < 0 || of_starter < 0) {
		g_test_skip("only root may look into processes that are not dumpable");
		return;
	}
	g_assert_cmpint(of_keeper, >, 0);
	g_assert_cmpint(of_starter, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/without-starter/goes-on", test_goes_on);
	g_test_add_func("/without-starter/ends-with-worker", test_ends_with_worker);
	g_test_add_func("/without-starter/killed-with-keeper", test_killed_with_keeper);
	g_test_add_func("/without-starter/knows-no-password", test_knows_no_password);
	return g_test_run();
}
