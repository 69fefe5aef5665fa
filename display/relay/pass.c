/* SPDX-License-Identifier: MIT */
#include "display/relay/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "display/relay/limits.h"
#include "display/relay/phases.h"

union control {
	char bytes[CMSG_SPACE(sizeof(int) * PASS_FDS_MAX)];
	struct cmsghdr align;
};

/* The heads' workers find the connections that pass in this list. */
static GMutex lock;
static GPtrArray *passing; /* struct connection, not owned; under lock; NULL: none yet */
static gint n_passing;     /* atomic */

static void close_fds(struct connection *connection)
{
	for (unsigned i = 0; i < connection->n_fds; i++)
		close(connection->fds[i]);
	connection->n_fds = 0;
}

/* ---- one way ---- */

static void take_fds(struct connection *connection, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t size_bytes = c->cmsg_len - CMSG_LEN(0);
		memcpy(connection->fds, CMSG_DATA(c), size_bytes);
		connection->n_fds = (unsigned)(size_bytes / sizeof(int));
	}
}

ssize_t pass_receive(struct connection *connection, uint8_t *bytes, size_t size_bytes)
{
	union control control;
	struct iovec iov = { bytes, size_bytes };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	g_assert(connection->n_fds == 0);
	ssize_t n = recvmsg(connection->inner.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -errno;
	take_fds(connection, &message);
	return n;
}

/* spice-server sends descriptors with one byte behind a message, and the kernel ends a read there.
 * So the descriptors that we hold belong to the last byte that was read. */
static ssize_t send_last(struct connection *connection, const uint8_t *byte)
{
	union control control = { 0 };
	size_t size_bytes = sizeof(int) * connection->n_fds;
	struct iovec iov = { (void *)byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(size_bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(size_bytes);
	memcpy(CMSG_DATA(c), connection->fds, size_bytes);
	ssize_t n = sendmsg(connection->outer.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == 1)
		close_fds(connection);
	return n;
}

static ssize_t send_some(struct connection *connection, enum spice_talk_side side)
{
	const struct pipe *pipe = &connection->pipes[side];
	const uint8_t *bytes = pipe->bytes + pipe->start;
	size_t n = pipe->ready - pipe->start;
	bool to_client = side == SPICE_TALK_SERVER;
	int fd = to_client ? connection->outer.fd : connection->inner.fd;
	bool with_fds = to_client && connection->n_fds > 0;
	ssize_t sent = with_fds && n == 1 ?
			       send_last(connection, bytes) :
			       send(fd, bytes, with_fds ? n - 1 : n, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent < 0 ? -errno : sent;
}

static ssize_t receive_some(struct connection *connection, enum spice_talk_side side)
{
	uint8_t *room;
	struct pipe *pipe = &connection->pipes[side];
	size_t room_bytes = pipe_make_room(pipe, &room);
	ssize_t n;
	if (side == SPICE_TALK_SERVER) {
		n = pass_receive(connection, room, room_bytes);
	} else {
		n = recv(connection->outer.fd, room, room_bytes, MSG_DONTWAIT);
		n = n < 0 ? -errno : n;
	}
	if (n > 0) {
		pipe_fill(pipe, (size_t)n);
		pipe->ready = pipe->end;
	}
	return n;
}

/* Moves what there is. Returns -EAGAIN when there is no more, or when there is no room and the pipe
 * keeps the rest; 0 when the side has ended; else the -errno of the side that is lost. */
static ssize_t move(struct connection *connection, enum spice_talk_side side)
{
	struct pipe *pipe = &connection->pipes[side];
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		while (!pipe_is_idle(pipe)) {
			ssize_t n = send_some(connection, side);
			if (n < 0)
				return n;
			pipe_drain(pipe, (size_t)n);
		}
		ssize_t n = receive_some(connection, side);
		if (n <= 0)
			return n;
	}
	return 1;
}

/* ---- the phase ---- */

void pass_begin(struct connection *connection)
{
	for (unsigned side = 0; side < SPICE_TALK_SIDES; side++)
		connection->pipes[side].ready = connection->pipes[side].end;
	pipe_resize(&connection->pipes[SPICE_TALK_SERVER], PASS_BYTES);
}

/*
 * Must be called with the lock held. From here on the head's worker may move what is in the pipes.
 * It may not from pass_begin on, since pass_begin's callers still look at them.
 */
static void join(struct connection *connection)
{
	if (connection->joined)
		return;
	connection->joined = true;
	if (!passing)
		passing = g_ptr_array_new();
	g_ptr_array_add(passing, connection);
	g_atomic_int_inc(&n_passing);
}

/* Takes the connection off the list. Once it returns the head's worker does not come any more. */
static void leave(struct connection *connection)
{
	g_mutex_lock(&lock);
	if (passing && g_ptr_array_remove(passing, connection))
		g_atomic_int_add(&n_passing, -1);
	if (passing && passing->len == 0)
		g_clear_pointer(&passing, g_ptr_array_unref);
	g_mutex_unlock(&lock);
}

void pass_end(struct connection *connection)
{
	leave(connection);
	close_fds(connection);
}

/* Must be called with the lock held. */
static void want(struct connection *connection)
{
	bool to_client = !pipe_is_idle(&connection->pipes[SPICE_TALK_SERVER]);
	bool to_server = !pipe_is_idle(&connection->pipes[SPICE_TALK_CLIENT]);
	connection_want_outer(connection, !to_server && !connection->half_closed, to_client);
	connection_want_inner(connection, !to_client, to_server);
}

/* Moves both directions and returns what came of it. Must be called with the lock held. */
static enum event move_both(struct connection *connection, bool *more)
{
	ssize_t server = move(connection, SPICE_TALK_SERVER);
	ssize_t client = connection->half_closed ? -EAGAIN : move(connection, SPICE_TALK_CLIENT);
	*more = server > 0 || client > 0;
	if (server == 0)
		return EVENT_SERVER_ENDED;
	if (server < 0 && !connection_is_passing(server))
		return EVENT_CLIENT_GONE;
	if (client == 0)
		return EVENT_CLIENT_ENDED;
	return client < 0 && !connection_is_passing(client) ? EVENT_CLIENT_GONE : EVENTS;
}

void pass_work(struct connection *connection)
{
	enum event event = EVENT_DONE;
	bool more = false;
	g_mutex_lock(&lock);
	join(connection);
	if (!connection->stepped_aside)
		event = move_both(connection, &more);
	if (event == EVENTS) {
		want(connection);
		connection_plan(connection, more ? 0 : -1);
	}
	g_mutex_unlock(&lock);
	if (event == EVENT_DONE)
		g_debug("client %s: spice-server has its own socket now", connection->client);
	if (event != EVENTS)
		connection_event(connection, event);
}

/*
 * The phase may have begun in this turn. Until then the end of a client who was not read from was
 * watched, and would be taken for its leaving.
 */
void pass_half_close(struct connection *connection)
{
	g_mutex_lock(&lock);
	connection->half_closed = true;
	want(connection);
	g_mutex_unlock(&lock);
	shutdown(connection->inner.fd, SHUT_WR);
}

/* ---- the rest ---- */

void pass_begin_rest(struct connection *connection)
{
	leave(connection);
	connection_stop_polling_inner(connection);
}

void pass_rest(struct connection *connection)
{
	ssize_t n = move(connection, SPICE_TALK_SERVER);
	if (n == 0) {
		connection_event(connection, EVENT_SERVER_ENDED);
	} else if (n < 0 && !connection_is_passing(n)) {
		connection_event(connection, EVENT_CLIENT_GONE);
	} else {
		connection_want_outer(connection, false, true);
		connection_plan(connection, n > 0 ? 0 : -1);
	}
}

/* ---- stepping aside ---- */

/*
 * Returns true while `server_fd` is still spice-server's end: it might have closed it, and the
 * number could be another file's by now.
 */
static bool is_theirs(const struct connection *connection)
{
	struct stat st;
	return fstat(connection->server_fd, &st) == 0 && S_ISSOCK(st.st_mode) &&
	       st.st_ino == connection->server_inode;
}

/* Returns true when nothing is under way in either direction. */
static bool is_quiet(struct connection *connection)
{
	int unread_bytes = 0;
	if (connection->half_closed || !pipe_is_idle(&connection->pipes[SPICE_TALK_CLIENT]) ||
		ioctl(connection->server_fd, FIONREAD, &unread_bytes) < 0 || unread_bytes > 0)
		return false;
	return move(connection, SPICE_TALK_SERVER) == -EAGAIN &&
	       pipe_is_idle(&connection->pipes[SPICE_TALK_SERVER]);
}

/*
 * dup3 closes spice-server's end of our pair. Our end then reads the end of file, which wakes the
 * relay's thread. If bytes are in the pipe now, it is woken as well, since it does not poll for
 * room for them.
 */
static void step_aside(struct connection *connection)
{
	if (connection->stepped_aside || !is_theirs(connection))
		return;
	if (is_quiet(connection))
		connection->stepped_aside =
			dup3(connection->outer.fd, connection->server_fd, O_CLOEXEC) >= 0;
	else if (!pipe_is_idle(&connection->pipes[SPICE_TALK_SERVER]))
		poll_source_wake(connection->source);
}

void pass_step_aside(unsigned head)
{
	if (g_atomic_int_get(&n_passing) == 0 || !g_mutex_trylock(&lock))
		return;
	for (guint i = 0; passing && i < passing->len; i++) {
		struct connection *connection = passing->pdata[i];
		if (connection->talk.link.id == head)
			step_aside(connection);
	}
	g_mutex_unlock(&lock);
}
