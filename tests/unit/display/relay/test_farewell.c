/* SPDX-License-Identifier: MIT */
/*
 * farewell: checks what the log says of who comes and goes, and what a client is told that is
 * thrown out. The relay is a real one; client and spice-server are played.
 */
#include <glib.h>
#include <spice/enums.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/display/relay/relay_rig.h"

struct notice {
	uint16_t type;
	uint32_t size_bytes; /* of what follows */
	uint64_t time_ns;
	uint32_t severity, visibility, what, message_bytes;
} __attribute__((packed));

static GMutex lock;
static GPtrArray *expected; /* patterns of lines that are to come, in order */

static void expect_line(const char *pattern)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
	g_ptr_array_add(expected, (char *)pattern);
}

static void on_line(const char *domain, GLogLevelFlags level, const char *text, gpointer user)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
	if (expected->len == 0 || !g_pattern_match_simple(expected->pdata[0], text))
		g_error("\"%s\" is not \"%s\"", text,
			expected->len ? (char *)expected->pdata[0] : "");
	g_ptr_array_remove_index(expected, 0);
}

static void expect_no_more(void)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
	g_assert_cmpuint(expected->len, ==, 0);
}

static void hear(int fd, void *bytes, size_t size_bytes)
{
	g_assert_cmpint(recv(fd, bytes, size_bytes, MSG_WAITALL), ==, (gssize)size_bytes);
}

static void expect_notice(int fd, const char *words)
{
	struct notice notice;
	char text[256] = { 0 }, byte;
	hear(fd, &notice, sizeof(notice));
	g_assert_cmpuint(notice.type, ==, SPICE_MSG_NOTIFY);
	g_assert_cmpuint(notice.severity, ==, SPICE_NOTIFY_SEVERITY_WARN);
	g_assert_cmpuint(notice.message_bytes, ==, strlen(words));
	g_assert_cmpuint(notice.size_bytes, ==, sizeof(notice) - 6 + strlen(words) + 1);
	hear(fd, text, strlen(words) + 1);
	g_assert_cmpstr(text, ==, words);
	/* Nothing comes after it. */
	g_assert_cmpint(recv(fd, &byte, 1, 0), ==, 0);
}

/* The relay's thread logs after the socket has been closed. */
static void await_lines(struct relay_rig *rig)
{
	relay_rig_stop(rig);
	expect_no_more();
}

static void test_left(void)
{
	struct relay_rig rig;
	char byte;
	expect_line("client 127.0.0.1:*: came");
	expect_line("client 127.0.0.1:*: left, after 0 s");
	relay_rig_start(&rig);
	shutdown(rig.main_client, SHUT_RDWR);
	g_assert_cmpint(recv(rig.main_server, &byte, 1, 0), ==, 0);
	await_lines(&rig);
}

static void test_taken_over(void)
{
	struct relay_rig rig;
	expect_line("client 127.0.0.1:*: came");
	expect_line("client 127.0.0.1:*: came");
	expect_line(
		"client 127.0.0.1:*: thrown out: another client has taken its place, after 0 s");
	expect_line("client 127.0.0.1:*: left, after 0 s");
	relay_rig_start(&rig);
	int second = relay_rig_connect(&rig, KEEPER_LISTENER_TCP);
	relay_rig_log_in(&rig, second, SPICE_CHANNEL_MAIN, true);
	int server = relay_rig_await_guest(&rig);
	relay_rig_let_in(server, true);
	/* It has come in when what spice-server says reaches it. */
	const char word[] = "\4\0\0\0\0\0";
	char heard[6];
	g_assert_cmpint(send(server, word, sizeof(heard), MSG_NOSIGNAL), ==, sizeof(heard));
	hear(second, heard, sizeof(heard));
	shutdown(rig.main_server, SHUT_RDWR);
	expect_notice(rig.main_client, "another client has taken its place");
	shutdown(rig.main_client, SHUT_RDWR);
	shutdown(second, SHUT_RDWR);
	g_assert_cmpint(recv(server, heard, 1, 0), ==, 0);
	close(server);
	close(second);
	await_lines(&rig);
}

static void test_closed(void)
{
	struct relay_rig rig;
	expect_line("client 127.0.0.1:*: came");
	expect_line("client *: thrown out: spice-server has closed its connection, after 0 s");
	relay_rig_start(&rig);
	shutdown(rig.main_server, SHUT_RDWR);
	expect_notice(rig.main_client, "spice-server has closed its connection");
	await_lines(&rig);
}

/* It is in the middle of a message, so that nothing may be put in: it is told nothing. */
static void test_in_a_message(void)
{
	struct relay_rig rig;
	const char half[] = "\4\0\10\0\0\0half";
	char heard[sizeof(half) - 1], byte;
	expect_line("client 127.0.0.1:*: came");
	expect_line("client *: thrown out: spice-server has closed its connection, after 0 s");
	relay_rig_start(&rig);
	g_assert_cmpint(
		send(rig.main_server, half, sizeof(heard), MSG_NOSIGNAL), ==, sizeof(heard));
	hear(rig.main_client, heard, sizeof(heard));
	shutdown(rig.main_server, SHUT_RDWR);
	g_assert_cmpint(recv(rig.main_client, &byte, 1, 0), ==, 0);
	await_lines(&rig);
}

static void test_quits(void)
{
	struct relay_rig rig;
	expect_line("client 127.0.0.1:*: came");
	expect_line("client *: thrown out: the desktop's display ends, after 0 s");
	relay_rig_start(&rig);
	int client = dup(rig.main_client);
	await_lines(&rig);
	expect_notice(client, "the desktop's display ends");
	close(client);
}

/* The keeper knows better why. */
static void test_quits_for_a_reason(void)
{
	struct relay_rig rig;
	expect_line("client 127.0.0.1:*: came");
	expect_line("client *: thrown out: the guest has powered off, after 0 s");
	relay_rig_start(&rig);
	int client = dup(rig.main_client);
	relay_set_end(rig.relay, "nothing yet");
	relay_set_end(rig.relay, "the guest has powered off");
	await_lines(&rig);
	expect_notice(client, "the guest has powered off");
	close(client);
}

/* It is told to come again to where it came to, and nothing when the relay ends then. */
static void test_switches(void)
{
	struct relay_rig rig;
	uint8_t bytes[64];
	expect_line("client 127.0.0.1:*: came");
	expect_line("client *: thrown out: the desktop's display ends, after 0 s");
	relay_rig_start(&rig);
	int client = dup(rig.main_client);
	struct sockaddr_in there;
	socklen_t there_size = sizeof(there);
	g_assert_no_errno(getpeername(client, (struct sockaddr *)&there, &there_size));
	relay_switch(rig.relay);
	await_lines(&rig);
	ssize_t n = recv(client, bytes, sizeof(bytes), MSG_WAITALL);
	const uint16_t port = ntohs(there.sin_port);
	const struct __attribute__((packed)) {
		uint16_t type;
		uint32_t size_bytes;
		uint16_t port, tls_port;
		uint32_t host_bytes, host_at, subject_bytes, subject_at;
		char host[sizeof("127.0.0.1")];
	} wanted = { 111, 30, port, 0, 10, 20, 0, 0, "127.0.0.1" };
	g_assert_cmpmem(bytes, (size_t)n, &wanted, sizeof(wanted));
	close(client);
}

/* Other channels come and go without a word. */
static void test_other_channels(void)
{
	struct relay_rig rig;
	char byte;
	expect_line("client 127.0.0.1:*: came");
	relay_rig_start(&rig);
	int client = relay_rig_connect(&rig, KEEPER_LISTENER_TCP);
	relay_rig_log_in(&rig, client, SPICE_CHANNEL_INPUTS, true);
	int server = relay_rig_await_guest(&rig);
	relay_rig_let_in(server, true);
	shutdown(server, SHUT_RDWR);
	while (recv(client, &byte, 1, 0) > 0)
		;
	expect_no_more();
	close(server);
	close(client);
	expect_line("client *: thrown out: the desktop's display ends, after 0 s");
	await_lines(&rig);
}

/* Each in a process of its own: the log has only so many lines of one kind at once. */
static void run_apart(gconstpointer path)
{
	g_test_trap_subprocess(path, 60 * G_USEC_PER_SEC, 0);
	g_test_trap_assert_passed();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path, *apart;
		void (*run)(void);
	} cases[] = {
		{ "/farewell/left", "/farewell/left/subprocess", test_left },
		{ "/farewell/taken-over", "/farewell/taken-over/subprocess", test_taken_over },
		{ "/farewell/closed", "/farewell/closed/subprocess", test_closed },
		{ "/farewell/in-a-message", "/farewell/in-a-message/subprocess",
			test_in_a_message },
		{ "/farewell/quits", "/farewell/quits/subprocess", test_quits },
		{ "/farewell/switches", "/farewell/switches/subprocess", test_switches },
		{ "/farewell/quits-for-a-reason", "/farewell/quits-for-a-reason/subprocess",
			test_quits_for_a_reason },
		{ "/farewell/other", "/farewell/other/subprocess", test_other_channels },
	};
	g_test_init(&argc, &argv, NULL);
	expected = g_ptr_array_new();
	g_log_set_handler("vitrine", G_LOG_LEVEL_MESSAGE, on_line, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_add_func(cases[i].apart, cases[i].run);
		g_test_add_data_func(cases[i].path, cases[i].apart, run_apart);
	}
	return g_test_run();
}
