/* SPDX-License-Identifier: MIT */
/*
 * link: checks that only messages that fit a row of the table reach a handler, and that no
 * descriptor leaks.
 */
#include "common/link.h"

#include <dirent.h>
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TYPE_NUMBER = 7, TYPE_FDS = 8, TYPE_REFUSED = 9 };

struct number {
	struct link_header header;
	uint64_t value;
};

struct record {
	unsigned calls;
	uint64_t value;
	int kept_fd;
};

static bool handle_number(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct record *record = user;
	const struct number *number = message;
	record->calls++;
	record->value = number->value;
	return true;
}

static bool handle_fds(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct record *record = user;
	record->calls++;
	record->value = n_fds;
	record->kept_fd = fds[0];
	fds[0] = -1;
	return true;
}

static bool handle_refused(void *user, const void *message, int *fds, unsigned n_fds)
{
	((struct record *)user)->calls++;
	return false;
}

static const struct link_handler table[] = {
	{ TYPE_NUMBER, "number", sizeof(struct number), 0, 0, handle_number },
	{ TYPE_FDS, "fds", sizeof(struct number), 1, 2, handle_fds },
	{ TYPE_REFUSED, "refused", sizeof(struct number), 0, 1, handle_refused },
};

static int dispatch(int fd, struct record *record)
{
	return link_dispatch(fd, "test", table, G_N_ELEMENTS(table), record);
}

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void expect_warning(const char *pattern)
{
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING, pattern);
}

static void test_number(void)
{
	int fds[2];
	struct record record = { 0 };
	g_assert_cmpint(link_pair(fds), ==, 0);
	g_assert_cmpint(dispatch(fds[1], &record), ==, 0);
	struct number n = { .header.type = TYPE_NUMBER, .value = 0x123456789abcdef0 };
	g_assert_cmpint(link_send(fds[0], &n, sizeof(n), NULL, 0), ==, 0);
	g_assert_true(link_wait_readable(fds[1], 1000));
	g_assert_cmpint(dispatch(fds[1], &record), ==, 1);
	g_assert_cmpuint(record.value, ==, n.value);
	close(fds[0]);
	g_assert_cmpint(dispatch(fds[1], &record), ==, -EPIPE);
	g_assert_cmpuint(record.calls, ==, 1);
	close(fds[1]);
}

static void test_fds(void)
{
	unsigned before = count_fds();
	int fds[2], pipes[2];
	struct record record = { .kept_fd = -1 };
	g_assert_cmpint(link_pair(fds), ==, 0);
	g_assert_cmpint(pipe(pipes), ==, 0);
	struct number n = { .header.type = TYPE_FDS };
	g_assert_cmpint(link_send(fds[0], &n, sizeof(n), pipes, 2), ==, 0);
	g_assert_cmpint(dispatch(fds[1], &record), ==, 1);
	g_assert_cmpuint(record.value, ==, 2);
	/* The kept end works; the link has closed the other received copy. */
	g_assert_cmpint(write(pipes[1], "x", 1), ==, 1);
	char c = 0;
	g_assert_cmpint(read(record.kept_fd, &c, 1), ==, 1);
	g_assert_cmpint(c, ==, 'x');
	close(record.kept_fd);
	close(pipes[0]);
	close(pipes[1]);
	close(fds[0]);
	close(fds[1]);
	g_assert_cmpuint(count_fds(), ==, before);
}

static void refused(uint32_t type, size_t size, unsigned n_fds, const char *warning, unsigned calls)
{
	unsigned before = count_fds();
	int fds[2], pipes[2];
	struct record record = { .kept_fd = -1 };
	g_assert_cmpint(link_pair(fds), ==, 0);
	g_assert_cmpint(pipe(pipes), ==, 0);
	char message[64] = { 0 };
	((struct link_header *)message)->type = type;
	int copies[LINK_FDS_MAX] = { pipes[0], pipes[1], pipes[0], pipes[1] };
	g_assert_cmpint(link_send(fds[0], message, size, copies, n_fds), ==, 0);
	expect_warning(warning);
	g_assert_cmpint(dispatch(fds[1], &record), ==, -EPROTO);
	g_test_assert_expected_messages();
	g_assert_cmpuint(record.calls, ==, calls);
	close(pipes[0]);
	close(pipes[1]);
	close(fds[0]);
	close(fds[1]);
	g_assert_cmpuint(count_fds(), ==, before);
}

static void test_refusals(void)
{
	refused(99, sizeof(struct number), 0, "*unknown message type 99*", 0);
	refused(TYPE_NUMBER, sizeof(struct number) - 1, 0, "*number*15 bytes, expected 16*", 0);
	refused(TYPE_NUMBER, sizeof(struct number) + 1, 0, "*number*17 bytes, expected 16*", 0);
	refused(TYPE_NUMBER, sizeof(struct number), 1, "*number*1 descriptors, expected 0*", 0);
	refused(TYPE_FDS, sizeof(struct number), 0, "*fds*0 descriptors, expected 1 to 2*", 0);
	refused(TYPE_FDS, sizeof(struct number), 4, "*fds*4 descriptors*", 0);
	refused(TYPE_REFUSED, sizeof(struct number), 1, "*refused refused*", 1);
}

static void test_lying_header(void)
{
	int fds[2];
	struct record record = { 0 };
	g_assert_cmpint(link_pair(fds), ==, 0);
	struct number n = { .header = { TYPE_NUMBER, 4000 } };
	g_assert_cmpint(send(fds[0], &n, sizeof(n), 0), ==, sizeof(n));
	expect_warning("*number*");
	g_assert_cmpint(dispatch(fds[1], &record), ==, -EPROTO);
	g_assert_cmpint(send(fds[0], &n, 3, 0), ==, 3);
	expect_warning("*truncated message of 3 bytes*");
	g_assert_cmpint(dispatch(fds[1], &record), ==, -EPROTO);
	g_test_assert_expected_messages();
	close(fds[0]);
	close(fds[1]);
}

/* It is told apart from a peer that lies. */
static void test_no_room_for_descriptors(void)
{
	int fds[2];
	struct record record = { 0 };
	struct rlimit before, none;
	struct number n = { .header = { TYPE_NUMBER, sizeof(n) } };
	g_assert_cmpint(link_pair(fds), ==, 0);
	g_assert_cmpint(link_send(fds[0], &n, sizeof(n), &fds[0], 1), ==, 0);
	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	none = (struct rlimit){ (rlim_t)dup(0), before.rlim_max };
	close((int)none.rlim_cur);
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
	expect_warning("*no room for its descriptors (too many open files here)*");
	g_assert_cmpint(dispatch(fds[1], &record), ==, -EPROTO);
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	g_test_assert_expected_messages();
	close(fds[0]);
	close(fds[1]);
}

static void test_full_queue(void)
{
	int fds[2];
	g_assert_cmpint(link_pair(fds), ==, 0);
	struct number n = { .header.type = TYPE_NUMBER };
	unsigned sent = 0;
	int error;
	while ((error = link_send(fds[0], &n, sizeof(n), NULL, 0)) == 0 && sent < 1000000)
		sent++;
	g_assert_cmpint(error, ==, -EAGAIN);
	struct record record = { 0 };
	while (dispatch(fds[1], &record) == 1)
		;
	g_assert_cmpuint(record.calls, ==, sent);
	close(fds[1]);
	g_assert_cmpint(link_send(fds[0], &n, sizeof(n), NULL, 0), ==, -EPIPE);
	close(fds[0]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/link/number", test_number);
	g_test_add_func("/link/fds", test_fds);
	g_test_add_func("/link/refusals", test_refusals);
	g_test_add_func("/link/lying-header", test_lying_header);
	g_test_add_func("/link/no-room-for-descriptors", test_no_room_for_descriptors);
	g_test_add_func("/link/full-queue", test_full_queue);
	return g_test_run();
}
