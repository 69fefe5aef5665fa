/* SPDX-License-Identifier: MIT */
/* upgrade: asks a keeper to go on with workers of another build, which fake workers play. */
#include "server/keeper/upgrade.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/listen.h"
#include "protocol/contracts.h"
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
	g_autofree char *listener = g_strdup_printf("--spice-unix=%s/spice", site->folder);
	const char *const arguments[] = { socket, listener, "--virgl", NULL };
	site->rig = rig_create(arguments);
	rig_negotiate(site->rig);
	/* A guest runs, whose memory is there to rebuild from. */
	rig_start(site->rig, 0, 0);
	rig_wait_log(site->rig, "START 1 at", 1);
	rig_wait_log(site->rig, "LISTENER", 1);
}

static void tear_down(struct site *site, gconstpointer data)
{
	rig_destroy(site->rig);
	g_assert_cmpint(g_rmdir(site->folder), ==, 0);
	g_free(site->folder);
	g_free(site->path);
}

enum { RENDERER = 1, DISPLAY = 2, BOTH = 3 };

static char *find_program(const struct site *site, unsigned which)
{
	return g_build_filename(
		site->rig->dir, which == RENDERER ? "vitrine-render" : "vitrine-display", NULL);
}

static void put(const struct site *site, unsigned which, const char *bytes, gsize n_bytes)
{
	g_autofree char *path = find_program(site, which);
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_true(g_file_set_contents_full(
		path, bytes, (gssize)n_bytes, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
}

/* Puts other files in the place of programs: as good ones, or not. */
static void install(const struct site *site, unsigned which, const char *program)
{
	g_autofree char *bytes = NULL;
	gsize n_bytes;
	g_assert_true(g_file_get_contents(program, &bytes, &n_bytes, NULL));
	for (unsigned one = RENDERER; one <= DISPLAY; one++) {
		if (which & one)
			put(site, one, bytes, n_bytes);
	}
}

/* The same of a build that keeps to another version of this contract. */
static void install_other(const struct site *site, unsigned which, enum contract other)
{
	static const char owner[] = "\x01\0\0\0" CONTRACTS_NOTE_OWNER;
	g_autofree char *bytes = NULL;
	gsize n_bytes;
	g_assert_true(g_file_get_contents(g_getenv("FAKE_WORKER"), &bytes, &n_bytes, NULL));
	char *note = memmem(bytes, n_bytes, owner, sizeof(owner));
	g_assert_nonnull(note);
	note[sizeof(owner) + other * sizeof(uint32_t)]++;
	put(site, which, bytes, n_bytes);
}

/* The worker at work is the last one that was given this: spare ones are not. */
static pid_t find_worker(const struct site *site, unsigned which)
{
	g_autofree char *log = NULL;
	g_assert_true(g_file_get_contents(site->rig->worker_log, &log, NULL, NULL));
	char *at = g_strrstr(log, which == RENDERER ? " LEDGER" : " LISTENER");
	g_assert_nonnull(at);
	while (at > log && g_ascii_isdigit(at[-1]))
		at--;
	return (pid_t)g_ascii_strtoll(at, NULL, 10);
}

static bool is_of_installed(const struct site *site, unsigned which)
{
	g_autofree char *path = find_program(site, which);
	g_autofree char *exe = g_strdup_printf("/proc/%d/exe", (int)find_worker(site, which));
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

static int send_request(const struct site *site, uint32_t version)
{
	struct upgrade_request request = { .header.type = UPGRADE_MESSAGE_REQUEST,
		.version = version };
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

static struct upgrade_answer ask(const struct site *site)
{
	return hear(send_request(site, UPGRADE_REQUEST_VERSION));
}

static void tell_workers(const struct site *site, const char *suffix, bool is_told)
{
	g_autofree char *path = g_strconcat(site->rig->worker_log, suffix, NULL);
	if (is_told)
		g_assert_true(g_file_set_contents(path, "", 0, NULL));
	else
		g_assert_cmpint(g_unlink(path), ==, 0);
}

/* Which of them have other programs, and those alone are exchanged. */
static void test_done(struct site *site, gconstpointer data)
{
	static const unsigned installed[] = { BOTH, RENDERER, DISPLAY, BOTH };
	for (unsigned i = 0; i < G_N_ELEMENTS(installed); i++) {
		unsigned which = installed[i];
		pid_t renderer = find_worker(site, RENDERER), display = find_worker(site, DISPLAY);
		install(site, which, g_getenv("FAKE_WORKER"));
		int fd = send_request(site, UPGRADE_REQUEST_VERSION);
		/* One at a time. */
		struct upgrade_answer other = ask(site);
		g_assert_cmpuint(other.result, ==, UPGRADE_REFUSED);
		g_assert_cmpstr(other.why, ==, "an upgrade is under way");
		struct upgrade_answer answer = hear(fd);
		g_assert_cmpstr(answer.why, ==, "");
		g_assert_cmpuint(answer.result, ==, UPGRADE_DONE);
		g_assert_cmpint(find_worker(site, RENDERER) != renderer, ==, which & RENDERER);
		g_assert_cmpint(find_worker(site, DISPLAY) != display, ==, (which & DISPLAY) != 0);
		g_assert_cmpint(answer.guest_away_us > 0, ==, which & RENDERER);
		g_assert_cmpint(answer.clients_away_us > 0, ==, (which & DISPLAY) != 0);
		g_assert_true(is_of_installed(site, RENDERER) && is_of_installed(site, DISPLAY));
	}
	g_assert_cmpuint(rig_count_log(site->rig, "SWITCH"), ==, 3);
	g_assert_cmpuint(ask(site).result, ==, UPGRADE_IS_SAME);
}

/* A build that speaks otherwise is refused by the name of what differs, whichever program it is. */
static void test_versions(struct site *site, gconstpointer data)
{
	pid_t renderer = find_worker(site, RENDERER), display = find_worker(site, DISPLAY);
	for (unsigned which = RENDERER; which <= DISPLAY; which++) {
		for (unsigned i = 0; i < CONTRACTS; i++) {
			install(site, BOTH, g_getenv("FAKE_WORKER"));
			install_other(site, which, i);
			struct upgrade_answer answer = ask(site);
			g_autofree char *wanted =
				g_strdup_printf("the new vitrine-%s's %s is of "
						"version %u, and this desktop's of "
						"version %u: it must be restarted",
					which == RENDERER ? "render" : "display", contract_name(i),
					contract_version(i) + 1, contract_version(i));
			g_assert_cmpstr(answer.why, ==, wanted);
			g_assert_cmpuint(answer.result, ==, UPGRADE_REFUSED);
		}
	}
	struct upgrade_answer answer = hear(send_request(site, UPGRADE_REQUEST_VERSION + 1));
	g_assert_cmpuint(answer.result, ==, UPGRADE_REFUSED);
	g_assert_cmpint(find_worker(site, RENDERER), ==, renderer);
	g_assert_cmpint(find_worker(site, DISPLAY), ==, display);
	/* Nothing was started. */
	g_assert_cmpuint(rig_count_log(site->rig, "NODE"), ==, 2);
}

static void test_does_not_start(struct site *site, gconstpointer data)
{
	static const char *const suffixes[] = { ".fail", ".display-fail" };
	pid_t renderer = find_worker(site, RENDERER), display = find_worker(site, DISPLAY);
	static const char *const others[] = { "/bin/false", "/etc/passwd" };
	for (unsigned i = 0; i < 2; i++) {
		install(site, RENDERER << i, others[i]);
		g_assert_cmpuint(ask(site).result, ==, UPGRADE_REFUSED);
		install(site, BOTH, g_getenv("FAKE_WORKER"));
		tell_workers(site, suffixes[i], true);
		struct upgrade_answer answer = ask(site);
		tell_workers(site, suffixes[i], false);
		g_assert_cmpuint(answer.result, ==, UPGRADE_REFUSED);
		g_assert_cmpstr(answer.why, ==,
			i == 0 ? "the new renderer does not start here" :
				 "the new display does not start here");
	}
	g_assert_cmpint(find_worker(site, RENDERER), ==, renderer);
	g_assert_cmpint(find_worker(site, DISPLAY), ==, display);
	g_assert_cmpuint(ask(site).result, ==, UPGRADE_DONE);
}

/* Who opens it would wait for ever, and with them the keeper, who gives its starter up then. */
static void test_fifo(struct site *site, gconstpointer data)
{
	g_autofree char *path = find_program(site, RENDERER);
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(mkfifo(path, 0755), ==, 0);
	g_assert_cmpuint(ask(site).result, ==, UPGRADE_REFUSED);
	install(site, BOTH, g_getenv("FAKE_WORKER"));
	g_assert_cmpuint(ask(site).result, ==, UPGRADE_DONE);
}

/*
 * One of them starts, and ends when it is given what the old one had. Then both are of the old
 * build again.
 */
static void check_undone(struct site *site, const char *suffix, const char *why)
{
	install(site, BOTH, g_getenv("FAKE_WORKER"));
	tell_workers(site, suffix, true);
	struct upgrade_answer answer = ask(site);
	tell_workers(site, suffix, false);
	g_assert_cmpstr(answer.why, ==, why);
	g_assert_cmpuint(answer.result, ==, UPGRADE_UNDONE);
	for (unsigned which = RENDERER; which <= DISPLAY; which++) {
		for (unsigned i = 0;
			i < 500 && (find_worker(site, which) <= 0 || is_of_installed(site, which));
			i++)
			g_usleep(10000);
		g_assert_false(is_of_installed(site, which));
	}
	/* It can be tried again, once workers of the old build are at work. */
	for (unsigned i = 0; i < 100 && answer.result != UPGRADE_DONE; i++) {
		g_usleep(100000);
		answer = ask(site);
	}
	g_assert_cmpuint(answer.result, ==, UPGRADE_DONE);
	g_assert_true(is_of_installed(site, RENDERER) && is_of_installed(site, DISPLAY));
}

static void test_cannot_take_over(struct site *site, gconstpointer data)
{
	check_undone(site, ".cannot-take-over", "the new renderer ended when it took over");
	check_undone(site, ".display-cannot-take-over", "the new display ended when it took over");
}

/* A display that does not leave when it is told to is ended. */
static void test_stays(struct site *site, gconstpointer data)
{
	pid_t display = find_worker(site, DISPLAY);
	tell_workers(site, ".display-stays", true);
	g_assert_cmpint(kill(site->rig->pid, SIGUSR1), ==, 0);
	rig_wait_log(site->rig, "LISTENER", 2);
	g_assert_cmpint(find_worker(site, DISPLAY), !=, display);
	install(site, BOTH, g_getenv("FAKE_WORKER"));
	g_assert_cmpuint(ask(site).result, ==, UPGRADE_DONE);
	tell_workers(site, ".display-stays", false);
	g_assert_cmpuint(rig_count_log(site->rig, "SWITCH"), ==, 2);
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
	g_test_add("/upgrade/fifo", struct site, NULL, set_up, test_fifo, tear_down);
	g_test_add("/upgrade/stays", struct site, NULL, set_up, test_stays, tear_down);
	return g_test_run();
}
