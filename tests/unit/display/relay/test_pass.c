/* SPDX-License-Identifier: MIT */
/*
 * pass: tests a display channel on the unix socket. The relay stands between until its opening is
 * over, passes what comes with its descriptors, and then gives spice-server the client's own
 * socket. The relay is a real one; client and spice-server are played.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/display/relay/relay_rig.h"
#include "tests/unit/display/relay/spice_words.h"

#define TICK_US 1000
#define TICKS 5000
#define HEAD SPICE_WORDS_CHANNEL_ID

struct rig {
	struct relay_rig *relay; /* NULL: it has ended */
	struct relay_rig own;    /* unless it is another's */
	int client, server;
	ino_t own_inode; /* of the client's socket at our end */
};

static void say(int fd, const GByteArray *bytes)
{
	g_assert_cmpint(send(fd, bytes->data, bytes->len, MSG_NOSIGNAL), ==, bytes->len);
}

static void hear(int fd, size_t size_bytes, const void *wanted)
{
	g_autofree uint8_t *bytes = g_malloc(size_bytes);
	g_assert_cmpint(recv(fd, bytes, size_bytes, MSG_WAITALL), ==, size_bytes);
	g_assert_cmpmem(bytes, size_bytes, wanted, size_bytes);
}

static void pass(int from, int to, const GByteArray *bytes)
{
	say(from, bytes);
	hear(to, bytes->len, bytes->data);
}

static ino_t inode_of(int fd)
{
	struct stat st;
	g_assert_cmpint(fstat(fd, &st), ==, 0);
	return st.st_ino;
}

static void pass_message(const struct rig *rig, bool to_client, uint16_t type, uint32_t body_bytes)
{
	static const uint8_t body[256];
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	put_message(bytes, true, type, body, body_bytes);
	pass(to_client ? rig->server : rig->client, to_client ? rig->client : rig->server, bytes);
}

static void log_in(struct rig *rig)
{
	static const uint8_t body[14];
	g_autoptr(GByteArray) init = g_byte_array_new();
	rig->client = relay_rig_connect(rig->relay, KEEPER_LISTENER_UNIX);
	relay_rig_log_in(rig->relay, rig->client, SPICE_CHANNEL_DISPLAY, true);
	put_message(init, true, SPICE_MSGC_DISPLAY_INIT, body, sizeof(body));
	say(rig->client, init);
	rig->server = relay_rig_await_guest(rig->relay);
	g_assert_true(rig->relay->guest.is_local && rig->relay->guest.display);
	rig->own_inode = rig->relay->guest_inode;
	relay_rig_let_in(rig->server, true);
	hear(rig->server, init->len, init->data);
}

static void rig_start(struct rig *rig)
{
	*rig = (struct rig){ .relay = &rig->own };
	relay_rig_start(rig->relay);
	log_in(rig);
}

static void end_relay(struct rig *rig)
{
	relay_rig_stop(g_steal_pointer(&rig->relay));
}

/*
 * Sends a descriptor as spice-server sends a dma-buf: with one byte behind the message
 * (red_stream_send_msgfd).
 */
static void say_descriptor(int to, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { (char[]){ '@' }, 1 };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	g_assert_cmpint(sendmsg(to, &message, MSG_NOSIGNAL), ==, 1);
}

static int hear_descriptor(int from)
{
	int fd = -1;
	char byte = 0;
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	g_assert_cmpint(recvmsg(from, &message, MSG_CMSG_CLOEXEC), ==, 1);
	g_assert_cmpint(byte, ==, '@');
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	g_assert_nonnull(c);
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/*
 * Sends a message with a descriptor in one go, right behind the first message that shows that
 * spice-server has gone on.
 */
static void pass_descriptor(const struct rig *rig)
{
	g_autoptr(GByteArray) said = g_byte_array_new();
	put_message(said, true, SPICE_MSG_DISPLAY_MARK, NULL, 0);
	put_message(said, true, SPICE_MSG_DISPLAY_GL_SCANOUT_UNIX, "0123456789", 10);
	say(rig->server, said);
	say_descriptor(rig->server, rig->client);
	hear(rig->client, said->len, said->data);
	int fd = hear_descriptor(rig->client);
	g_assert_cmpuint(inode_of(fd), ==, inode_of(rig->client));
	close(fd);
}

static bool step_aside(const struct rig *rig, unsigned head)
{
	for (unsigned i = 0; i < TICKS && inode_of(rig->server) != rig->own_inode; i++) {
		relay_step_aside(head);
		g_usleep(TICK_US);
	}
	return inode_of(rig->server) == rig->own_inode;
}

static void rig_stop(struct rig *rig)
{
	if (rig->relay)
		end_relay(rig);
	close(rig->client);
	close(rig->server);
}

static void test_steps_aside(void)
{
	struct rig rig;
	rig_start(&rig);
	relay_step_aside(HEAD);
	g_assert_cmpuint(inode_of(rig.server), !=, rig.own_inode);
	pass_descriptor(&rig);
	pass_message(&rig, false, SPICE_MSGC_ACK, 0);
	pass_message(&rig, true, SPICE_MSG_DISPLAY_MARK, 0);
	g_assert_true(step_aside(&rig, HEAD));
	pass_message(&rig, true, SPICE_MSG_DISPLAY_MARK, 0);
	pass_message(&rig, false, SPICE_MSGC_ACK, 0);
	end_relay(&rig);
	pass_message(&rig, true, SPICE_MSG_DISPLAY_MARK, 0);
	rig_stop(&rig);
}

/* Nothing is lost of what spice-server has not read yet, nor of what it has said last. */
static void test_waits_for_quiet(void)
{
	struct rig rig;
	g_autoptr(GByteArray) ack = g_byte_array_new(), mark = g_byte_array_new();
	rig_start(&rig);
	pass_message(&rig, true, SPICE_MSG_DISPLAY_MARK, 0);
	put_message(ack, true, SPICE_MSGC_ACK, NULL, 0);
	put_message(mark, true, SPICE_MSG_DISPLAY_MARK, NULL, 0);
	say(rig.client, ack);
	while (recv(rig.server, &(uint8_t){ 0 }, 1, MSG_PEEK) != 1)
		;
	for (unsigned i = 0; i < 20; i++) {
		relay_step_aside(HEAD);
		g_usleep(TICK_US);
	}
	g_assert_cmpuint(inode_of(rig.server), !=, rig.own_inode);
	hear(rig.server, ack->len, ack->data);
	say(rig.server, mark);
	g_assert_true(step_aside(&rig, HEAD));
	say(rig.server, mark);
	hear(rig.client, mark->len, mark->data);
	hear(rig.client, mark->len, mark->data);
	rig_stop(&rig);
}

/* The relay steps aside only for the head whose worker asks. */
static void test_other_head(void)
{
	struct rig rig;
	rig_start(&rig);
	pass_message(&rig, true, SPICE_MSG_DISPLAY_MARK, 0);
	for (unsigned i = 0; i < 20; i++) {
		relay_step_aside(HEAD + 1);
		g_usleep(TICK_US);
	}
	g_assert_cmpuint(inode_of(rig.server), !=, rig.own_inode);
	rig_stop(&rig);
}

/* The client closes its half and still gets what it is sent. */
static void test_half_close(void)
{
	struct rig rig;
	uint8_t byte;
	rig_start(&rig);
	pass_message(&rig, true, SPICE_MSG_DISPLAY_MARK, 0);
	shutdown(rig.client, SHUT_WR);
	g_assert_cmpint(recv(rig.server, &byte, 1, 0), ==, 0);
	pass_message(&rig, true, SPICE_MSG_DISPLAY_MARK, 0);
	shutdown(rig.server, SHUT_RDWR);
	g_assert_cmpint(recv(rig.client, &byte, 1, 0), ==, 0);
	rig_stop(&rig);
}

/* ---- the relay ends while displays begin ---- */

#define SEVERAL 4
#define QUIT_US (700 * 1000)

static gpointer destroy(gpointer user)
{
	end_relay(user);
	return NULL;
}

/* spice-server does not go on, and all connections together wait for that once. */
static void test_quit_is_bounded(void)
{
	struct rig rig, others[SEVERAL];
	rig_start(&rig);
	for (unsigned i = 0; i < SEVERAL; i++) {
		others[i] = (struct rig){ .relay = rig.relay };
		rig.relay->channel_id = (uint8_t)(HEAD + 1 + i);
		log_in(&others[i]);
	}
	gint64 began_us = g_get_monotonic_time();
	end_relay(&rig);
	g_assert_cmpint(g_get_monotonic_time() - began_us, <, QUIT_US);
	for (unsigned i = 0; i < SEVERAL; i++) {
		close(others[i].client);
		close(others[i].server);
	}
	rig_stop(&rig);
}

/* spice-server sees the end only when it goes on. */
static void test_quit_waits(void)
{
	struct rig rig;
	uint8_t byte;
	g_autoptr(GByteArray) mark = g_byte_array_new();
	rig_start(&rig);
	GThread *thread = g_thread_new("destroy", destroy, &rig);
	g_assert_cmpint(recv(rig.client, &byte, 1, 0), ==, 0);
	g_usleep(50 * TICK_US);
	g_assert_cmpint(recv(rig.server, &byte, 1, MSG_DONTWAIT), ==, -1);
	put_message(mark, true, SPICE_MSG_DISPLAY_MARK, NULL, 0);
	say(rig.server, mark);
	g_assert_cmpint(recv(rig.server, &byte, 1, 0), ==, 0);
	g_thread_join(thread);
	rig_stop(&rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/relay-pass/steps-aside", test_steps_aside);
	g_test_add_func("/relay-pass/waits-for-quiet", test_waits_for_quiet);
	g_test_add_func("/relay-pass/other-head", test_other_head);
	g_test_add_func("/relay-pass/half-close", test_half_close);
	g_test_add_func("/relay-pass/quit-is-bounded", test_quit_is_bounded);
	g_test_add_func("/relay-pass/quit-waits", test_quit_waits);
	return g_test_run();
}
