/* SPDX-License-Identifier: MIT */
/*
 * socket_owner: asks this kernel whose sockets are, of connections on this host, of those whose
 * peer has gone, and of none. As root it has some made by another user.
 */
#include "server/keeper/socket_owner.h"

#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/listen.h"
#include "tests/unit/server/files.h"

/* No account of Debian's has it. */
#define STRANGER 54321

struct pair {
	int listener, client, accepted;
	pid_t child; /* that has the client, of another user; 0: it is ours */
	struct keeper_visitor visitor;
};

static void copy(const struct sockaddr_storage *from, uint8_t *bytes, uint16_t *port)
{
	if (from->ss_family == AF_INET) {
		memcpy(bytes, &((const struct sockaddr_in *)from)->sin_addr, 4);
		*port = ((const struct sockaddr_in *)from)->sin_port;
	} else {
		memcpy(bytes, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
		*port = ((const struct sockaddr_in6 *)from)->sin6_port;
	}
}

static void run_client(const struct sockaddr_storage *address, socklen_t size, uid_t uid)
{
	if (setresuid(uid, uid, uid) < 0)
		_exit(1);
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)address, size) < 0)
		_exit(2);
	for (;;)
		pause();
}

/* `to` may be an IPv4 address while the listener's is IPv6. */
static bool pair_init(struct pair *pair, const char *address, int family, uid_t uid)
{
	struct sockaddr_storage to = { 0 }, peer = { 0 }, local = { 0 };
	socklen_t size = sizeof(to), peer_size = sizeof(peer), local_size = sizeof(local);
	unsigned port;
	*pair = (struct pair){ .client = -1 };
	pair->listener = listen_tcp_range(address, 27200, 27299, &port, NULL);
	if (pair->listener < 0)
		return false;
	getsockname(pair->listener, (struct sockaddr *)&to, &size);
	if (family == AF_INET) {
		struct sockaddr_in in = { .sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		memcpy(&to, &in, sizeof(in));
		size = sizeof(in);
	}
	if (uid != geteuid()) {
		pair->child = fork();
		if (pair->child == 0)
			run_client(&to, size, uid);
	} else {
		pair->client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		g_assert_cmpint(connect(pair->client, (struct sockaddr *)&to, size), ==, 0);
	}
	do {
		pair->accepted =
			accept4(pair->listener, (struct sockaddr *)&peer, &peer_size, SOCK_CLOEXEC);
		g_usleep(1000);
	} while (pair->accepted < 0);
	getsockname(pair->accepted, (struct sockaddr *)&local, &local_size);
	pair->visitor.family = peer.ss_family;
	copy(&peer, pair->visitor.peer_addr, &pair->visitor.peer_port);
	copy(&local, pair->visitor.local_addr, &pair->visitor.local_port);
	return true;
}

static void pair_hang_up(struct pair *pair)
{
	if (pair->child > 0) {
		kill(pair->child, SIGKILL);
		waitpid(pair->child, NULL, 0);
	}
	if (pair->client >= 0)
		close(pair->client);
	pair->child = 0;
	pair->client = -1;
}

static void pair_finish(struct pair *pair)
{
	pair_hang_up(pair);
	close(pair->accepted);
	close(pair->listener);
}

static struct socket_owner make_owner(void)
{
	struct socket_owner owner;
	if (!socket_owner_init(&owner)) {
		g_test_skip("this kernel has no sock_diag of TCP");
		return SOCKET_OWNER_NONE;
	}
	return owner;
}

static const struct way {
	const char *name, *address;
	int family;
} ways[] = { { "ipv4", "127.0.0.1", AF_INET }, { "ipv6", "::1", AF_INET6 },
	{ "ipv4-in-ipv6", "::", AF_INET } };

static void expect_owner(gconstpointer data, uid_t uid)
{
	const struct way *way = data;
	struct socket_owner owner = make_owner();
	struct pair pair;
	uid_t found = 77;
	if (owner.netlink < 0)
		return;
	if (pair_init(&pair, way->address, way->family, uid)) {
		for (unsigned i = 0; i < 3; i++) {
			g_assert_cmpint(socket_owner_find(&owner, &pair.visitor, &found), ==,
				SOCKET_OWNER_FOUND);
			g_assert_cmpuint(found, ==, uid);
		}
		pair_finish(&pair);
	} else {
		g_test_skip("no IPv6 here");
	}
	socket_owner_finish(&owner);
}

static void test_own(gconstpointer data)
{
	expect_owner(data, geteuid());
}

static void test_strangers(gconstpointer data)
{
	if (geteuid() == 0)
		expect_owner(data, STRANGER);
	else
		g_test_skip("only root can be somebody else");
}

/*
 * Of a socket that nobody has open any more the kernel says that it is root's: whoever hangs up
 * at the right moment must not be taken for root.
 */
static void test_hung_up(gconstpointer data)
{
	const struct way *way = data;
	struct socket_owner owner = make_owner();
	struct pair pair;
	uid_t found;
	if (owner.netlink < 0)
		return;
	if (!pair_init(&pair, way->address, way->family, geteuid())) {
		socket_owner_finish(&owner);
		g_test_skip("no IPv6 here");
		return;
	}
	/* Bytes on their way keep it alive in the kernel. */
	char bytes[65536] = { 0 };
	g_assert_cmpint(send(pair.client, bytes, sizeof(bytes), MSG_DONTWAIT), >, 0);
	pair_hang_up(&pair);
	g_assert_cmpint(socket_owner_find(&owner, &pair.visitor, &found), ==, SOCKET_OWNER_HUNG_UP);
	/* What was on its way has come, so that nothing is left of it but the end that we have. */
	while (read(pair.accepted, bytes, sizeof(bytes)) > 0)
		;
	g_assert_cmpint(socket_owner_find(&owner, &pair.visitor, &found), ==, SOCKET_OWNER_HUNG_UP);
	pair_finish(&pair);
	socket_owner_finish(&owner);
}

/* A peer that resets leaves no socket, and ours is none of a connection any more, either. */
static void test_reset(void)
{
	struct socket_owner owner = make_owner();
	struct pair pair;
	uid_t found;
	const struct linger at_once = { .l_onoff = 1 };
	if (owner.netlink < 0)
		return;
	g_assert_true(pair_init(&pair, "127.0.0.1", AF_INET, geteuid()));
	setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	pair_hang_up(&pair);
	g_assert_cmpint(
		socket_owner_find(&owner, &pair.visitor, &found), ==, SOCKET_OWNER_NO_CONNECTION);
	pair_finish(&pair);
	socket_owner_finish(&owner);
}

/*
 * Of a connection that comes by way of a container's network only our end is here. TCP_REPAIR makes
 * such an end, without anybody at the other.
 */
static void test_elsewhere(void)
{
	struct socket_owner owner = make_owner();
	struct keeper_visitor visitor = { .family = AF_INET,
		.peer_addr = { 127, 0, 0, 1 },
		.local_addr = { 127, 0, 0, 1 },
		.peer_port = htons(27399) };
	struct sockaddr_in local = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in peer = local;
	socklen_t size = sizeof(local);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uid_t found;
	peer.sin_port = visitor.peer_port;
	if (owner.netlink >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) == 0) {
		g_assert_cmpint(bind(fd, (struct sockaddr *)&local, sizeof(local)), ==, 0);
		g_assert_cmpint(connect(fd, (struct sockaddr *)&peer, sizeof(peer)), ==, 0);
		g_assert_cmpint(getsockname(fd, (struct sockaddr *)&local, &size), ==, 0);
		visitor.local_port = local.sin_port;
		g_assert_cmpint(
			socket_owner_find(&owner, &visitor, &found), ==, SOCKET_OWNER_ELSEWHERE);
	} else {
		g_test_skip("only root can make half of a connection");
	}
	close(fd);
	socket_owner_finish(&owner);
}

/* A listening socket is found where there is no connection, and is not what is asked for. */
static void test_listener_is_none(void)
{
	struct socket_owner owner = make_owner();
	struct pair pair;
	uid_t found;
	if (owner.netlink < 0)
		return;
	g_assert_true(pair_init(&pair, "127.0.0.1", AF_INET, geteuid()));
	struct keeper_visitor turned = pair.visitor;
	turned.peer_port = pair.visitor.local_port;
	turned.local_port = htons(1);
	g_assert_cmpint(socket_owner_find(&owner, &turned, &found), ==, SOCKET_OWNER_NO_CONNECTION);
	turned.local_port = 0;
	g_assert_cmpint(socket_owner_find(&owner, &turned, &found), ==, SOCKET_OWNER_NO_CONNECTION);
	owner.many_are_one = true;
	owner.nobody = geteuid();
	g_assert_cmpint(
		socket_owner_find(&owner, &pair.visitor, &found), ==, SOCKET_OWNER_NO_NUMBER);
	pair_finish(&pair);
	socket_owner_finish(&owner);
}

static void test_unix(void)
{
	struct socket_owner owner = SOCKET_OWNER_NONE;
	char *path = write_file("socket", "", 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uid_t uid = 77;
	unlink(path);
	memcpy(address.sun_path, path, strlen(path));
	int listener = listen_unix(path, NULL);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(connect(client, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	g_assert_cmpint(socket_owner_of_unix(&owner, accepted, &uid), ==, SOCKET_OWNER_FOUND);
	g_assert_cmpuint(uid, ==, geteuid());
	close(client);
	/* The kernel knows who it was also after that. */
	g_assert_cmpint(socket_owner_of_unix(&owner, accepted, &uid), ==, SOCKET_OWNER_FOUND);
	owner.many_are_one = true;
	owner.nobody = geteuid();
	g_assert_cmpint(socket_owner_of_unix(&owner, accepted, &uid), ==, SOCKET_OWNER_NO_NUMBER);
	close(accepted);
	close(listener);
	int inet = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(socket_owner_of_unix(&owner, inet, &uid), ==, SOCKET_OWNER_CANNOT_ASK);
	close(inet);
	g_assert_cmpint(socket_owner_of_unix(&owner, -1, &uid), ==, SOCKET_OWNER_CANNOT_ASK);
	remove_file(path);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(gconstpointer way);
	} cases[] = { { "own", test_own }, { "strangers", test_strangers },
		{ "hung-up", test_hung_up } };
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(ways) * G_N_ELEMENTS(cases); i++) {
		const struct way *way = &ways[i / G_N_ELEMENTS(cases)];
		unsigned c = i % G_N_ELEMENTS(cases);
		g_autofree char *path =
			g_strdup_printf("/socket-owner/%s/%s", way->name, cases[c].name);
		g_test_add_data_func(path, way, cases[c].run);
	}
	g_test_add_func("/socket-owner/listener-is-none", test_listener_is_none);
	g_test_add_func("/socket-owner/reset", test_reset);
	g_test_add_func("/socket-owner/elsewhere", test_elsewhere);
	g_test_add_func("/socket-owner/unix", test_unix);
	return g_test_run();
}
