/* SPDX-License-Identifier: MIT */
#include "tests/unit/display/relay/ends_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/relay/offers.h"
#include "display/relay/link_keys.h"
#include "display/relay/phases.h"
#include "tests/unit/display/relay/own_users.h"
#include "tests/unit/display/relay/spice_words.h"

#define TICK_US 200
#define SOON_US 20000

static const struct {
	const char *name;
	enum phase phase;
	bool display, tls;
} places[PLACES] = {
	[AT_SHAKE] = { "shake", PHASE_SHAKE, .tls = true },
	[AT_FIRST] = { "first", PHASE_FIRST, .tls = true },
	[AT_FIRST_PLAIN] = { "first-plain", PHASE_FIRST },
	[AT_REQUEST] = { "request", PHASE_REQUEST },
	[AT_MESSAGE] = { "message", PHASE_MESSAGE },
	[AT_MESSAGE_PLAIN] = { "message-plain", PHASE_MESSAGE },
	[AT_ANSWER] = { "answer", PHASE_ANSWER },
	[AT_TICKET] = { "ticket", PHASE_TICKET },
	[AT_SASL_START] = { "sasl-start", PHASE_SASL_START, .tls = true },
	[AT_SASL_ASK] = { "sasl-ask", PHASE_SASL_ASK, .tls = true },
	[AT_SASL_STEP] = { "sasl-step", PHASE_SASL_STEP, .tls = true },
	[AT_JUDGE] = { "judge", PHASE_JUDGE },
	[AT_INIT] = { "init", PHASE_INIT, .display = true },
	[AT_JOIN] = { "join", PHASE_JOIN },
	[AT_RESULT] = { "result", PHASE_RESULT },
	[AT_ADMISSION] = { "admission", PHASE_ADMISSION, .display = true },
	[AT_OPENING] = { "opening", PHASE_OPENING, .display = true },
	[AT_OPENING_FRAMES] = { "opening-frames", PHASE_OPENING, .display = true },
	[AT_CHANNEL] = { "channel", PHASE_CHANNEL },
	[AT_CHANNEL_TLS] = { "channel-tls", PHASE_CHANNEL, .tls = true },
	[AT_CHANNEL_FRAMES] = { "channel-frames", PHASE_CHANNEL },
	[AT_PASS] = { "pass", PHASE_PASS, .display = true },
	[AT_REST] = { "rest", PHASE_REST, .display = true },
	[AT_LEAVING] = { "leaving", PHASE_LEAVING },
	[AT_ORPHAN] = { "orphan", PHASE_ORPHAN, .display = true },
	[AT_LAST_WORDS] = { "last-words", PHASE_LAST_WORDS },
	[AT_CLOSING] = { "closing", PHASE_CLOSING },
};

const char *ends_rig_name(enum place place)
{
	return places[place].name;
}

enum phase ends_rig_phase(enum place place)
{
	return places[place].phase;
}

bool ends_rig_is_display(enum place place)
{
	return places[place].display;
}

/* ---- the connection's host ---- */

static void on_hand_over(void *user, const struct connection_guest *guest)
{
	struct ends_rig *rig = user;
	rig->server = guest->fd;
	if (guest->own_fd >= 0)
		close(guest->own_fd);
}

/* spice-server answers at once; what it was asked stays unread until then. */
static void on_ask(void *user, int fd)
{
	struct ends_rig *rig = user;
	uint8_t question[256];
	g_autoptr(GByteArray) answer = g_byte_array_new();
	if (rig->place == AT_ANSWER) {
		rig->asked = fd;
		return;
	}
	put_server_link(answer, SPICE_LINK_ERR_OK, caps_of(true));
	g_assert_cmpint(recv(fd, question, sizeof(question), 0), >, 0);
	g_assert_cmpint(send(fd, answer->data, answer->len, MSG_NOSIGNAL), ==, answer->len);
	close(fd);
}

static void on_login_ready(void *user)
{
	struct ends_rig *rig = user;
	if (rig->connection && !rig->over)
		connection_wake(rig->connection);
}

static const struct offers_ops offers_ops = { .ask = on_ask, .ready = on_login_ready };

static void on_named(void *user, uint32_t name)
{
}

static const struct session_ops session_ops = { .named = on_named };

static void on_ended(void *user, struct connection *connection)
{
	struct ends_rig *rig = user;
	g_assert_false(rig->over);
	rig->over = true;
}

static int connect_client(struct ends_rig *rig)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int little = 4096;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rig->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (rig->place == AT_LAST_WORDS)
		setsockopt(rig->client, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
	g_assert_cmpint(bind(listener, (struct sockaddr *)&address, size), ==, 0);
	g_assert_cmpint(listen(listener, 1), ==, 0);
	g_assert_cmpint(getsockname(listener, (struct sockaddr *)&address, &size), ==, 0);
	g_assert_cmpint(connect(rig->client, (struct sockaddr *)&address, size), ==, 0);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	fcntl(rig->client, F_SETFL, fcntl(rig->client, F_GETFL) | O_NONBLOCK);
	close(listener);
	return fd;
}

static int connect_local(struct ends_rig *rig)
{
	int outer[2];
	g_assert_cmpint(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, outer), ==, 0);
	rig->client = outer[0];
	return outer[1];
}

void ends_rig_close(int *fd, bool reset)
{
	const struct linger none = { .l_onoff = 1 };
	if (*fd < 0)
		return;
	if (reset)
		setsockopt(*fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(*fd);
	*fd = -1;
}

/* ---- both sides ---- */

static void server_says(struct ends_rig *rig, const GByteArray *bytes)
{
	g_assert_cmpint(send(rig->server, bytes->data, bytes->len, MSG_NOSIGNAL), ==, bytes->len);
}

/*
 * Notes the end of the connection. A display channel of spice-server does not bear one before it
 * has gone on.
 */
static void server_ends(struct ends_rig *rig)
{
	g_autoptr(GByteArray) last = g_byte_array_new();
	rig->server_saw_end = true;
	rig->end_before_gone_on |= ends_rig_is_display(rig->place) && !rig->went_on;
	if (!rig->server_answers)
		return;
	put_message(last, true, ENDS_RIG_LAST_TYPE, ENDS_RIG_LAST, strlen(ENDS_RIG_LAST));
	send(rig->server, last->data, last->len, MSG_NOSIGNAL);
	ends_rig_close(&rig->server, false);
}

bool ends_rig_has_init(const struct ends_rig *rig)
{
	const uint8_t init[] = { SPICE_MSGC_DISPLAY_INIT, 0, 14, 0, 0, 0 };
	return rig->heard->len >= sizeof(init) + 14 &&
	       memmem(rig->heard->data, rig->heard->len, init, sizeof(init)) != NULL;
}

static void admit(struct ends_rig *rig)
{
	const uint32_t ok = SPICE_LINK_ERR_OK;
	g_autoptr(GByteArray) result = g_byte_array_new();
	put(result, &ok, sizeof(ok));
	server_says(rig, result);
}

static void serve(struct ends_rig *rig)
{
	uint8_t bytes[4096];
	ssize_t n = -1;
	while (rig->server >= 0 && !rig->server_saw_end &&
		(n = recv(rig->server, bytes, sizeof(bytes), MSG_DONTWAIT)) != 0) {
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			rig->server_saw_end = true;
			return;
		}
		put(rig->heard, bytes, (size_t)n);
	}
	if (rig->server >= 0 && rig->server_admits && !rig->server_saw_end) {
		rig->server_admits = false;
		admit(rig);
	}
	if (rig->server >= 0 && !rig->server_saw_end && n == 0)
		server_ends(rig);
	if (rig->server >= 0 && rig->server_answers && !rig->went_on && ends_rig_has_init(rig)) {
		g_autoptr(GByteArray) mark = g_byte_array_new();
		rig->went_on = true;
		put_message(mark, true, SPICE_MSG_DISPLAY_MARK, NULL, 0);
		server_says(rig, mark);
	}
}

static ssize_t client_hears(struct ends_rig *rig, uint8_t *bytes, size_t size_bytes)
{
	if (!rig->tls) {
		ssize_t n = recv(rig->client, bytes, size_bytes, MSG_DONTWAIT);
		return n < 0 && errno != EAGAIN ? 0 : n;
	}
	ssize_t n = gnutls_record_recv(rig->tls, bytes, size_bytes);
	return n < 0 && n != GNUTLS_E_AGAIN ? 0 : n;
}

static void hear(struct ends_rig *rig)
{
	uint8_t bytes[4096];
	ssize_t n;
	if (rig->client < 0 || rig->client_saw_end || !rig->client_reads)
		return;
	while ((n = client_hears(rig, bytes, sizeof(bytes))) > 0)
		put(rig->answered, bytes, (size_t)n);
	rig->client_saw_end = n == 0;
}

void ends_rig_pump(struct ends_rig *rig, gint64 time_us)
{
	gint64 end_us = g_get_monotonic_time() + time_us;
	/* We serve at least once, however late it is. */
	do {
		while (!rig->over && g_main_context_iteration(NULL, FALSE))
			;
		serve(rig);
		hear(rig);
		g_usleep(TICK_US);
	} while (!rig->over && g_get_monotonic_time() < end_us);
	serve(rig);
	hear(rig);
}

void ends_rig_say_raw(struct ends_rig *rig, const void *bytes, size_t size_bytes)
{
	g_assert_cmpint(send(rig->client, bytes, size_bytes, MSG_NOSIGNAL), ==, size_bytes);
}

static void say_in_tls(struct ends_rig *rig, const void *bytes, size_t size_bytes)
{
	if (rig->tls)
		g_assert_cmpint(gnutls_record_send(rig->tls, bytes, size_bytes), ==, size_bytes);
	else
		ends_rig_say_raw(rig, bytes, size_bytes);
}

/* Says a frame as a client does, masked by 0 so that its bytes can be read. */
void ends_rig_say_frame(struct ends_rig *rig, uint8_t opcode, const void *bytes, size_t size_bytes)
{
	const uint8_t head[] = { 0x80 | opcode, 0x80 | 126, (uint8_t)(size_bytes >> 8),
		(uint8_t)size_bytes, 0, 0, 0, 0 };
	const uint8_t short_head[] = { 0x80 | opcode, 0x80 | (uint8_t)size_bytes, 0, 0, 0, 0 };
	g_autoptr(GByteArray) frame = g_byte_array_new();
	if (size_bytes > 125)
		put(frame, head, sizeof(head));
	else
		put(frame, short_head, sizeof(short_head));
	put(frame, bytes, size_bytes);
	say_in_tls(rig, frame->data, frame->len);
}

void ends_rig_say(struct ends_rig *rig, const void *bytes, size_t size_bytes)
{
	if (rig->frames)
		ends_rig_say_frame(rig, 2, bytes, size_bytes);
	else
		say_in_tls(rig, bytes, size_bytes);
	put(rig->said, bytes, size_bytes);
}

/* ---- the way to a place ---- */

static bool has_server(const struct ends_rig *rig)
{
	return rig->server >= 0;
}

static bool has_answer(const struct ends_rig *rig)
{
	return rig->answered->len > 0;
}

static bool is_linked(const struct ends_rig *rig)
{
	return rig->heard->len >= sizeof(SpiceLinkHeader) + sizeof(SpiceLinkMess);
}

static bool has_ticket(const struct ends_rig *rig)
{
	return rig->heard->len >= SPICE_LOGIN_TICKET_BYTES_MAX + rig->said->len;
}

static bool is_there(const struct ends_rig *rig)
{
	return rig->connection->phase == places[rig->place].phase;
}

static bool is_shaken(const struct ends_rig *rig)
{
	return rig->connection->phase == PHASE_FIRST;
}

static void await(struct ends_rig *rig, bool (*has_come)(const struct ends_rig *))
{
	for (unsigned i = 0; i < 1000 && !has_come(rig); i++)
		ends_rig_pump(rig, SOON_US / 4);
	g_assert_true(has_come(rig));
}

static void shake(struct ends_rig *rig)
{
	int result;
	g_assert_cmpint(gnutls_certificate_allocate_credentials(&rig->trust), ==, 0);
	g_assert_cmpint(gnutls_init(&rig->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK), ==, 0);
	g_assert_cmpint(gnutls_set_default_priority(rig->tls), ==, 0);
	g_assert_cmpint(
		gnutls_credentials_set(rig->tls, GNUTLS_CRD_CERTIFICATE, rig->trust), ==, 0);
	gnutls_transport_set_int(rig->tls, rig->client);
	rig->client_reads = false;
	while ((result = gnutls_handshake(rig->tls)) == GNUTLS_E_AGAIN)
		ends_rig_pump(rig, TICK_US);
	g_assert_cmpint(result, ==, 0);
	rig->client_reads = true;
	await(rig, is_shaken);
}

static void upgrade(struct ends_rig *rig)
{
	ends_rig_say_raw(rig, SPICE_WORDS_UPGRADE, strlen(SPICE_WORDS_UPGRADE));
	await(rig, has_answer);
	g_byte_array_set_size(rig->answered, 0);
	rig->frames = true;
}

#define IS_SASL(place) ((place) >= AT_SASL_START && (place) <= AT_SASL_STEP)

static void log_in_by_sasl(struct ends_rig *rig)
{
	const uint32_t sasl = SPICE_COMMON_CAP_AUTH_SASL;
	g_autoptr(GByteArray) start = g_byte_array_new();
	ends_rig_say(rig, &sasl, sizeof(sasl));
	await(rig, has_answer);
	g_byte_array_set_size(rig->answered, 0);
	if (rig->place == AT_SASL_START)
		return;
	put_sasl_scram(start);
	ends_rig_say(rig, start->data, start->len);
	if (rig->place == AT_SASL_STEP)
		await(rig, has_answer);
}

/* Says it to us until it is let in, or waits for something. */
static void log_in(struct ends_rig *rig)
{
	static const uint8_t body[14];
	g_autoptr(GByteArray) link = g_byte_array_new();
	g_autoptr(GByteArray) ticket = g_byte_array_new();
	g_autoptr(GByteArray) init = g_byte_array_new();
	bool display = ends_rig_is_display(rig->place);
	put_client_link(link, display ? SPICE_CHANNEL_DISPLAY : SPICE_CHANNEL_MAIN, caps_of(true));
	ends_rig_say(rig, link->data, link->len);
	if (rig->place == AT_ANSWER)
		return;
	await(rig, has_answer);
	g_byte_array_set_size(rig->answered, 0);
	if (rig->place == AT_TICKET)
		return;
	if (IS_SASL(rig->place)) {
		log_in_by_sasl(rig);
		return;
	}
	put_ticket(ticket, true);
	ends_rig_say(rig, ticket->data, ticket->len);
	if (rig->place == AT_JUDGE)
		return;
	await(rig, has_answer);
	g_byte_array_set_size(rig->answered, 0);
	g_byte_array_set_size(rig->said, 0);
	if (rig->place == AT_INIT || !display)
		return;
	put_message(init, true, SPICE_MSGC_DISPLAY_INIT, body, sizeof(body));
	ends_rig_say(rig, init->data, init->len);
}

/* Has spice-server let us in. */
static void join(struct ends_rig *rig)
{
	g_autoptr(GByteArray) answer = g_byte_array_new();
	rig->server_answers = false;
	await(rig, has_server);
	await(rig, is_linked);
	g_byte_array_set_size(rig->heard, 0);
	if (rig->place == AT_JOIN)
		return;
	put_server_link(answer, SPICE_LINK_ERR_OK, caps_of(true));
	server_says(rig, answer);
	await(rig, has_ticket);
	g_byte_array_remove_range(rig->heard, 0, SPICE_LOGIN_TICKET_BYTES_MAX);
	if (rig->place == AT_RESULT || rig->place == AT_ADMISSION)
		return;
	admit(rig);
	ends_rig_pump(rig, SOON_US);
	g_assert_cmpmem(rig->heard->data, rig->heard->len, rig->said->data, rig->said->len);
}

static void go_on(struct ends_rig *rig)
{
	rig->server_answers = true;
	ends_rig_pump(rig, SOON_US);
}

static void leave(struct ends_rig *rig)
{
	shutdown(rig->client, SHUT_WR);
	ends_rig_pump(rig, SOON_US);
	g_assert_true(rig->server_saw_end);
}

static void orphan(struct ends_rig *rig)
{
	ends_rig_close(&rig->client, false);
	ends_rig_pump(rig, SOON_US);
	g_assert_true(ends_rig_has_init(rig));
}

/* Returns whether the relay has not yet read something. */
static bool has_unread(const struct ends_rig *rig)
{
	int unread_bytes = 0;
	g_assert_cmpint(ioctl(rig->connection->inner.fd, FIONREAD, &unread_bytes), ==, 0);
	return unread_bytes > 0;
}

/*
 * Says as much as a client that does not read takes, and then the end. The end must not stand
 * behind data that the relay has no room for: then the relay could not know of it.
 */
static void last_words(struct ends_rig *rig)
{
	static const uint8_t body[8192];
	int little = 1;
	const SpiceMiniDataHeader header = { ENDS_RIG_LAST_TYPE, UINT32_MAX };
	const struct pipe *pipe = &rig->connection->pipes[SPICE_TALK_SERVER];
	rig->client_reads = false;
	/* The kernel then has room for less than one body more, which it tells late. */
	setsockopt(rig->connection->outer.fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
	g_assert_cmpint(send(rig->server, &header, sizeof(header), MSG_NOSIGNAL), >, 0);
	/*
	 * We go on for longer than an acknowledgement may be late, since after that there is room
	 * again.
	 */
	const unsigned ticks = 250000 / TICK_US;
	for (unsigned stuck = 0; stuck < ticks; stuck = pipe_is_idle(pipe) ? 0 : stuck + 1) {
		if (pipe_is_idle(pipe) && !has_unread(rig))
			send(rig->server, body, sizeof(body), MSG_NOSIGNAL);
		ends_rig_pump(rig, TICK_US);
	}
	ends_rig_close(&rig->server, false);
	ends_rig_pump(rig, SOON_US);
}

static void be_refused(struct ends_rig *rig)
{
	static const char request[] = "POST / HTTP/1.1\r\n\r\n";
	ends_rig_say_raw(rig, request, sizeof(request) - 1);
	ends_rig_pump(rig, SOON_US);
	g_assert_true(rig->client_saw_end);
}

static void say_text(struct ends_rig *rig, const char *text)
{
	ends_rig_say_raw(rig, text, strlen(text));
	ends_rig_pump(rig, SOON_US);
}

static void go_to(struct ends_rig *rig, enum place place)
{
	if (place == AT_FIRST || place == AT_CHANNEL_TLS || IS_SASL(place))
		shake(rig);
	if (place == AT_MESSAGE || place == AT_OPENING_FRAMES || place == AT_CHANNEL_FRAMES)
		upgrade(rig);
	if (place == AT_MESSAGE_PLAIN)
		say_text(rig, "REDQ");
	if (place == AT_REQUEST)
		say_text(rig, "GET / HTTP/1.1\r\nHost: localhost\r\n");
	if (IS_SASL(place) || place == AT_JUDGE)
		own_users_add(rig->host.tickets);
	if (place == AT_SASL_ASK || place == AT_JUDGE)
		own_users_guess(rig->host.tickets, &rig->connection->from);
	if (place == AT_CLOSING)
		be_refused(rig);
	if (place >= AT_ANSWER && place <= AT_LAST_WORDS)
		log_in(rig);
	if (place >= AT_JOIN && place <= AT_LAST_WORDS)
		join(rig);
	if (place == AT_PASS || place == AT_REST)
		go_on(rig);
	if (place == AT_LEAVING)
		leave(rig);
	if (place == AT_ORPHAN)
		orphan(rig);
	if (place == AT_LAST_WORDS || place == AT_REST)
		last_words(rig);
	await(rig, is_there);
	rig->server_answers = true;
}

const struct peer_address ends_rig_client = { .kind = PEER_ADDRESS_INET,
	.bytes = { 127, 0, 0, 1 } };

static void make_host(struct ends_rig *rig)
{
	rig->host = (struct connection_host){
		.polls = poll_set_create(NULL),
		.sessions = sessions_create(true),
		.lines[0] = rig->line = line_create(),
		.cap = &rig->cap,
		.lobby = lobby_create(ENDS_RIG_LOBBY_MAX, ENDS_RIG_LOBBY_MAX),
		.tickets = tickets_create(),
		.keys = link_keys_create(on_login_ready, rig),
		.offers = offers_create(&offers_ops, rig),
		.effort = effort_create(connection_take_turn),
		.hand_over = on_hand_over,
		.ended = on_ended,
		.user = rig,
	};
	g_assert_true(tickets_replace(rig->host.tickets, NULL, 0, 0));
	rig->session = session_create(rig->host.sessions, 0, false, &session_ops, rig);
	session_init(rig->session, SPICE_WORDS_SESSION, 0);
}

void ends_rig_start(struct ends_rig *rig, enum place place, struct tls_credentials *credentials)
{
	*rig = (struct ends_rig){ .place = place, .client = -1, .server = -1, .asked = -1 };
	rig->said = g_byte_array_new();
	rig->heard = g_byte_array_new();
	rig->answered = g_byte_array_new();
	rig->client_reads = rig->server_answers = true;
	make_host(rig);
	bool is_unix = place == AT_PASS || place == AT_REST;
	int fd = is_unix ? connect_local(rig) : connect_client(rig);
	const struct peer_address local = { .kind = PEER_ADDRESS_UNIX };
	rig->connection = connection_create(&rig->host, fd, is_unix ? &local : &ends_rig_client,
		places[place].tls ? credentials : NULL);
	go_to(rig, place);
}

void ends_rig_stop(struct ends_rig *rig)
{
	g_assert_true(rig->over);
	connection_destroy(rig->connection);
	poll_set_destroy(rig->host.polls);
	effort_destroy(rig->host.effort);
	lobby_destroy(rig->host.lobby);
	offers_destroy(rig->host.offers);
	link_keys_destroy(rig->host.keys);
	tickets_destroy(rig->host.tickets);
	session_unref(rig->session);
	sessions_destroy(rig->host.sessions);
	line_destroy(rig->line);
	if (rig->tls) {
		gnutls_deinit(rig->tls);
		gnutls_certificate_free_credentials(rig->trust);
	}
	ends_rig_close(&rig->client, false);
	ends_rig_close(&rig->server, false);
	ends_rig_close(&rig->asked, false);
	g_byte_array_unref(rig->said);
	g_byte_array_unref(rig->heard);
	g_byte_array_unref(rig->answered);
}
