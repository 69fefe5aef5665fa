/* SPDX-License-Identifier: MIT */
#include "tests/unit/display/relay/relay_rig.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "display/relay/inner_maker.h"
#include "tests/unit/display/relay/spice_words.h"

static void be_patient(int fd)
{
	struct timeval timeout = { .tv_sec = RELAY_RIG_LONG_S };
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

static void say(int fd, const GByteArray *bytes)
{
	g_assert_cmpint(send(fd, bytes->data, bytes->len, MSG_NOSIGNAL), ==, bytes->len);
}

static void hear(int fd, void *bytes, size_t size_bytes)
{
	g_assert_cmpint(recv(fd, bytes, size_bytes, MSG_WAITALL), ==, size_bytes);
}

/* ---- the relay's owner ---- */

static void on_arrived(void *user, const struct connection_guest *guest)
{
	struct relay_rig *rig = user;
	g_assert_cmpint(rig->guest.fd, <, 0);
	struct stat st;
	rig->guest = *guest;
	if (guest->own_fd < 0)
		return;
	g_assert_cmpint(fstat(guest->own_fd, &st), ==, 0);
	rig->guest_inode = st.st_ino;
	close(guest->own_fd);
}

static void on_asks(void *user, int fd)
{
	struct relay_rig *rig = user;
	g_autoptr(GByteArray) answer = g_byte_array_new();
	rig->n_asked++;
	be_patient(fd);
	relay_rig_hear_link(fd);
	put_server_link(answer, SPICE_LINK_ERR_OK, caps_of(true));
	if (!rig->silent)
		say(fd, answer);
	close(fd);
}

static const struct relay_ops ops = { .arrived = on_arrived, .asks = on_asks };

/* ---- both ends ---- */

static int connect_tcp(struct relay_rig *rig, enum keeper_listener_kind kind)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(listener, (struct sockaddr *)&address, size), ==, 0);
	g_assert_cmpint(listen(listener, 1), ==, 0);
	g_assert_cmpint(getsockname(listener, (struct sockaddr *)&address, &size), ==, 0);
	g_assert_cmpint(connect(client, (struct sockaddr *)&address, size), ==, 0);
	g_assert_true(relay_listen(rig->relay, kind, listener));
	return client;
}

/* The kernel names the socket itself. */
static int connect_unix(struct relay_rig *rig)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(sa_family_t);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(listener, (struct sockaddr *)&address, size), ==, 0);
	g_assert_cmpint(listen(listener, 1), ==, 0);
	size = sizeof(address);
	g_assert_cmpint(getsockname(listener, (struct sockaddr *)&address, &size), ==, 0);
	g_assert_cmpint(connect(client, (struct sockaddr *)&address, size), ==, 0);
	g_assert_true(relay_listen(rig->relay, KEEPER_LISTENER_UNIX, listener));
	return client;
}

int relay_rig_connect(struct relay_rig *rig, enum keeper_listener_kind kind)
{
	int client = kind == KEEPER_LISTENER_UNIX ? connect_unix(rig) : connect_tcp(rig, kind);
	be_patient(client);
	return client;
}

int relay_rig_await_guest(struct relay_rig *rig)
{
	while (rig->guest.fd < 0)
		g_main_context_iteration(NULL, TRUE);
	int fd = rig->guest.fd;
	rig->guest.fd = -1;
	be_patient(fd);
	return fd;
}

void relay_rig_hear_link(int server)
{
	SpiceLinkHeader header;
	uint8_t rest[1024];
	hear(server, &header, sizeof(header));
	g_assert_cmphex(header.magic, ==, SPICE_MAGIC);
	hear(server, rest, header.size);
}

void relay_rig_let_in(int server, bool mini)
{
	const uint32_t ok = SPICE_LINK_ERR_OK;
	uint8_t ticket[sizeof(SpiceLinkAuthMechanism) + sizeof(SpiceLinkEncryptedTicket)];
	g_autoptr(GByteArray) answer = g_byte_array_new(), result = g_byte_array_new();
	relay_rig_hear_link(server);
	put_server_link(answer, SPICE_LINK_ERR_OK, caps_of(mini));
	say(server, answer);
	hear(server, ticket, sizeof(ticket));
	put(result, &ok, sizeof(ok));
	say(server, result);
}

size_t relay_rig_answer_bytes(void)
{
	return sizeof(SpiceLinkHeader) + sizeof(SpiceLinkReply) + sizeof(uint32_t);
}

/* The relay may need the main context, to ask spice-server. */
static void hear_answer(int client, size_t size_bytes)
{
	uint8_t bytes[1024];
	while (recv(client, bytes, size_bytes, MSG_PEEK | MSG_DONTWAIT) != (ssize_t)size_bytes)
		g_main_context_iteration(NULL, FALSE);
	hear(client, bytes, size_bytes);
}

void relay_rig_log_in(struct relay_rig *rig, int client, uint8_t channel, bool mini)
{
	uint32_t result;
	g_autoptr(GByteArray) link = g_byte_array_new(), ticket = g_byte_array_new();
	put_client_link(link, channel, caps_of(mini));
	link->data[offsetof(SpiceLinkMess, channel_id) + sizeof(SpiceLinkHeader)] = rig->channel_id;
	say(client, link);
	hear_answer(client, relay_rig_answer_bytes());
	put_ticket(ticket, true);
	say(client, ticket);
	hear(client, &result, sizeof(result));
	g_assert_cmpuint(result, ==, SPICE_LINK_ERR_OK);
}

static void open_main(struct relay_rig *rig)
{
	const uint32_t init[8] = { SPICE_WORDS_SESSION };
	uint8_t heard[sizeof(SpiceMiniDataHeader) + sizeof(init)];
	g_autoptr(GByteArray) said = g_byte_array_new();
	rig->main_client = relay_rig_connect(rig, KEEPER_LISTENER_TCP);
	relay_rig_log_in(rig, rig->main_client, SPICE_CHANNEL_MAIN, true);
	rig->main_server = relay_rig_await_guest(rig);
	relay_rig_let_in(rig->main_server, true);
	put_message(said, true, SPICE_MSG_MAIN_INIT, init, sizeof(init));
	say(rig->main_server, said);
	hear(rig->main_client, heard, sizeof(heard));
}

void relay_rig_learn(struct relay_rig *rig, uint8_t channel)
{
	g_autoptr(GByteArray) link = g_byte_array_new();
	int client = relay_rig_connect(rig, KEEPER_LISTENER_TCP);
	put_client_link(link, channel, caps_of(true));
	say(client, link);
	hear_answer(client, relay_rig_answer_bytes());
	close(client);
}

void relay_rig_start(struct relay_rig *rig)
{
	const struct relay_options options = { 0 };
	*rig = (struct relay_rig){
		.guest.fd = -1, .channel_id = SPICE_WORDS_CHANNEL_ID, .line = line_create()
	};
	if (inner_maker_fd() < 0)
		g_assert_true(inner_maker_start(NULL, NULL) && inner_maker_is_ready(NULL));
	rig->tickets = tickets_create();
	g_assert_true(tickets_replace(rig->tickets, NULL, 0, 0));
	rig->relay = relay_create(&options, &rig->line, rig->tickets, &ops, rig);
	open_main(rig);
}

void relay_rig_stop(struct relay_rig *rig)
{
	relay_destroy(rig->relay);
	tickets_destroy(rig->tickets);
	line_destroy(rig->line);
	close(rig->main_client);
	close(rig->main_server);
}
