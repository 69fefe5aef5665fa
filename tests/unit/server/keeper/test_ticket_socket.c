/* SPDX-License-Identifier: MIT */
/* ticket socket: asks a keeper for tickets, as vitrine ticket does and otherwise. */
#include "server/keeper/ticket_socket.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/listen.h"
#include "server/keeper/limits.h"
#include "tests/unit/server/rig.h"

#define PATIENCE_MS 5000

struct site {
	char *folder, *password, *path;
	struct rig *rig;
};

static void site_init(struct site *site, bool has_password)
{
	site->folder = g_dir_make_tmp("vitrine-tickets-XXXXXX", NULL);
	site->password = g_build_filename(site->folder, "password", NULL);
	site->path = g_build_filename(site->folder, "tickets", NULL);
	g_assert_true(g_file_set_contents(site->password, "swordfish\n", -1, NULL));
	g_autofree char *file = g_strdup_printf("--password-file=%s", site->password);
	g_autofree char *socket = g_strdup_printf("--ticket-socket=%s", site->path);
	const char *const arguments[] = { socket, "--virgl", has_password ? file : NULL, NULL };
	site->rig = rig_create(arguments);
	rig_negotiate(site->rig);
}

static void site_finish(struct site *site)
{
	rig_destroy(site->rig);
	g_assert_false(g_file_test(site->path, G_FILE_TEST_EXISTS));
	g_unlink(site->password);
	g_assert_cmpint(g_rmdir(site->folder), ==, 0);
	g_free(site->folder);
	g_free(site->password);
	g_free(site->path);
}

static bool on_answer(void *user, const void *message, int *fds, unsigned n_fds)
{
	memcpy(user, message, sizeof(struct ticket_answer));
	return true;
}

static struct ticket_answer ask(
	const struct site *site, uint32_t version, uint32_t flags, uint32_t use_within_s)
{
	static const struct link_handler table[] = {
		{ TICKET_MESSAGE_ANSWER, "ANSWER", sizeof(struct ticket_answer), 0, 0, on_answer },
	};
	struct ticket_request request = { .header.type = TICKET_MESSAGE_REQUEST,
		.version = version,
		.flags = flags,
		.use_within_s = use_within_s };
	struct ticket_answer answer = { .result = 77 };
	int fd = listen_connect_packets(site->path, PATIENCE_MS, NULL);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(link_send(fd, &request, sizeof(request), NULL, 0), ==, 0);
	g_assert_true(link_wait_readable(fd, PATIENCE_MS));
	g_assert_cmpint(link_dispatch(fd, "keeper", table, 1, &answer), ==, 1);
	close(fd);
	return answer;
}

static void test_given(void)
{
	struct site site;
	struct stat st;
	site_init(&site, true);
	rig_wait_log(site.rig, "TICKET swordfish", 1);
	g_assert_cmpint(stat(site.path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
	struct ticket_answer one = ask(&site, TICKET_REQUEST_VERSION, 0, 60);
	struct ticket_answer other =
		ask(&site, TICKET_REQUEST_VERSION, KEEPER_TICKET_VIEW_ONLY, 3600);
	g_assert_cmpuint(one.result, ==, TICKET_GIVEN);
	g_assert_cmpuint(other.result, ==, TICKET_GIVEN);
	g_assert_cmpuint(strlen(one.ticket), ==, 20);
	g_assert_cmpstr(one.ticket, !=, other.ticket);
	g_autofree char *first =
		g_strdup_printf("TICKET 16 2 60 %s as %.6s\n", one.ticket, one.ticket);
	g_autofree char *second =
		g_strdup_printf("TICKET 17 3 3600 %s as %.6s\n", other.ticket, other.ticket);
	rig_wait_log(site.rig, first, 1);
	rig_wait_log(site.rig, second, 1);
	/* The next display knows them, too. */
	kill(rig_worker(site.rig, "display"), SIGKILL);
	rig_wait_log(site.rig, "TICKET swordfish", 2);
	rig_wait_log(site.rig, one.ticket, 2);
	rig_wait_log(site.rig, other.ticket, 2);
	site_finish(&site);
}

static void set_file(const struct site *site, const char *suffix, bool there)
{
	g_autofree char *path = g_strconcat(site->rig->worker_log, suffix, NULL);
	if (there)
		g_assert_true(g_file_set_contents(path, "", 0, NULL));
	else
		g_unlink(path);
}

static void await_death(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	for (unsigned waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 10) {
		g_autofree char *text = NULL;
		if (!g_file_get_contents(path, &text, NULL, NULL) || strstr(text, ") Z "))
			return;
		g_usleep(10000);
	}
	g_error("%d lives", (int)pid);
}

/* Gives a ticket that display uses, or has used, or gives back, right before it crashes. The keeper
 * sleeps until that has happened. */
static char *crash_with_ticket(struct site *site, const char *suffix)
{
	unsigned n = rig_count_log(site->rig, "TICKET swordfish");
	set_file(site, ".wait", true);
	set_file(site, suffix, true);
	struct ticket_answer answer = ask(site, TICKET_REQUEST_VERSION, 0, 600);
	g_assert_cmpuint(answer.result, ==, TICKET_GIVEN);
	rig_wait_log(site->rig, answer.ticket, 1);
	/* It leaves this one unread, which the kernel tells the keeper before all else. */
	ask(site, TICKET_REQUEST_VERSION, 0, 600);
	kill(site->rig->pid, SIGSTOP);
	set_file(site, ".wait", false);
	await_death(rig_worker(site->rig, "display"));
	set_file(site, suffix, false);
	kill(site->rig->pid, SIGCONT);
	rig_wait_log(site->rig, "TICKET swordfish", n + 1);
	return g_strdup(answer.ticket);
}

/*
 * What was used up before display crashed is so for the next one, too, although the keeper reads of
 * it when that has happened; and it stays so, whatever a later display says.
 */
static void test_used(void)
{
	struct site site;
	site_init(&site, true);
	rig_wait_log(site.rig, "TICKET swordfish", 1);
	g_autofree char *used = crash_with_ticket(&site, ".over");
	g_autofree char *spent = g_strdup_printf("TICKET 16 10 600 %s", used);
	rig_wait_log(site.rig, spent, 1);
	g_autofree char *returned = crash_with_ticket(&site, ".return");
	g_autofree char *good = g_strdup_printf("TICKET 18 2 600 %s", returned);
	rig_wait_log(site.rig, good, 2);
	rig_wait_log(site.rig, spent, 2);
	/* This display gives back the first that it gets, which is the one that was used. */
	set_file(&site, ".return", true);
	kill(rig_worker(site.rig, "display"), SIGKILL);
	rig_wait_log(site.rig, spent, 3);
	set_file(&site, ".return", false);
	rig_wait_log(site.rig, spent, 4);
	rig_wait_log(site.rig, good, 3);
	site_finish(&site);
}

/*
 * Who is in session when display ends comes in to the next one by the same ticket, for a minute,
 * how long ago it was given; and to the one after that.
 */
static void test_follow_on(void)
{
	struct site site;
	site_init(&site, true);
	rig_wait_log(site.rig, "TICKET swordfish", 1);
	g_autofree char *ticket = crash_with_ticket(&site, ".use");
	g_autofree char *again = g_strdup_printf("TICKET 16 2 60 %s", ticket);
	rig_wait_log(site.rig, again, 1);
	/* Nobody came in that time. */
	kill(rig_worker(site.rig, "display"), SIGKILL);
	rig_wait_log(site.rig, "TICKET swordfish", 3);
	g_assert_cmpuint(rig_count_log(site.rig, again), ==, 2);
	/* Somebody comes, and display ends once more. */
	set_file(&site, ".use", true);
	kill(rig_worker(site.rig, "display"), SIGKILL);
	rig_wait_log(site.rig, again, 4);
	set_file(&site, ".over", true);
	rig_wait_log(site.rig, "TICKET 16 10 60", 1);
	set_file(&site, ".use", false);
	set_file(&site, ".over", false);
	site_finish(&site);
}

static bool on_event(void *user, const void *message, int *fds, unsigned n_fds)
{
	memcpy(user, message, sizeof(struct ticket_event));
	return true;
}

static int follow_by(const struct site *site, uint32_t flags)
{
	struct ticket_request request = { .header.type = TICKET_MESSAGE_REQUEST,
		.version = TICKET_REQUEST_VERSION,
		.flags = flags,
		.use_within_s = 60 };
	int fd = listen_connect_packets(site->path, PATIENCE_MS, NULL);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(link_send(fd, &request, sizeof(request), NULL, 0), ==, 0);
	return fd;
}

static int follow(const struct site *site)
{
	return follow_by(site, TICKET_FOLLOW);
}

static uint32_t hear_answer(int fd)
{
	static const struct link_handler table[] = {
		{ TICKET_MESSAGE_ANSWER, "ANSWER", sizeof(struct ticket_answer), 0, 0, on_answer },
	};
	struct ticket_answer answer = { .result = 77 };
	g_assert_true(link_wait_readable(fd, PATIENCE_MS));
	g_assert_cmpint(link_dispatch(fd, "keeper", table, 1, &answer), ==, 1);
	return answer.result;
}

/* Who follows is told each time that display ends, and when the keeper does, and asks for more. */
static void test_followed(void)
{
	static const struct link_handler table[] = {
		{ TICKET_MESSAGE_EVENT, "EVENT", sizeof(struct ticket_event), 0, 0, on_event },
	};
	struct site site;
	site_init(&site, true);
	rig_wait_log(site.rig, "TICKET swordfish", 1);
	int fd = follow(&site);
	g_assert_cmpuint(hear_answer(fd), ==, TICKET_GIVEN);
	for (unsigned i = 1; i <= 2; i++) {
		struct ticket_event event = { 0 };
		kill(rig_worker(site.rig, "display"), SIGKILL);
		g_assert_true(link_wait_readable(fd, PATIENCE_MS));
		g_assert_cmpint(link_dispatch(fd, "keeper", table, 1, &event), ==, 1);
		g_assert_cmpuint(event.kind, ==, TICKET_EVENT_DISPLAY_ENDED);
		rig_wait_log(site.rig, "TICKET swordfish", 1 + i);
	}
	/* It may ask for another one, and others are still served. */
	struct ticket_request request = { .header.type = TICKET_MESSAGE_REQUEST,
		.version = TICKET_REQUEST_VERSION,
		.use_within_s = 60 };
	g_assert_cmpint(link_send(fd, &request, sizeof(request), NULL, 0), ==, 0);
	g_assert_cmpuint(hear_answer(fd), ==, TICKET_GIVEN);
	g_assert_cmpuint(ask(&site, TICKET_REQUEST_VERSION, 0, 60).result, ==, TICKET_GIVEN);
	int others[TICKET_FOLLOWERS_MAX];
	for (unsigned i = 0; i < TICKET_FOLLOWERS_MAX; i++) {
		others[i] = follow(&site);
		g_assert_cmpuint(hear_answer(others[i]), ==,
			i + 1 < TICKET_FOLLOWERS_MAX ? TICKET_GIVEN : TICKET_TOO_MANY_FOLLOW);
	}
	for (unsigned i = 0; i < TICKET_FOLLOWERS_MAX; i++)
		close(others[i]);
	kill(site.rig->pid, SIGTERM);
	struct ticket_event event = { 0 };
	g_assert_true(link_wait_readable(fd, PATIENCE_MS));
	g_assert_cmpint(link_dispatch(fd, "keeper", table, 1, &event), ==, 1);
	g_assert_cmpuint(event.kind, ==, TICKET_EVENT_DESKTOP_ENDS);
	g_assert_true(link_wait_readable(fd, PATIENCE_MS));
	g_assert_cmpint(link_dispatch(fd, "keeper", table, 1, &event), ==, -EPIPE);
	close(fd);
	site_finish(&site);
}

static struct ticket_event hear_event(int fd)
{
	static const struct link_handler table[] = {
		{ TICKET_MESSAGE_EVENT, "EVENT", sizeof(struct ticket_event), 0, 0, on_event },
	};
	struct ticket_event event = { 0 };
	g_assert_true(link_wait_readable(fd, PATIENCE_MS));
	g_assert_cmpint(link_dispatch(fd, "keeper", table, 1, &event), ==, 1);
	return event;
}

/* Who follows is told of the guest's driver, and need take no ticket for that. */
static void test_driver(void)
{
	struct site site;
	site_init(&site, false);
	int fd = follow_by(&site, TICKET_FOLLOW | TICKET_NONE);
	g_assert_cmpuint(hear_answer(fd), ==, TICKET_NOT_WANTED);
	for (unsigned i = 0; i < 2; i++) {
		rig_start(site.rig, 0, 0x1000);
		struct ticket_event event = hear_event(fd);
		g_assert_cmpuint(event.kind, ==, TICKET_EVENT_DRIVER_UP);
		g_assert_cmpstr(event.text, ==, "virgl");
		rig_stop(site.rig);
		g_assert_cmpuint(hear_event(fd).kind, ==, TICKET_EVENT_DRIVER_DOWN);
	}
	close(fd);
	site_finish(&site);
}

/* Each of the tickets ends a second after it was given, so that they make room one by one. */
static void wait_for_room(struct site *site)
{
	gint64 end_us = g_get_monotonic_time() + 3 * G_USEC_PER_SEC;
	while (ask(site, TICKET_REQUEST_VERSION, 0, 600).result == TICKET_TOO_MANY)
		g_assert_cmpint(g_get_monotonic_time(), <, end_us);
}

/* A ticket that is over is for nobody, and makes room. */
static void test_bounded(void)
{
	struct site site;
	site_init(&site, true);
	rig_wait_log(site.rig, "TICKET swordfish", 1);
	for (unsigned i = 0; i < VIEWER_GIVEN_MAX; i++)
		g_assert_cmpuint(ask(&site, TICKET_REQUEST_VERSION, 0, 1).result, ==, TICKET_GIVEN);
	wait_for_room(&site);
	wait_for_room(&site);
	kill(rig_worker(site.rig, "display"), SIGKILL);
	rig_wait_log(site.rig, "TICKET swordfish", 2);
	site_finish(&site);
}

static void test_refused(void)
{
	struct site site;
	site_init(&site, true);
	const struct {
		uint32_t version, flags, use_within_s;
	} wrong[] = { { 2, 0, 60 }, { 1, TICKET_NONE, 60 }, { 1, KEEPER_TICKET_ONCE, 60 },
		{ 1, 0, 0 }, { 1, 0, TICKET_WITHIN_MAX_S + 1 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
		g_assert_cmpuint(
			ask(&site, wrong[i].version, wrong[i].flags, wrong[i].use_within_s).result,
			==, TICKET_NOT_UNDERSTOOD);
	/* Nonsense is hung up on; so is who says nothing, and neither is in another's way. */
	int fds[TICKET_ASKERS_MAX];
	char byte;
	for (unsigned i = 0; i < TICKET_ASKERS_MAX; i++) {
		fds[i] = listen_connect_packets(site.path, PATIENCE_MS, NULL);
		g_assert_cmpint(fds[i], >=, 0);
		if (i == 0)
			g_assert_cmpint(send(fds[i], "nonsense", 8, MSG_NOSIGNAL), ==, 8);
	}
	for (unsigned i = 0; i < TICKET_ASKERS_MAX; i++) {
		g_assert_true(link_wait_readable(fds[i], TICKET_ASKER_TIMEOUT_MS + PATIENCE_MS));
		g_assert_cmpint(recv(fds[i], &byte, 1, 0), <=, 0);
		close(fds[i]);
	}
	g_assert_cmpuint(ask(&site, TICKET_REQUEST_VERSION, 0, 60).result, ==, TICKET_GIVEN);
	site_finish(&site);
}

static void test_nobody_is_asked(void)
{
	struct site site;
	site_init(&site, false);
	g_assert_cmpuint(
		ask(&site, TICKET_REQUEST_VERSION, 0, 60).result, ==, TICKET_NOT_ASKED_FOR);
	site_finish(&site);
}

/* Runs vitrine ticket. Returns what it printed; NULL: it failed. */
static char *run_command(const struct site *site, const char *option)
{
	const char *const argv[] = { g_getenv("VITRINE"), "ticket", "--socket", site->path, option,
		NULL };
	char *printed = NULL;
	g_autoptr(GSubprocess) process = g_subprocess_newv(
		argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL);
	g_assert_nonnull(process);
	g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &printed, NULL, NULL));
	if (g_subprocess_get_if_exited(process) && g_subprocess_get_exit_status(process) == 0)
		return g_strchomp(printed);
	g_free(printed);
	return NULL;
}

static void test_command(void)
{
	struct site site;
	site_init(&site, true);
	rig_wait_log(site.rig, "TICKET swordfish", 1);
	g_autofree char *full = run_command(&site, NULL);
	g_autofree char *view_only = run_command(&site, "--view-only");
	g_autofree char *hour = run_command(&site, "--within=3600");
	g_autofree char *full_note = g_strdup_printf("TICKET 16 2 120 %s", full);
	g_autofree char *view_note = g_strdup_printf("TICKET 17 3 120 %s", view_only);
	g_autofree char *hour_note = g_strdup_printf("TICKET 18 2 3600 %s", hour);
	rig_wait_log(site.rig, full_note, 1);
	rig_wait_log(site.rig, view_note, 1);
	rig_wait_log(site.rig, hour_note, 1);
	g_assert_null(run_command(&site, "--within=0"));
	g_assert_null(run_command(&site, "desktop"));
	site_finish(&site);
	site_init(&site, false);
	g_assert_null(run_command(&site, NULL));
	site_finish(&site);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ticket-socket/given", test_given);
	g_test_add_func("/ticket-socket/bounded", test_bounded);
	g_test_add_func("/ticket-socket/refused", test_refused);
	g_test_add_func("/ticket-socket/nobody-is-asked", test_nobody_is_asked);
	g_test_add_func("/ticket-socket/used", test_used);
	g_test_add_func("/ticket-socket/follow-on", test_follow_on);
	g_test_add_func("/ticket-socket/followed", test_followed);
	g_test_add_func("/ticket-socket/driver", test_driver);
	g_test_add_func("/ticket-socket/command", test_command);
	return g_test_run();
}
