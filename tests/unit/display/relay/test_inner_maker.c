/* SPDX-License-Identifier: MIT */
/*
 * inner_maker: checks what it hands over, that it keeps nothing of ours, and that its end and its
 * silence are noticed. There is one in a process, so each test has a process of its own.
 */
#include "display/relay/inner_maker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "display/relay/limits.h"

#define PAIRS 300
/* The link, the socket that listens, and the connection that is asked for next. */
#define CHILD_FDS 4
#define SOON_MS 5000

static bool admit(void *user, uint16_t port, struct confine_state *state)
{
	confine_note(state, CONFINE_LIMITS, NULL);
	return port != 0;
}

static bool refuse(void *user, uint16_t port, struct confine_state *state)
{
	return false;
}

static pid_t find_child(void)
{
	g_autofree char *path = g_strdup_printf("/proc/self/task/%d/children", getpid());
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return atoi(text);
}

static pid_t start(void)
{
	struct confine_state walls;
	g_assert_true(inner_maker_start(admit, NULL));
	g_assert_true(inner_maker_is_ready(&walls));
	g_assert_cmphex(walls.held, ==, 1u << CONFINE_LIMITS);
	return find_child();
}

static unsigned count_descriptors(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/fd", pid);
	unsigned n = 0;
	DIR *folder = opendir(path);
	struct dirent *entry;
	while ((entry = readdir(folder)))
		n += atoi(entry->d_name) > STDERR_FILENO;
	closedir(folder);
	return n;
}

/* It makes the next connection while we go on. */
static void check_child(pid_t child)
{
	for (unsigned i = 0; i < SOON_MS && count_descriptors(child) != CHILD_FDS; i++)
		g_usleep(1000);
	g_assert_cmpuint(count_descriptors(child), ==, CHILD_FDS);
}

static void check_pair(const int ends[2])
{
	struct sockaddr_in a = { 0 }, b = { 0 };
	socklen_t size = sizeof(a);
	g_assert_cmpint(getsockname(ends[0], (struct sockaddr *)&a, &size), ==, 0);
	g_assert_cmpint(getpeername(ends[1], (struct sockaddr *)&b, &size), ==, 0);
	g_assert_cmpint(a.sin_family, ==, AF_INET);
	g_assert_cmpuint(a.sin_port, ==, b.sin_port);
	for (unsigned i = 0; i < 2; i++) {
		g_assert_true(fcntl(ends[i], F_GETFL) & O_NONBLOCK);
		g_assert_true(fcntl(ends[i], F_GETFD) & FD_CLOEXEC);
	}
}

static void pairs(void)
{
	int ends[2];
	pid_t child = start();
	unsigned ours = count_descriptors(getpid());
	gint64 begin_us = g_get_monotonic_time();
	for (unsigned i = 0; i < PAIRS; i++) {
		g_assert_true(inner_maker_pair(ends));
		check_pair(ends);
		close(ends[0]);
		close(ends[1]);
	}
	g_test_message("%.0f us each", (double)(g_get_monotonic_time() - begin_us) / PAIRS);
	g_assert_cmpuint(count_descriptors(getpid()), ==, ours);
	check_child(child);
}

/* What was open before it is closed in it; also below and above its link. */
static void keeps_nothing(void)
{
	int low = open("/dev/null", O_RDONLY);
	g_assert_cmpint(fcntl(low, F_DUPFD, 500), >=, 500);
	pid_t child = start();
	check_child(child);
}

/* It takes none of our descriptors, either, and they are not what it listens to. */
static void takes_nothing(void)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	int handed = open("/dev/null", O_RDONLY);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &handed, sizeof(int));
	pid_t child = start();
	g_assert_cmpint(sendmsg(inner_maker_fd(), &message, MSG_NOSIGNAL), ==, 1);
	struct pollfd answer = { .fd = inner_maker_fd(), .events = POLLIN };
	g_assert_cmpint(poll(&answer, 1, SOON_MS), ==, 1);
	check_child(child);
}

static void check_gone(void)
{
	int ends[2];
	struct pollfd link = { .fd = inner_maker_fd() };
	g_assert_false(inner_maker_pair(ends));
	g_assert_cmpint(ends[0], ==, -1);
	g_assert_cmpint(poll(&link, 1, SOON_MS), ==, 1);
	g_assert_true(link.revents & POLLHUP);
}

static void ended(void)
{
	pid_t child = start();
	g_assert_cmpint(kill(child, SIGTERM), ==, 0);
	int ends[2];
	/* What is for display's group is for display alone. */
	g_assert_true(inner_maker_pair(ends));
	g_assert_cmpint(kill(child, SIGKILL), ==, 0);
	g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
	check_gone();
}

static void silent(void)
{
	pid_t child = start();
	g_assert_cmpint(kill(child, SIGSTOP), ==, 0);
	gint64 begin_us = g_get_monotonic_time();
	check_gone();
	g_assert_cmpint(g_get_monotonic_time() - begin_us, >=, INNER_MAKER_WAIT_MS * 1000);
	g_assert_cmpint(kill(child, SIGCONT), ==, 0);
	/* It sees that it was hung up on. */
	g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
}

static void unconfined(void)
{
	struct confine_state walls;
	g_assert_true(inner_maker_start(refuse, NULL));
	g_test_expect_message("vitrine-display", G_LOG_LEVEL_WARNING, "*does not start*");
	g_assert_false(inner_maker_is_ready(&walls));
	g_test_assert_expected_messages();
}

/* Tells the test its child's number, and ends as a display does that is killed. */
static void orphaned(void)
{
	printf("child %d\n", start());
	fflush(stdout);
	kill(getpid(), SIGKILL);
}

static void test_alone(const void *data)
{
	g_test_trap_subprocess(data, 0, G_TEST_SUBPROCESS_DEFAULT);
	g_test_trap_assert_passed();
}

static void test_orphan(void)
{
	int child = 0;
	int out[2];
	char text[64] = "";
	g_assert_cmpint(pipe(out), ==, 0);
	pid_t parent = fork();
	if (parent == 0) {
		dup2(out[1], STDOUT_FILENO);
		orphaned();
	}
	close(out[1]);
	g_assert_cmpint(read(out[0], text, sizeof(text) - 1), >, 0);
	g_assert_cmpint(sscanf(text, "child %d", &child), ==, 1);
	g_assert_cmpint(waitpid(parent, NULL, 0), ==, parent);
	/* The child has the pipe's end, too, as its standard output. */
	g_assert_cmpint(read(out[0], text, sizeof(text)), ==, 0);
	close(out[0]);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*run)(void);
	} tests[] = {
		{ "/relay-inner-maker/pairs", pairs },
		{ "/relay-inner-maker/keeps-nothing", keeps_nothing },
		{ "/relay-inner-maker/takes-nothing", takes_nothing },
		{ "/relay-inner-maker/ended", ended },
		{ "/relay-inner-maker/silent", silent },
		{ "/relay-inner-maker/unconfined", unconfined },
	};
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_autofree char *alone = g_strconcat(tests[i].path, "/subprocess/alone", NULL);
		g_test_add_func(alone, tests[i].run);
		g_test_add_data_func_full(
			tests[i].path, g_steal_pointer(&alone), test_alone, g_free);
	}
	g_test_add_func("/relay-inner-maker/orphan", test_orphan);
	return g_test_run();
}
