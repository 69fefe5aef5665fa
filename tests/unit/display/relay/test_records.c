/* SPDX-License-Identifier: MIT */
/*
 * records: checks that a client in TLS never has more to read in its TLS library while its socket
 * is empty. It waits for the socket and not for what the library has read already, so behind the
 * end of a SPICE message no record and no WebSocket frame may go on. The relay is a real one; a
 * client in TLS and spice-server are played.
 */
#include <glib.h>
#include <gnutls/gnutls.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/display/relay/own_credentials.h"
#include "tests/unit/display/relay/relay_rig.h"
#include "tests/unit/display/relay/spice_words.h"

#define SOON_US 50000
#define RECORD_BYTES 16384
#define ALL G_MAXUINT32

struct kind {
	uint8_t channel;
	bool mini, frames;
	unsigned piece_bytes; /* of what the server says at once */
};

struct rig {
	struct kind kind;
	struct relay_rig relay;
	int client, server; /* their sockets */
	gnutls_certificate_credentials_t trust;
	gnutls_session_t tls;
	GByteArray *said;
	GArray *ends; /* unsigned: where messages of `said` end */
	/* These describe the frame that the client reads. */
	uint8_t header[4];
	unsigned header_bytes, frame_left;
};

/* ---- the client ---- */

static void shake(struct rig *rig)
{
	g_assert_cmpint(gnutls_certificate_allocate_credentials(&rig->trust), ==, 0);
	g_assert_cmpint(gnutls_init(&rig->tls, GNUTLS_CLIENT), ==, 0);
	g_assert_cmpint(gnutls_set_default_priority(rig->tls), ==, 0);
	g_assert_cmpint(
		gnutls_credentials_set(rig->tls, GNUTLS_CRD_CERTIFICATE, rig->trust), ==, 0);
	gnutls_transport_set_int(rig->tls, rig->client);
	g_assert_cmpint(gnutls_handshake(rig->tls), ==, 0);
}

static void send_record(struct rig *rig, const void *bytes, size_t size_bytes)
{
	g_assert_cmpint(gnutls_record_send(rig->tls, bytes, size_bytes), ==, size_bytes);
}

/* Sends a frame as a client does, masked (RFC 6455, 5.3), here with 0. */
static void send_frame(struct rig *rig, uint8_t opcode, const uint8_t *bytes, size_t size_bytes)
{
	const bool is_long = size_bytes > 125;
	const uint8_t length[] = { 0x80 | (is_long ? 126 : (uint8_t)size_bytes),
		(uint8_t)(size_bytes >> 8), (uint8_t)size_bytes };
	const uint8_t mask[4] = { 0 }, first = 0x80 | opcode;
	g_autoptr(GByteArray) frame = g_byte_array_new();
	put(frame, &first, 1);
	put(frame, length, is_long ? 3 : 1);
	put(frame, mask, sizeof(mask));
	put(frame, bytes, size_bytes);
	send_record(rig, frame->data, frame->len);
}

static void client_says(struct rig *rig)
{
	if (rig->kind.frames)
		send_frame(rig, 2, rig->said->data, rig->said->len);
	else
		send_record(rig, rig->said->data, rig->said->len);
	g_byte_array_set_size(rig->said, 0);
}

static unsigned frame_header_bytes(const struct rig *rig)
{
	return rig->header_bytes >= 2 && rig->header[1] == 126 ? 4 : 2;
}

static void take_header_byte(struct rig *rig, uint8_t byte)
{
	rig->header[rig->header_bytes++] = byte;
	if (rig->header_bytes < frame_header_bytes(rig))
		return;
	g_assert_cmphex(rig->header[0], ==, 0x82);
	rig->frame_left =
		rig->header_bytes == 2 ? rig->header[1] : rig->header[2] << 8 | rig->header[3];
	rig->header_bytes = 0;
}

static void take_frames(struct rig *rig, GByteArray *heard, const uint8_t *bytes, size_t size_bytes)
{
	for (size_t at = 0; at < size_bytes; at++) {
		if (rig->frame_left == 0) {
			take_header_byte(rig, bytes[at]);
			continue;
		}
		put(heard, bytes + at, 1);
		rig->frame_left--;
	}
}

/*
 * Reads records and notes where each ends with its frame. GnuTLS gives no more than one record at a
 * time.
 */
static GByteArray *client_hears(struct rig *rig, size_t size_bytes, GArray *ends)
{
	GByteArray *heard = g_byte_array_new();
	uint8_t record[RECORD_BYTES];
	while (heard->len < size_bytes) {
		ssize_t n = gnutls_record_recv(rig->tls, record, sizeof(record));
		g_assert_cmpint(n, >, 0);
		if (rig->kind.frames)
			take_frames(rig, heard, record, (size_t)n);
		else
			put(heard, record, (size_t)n);
		if (rig->frame_left == 0 && rig->header_bytes == 0)
			g_array_append_val(ends, heard->len);
	}
	return heard;
}

/* ---- the server ---- */

static void server_hears(struct rig *rig, size_t size_bytes)
{
	g_autofree uint8_t *bytes = g_malloc(size_bytes);
	g_assert_cmpint(recv(rig->server, bytes, size_bytes, MSG_WAITALL), ==, size_bytes);
}

static void put_end(struct rig *rig)
{
	g_array_append_val(rig->ends, rig->said->len);
}

static void put_one(struct rig *rig, uint16_t type, uint32_t body_bytes)
{
	g_autofree uint8_t *body = g_malloc0(body_bytes + 1);
	for (uint32_t i = 0; i < body_bytes; i++)
		body[i] = (uint8_t)(i + type);
	put_message(rig->said, rig->kind.mini, type, body, body_bytes);
	put_end(rig);
}

struct server {
	int fd;
	const GByteArray *said;
	unsigned piece_bytes;
};

/* Runs on a thread of its own, as the client has to read meanwhile. */
static gpointer server_says(gpointer user)
{
	const struct server *server = user;
	for (size_t at = 0; at < server->said->len;) {
		size_t n = MIN(server->piece_bytes, server->said->len - at);
		g_assert_cmpint(send(server->fd, server->said->data + at, n, MSG_NOSIGNAL), ==, n);
		at += n;
	}
	return NULL;
}

static bool is_among(const GArray *ends, unsigned wanted)
{
	for (guint i = 0; i < ends->len; i++) {
		if (g_array_index(ends, unsigned, i) == wanted)
			return true;
	}
	return false;
}

/*
 * Has the server say it all. The client gets it without sending another byte, and no piece goes on
 * behind a message's end.
 */
static void pass_to_client(struct rig *rig)
{
	struct server server = { rig->server, rig->said, rig->kind.piece_bytes };
	g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(unsigned));
	GThread *thread = g_thread_new("server", server_says, &server);
	g_autoptr(GByteArray) heard = client_hears(rig, rig->said->len, ends);
	g_thread_join(thread);
	g_assert_cmpmem(heard->data, heard->len, rig->said->data, rig->said->len);
	for (guint i = 0; i < rig->ends->len; i++)
		g_assert_true(is_among(ends, g_array_index(rig->ends, unsigned, i)));
	g_byte_array_set_size(rig->said, 0);
	g_array_set_size(rig->ends, 0);
}

/* ---- both ---- */

static void upgrade(struct rig *rig)
{
	static const char request[] =
		"GET / HTTP/1.1\r\nHost: 127.0.0.1:5900\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	char answer[RECORD_BYTES];
	send_record(rig, request, strlen(request));
	ssize_t n = gnutls_record_recv(rig->tls, answer, sizeof(answer));
	g_assert_cmpint(n, >, 4);
	g_assert_cmpmem(answer + n - 4, 4, "\r\n\r\n", 4);
}

static void skip(struct rig *rig, size_t size_bytes)
{
	g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(unsigned));
	g_autoptr(GByteArray) heard = client_hears(rig, size_bytes, ends);
	g_assert_cmpuint(heard->len, ==, size_bytes);
	g_assert_cmpuint(ends->len, ==, 1);
}

static void link_up(struct rig *rig)
{
	static const uint8_t init[14];
	bool display = rig->kind.channel == SPICE_CHANNEL_DISPLAY;
	put_client_link(rig->said, rig->kind.channel, caps_of(rig->kind.mini));
	client_says(rig);
	skip(rig, relay_rig_answer_bytes());
	put_ticket(rig->said, true);
	client_says(rig);
	skip(rig, sizeof(uint32_t));
	if (display) {
		put_message(rig->said, rig->kind.mini, SPICE_MSGC_DISPLAY_INIT, init, sizeof(init));
		client_says(rig);
	}
	rig->server = relay_rig_await_guest(&rig->relay);
	relay_rig_let_in(rig->server, true);
	if (display)
		server_hears(rig, sizeof(SpiceMiniDataHeader) + 14);
}

static void rig_start(struct rig *rig, const struct kind *kind)
{
	*rig = (struct rig){ .kind = *kind, .said = g_byte_array_new() };
	rig->ends = g_array_new(FALSE, FALSE, sizeof(unsigned));
	relay_rig_start(&rig->relay);
	relay_rig_learn(&rig->relay, kind->channel);
	relay_set_credentials(rig->relay.relay, own_credentials_create());
	rig->client = relay_rig_connect(&rig->relay, KEEPER_LISTENER_TLS);
	shake(rig);
	if (kind->frames)
		upgrade(rig);
	link_up(rig);
}

static void rig_stop(struct rig *rig)
{
	gnutls_deinit(rig->tls);
	gnutls_certificate_free_credentials(rig->trust);
	relay_rig_stop(&rig->relay);
	close(rig->client);
	close(rig->server);
	g_byte_array_unref(rig->said);
	g_array_unref(rig->ends);
}

/*
 * Passes small messages, empty ones, one that many records take, one that is watched, and two at
 * the very end.
 */
static void talk(const struct kind *kind)
{
	struct rig rig;
	rig_start(&rig, kind);
	put_one(&rig, SPICE_MSG_SET_ACK, 8);
	put_one(&rig, SPICE_MSG_PING, 12);
	put_one(&rig, 101, 0);
	pass_to_client(&rig);
	put_one(&rig, 101, 0);
	put_one(&rig, 104, 3 * RECORD_BYTES + 5);
	put_one(&rig, SPICE_MSG_MAIN_MULTI_MEDIA_TIME, 4);
	put_one(&rig, 102, 700);
	put_one(&rig, 102, RECORD_BYTES);
	put_one(&rig, SPICE_MSG_PING, 12);
	put_one(&rig, SPICE_MSG_PING, 12);
	pass_to_client(&rig);
	rig_stop(&rig);
}

/* ---- the tests ---- */

static void test_two_pings(void)
{
	struct rig rig;
	rig_start(&rig, &(struct kind){ SPICE_CHANNEL_MAIN, true, false, ALL });
	pass_to_client(&rig);
	put_one(&rig, SPICE_MSG_PING, 12);
	put_one(&rig, SPICE_MSG_PING, 12);
	pass_to_client(&rig);
	rig_stop(&rig);
}

static void test_splits(void)
{
	static const unsigned pieces[] = { 1, 7, 1000, RECORD_BYTES, ALL };
	for (unsigned i = 0; i < G_N_ELEMENTS(pieces) * 4; i++)
		talk(&(struct kind){ SPICE_CHANNEL_MAIN, i & 1, i & 2, pieces[i / 4] });
}

static void test_channels(void)
{
	for (uint8_t channel = SPICE_CHANNEL_MAIN; channel <= SPICE_CHANNEL_RECORD; channel++)
		talk(&(struct kind){ channel, true, false, ALL });
}

static unsigned count_packets(const struct rig *rig)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);
	g_assert_cmpint(getsockopt(rig->client, IPPROTO_TCP, TCP_INFO, &info, &size), ==, 0);
	return info.tcpi_data_segs_in;
}

/*
 * A record for each message must not mean a packet for each: without a measure against it the
 * kernel sends 12 to 180 here.
 */
#define FEW_PACKETS 6
static void test_packets(void)
{
	const unsigned n_messages = 200;
	struct rig rig;
	rig_start(&rig, &(struct kind){ SPICE_CHANNEL_CURSOR, true, false, ALL });
	pass_to_client(&rig);
	unsigned before = count_packets(&rig);
	for (unsigned i = 0; i < n_messages; i++)
		put_one(&rig, 102, 20);
	pass_to_client(&rig);
	g_assert_cmpuint(count_packets(&rig) - before, <=, FEW_PACKETS);
	rig_stop(&rig);
}

/*
 * A record of the client's for which the relay has no room at once is taken whole, though the
 * socket is empty then.
 */
static void test_from_client(void)
{
	const unsigned begun_bytes = 3; /* of a header: the relay holds them */
	struct rig rig;
	rig_start(&rig, &(struct kind){ SPICE_CHANNEL_RECORD, true, false, ALL });
	pass_to_client(&rig);
	put_one(&rig, SPICE_MSGC_RECORD_DATA,
		begun_bytes + RECORD_BYTES - sizeof(SpiceMiniDataHeader));
	send_record(&rig, rig.said->data, begun_bytes);
	g_usleep(SOON_US);
	send_record(&rig, rig.said->data + begun_bytes, RECORD_BYTES);
	server_hears(&rig, begun_bytes + RECORD_BYTES);
	rig_stop(&rig);
}

/* A frame of the client's that wants an answer gets it, though neither side has more to say. */
static void test_lone_ping(void)
{
	static const uint8_t wanted[] = { 0x8a, 2, 'h', 'i' };
	uint8_t record[RECORD_BYTES];
	struct rig rig;
	rig_start(&rig, &(struct kind){ SPICE_CHANNEL_INPUTS, true, true, ALL });
	pass_to_client(&rig);
	send_frame(&rig, 9, (const uint8_t *)"hi", 2);
	for (size_t n = 0; n < sizeof(wanted);) {
		ssize_t got = gnutls_record_recv(rig.tls, record, sizeof(record));
		g_assert_cmpint(got, >, 0);
		g_assert_cmpmem(record, (size_t)got, wanted + n, (size_t)got);
		n += (size_t)got;
	}
	rig_stop(&rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/relay-records/two-pings", test_two_pings);
	g_test_add_func("/relay-records/splits", test_splits);
	g_test_add_func("/relay-records/channels", test_channels);
	g_test_add_func("/relay-records/packets", test_packets);
	g_test_add_func("/relay-records/from-client", test_from_client);
	g_test_add_func("/relay-records/lone-ping", test_lone_ping);
	return g_test_run();
}
