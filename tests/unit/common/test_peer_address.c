/* SPDX-License-Identifier: MIT */
/* peer address: checks what people read of an address, and who counts as one stranger. */
#include "common/peer_address.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

static struct peer_address inet(const char *host)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(4242) };
	g_assert_cmpint(inet_pton(AF_INET, host, &from.sin_addr), ==, 1);
	return peer_address_of((const struct sockaddr *)&from, sizeof(from));
}

static struct peer_address inet6(const char *host)
{
	struct sockaddr_in6 from = { .sin6_family = AF_INET6, .sin6_port = htons(4242) };
	g_assert_cmpint(inet_pton(AF_INET6, host, &from.sin6_addr), ==, 1);
	return peer_address_of((const struct sockaddr *)&from, sizeof(from));
}

static void assert_text(struct peer_address address, const char *expected)
{
	char text[PEER_ADDRESS_TEXT_MAX];
	g_assert_cmpstr(peer_address_text(&address, text), ==, expected);
}

static void test_text(void)
{
	assert_text(inet("192.0.2.1"), "192.0.2.1:4242");
	assert_text(inet6("2001:db8::1"), "[2001:db8::1]:4242");
	assert_text(inet6("::ffff:192.0.2.1"), "192.0.2.1:4242");
	struct peer_address local = inet6("fe80::1");
	local.scope = 3;
	assert_text(local, "[fe80::1%3]:4242");
	assert_text((struct peer_address){ 0 }, "unknown");
}

static bool is_same(struct peer_address one, struct peer_address other)
{
	return peer_address_network(&one) == peer_address_network(&other);
}

static void test_network(void)
{
	g_assert_true(is_same(inet("192.0.2.1"), inet6("::ffff:192.0.2.1")));
	g_assert_false(is_same(inet("192.0.2.1"), inet("192.0.2.2")));
	g_assert_true(is_same(inet6("2001:db8::1"), inet6("2001:db8::ffff:ffff:ffff:ffff")));
	g_assert_false(is_same(inet6("2001:db8::1"), inet6("2001:db8:0:1::1")));
	g_assert_false(is_same(inet("0.0.0.1"), inet6("::1")));
	struct peer_address root = { .kind = PEER_ADDRESS_UNIX };
	struct peer_address user = { .kind = PEER_ADDRESS_UNIX, .scope = 1000 };
	g_assert_false(is_same(root, user));
	g_assert_false(is_same(root, inet("0.0.0.0")));
	g_assert_false(is_same(root, (struct peer_address){ 0 }));
}

static void test_socket(void)
{
	int pair[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	g_autofree char *expected = g_strdup_printf("on the unix socket (uid %u)", getuid());
	assert_text(peer_address_read(pair[0]), expected);
	close(pair[0]);
	close(pair[1]);
	assert_text(peer_address_read(-1), "unknown");
}

/* Who looks like nobody may be anybody. Such a user is made as root. */
static void test_nobody(void)
{
	int pair[2];
	if (geteuid() != 0 || seteuid(65534) < 0) {
		g_test_skip("only root can be somebody else");
		return;
	}
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	g_assert_cmpint(seteuid(0), ==, 0);
	assert_text(peer_address_read(pair[0]), "on the unix socket");
	close(pair[0]);
	close(pair[1]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/peer_address/text", test_text);
	g_test_add_func("/peer_address/network", test_network);
	g_test_add_func("/peer_address/socket", test_socket);
	g_test_add_func("/peer_address/nobody", test_nobody);
	return g_test_run();
}
