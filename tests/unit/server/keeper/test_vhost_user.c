/* SPDX-License-Identifier: MIT */
/*
 * vhost_user: tests the transport of QEMU's conversation: what it lets through, and each thing it
 * must refuse.
 */
#include <dirent.h>
#include <glib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/keeper/vhost_user.h"
#include "tests/unit/server/rig.h"

/* These are the requests of a protocol of the test's own. */
enum { ASK = 1, TELL, TAKE, EARLY, WRONG, UNKNOWN };

struct fixture {
	struct vhost_user vhost_user;
	struct rig qemu; /* only its socket is used */
	bool acknowledges;
	unsigned n_handled;
	int kept; /* a descriptor that a handler kept; -1: none */
	bool closed, refused;
};

static const char *ask(void *user, struct vhost_user_call *call)
{
	struct fixture *fixture = user;
	fixture->n_handled++;
	call->payload.u64 = 77;
	call->reply_bytes = sizeof(call->payload.u64);
	return NULL;
}

static const char *tell(void *user, struct vhost_user_call *call)
{
	struct fixture *fixture = user;
	fixture->n_handled++;
	return NULL;
}

/* Keeps the message's first descriptor. */
static const char *take(void *user, struct vhost_user_call *call)
{
	struct fixture *fixture = user;
	fixture->n_handled++;
	fixture->kept = call->fds[0];
	call->fds[0] = -1;
	return NULL;
}

static const char *refuse(void *user, struct vhost_user_call *call)
{
	return "the handler says no";
}

static const char *admit(void *user, const struct vhost_user_row *row)
{
	return row->needs_owner ? "too early" : NULL;
}

static bool acknowledges(void *user)
{
	const struct fixture *fixture = user;
	return fixture->acknowledges;
}

static void closed(void *user, bool refused)
{
	struct fixture *fixture = user;
	g_assert_false(fixture->closed);
	fixture->closed = true;
	fixture->refused = refused;
}

static const struct vhost_user_row table[] = {
	{ ASK, "ASK", 0, 0, 0, 0, -1, false, ask },
	{ TELL, "TELL", 4, 8, 0, 0, -1, false, tell },
	{ TAKE, "TAKE", 0, 0, 1, 2, -1, false, take },
	{ EARLY, "EARLY", 0, 0, 0, 0, -1, true, tell },
	{ WRONG, "WRONG", 0, 0, 0, 0, -1, false, refuse },
};

static const struct vhost_user_class class = {
	.table = table,
	.table_length = G_N_ELEMENTS(table),
	.admit = admit,
	.acknowledges = acknowledges,
	.closed = closed,
};

static void set_up(struct fixture *fixture)
{
	int pair[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	*fixture = (struct fixture){ .qemu.socket = pair[0], .kept = -1 };
	vhost_user_open(&fixture->vhost_user, pair[1], &class, fixture);
}

static void tear_down(struct fixture *fixture)
{
	vhost_user_close(&fixture->vhost_user);
	if (fixture->kept >= 0)
		close(fixture->kept);
	if (fixture->qemu.socket >= 0)
		close(fixture->qemu.socket);
}

static void run_loop(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static unsigned count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* ---- one message ---- */

struct message_case {
	const char *name;
	uint32_t request, flags;
	size_t size_bytes;
	unsigned n_fds;
	const char *reason; /* NULL: it is handled */
};

static const struct message_case messages[] = {
	{ "ask", ASK, 0, 0, 0, NULL },
	{ "smallest", TELL, 0, 4, 0, NULL },
	{ "largest", TELL, 0, 8, 0, NULL },
	{ "one-descriptor", TAKE, 0, 0, 1, NULL },
	{ "two-descriptors", TAKE, 0, 0, 2, NULL },
	{ "need-reply", TELL, VHOST_USER_FLAG_NEED_REPLY, 8, 0, NULL },
	{ "unknown", UNKNOWN, 0, 0, 0, "request 6: unknown or not offered" },
	{ "too-small", TELL, 0, 3, 0, "TELL: payload of 3 bytes, expected 4 to 8" },
	{ "too-large", TELL, 0, 9, 0, "TELL: payload of 9 bytes, expected 4 to 8" },
	{ "version", ASK, 2, 0, 0, "ASK: wrong protocol version" },
	{ "answer", ASK, VHOST_USER_FLAG_REPLY, 0, 0, "ASK: unexpected flags" },
	{ "other-flags", ASK, 0x80, 0, 0, "ASK: unexpected flags" },
	{ "no-descriptor", TAKE, 0, 0, 0, "TAKE: 0 descriptors, expected 1 to 2" },
	{ "three-descriptors", TAKE, 0, 0, 3, "TAKE: 3 descriptors, expected 1 to 2" },
	{ "stray-descriptor", ASK, 0, 0, 1, "ASK: 1 descriptors, expected 0 to 0" },
	{ "early", EARLY, 0, 0, 0, "EARLY: too early" },
	{ "handler", WRONG, 0, 0, 0, "WRONG: the handler says no" },
};

static void expect_warning(const char *reason)
{
	g_autofree char *pattern = g_strdup_printf("*%s: conversation ended", reason);
	g_test_expect_message("vitrine-gpu", G_LOG_LEVEL_WARNING, pattern);
}

static void test_message(const void *data)
{
	const struct message_case *c = data;
	const int fds[] = { 0, 1, 2 };
	const char payload[16] = { 0 };
	struct fixture fixture;
	unsigned n_descriptors = count_descriptors();
	set_up(&fixture);
	if (c->reason)
		expect_warning(c->reason);
	rig_send(&fixture.qemu, c->request, c->flags, payload, c->size_bytes, fds, c->n_fds);
	run_loop();
	if (c->reason)
		g_test_assert_expected_messages();
	g_assert_cmpint(fixture.closed, ==, c->reason != NULL);
	g_assert_cmpint(fixture.refused, ==, c->reason != NULL);
	g_assert_cmpuint(fixture.n_handled, ==, c->reason ? 0 : 1);
	tear_down(&fixture);
	g_assert_cmpuint(count_descriptors(), ==, n_descriptors);
}

/* A message brings more descriptors than fit one, so some are closed unseen. */
static void test_flood_of_descriptors(void)
{
	int fds[VHOST_USER_FDS_MAX + 1] = { 0 };
	char control[CMSG_SPACE(sizeof(fds))] = { 0 };
	struct vhost_user_header header = { TAKE, VHOST_USER_VERSION, 0 };
	struct iovec iov = { &header, sizeof(header) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	struct fixture fixture;
	unsigned n_descriptors = count_descriptors();
	set_up(&fixture);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	expect_warning("too many descriptors");
	g_assert_cmpint(sendmsg(fixture.qemu.socket, &msg, 0), ==, sizeof(header));
	run_loop();
	g_test_assert_expected_messages();
	g_assert_true(fixture.refused);
	tear_down(&fixture);
	g_assert_cmpuint(count_descriptors(), ==, n_descriptors);
}

/* What has no room here is no fault of QEMU's, and is told apart. */
static void test_no_room_for_descriptors(void)
{
	int fd = 0;
	struct fixture fixture;
	struct rlimit before, none;
	set_up(&fixture);
	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	none = (struct rlimit){ (rlim_t)dup(0), before.rlim_max };
	close((int)none.rlim_cur);
	expect_warning("no room for its descriptors (too many open files here)");
	rig_send(&fixture.qemu, TAKE, VHOST_USER_VERSION, NULL, 0, &fd, 1);
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
	run_loop();
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	g_test_assert_expected_messages();
	g_assert_true(fixture.refused && fixture.vhost_user.lacks_fds);
	tear_down(&fixture);
}

/* ---- answers ---- */

static void expect_answer(struct fixture *fixture, uint32_t request, uint64_t expected)
{
	uint64_t value;
	run_loop();
	rig_receive(&fixture->qemu, request, &value, sizeof(value));
	g_assert_cmpuint(value, ==, expected);
}

static bool has_answer(const struct fixture *fixture)
{
	char byte;
	run_loop();
	return recv(fixture->qemu.socket, &byte, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
}

static void test_answers(void)
{
	struct fixture fixture;
	uint32_t payload = 5;
	set_up(&fixture);
	rig_send(&fixture.qemu, ASK, 0, NULL, 0, NULL, 0);
	expect_answer(&fixture, ASK, 77);
	rig_send(&fixture.qemu, TELL, 0, &payload, sizeof(payload), NULL, 0);
	g_assert_false(has_answer(&fixture));
	/* NEED_REPLY counts only where REPLY_ACK was agreed on, and not beside an answer. */
	rig_send(&fixture.qemu, TELL, VHOST_USER_FLAG_NEED_REPLY, &payload, sizeof(payload), NULL,
		0);
	g_assert_false(has_answer(&fixture));
	fixture.acknowledges = true;
	rig_send(&fixture.qemu, TELL, VHOST_USER_FLAG_NEED_REPLY, &payload, sizeof(payload), NULL,
		0);
	expect_answer(&fixture, TELL, 0);
	rig_send(&fixture.qemu, ASK, VHOST_USER_FLAG_NEED_REPLY, NULL, 0, NULL, 0);
	expect_answer(&fixture, ASK, 77);
	g_assert_false(has_answer(&fixture));
	tear_down(&fixture);
}

/* ---- pieces of a stream ---- */

struct tell_message {
	struct vhost_user_header header;
	uint64_t value;
} __attribute__((packed));

static const struct tell_message whole = { { TELL, VHOST_USER_VERSION, 8 }, 1 };

static void test_byte_by_byte(void)
{
	struct fixture fixture;
	set_up(&fixture);
	for (size_t i = 0; i < 20; i++) {
		g_assert_cmpuint(fixture.n_handled, ==, 0);
		g_assert_cmpint(write(fixture.qemu.socket, (const char *)&whole + i, 1), ==, 1);
		run_loop();
	}
	g_assert_cmpuint(fixture.n_handled, ==, 1);
	g_assert_false(fixture.closed);
	tear_down(&fixture);
}

static void test_two_at_once(void)
{
	char two[40];
	struct fixture fixture;
	memcpy(two, &whole, 20);
	memcpy(two + 20, &whole, 20);
	set_up(&fixture);
	g_assert_cmpint(write(fixture.qemu.socket, two, sizeof(two)), ==, sizeof(two));
	run_loop();
	g_assert_cmpuint(fixture.n_handled, ==, 2);
	tear_down(&fixture);
}

/* QEMU may hang up between two messages, nowhere else. */
static void test_hang_up(void)
{
	for (size_t n_bytes = 0; n_bytes <= 20; n_bytes++) {
		struct fixture fixture;
		bool between = n_bytes == 0 || n_bytes == 20;
		set_up(&fixture);
		g_assert_cmpint(write(fixture.qemu.socket, &whole, n_bytes), ==, n_bytes);
		close(fixture.qemu.socket);
		fixture.qemu.socket = -1;
		if (!between)
			expect_warning("message cut short");
		run_loop();
		g_test_assert_expected_messages();
		g_assert_true(fixture.closed);
		g_assert_cmpint(fixture.refused, ==, !between);
		tear_down(&fixture);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* The loop's first turn opens a descriptor of its own, which no test should count. */
	run_loop();
	for (unsigned i = 0; i < G_N_ELEMENTS(messages); i++) {
		g_autofree char *path = g_strdup_printf("/vhost-user/message/%s", messages[i].name);
		g_test_add_data_func(path, &messages[i], test_message);
	}
	g_test_add_func("/vhost-user/flood-of-descriptors", test_flood_of_descriptors);
	g_test_add_func("/vhost-user/no-room-for-descriptors", test_no_room_for_descriptors);
	g_test_add_func("/vhost-user/answers", test_answers);
	g_test_add_func("/vhost-user/byte-by-byte", test_byte_by_byte);
	g_test_add_func("/vhost-user/two-at-once", test_two_at_once);
	g_test_add_func("/vhost-user/hang-up", test_hang_up);
	return g_test_run();
}
