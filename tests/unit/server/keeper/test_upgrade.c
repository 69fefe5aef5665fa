/* SPDX-License-Identifier: MIT */
/* upgrade: asks a keeper to go on with a renderer of another build, which fake workers play. */
#include "server/keeper/upgrade.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/listen.h"
#include "tests/unit/server/rig.h"

#define PATIENCE_MS 30000

struct site {
	char *folder, *path;
	struct rig *rig;
};

static void set_up(struct site *site, gconstpointer data)
{
	site->folder = g_dir_make_tmp("vitrine-upgrade-XXXXXX", NULL);
	site->path = g_build_filename(site->folder, "tickets", NULL);
	g_autofree char *socket = g_strdup_printf("--ticket-socket=%s", site->path);
	const char *const arguments[] = { socket, "--virgl", NULL };
	site->rig = rig_create(arguments);
	rig_negotiate(site->rig);
	/* A guest runs, whose memory is there to rebuild from. */
	rig_start(site->rig, 0, 0);
	rig_wait_log(site->rig, "START 1 at", 1);
}

static void tear_down(struct site *site, gconstpointer data)
{
	rig_destroy(site->rig);
	g_assert_cmpint(g_rmdir(site->folder), ==, 0);
	g_free(site->folder);
	g_free(site->path);
}

/* Puts another file in the place of the renderer's program: as good a one, or not. */
static void install(const struct site *site, const char *program)
{
	g_autofree char *bytes = NULL;
	g_autofree char *path = g_build_filename(site->rig->dir, "vitrine-render", NULL);
	gsize n_bytes;
	g_assert_true(g_file_get_contents(program, &bytes, &n_bytes, NULL));
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_true(g_file_set_contents_full(
		path, bytes, (gssize)n_bytes, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
}

static bool is_of_installed(const struct site *site)
{
	g_autofree char *path = g_build_filename(site->rig->dir, "vitrine-render", NULL);
	g_autofree char *exe = g_strdup_printf("/proc/%d/exe", (int)rig_renderer(site->rig));
	struct stat installed, runs;
	g_assert_cmpint(stat(path, &installed), ==, 0);
	return stat(exe, &runs) == 0 && runs.st_ino == installed.st_ino &&
	       runs.st_dev == installed.st_dev;
}

static bool on_answer(void *user, const void *message, int *fds, unsigned n_fds)
{
	memcpy(user, message, sizeof(struct upgrade_answer));
	return true;
}

static int send_request(const struct site *site, enum upgrade_contract other)
{
	struct upgrade_request request = { .header.type = UPGRADE_MESSAGE_REQUEST,
		.versions = UPGRADE_OWN_VERSIONS };
	if (other < UPGRADE_CONTRACTS)
		request.versions[other]++;
	int fd = listen_connect_packets(site->path, PATIENCE_MS, NULL);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(link_send(fd, &request, sizeof(request), NULL, 0), ==, 0);
	return fd;
}

static struct upgrade_answer hear(int fd)
{
	static const struct link_handler table[] = {
		{ UPGRADE_MESSAGE_ANSWER, "ANSWER", sizeof(struct upgrade_answer), 0, 0,
			on_answer },
	};
	struct upgrade_answer answer = { .result = 77 };
	g_assert_true(link_wait_readable(fd, PATIENCE_MS));
	g_assert_cmpint(link_dispatch(fd, "keeper", table, 1, &answer), ==, 1);
	close(fd);
	return answer;
}

static void test_done(struct site *site, gconstpointer data)
{
	for (unsigned i = 0; i < 3; i++) {
		pid_t before = rig_renderer(site->rig);
		install(site, g_getenv("FAKE_WORKER"));
		int fd = send_request(site, UPGRADE_CONTRACTS);
		/* One at a time. */
		struct upgrade_answer other = hear(send_request(site, UPGRADE_CONTRACTS));
		g_assert_cmpuint(other.result, ==, UPGRADE_REFUSED);
		g_assert_cmpstr(other.why, ==, "an upgrade is under way");
		struct upgrade_answer answer = hear(fd);
		g_assert_cmpuint(answer.result, ==, UPGRADE_DONE);
		g_assert_cmpint(rig_renderer(site->rig), !=, before);
		g_assert_true(is_of_installed(site));
	}
}

/* A build that speaks otherwise is refused by the name of what differs. */
static void test_versions(struct site *site, gconstpointer data)
{
	static const char *const names[UPGRADE_CONTRACTS] = { "keeper link", "frame link", "ledger",
		"heartbeat", "figures" };
	pid_t before = rig_renderer(site->rig);
	for (unsigned i = 0; i < UPGRADE_CONTRACTS; i++) {
		struct upgrade_answer answer = hear(send_request(site, i));
		g_assert_cmpuint(answer.result, ==, UPGRADE_REFUSED);
		g_assert_nonnull(strstr(answer.why, names[i]));
	}
	g_assert_cmpint(rig_renderer(site->rig), ==, before);
}

static void test_does_not_start(struct site *site, gconstpointer data)
{
	pid_t before = rig_renderer(site->rig);
	install(site, "/bin/false");
	struct upgrade_answer answer = hear(send_request(site, UPGRADE_CONTRACTS));
	g_assert_cmpuint(answer.result, ==, UPGRADE_REFUSED);
	g_assert_cmpint(rig_renderer(site->rig), ==, before);
	install(site, "/etc/passwd");
	answer = hear(send_request(site, UPGRADE_CONTRACTS));
	g_assert_cmpuint(answer.result, ==, UPGRADE_REFUSED);
	g_assert_cmpint(rig_renderer(site->rig), ==, before);
	install(site, g_getenv("FAKE_WORKER"));
	answer = hear(send_request(site, UPGRADE_CONTRACTS));
	g_assert_cmpuint(answer.result, ==, UPGRADE_DONE);
}

/* It starts, and ends when it is given what the old one had. Then the old build is there again. */
static void test_cannot_take_over(struct site *site, gconstpointer data)
{
	g_autofree char *told = g_strconcat(site->rig->worker_log, ".cannot-take-over", NULL);
	install(site, g_getenv("FAKE_WORKER"));
	g_assert_true(g_file_set_contents(told, "", 0, NULL));
	struct upgrade_answer answer = hear(send_request(site, UPGRADE_CONTRACTS));
	g_unlink(told);
	g_assert_cmpuint(answer.result, ==, UPGRADE_UNDONE);
	for (unsigned i = 0; i < 500 && (rig_renderer(site->rig) <= 0 || is_of_installed(site));
		i++)
		g_usleep(10000);
	g_assert_false(is_of_installed(site));
	/* It can be tried again, once the renderer of the old build is at work. */
	for (unsigned i = 0; i < 100 && answer.result != UPGRADE_DONE; i++) {
		g_usleep(100000);
		answer = hear(send_request(site, UPGRADE_CONTRACTS));
	}
	g_assert_cmpuint(answer.result, ==, UPGRADE_DONE);
	g_assert_true(is_of_installed(site));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Its renderers wait for the word, and say what they have, as real ones do. */
	g_setenv("FAKE_WORKER_WAITS", "1", TRUE);
	g_test_add("/upgrade/done", struct site, NULL, set_up, test_done, tear_down);
	g_test_add("/upgrade/versions", struct site, NULL, set_up, test_versions, tear_down);
	g_test_add("/upgrade/does-not-start", struct site, NULL, set_up, test_does_not_start,
		tear_down);
	g_test_add("/upgrade/cannot-take-over", struct site, NULL, set_up, test_cannot_take_over,
		tear_down);
	return g_test_run();
}
