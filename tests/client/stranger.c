/* SPDX-License-Identifier: MIT */
#include "tests/client/stranger.h"

#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/client/link_by_hand.h"

#define ANSWER_S 10

bool stranger_say(int fd, const void *data, size_t size_bytes)
{
	return send(fd, data, size_bytes, MSG_NOSIGNAL) == (ssize_t)size_bytes;
}

bool stranger_hear(int fd, void *data, size_t size_bytes)
{
	return recv(fd, data, size_bytes, MSG_WAITALL) == (ssize_t)size_bytes;
}

bool stranger_say_message(int fd, uint16_t type, const void *body, uint32_t body_bytes)
{
	SpiceMiniDataHeader header = { type, body_bytes };

	return stranger_say(fd, &header, sizeof(header)) && stranger_say(fd, body, body_bytes);
}

bool stranger_hear_message(int fd, uint16_t *type, uint8_t *body, size_t room_bytes)
{
	SpiceMiniDataHeader header;
	uint8_t rest[4096];

	if (!stranger_hear(fd, &header, sizeof(header)))
		return false;
	size_t n = MIN(header.size, room_bytes);
	*type = header.type;
	if (!stranger_hear(fd, body, n))
		return false;
	for (size_t left = header.size - n; left > 0; left -= n) {
		n = MIN(left, sizeof(rest));
		if (!stranger_hear(fd, rest, n))
			return false;
	}
	return true;
}

void stranger_say_link(int fd, uint8_t channel, uint32_t session)
{
	uint8_t link[LINK_BY_HAND_BYTES];

	link_by_hand_message(link, channel, session);
	g_assert_true(stranger_say(fd, link, sizeof(link)));
}

static void say_ticket(int fd, const uint8_t *key)
{
	uint8_t ticket[LINK_BY_HAND_TICKET_BYTES];

	link_by_hand_ticket(ticket, key, "");
	g_assert_true(stranger_say(fd, ticket, sizeof(ticket)));
}

static void hear_reply(int fd, uint8_t *reply, size_t room_bytes)
{
	SpiceLinkHeader header;

	g_assert_true(stranger_hear(fd, &header, sizeof(header)));
	g_assert_cmpuint(header.size, <=, room_bytes);
	g_assert_true(stranger_hear(fd, reply, header.size));
}

static void hear_result(int fd)
{
	uint32_t result;

	g_assert_true(stranger_hear(fd, &result, sizeof(result)));
	g_assert_cmpuint(result, ==, SPICE_LINK_ERR_OK);
}

int stranger_go_until(const struct fake_desktop *desktop, uint8_t channel, uint32_t session,
	enum stranger_step step)
{
	const uint8_t init[14] = { 0 };
	uint8_t reply[1024], body[64];
	uint16_t type;
	int fd = fake_desktop_connect_socket(desktop);
	struct timeval patience = { .tv_sec = ANSWER_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (step >= STRANGER_LINK)
		stranger_say_link(fd, channel, session);
	if (step >= STRANGER_REPLY)
		hear_reply(fd, reply, sizeof(reply));
	if (step >= STRANGER_TICKET)
		say_ticket(fd, reply + offsetof(SpiceLinkReply, pub_key));
	if (step >= STRANGER_RESULT)
		hear_result(fd);
	if (step >= STRANGER_INIT && channel == SPICE_CHANNEL_DISPLAY)
		g_assert_true(
			stranger_say_message(fd, SPICE_MSGC_DISPLAY_INIT, init, sizeof(init)));
	if (step >= STRANGER_MESSAGE)
		g_assert_true(stranger_hear_message(fd, &type, body, sizeof(body)));
	return fd;
}

int stranger_open(const struct fake_desktop *desktop, uint8_t channel, uint32_t session)
{
	return stranger_go_until(desktop, channel, session, STRANGER_RESULT);
}

void stranger_connect_main(struct stranger *stranger, const struct fake_desktop *desktop)
{
	uint8_t body[32];
	uint16_t type;

	stranger->main = stranger_open(desktop, SPICE_CHANNEL_MAIN, 0);
	do
		g_assert_true(stranger_hear_message(stranger->main, &type, body, sizeof(body)));
	while (type != SPICE_MSG_MAIN_INIT);
	memcpy(&stranger->session, body, sizeof(stranger->session));
}

void stranger_connect(struct stranger *stranger, const struct fake_desktop *desktop)
{
	const uint8_t init[14] = { 0 };

	stranger_connect_main(stranger, desktop);
	stranger->display = stranger_open(desktop, SPICE_CHANNEL_DISPLAY, stranger->session);
	g_assert_true(stranger_say_message(
		stranger->display, SPICE_MSGC_DISPLAY_INIT, init, sizeof(init)));
}

void stranger_close(struct stranger *stranger)
{
	close(stranger->main);
	close(stranger->display);
}
