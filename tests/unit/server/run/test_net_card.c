/* SPDX-License-Identifier: MIT */
/* net_card: what --net and --forward say, and what QEMU is told. */
#include <fcntl.h>
#include <glib.h>
#include <json-glib/json-glib.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "server/run/limits.h"
#include "server/run/net_card.h"

static bool init(struct net_card *card, const char *net, const char *forward, GError **error)
{
	struct desktop desktop = { .name = (char *)"work",
		.network = true,
		.net = (char *)net,
		.forward = (char *)forward };
	return net_card_init(card, &desktop, error);
}

static void expect_refusal(const char *net, const char *forward, const char *reason)
{
	struct net_card card;
	g_autoptr(GError) error = NULL;
	if (init(&card, net, forward, &error))
		g_error("--net=%s --forward=%s is not refused", net, forward);
	if (!strstr(error->message, reason))
		g_error("\"%s\" is not in: %s", reason, error->message);
	net_card_finish(&card);
}

/* Gives what stands behind the option, for g_free(). */
static char *find_argument(const struct net_card *card, const char *option)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	net_card_add_arguments(card, argv);
	for (unsigned i = 0; i + 1 < argv->len; i++) {
		if (strcmp(argv->pdata[i], option) == 0)
			return g_strdup(argv->pdata[i + 1]);
	}
	return NULL;
}

static void expect_back(const char *net, const char *forward, const char *expected)
{
	struct net_card card;
	g_autoptr(GError) error = NULL;
	init(&card, net, forward, &error);
	g_assert_no_error(error);
	g_autofree char *back = find_argument(&card, "-netdev");
	g_assert_cmpstr(back, ==, expected);
	net_card_finish(&card);
}

static void test_kinds(void)
{
	expect_back("user", NULL, "{\"type\":\"user\",\"id\":\"net\"}");
	expect_back("none", NULL, NULL);
	expect_refusal("", NULL, "is none of user, bridge=NAME, tap=FD, none");
	expect_refusal("user,restrict=on", NULL, "is none of");
	expect_refusal("bridge", NULL, "is none of");
	struct desktop desktop = { .name = (char *)"work", .net = (char *)"user" };
	struct net_card card;
	g_assert_true(net_card_init(&card, &desktop, NULL));
	g_assert_cmpint(card.kind, ==, NET_NONE);
	net_card_finish(&card);
	desktop.net = (char *)"tap=3";
	g_assert_false(net_card_init(&card, &desktop, NULL));
	net_card_finish(&card);
}

static void test_bridges(void)
{
	/* Any interface of a name that is there will do: whether it is a bridge is the helper's. */
	expect_back("bridge=lo", NULL, "{\"type\":\"bridge\",\"id\":\"net\",\"br\":\"lo\"}");
	expect_refusal("bridge=", NULL, "not the name");
	expect_refusal("bridge=br0,helper=/bin/sh", NULL, "not the name");
	expect_refusal("bridge=../x", NULL, "not the name");
	expect_refusal("bridge=-lo", NULL, "not the name");
	expect_refusal("bridge=a b", NULL, "not the name");
	expect_refusal("bridge=sixteen-letters-", NULL, "not the name");
	expect_refusal("bridge=nonexistent0", NULL, "no such bridge");
	expect_refusal("bridge=lo", "2222:22", "--forward needs --net=user");
}

static char *find_address(const char *name)
{
	struct desktop desktop = {
		.name = (char *)name, .network = true, .net = (char *)"bridge=lo"
	};
	struct net_card card;
	g_assert_true(net_card_init(&card, &desktop, NULL));
	char *address = find_argument(&card, "-device");
	net_card_finish(&card);
	return address;
}

static void test_addresses(void)
{
	g_autofree char *work = find_address("work"), *again = find_address("work");
	g_autofree char *play = find_address("play");
	g_assert_nonnull(strstr(work, "\"mac\":\"52:54:00:"));
	g_assert_cmpstr(work, ==, again);
	g_assert_cmpstr(work, !=, play);
}

static void test_forwards(void)
{
	expect_back("user", "2222:22",
		"{\"type\":\"user\",\"id\":\"net\",\"hostfwd\":[{\"str\":\"tcp:127.0.0.1:2222-:"
		"22\"}]}");
	expect_back("user", "", "{\"type\":\"user\",\"id\":\"net\"}");
	expect_back("user", "udp:53:53,tcp:0.0.0.0:80:8080,192.168.1.2:1:65535",
		"{\"type\":\"user\",\"id\":\"net\",\"hostfwd\":[{\"str\":\"udp:127.0.0.1:53-:53\"},"
		"{\"str\":\"tcp:0.0.0.0:80-:8080\"},{\"str\":\"tcp:192.168.1.2:1-:65535\"}]}");
	static const char *const wrong[] = { "22", "2222:22,", "0:22", "22:0", "65536:22", "tcp:22",
		"sctp:22:22", "::1:22:22", "localhost:22:22", "1:2:3:4:5", "2222-:22", "-1:22",
		"22:22x", " 22:22", "+22:22", "tcp:127.1:22:22", "a,b:1:2" };
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
		expect_refusal("user", wrong[i], "is not [tcp:|udp:]");
	GString *many = g_string_new("1:1");
	for (unsigned i = 0; i < FORWARDS_MAX; i++)
		g_string_append(many, ",1:1");
	expect_refusal("user", many->str, "more than 64 ports");
	g_string_free(many, TRUE);
}

/* Only what is a tap device may be handed on. */
static void test_taps(void)
{
	expect_refusal("tap=", NULL, "not the number of a descriptor");
	expect_refusal("tap=0", NULL, "not the number of a descriptor");
	expect_refusal("tap=2", NULL, "not the number of a descriptor");
	expect_refusal("tap=3x", NULL, "not the number of a descriptor");
	expect_refusal("tap=999", NULL, "Bad file descriptor");
	int fd = open("/dev/null", O_RDWR);
	g_autofree char *null = g_strdup_printf("tap=%d", fd);
	expect_refusal(null, NULL, "no tap device is open there");
	close(fd);
	int tun = open("/dev/net/tun", O_RDWR);
	g_autofree char *net = g_strdup_printf("tap=%d", tun);
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	if (tun >= 0)
		expect_refusal(net, NULL, "no tap device is open there");
	if (tun < 0 || unshare(CLONE_NEWNET) < 0 || ioctl(tun, TUNSETIFF, &request) < 0) {
		g_test_skip("no right to make a tap device");
		return;
	}
	expect_back(net, NULL, "{\"type\":\"tap\",\"id\":\"net\",\"fd\":\"5\"}");
	g_assert_cmpint(fcntl(tun, F_GETFD), ==, FD_CLOEXEC);
	close(tun);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/server/net-card/kinds", test_kinds);
	g_test_add_func("/server/net-card/bridges", test_bridges);
	g_test_add_func("/server/net-card/addresses", test_addresses);
	g_test_add_func("/server/net-card/forwards", test_forwards);
	g_test_add_func("/server/net-card/taps", test_taps);
	return g_test_run();
}
