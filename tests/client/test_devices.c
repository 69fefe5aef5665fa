/* SPDX-License-Identifier: MIT */
/*
 * devices: what of the guest's devices clients have, and what becomes of clients that lie to them,
 * or flood them.
 */
#include <errno.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/relay/limits.h"
#include "display/spice/limits.h"
#include "tests/client/fixture.h"
#include "tests/client/stranger.h"

#define SOON_US 200000
#define USB_HELLO 0
#define USB_VERSION_BYTES 64

enum { USB, FOLDER, NAMED, MONITOR, OWN, AGENT, STREAM };
static const char *const names[] = {
	[USB] = "org.qemu.usbredir.0",
	[FOLDER] = "org.spice-space.webdav.0",
	[NAMED] = "org.example.0",
	[MONITOR] = "org.qemu.monitor.qmp.0",
	[OWN] = "org.vitrine.lost.0",
	[AGENT] = "com.redhat.spice.0",
	[STREAM] = "org.spice-space.stream.0",
	NULL,
};

struct room {
	struct fixture fixture;
	struct fake_ports *ports;
};

static void open_room(struct room *room, const struct fake_desktop_options *options)
{
	client_lend(true);
	room->ports = fake_ports_create(names);
	fixture_start(&room->fixture, 640, 480, options);
	room->fixture.qemu->ports = room->ports;
	fake_desktop_renew_dbus(room->fixture.desktop);
	/* The agent's is opened without a client, from when all are known. */
	fake_ports_wait_stream(room->ports, AGENT, SETTLE_MS);
}

static void close_room(struct room *room)
{
	fixture_stop(&room->fixture);
	fake_ports_destroy(room->ports);
	client_lend(false);
}

static char *write_file(const char *text, size_t n_bytes)
{
	g_autofree char *name = NULL;
	int fd = g_file_open_tmp("vitrine-devices-XXXXXX", &name, NULL);
	g_assert_cmpint(fd, >=, 0);
	close(fd);
	g_assert_true(g_file_set_contents(name, text, (gssize)n_bytes, NULL));
	return g_steal_pointer(&name);
}

/* ---- a stock client ---- */

static void expect_ports(struct room *room, const char *expected)
{
	gint64 end_us = g_get_monotonic_time() + SETTLE_MS * 1000;
	g_autofree char *seen = NULL;
	do {
		g_usleep(20000);
		g_autofree char *answer = client_run(room->fixture.client, "ports");
		g_free(seen);
		seen = answer_text(answer, "ports");
	} while (g_strcmp0(seen, expected) != 0 && g_get_monotonic_time() < end_us);
	g_assert_cmpstr(seen, ==, expected);
}

static void test_named(void)
{
	struct room room;
	char heard[4] = "";
	g_autofree char *file = write_file("you", 3), *text = NULL;
	open_room(&room, NULL);
	g_usleep(SOON_US);
	g_assert_true(fake_ports_wait_end(room.ports, NAMED, 0));
	fixture_connect(&room.fixture);
	g_free(client_run(room.fixture.client, "wait-port org.example.0 there 10000"));
	expect_ports(&room, "org.example.0:closed,org.spice-space.webdav.0:closed");
	g_assert_cmpuint(fake_ports_wait_stream(room.ports, NAMED, SETTLE_MS), ==, 1);
	fake_ports_open(room.ports, NAMED, true);
	g_free(client_run(room.fixture.client, "wait-port org.example.0 open 10000"));
	g_free(client_run(room.fixture.client, "port-write org.example.0 %s 10000", file));
	g_assert_true(fake_ports_hear(room.ports, NAMED, heard, 3));
	g_assert_cmpstr(heard, ==, "you");
	g_assert_true(fake_ports_say(room.ports, NAMED, "hello", 5));
	fake_ports_open(room.ports, NAMED, false);
	g_free(client_run(room.fixture.client, "wait-port org.example.0 closed 10000"));
	g_free(client_run(room.fixture.client, "port-read org.example.0 5 %s 10000", file));
	g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "hello");
	for (unsigned i = MONITOR; i < G_N_ELEMENTS(names) - 1; i++)
		g_assert_true(i == AGENT || fake_ports_wait_end(room.ports, i, 0));
	g_clear_pointer(&room.fixture.client, client_free);
	g_assert_true(fake_ports_wait_end(room.ports, NAMED, SETTLE_MS));
	g_assert_true(fake_ports_wait_end(room.ports, USB, SETTLE_MS));
	unlink(file);
	close_room(&room);
}

/* What QEMU takes away clients lose, and what comes while they are there they get. */
static void test_comes_and_goes(void)
{
	struct room room;
	open_room(&room, NULL);
	fixture_connect(&room.fixture);
	expect_ports(&room, "org.example.0:closed,org.spice-space.webdav.0:closed");
	fake_ports_unplug(room.ports, NAMED);
	expect_ports(&room, "org.spice-space.webdav.0:closed");
	fake_desktop_renew_dbus(room.fixture.desktop);
	expect_ports(&room, "org.example.0:closed,org.spice-space.webdav.0:closed");
	close_room(&room);
}

/* Who may only look on has none of them, so that who drives does. */
static void test_viewer(void)
{
	static const struct fake_desktop_options options = { .ticket = "full" };
	struct room room;
	open_room(&room, &options);
	fake_desktop_give_ticket(room.fixture.desktop, 7, KEEPER_TICKET_VIEW_ONLY, "look");
	struct client *viewer = client_new(fake_desktop_address(room.fixture.desktop), "look");
	g_assert_true(client_is_connected(viewer));
	g_usleep(SOON_US);
	g_autofree char *answer = client_run(viewer, "ports");
	g_autofree char *seen = answer_text(answer, "ports");
	g_assert_cmpstr(seen, ==, "");
	g_assert_true(fake_ports_wait_end(room.ports, USB, 0));
	client_free(viewer);
	close_room(&room);
}

/* Another one drives; devices stay those of who came to drive. */
static void test_handed_over(void)
{
	static const struct fake_desktop_options options = { .ticket = "full",
		.arguments = { "--lookers=1" } };
	struct room room;
	char heard[4] = "";
	g_autofree char *file = write_file("you", 3);
	open_room(&room, &options);
	fake_desktop_give_ticket(room.fixture.desktop, 7, KEEPER_TICKET_VIEW_ONLY, "look");
	const char *address = fake_desktop_address(room.fixture.desktop);
	room.fixture.client = client_new(address, "full");
	struct client *looker = client_new(address, "look");
	g_assert_true(client_is_connected(looker));
	expect_ports(&room, "org.example.0:closed,org.spice-space.webdav.0:closed");
	fake_ports_open(room.ports, NAMED, true);
	g_free(client_run(room.fixture.client, "wait-port org.example.0 open 10000"));
	g_autofree char *name =
		fake_desktop_find_client(room.fixture.desktop, KEEPER_CLIENT_CAME, "to look only");
	fake_desktop_hand_over(room.fixture.desktop, name);
	g_assert_true(
		fake_desktop_wait_log(room.fixture.desktop, "drives from here on", SETTLE_MS));
	g_usleep(SOON_US);
	g_free(client_run(room.fixture.client, "port-write org.example.0 %s 10000", file));
	g_assert_true(fake_ports_hear(room.ports, NAMED, heard, 3));
	g_assert_cmpstr(heard, ==, "you");
	client_free(looker);
	unlink(file);
	close_room(&room);
}

/* ---- clients that lie ---- */

static int open_device(struct room *room, struct stranger *stranger, uint8_t channel)
{
	stranger_connect_main(stranger, room->fixture.desktop);
	stranger->display = stranger_open(room->fixture.desktop, channel, stranger->session);
	return stranger->display;
}

static size_t make_hello(uint8_t *bytes)
{
	const uint32_t words[] = { USB_HELLO, USB_VERSION_BYTES + 4, 0 };
	memset(bytes, 0, sizeof(words) + USB_VERSION_BYTES);
	memcpy(bytes, words, sizeof(words));
	memcpy(bytes + sizeof(words) + USB_VERSION_BYTES, "\xff\0\0", 4);
	return sizeof(words) + USB_VERSION_BYTES + 4;
}

/* Its device's side of a client says hello, and so does QEMU's. */
static void greet(struct room *room, int fd)
{
	uint8_t hello[128], heard[128], body[256];
	size_t n_bytes = make_hello(hello);
	uint16_t type;
	g_assert_true(stranger_say_message(fd, SPICE_MSGC_SPICEVMC_DATA, hello, (uint32_t)n_bytes));
	g_assert_cmpuint(fake_ports_wait_stream(room->ports, USB, SETTLE_MS), >, 0);
	g_assert_true(fake_ports_say(room->ports, USB, hello, n_bytes));
	g_assert_true(fake_ports_hear(room->ports, USB, heard, n_bytes));
	g_assert_cmpmem(heard, n_bytes, hello, n_bytes);
	do
		g_assert_true(stranger_hear_message(fd, &type, body, sizeof(body)));
	while (type != SPICE_MSG_SPICEVMC_DATA);
}

static bool is_cut(int fd)
{
	uint8_t body[256];
	uint16_t type;
	while (stranger_hear_message(fd, &type, body, sizeof(body)))
		;
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void test_usb_lies(void)
{
	/* A packet that only QEMU says, and one that is longer than any. */
	static const uint32_t lies[][4] = { { 3, 0, 1, 0 }, { 101, UINT32_MAX, 1, 0 } };
	struct room room;
	struct stranger stranger;
	open_room(&room, NULL);
	for (unsigned i = 0; i <= G_N_ELEMENTS(lies); i++) {
		int fd = open_device(&room, &stranger, SPICE_CHANNEL_USBREDIR);
		if (i < G_N_ELEMENTS(lies))
			greet(&room, fd);
		stranger_say_message(fd, SPICE_MSGC_SPICEVMC_DATA, lies[i % 2], 16);
		g_assert_true(is_cut(fd));
		g_assert_true(fake_ports_wait_end(room.ports, USB, SETTLE_MS));
		stranger_close(&stranger);
	}
	g_assert_true(fake_desktop_wait_log(room.fixture.desktop,
		"usb org.qemu.usbredir.0: the client loses it: a packet's type or length is wrong",
		SETTLE_MS));
	g_assert_true(fake_desktop_wait_log(
		room.fixture.desktop, "it does not begin with a hello", SETTLE_MS));
	int fd = open_device(&room, &stranger, SPICE_CHANNEL_USBREDIR);
	greet(&room, fd);
	stranger_close(&stranger);
	close_room(&room);
}

/* spice-server would take any amount of what is compressed. */
static void test_messages(void)
{
	static const struct {
		uint8_t channel;
		uint16_t type;
		uint32_t n_bytes;
	} wrong[] = {
		{ SPICE_CHANNEL_USBREDIR, SPICE_MSGC_SPICEVMC_DATA, 0 },
		{ SPICE_CHANNEL_PORT, SPICE_MSGC_SPICEVMC_DATA, SPICE_MANNERS_DEVICE_MAX + 1 },
		{ SPICE_CHANNEL_PORT, SPICE_MSGC_SPICEVMC_COMPRESSED_DATA, 64 },
		{ SPICE_CHANNEL_WEBDAV, SPICE_MSGC_PORT_EVENT, 2 },
	};
	static const uint8_t body[64];
	struct room room;
	struct stranger stranger;
	open_room(&room, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		const SpiceMiniDataHeader header = { wrong[i].type, wrong[i].n_bytes };
		int fd = open_device(&room, &stranger, wrong[i].channel);
		stranger_say(fd, &header, sizeof(header));
		stranger_say(fd, body, MIN(wrong[i].n_bytes, sizeof(body)));
		g_assert_true(is_cut(fd));
		stranger_close(&stranger);
		g_assert_true(fake_desktop_is_alive(room.fixture.desktop));
	}
	close_room(&room);
}

/*
 * A guest that reads nothing, and a client that says all that is taken of it. It goes, and what
 * spice-server had of it goes with it. The next one is served.
 */
static void test_flood(void)
{
	struct room room;
	struct stranger stranger;
	const unsigned long growth_kib = SPICE_PORT_WAITS_MAX_BYTES / 1024;
	g_autofree uint8_t *body = g_malloc0(1 << 20);
	uint8_t heard[1000];
	open_room(&room, NULL);
	fake_ports_open(room.ports, NAMED, true);
	unsigned long before_kib = 0;
	for (unsigned i = 0; i < 4; i++) {
		const struct timeval patience = { .tv_usec = 500000 };
		int fd = open_device(&room, &stranger, SPICE_CHANNEL_PORT);
		g_assert_cmpuint(fake_ports_wait_stream(room.ports, NAMED, SETTLE_MS), >, 0);
		g_usleep(SOON_US);
		if (i == 1)
			before_kib = fake_desktop_resident_kib(room.fixture.desktop);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		unsigned n = 0;
		while (n < 64 && stranger_say_message(fd, SPICE_MSGC_SPICEVMC_DATA, body, 1 << 20))
			n++;
		g_assert_cmpuint(n, <, 20);
		g_assert_true(fake_ports_hear(room.ports, NAMED, heard, sizeof(heard)));
		stranger_close(&stranger);
		g_assert_true(fake_ports_wait_end(room.ports, NAMED, SETTLE_MS) || i > 0);
		g_assert_true(fake_desktop_is_alive(room.fixture.desktop));
	}
	g_assert_false(fake_desktop_wait_log(room.fixture.desktop, "sends more than it may", 0));
	unsigned long after_kib = fake_desktop_resident_kib(room.fixture.desktop);
	g_test_message("from %lu to %lu KiB", before_kib, after_kib);
	g_assert_cmpuint(after_kib, <, before_kib + growth_kib);
	close_room(&room);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/devices/named", test_named);
	g_test_add_func("/devices/comes-and-goes", test_comes_and_goes);
	g_test_add_func("/devices/viewer", test_viewer);
	g_test_add_func("/devices/handed-over", test_handed_over);
	g_test_add_func("/devices/usb-lies", test_usb_lies);
	g_test_add_func("/devices/messages", test_messages);
	g_test_add_func("/devices/flood", test_flood);
	return g_test_run();
}
