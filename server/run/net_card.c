/* SPDX-License-Identifier: MIT */
#include "server/run/net_card.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "server/desktop/limits.h"
#include "server/run/limits.h"

/* ---- what is behind the card ---- */

/*
 * What the kernel takes as a name (net/core/dev.c, dev_valid_name), but for spaces and signs that
 * QEMU's helper or its list of bridges would take for something else.
 */
static bool is_interface_name(const char *name)
{
	size_t length = strlen(name);
	if (length == 0 || length >= IFNAMSIZ || name[0] == '-' || name[0] == '.')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!g_ascii_isalnum(name[i]) && !strchr("._-@", name[i]))
			return false;
	}
	return true;
}

static bool take_bridge(struct net_card *card, const char *name, GError **error)
{
	if (!is_interface_name(name))
		return desktop_fail(error, "--net=bridge=%s: not the name of an interface", name);
	if (if_nametoindex(name) == 0)
		return desktop_fail(error, "--net=bridge=%s: there is no such bridge", name);
	card->kind = NET_BRIDGE;
	card->bridge = g_strdup(name);
	return true;
}

/* Reads a decimal number that is all of the text. */
static bool read_number(const char *text, unsigned min, unsigned max, unsigned *number)
{
	guint64 value;
	if (!g_ascii_string_to_unsigned(text, 10, min, max, &value, NULL))
		return false;
	*number = (unsigned)value;
	return true;
}

/* Until it is QEMU's nobody else may inherit the device. */
static bool take_tap(struct net_card *card, const char *text, GError **error)
{
	unsigned fd;
	if (!read_number(text, STDERR_FILENO + 1, G_MAXINT, &fd))
		return desktop_fail(
			error, "--net=tap=%s: not the number of a descriptor (from 3 on)", text);
	struct ifreq request = { 0 };
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return desktop_fail(error, "--net=tap=%s: %s", text, g_strerror(errno));
	if (ioctl((int)fd, TUNGETIFF, &request) < 0 || !(request.ifr_flags & IFF_TAP))
		return desktop_fail(error, "--net=tap=%s: no tap device is open there", text);
	card->kind = NET_TAP;
	card->tap_fd = (int)fd;
	return true;
}

static bool take_net(struct net_card *card, const char *net, GError **error)
{
	const char *value = strchr(net, '=');
	if (value && g_str_has_prefix(net, "bridge="))
		return take_bridge(card, value + 1, error);
	if (value && g_str_has_prefix(net, "tap="))
		return take_tap(card, value + 1, error);
	if (strcmp(net, "user") == 0)
		card->kind = NET_USER;
	else if (strcmp(net, "none") != 0)
		return desktop_fail(
			error, "--net=%s: is none of user, bridge=NAME, tap=FD, none", net);
	return true;
}

/*
 * On a shared network each card needs an address of its own. It comes from the desktop's name and
 * user and the machine, so that a desktop keeps it. 52:54:00 is what QEMU's cards begin with.
 */
static void make_address(struct net_card *card, const char *name)
{
	g_autofree char *machine = NULL;
	if (!g_file_get_contents("/etc/machine-id", &machine, NULL, NULL))
		machine = g_strdup(g_get_host_name());
	g_autofree char *text = g_strdup_printf("%s %u %s", machine, (unsigned)geteuid(), name);
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	snprintf(card->address, sizeof(card->address), "52:54:00:%.2s:%.2s:%.2s", sum, sum + 2,
		sum + 4);
}

/* ---- ports of the host that lead to the guest ---- */

static bool is_port(const char *text)
{
	unsigned port;
	return read_number(text, 1, DESKTOP_PORT_MAX, &port);
}

/*
 * Takes [tcp:|udp:][ADDRESS:]PORT:GUESTPORT. QEMU forwards IPv4 alone. Without an address it is one
 * that only this machine reaches, where QEMU would take all.
 */
static bool take_forward(struct net_card *card, const char *rule, GError **error)
{
	g_auto(GStrv) words = g_strsplit(rule, ":", -1);
	unsigned n = g_strv_length(words), from = 0;
	const char *protocol = "tcp", *address = "127.0.0.1";
	struct in_addr parsed;
	if (n > 0 && (strcmp(words[0], "tcp") == 0 || strcmp(words[0], "udp") == 0))
		protocol = words[from++];
	if (n - from == 3)
		address = words[from++];
	if (n - from != 2 || inet_pton(AF_INET, address, &parsed) != 1 || !is_port(words[from]) ||
		!is_port(words[from + 1]))
		return desktop_fail(error,
			"--forward=%s: is not [tcp:|udp:][ADDRESS:]PORT:GUESTPORT, with an address "
			"of IPv4",
			rule);
	if (card->forwards->len >= FORWARDS_MAX)
		return desktop_fail(error, "--forward: more than %d ports", FORWARDS_MAX);
	g_ptr_array_add(card->forwards,
		g_strdup_printf("%s:%s:%s-:%s", protocol, address, words[from], words[from + 1]));
	return true;
}

static bool take_forwards(struct net_card *card, const char *rules, GError **error)
{
	if (!rules)
		return true;
	if (card->kind != NET_USER)
		return desktop_fail(error, "--forward needs --net=user: elsewhere the guest has an "
					   "address of its own");
	g_auto(GStrv) list = g_strsplit(rules, ",", -1);
	for (unsigned i = 0; list[i]; i++) {
		if (!take_forward(card, list[i], error))
			return false;
	}
	return true;
}

bool net_card_init(struct net_card *card, const struct desktop *desktop, GError **error)
{
	*card = (struct net_card){ .tap_fd = -1,
		.forwards = g_ptr_array_new_with_free_func(g_free) };
	if (!desktop->network && strcmp(desktop->net, "user") != 0 &&
		strcmp(desktop->net, "none") != 0)
		return desktop_fail(
			error, "--no-network and --net=%s exclude each other", desktop->net);
	if (!take_net(card, desktop->network ? desktop->net : "none", error))
		return false;
	if (card->kind == NET_BRIDGE || card->kind == NET_TAP)
		make_address(card, desktop->name);
	return take_forwards(card, desktop->forward, error);
}

void net_card_finish(struct net_card *card)
{
	g_clear_pointer(&card->bridge, g_free);
	g_clear_pointer(&card->forwards, g_ptr_array_unref);
}

/* ---- QEMU's arguments ---- */

static void add(GPtrArray *argv, const char *option, JsonObject *object)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	json_node_take_object(node, object);
	g_ptr_array_add(argv, g_strdup(option));
	g_ptr_array_add(argv, json_to_string(node, FALSE));
}

static JsonArray *describe_forwards(const struct net_card *card)
{
	JsonArray *list = json_array_new();
	for (unsigned i = 0; i < card->forwards->len; i++) {
		JsonObject *rule = json_object_new();
		json_object_set_string_member(rule, "str", card->forwards->pdata[i]);
		json_array_add_object_element(list, rule);
	}
	return list;
}

static JsonObject *describe_back(const struct net_card *card)
{
	static const char *const types[] = {
		[NET_USER] = "user", [NET_BRIDGE] = "bridge", [NET_TAP] = "tap"
	};
	JsonObject *back = json_object_new();
	json_object_set_string_member(back, "type", types[card->kind]);
	json_object_set_string_member(back, "id", "net");
	if (card->kind == NET_BRIDGE)
		json_object_set_string_member(back, "br", card->bridge);
	if (card->kind == NET_TAP)
		json_object_set_string_member(back, "fd", G_STRINGIFY(QEMU_TAP_FD));
	if (card->forwards->len > 0)
		json_object_set_array_member(back, "hostfwd", describe_forwards(card));
	return back;
}

void net_card_add_arguments(const struct net_card *card, GPtrArray *argv)
{
	if (card->kind == NET_NONE)
		return;
	JsonObject *front = json_object_new();
	json_object_set_string_member(front, "driver", "virtio-net-pci");
	json_object_set_string_member(front, "netdev", "net");
	if (*card->address)
		json_object_set_string_member(front, "mac", card->address);
	add(argv, "-netdev", describe_back(card));
	add(argv, "-device", front);
}
