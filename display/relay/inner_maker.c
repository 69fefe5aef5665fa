/* SPDX-License-Identifier: MIT */
#include "display/relay/inner_maker.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/link.h"
#include "common/log.h"
#include "display/relay/limits.h"
#include "display/relay/loopback.h"

/* The kernel shows it as the child's name; it has 15 bytes for that. */
#define NAME "vitrine-inner"
#define ENDS 2

enum {
	READY = 1, /* it is confined */
	MADE,      /* both ends, or why there are none */
};

struct ready {
	struct link_header header;
	struct confine_state walls;
};

struct made {
	struct link_header header;
	int32_t error;
};

/* ---- the child ---- */

static bool tell_ready(int fd, const struct confine_state *walls)
{
	struct ready message = { .header.type = READY, .walls = *walls };
	return link_send(fd, &message, sizeof(message), NULL, 0) == 0;
}

struct inner_pair {
	int error, ends[ENDS];
};

static struct inner_pair make(void)
{
	struct inner_pair pair = { 0 };
	if (!loopback_pair(pair.ends, INNER_BYTES))
		pair.error = errno;
	return pair;
}

static bool hand_over(int fd, const struct inner_pair *pair)
{
	struct made message = { .header.type = MADE, .error = pair->error };
	unsigned n = pair->error ? 0 : ENDS;
	bool sent = link_send(fd, &message, sizeof(message), pair->ends, n) == 0;
	for (unsigned i = 0; i < n; i++)
		close(pair->ends[i]);
	return sent;
}

/* A word is one byte, and recv() takes no descriptors that come with it. */
static bool hear(int fd)
{
	uint8_t byte;
	ssize_t n;
	link_wait_readable(fd, -1);
	do
		n = recv(fd, &byte, sizeof(byte), 0);
	while (n < 0 && (errno == EINTR || errno == EAGAIN));
	return n == sizeof(byte);
}

/*
 * What ends display ends us, by the link. Where Landlock keeps display from signalling others the
 * death signal does not come.
 */
static bool follow_parent(pid_t parent)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };
	for (unsigned i = 0; i < G_N_ELEMENTS(ignored); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == parent;
}

static void close_others(int fd)
{
	if (fd > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0u, 0);
}

static void run(int fd, pid_t parent, inner_maker_confine confine, void *user)
{
	struct confine_state walls = { 0 };
	prctl(PR_SET_NAME, NAME);
	log_set_domain(NAME);
	close_others(fd);
	uint16_t port = loopback_open();
	if (port == 0)
		g_warning("no port on 127.0.0.1: %s", g_strerror(errno));
	if (port == 0 || !follow_parent(parent) || (confine && !confine(user, port, &walls)) ||
		!tell_ready(fd, &walls))
		return;
	/* One is always made already, so that whoever asks waits for no more than to be handed it.
	 */
	struct inner_pair next;
	do
		next = make();
	while (hear(fd) && hand_over(fd, &next));
}

/* ---- display ---- */

static int link_fd = -1;
static GMutex lock; /* of the link: one asks after the other */

bool inner_maker_start(inner_maker_confine confine, void *user)
{
	int fds[2];
	pid_t parent = getpid();
	g_assert(link_fd < 0);
	/* One message is under way at a time, so a stream does; AppArmor lets display make no other
	 * pair. */
	bool paired = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0;
	pid_t child = paired ? fork() : -1;
	if (child < 0) {
		g_warning("cannot start " NAME ": %s", g_strerror(errno));
		return false;
	}
	if (child == 0) {
		run(fds[1], parent, confine, user);
		/* Nothing of display's is to be written or reported a second time. */
		_exit(EXIT_SUCCESS);
	}
	close(fds[1]);
	link_fd = fds[0];
	return true;
}

struct answer {
	bool is_ready;
	struct confine_state walls;
	int error, ends[ENDS];
};

static bool on_ready(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct answer *answer = user;
	const struct ready *ready = message;
	answer->is_ready = true;
	answer->walls = ready->walls;
	return true;
}

static bool on_made(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct answer *answer = user;
	const struct made *made = message;
	answer->error = made->error;
	if (made->error)
		return n_fds == 0;
	for (unsigned i = 0; i < n_fds; i++) {
		answer->ends[i] = fds[i];
		fds[i] = -1;
	}
	return n_fds == ENDS;
}

static const struct link_handler handlers[] = {
	{ READY, "ready", sizeof(struct ready), 0, 0, on_ready },
	{ MADE, "made", sizeof(struct made), 0, ENDS, on_made },
};

/* An answer that comes too late would be taken for the next one, so then there are no more. */
static bool wait_for(struct answer *answer)
{
	if (link_wait_readable(link_fd, INNER_MAKER_WAIT_MS) &&
		link_dispatch(link_fd, NAME, handlers, G_N_ELEMENTS(handlers), answer) == 1)
		return true;
	shutdown(link_fd, SHUT_RDWR);
	answer->error = EPIPE;
	return false;
}

bool inner_maker_is_ready(struct confine_state *walls)
{
	struct answer answer = { .ends = { -1, -1 } };
	if (!wait_for(&answer) || !answer.is_ready) {
		g_warning(NAME " does not start");
		return false;
	}
	if (walls)
		*walls = answer.walls;
	return true;
}

static bool ask(struct answer *answer)
{
	static const uint8_t byte;
	if (send(link_fd, &byte, sizeof(byte), MSG_NOSIGNAL) == sizeof(byte))
		return wait_for(answer) && answer->error == 0;
	answer->error = errno;
	return false;
}

bool inner_maker_pair(int ends[2])
{
	struct answer answer = { .ends = { -1, -1 } };
	g_mutex_lock(&lock);
	bool made = ask(&answer);
	g_mutex_unlock(&lock);
	for (unsigned i = 0; i < ENDS; i++)
		ends[i] = answer.ends[i];
	if (made && ends[0] >= 0)
		return true;
	errno = answer.error ? answer.error : EPROTO;
	return false;
}

int inner_maker_fd(void)
{
	return link_fd;
}
