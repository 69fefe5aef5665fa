/* SPDX-License-Identifier: MIT */
/*
 * outer: tests the client's end over real TCP sockets: plain, in frames, in TLS. The test plays the
 * client.
 */
#include "display/relay/outer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <gnutls/gnutls.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/display/relay/own_credentials.h"

#define WAIT_US (10 * G_USEC_PER_SEC)
/* Frames of clients are masked; we mask by 0, so that what travels can be read here. */
#define MASK "\0\0\0\0"

struct fixture {
	int client, ours; /* both ends of a connection; ours does not block */
	uint16_t client_port;
	struct outer *outer;
};

static void connect_pair(struct fixture *f)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	f->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(listener, (struct sockaddr *)&address, size), ==, 0);
	g_assert_cmpint(listen(listener, 1), ==, 0);
	g_assert_cmpint(getsockname(listener, (struct sockaddr *)&address, &size), ==, 0);
	g_assert_cmpint(connect(f->client, (struct sockaddr *)&address, size), ==, 0);
	g_assert_cmpint(getsockname(f->client, (struct sockaddr *)&address, &size), ==, 0);
	f->client_port = ntohs(address.sin_port);
	f->ours = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	g_assert_cmpint(f->ours, >=, 0);
	close(listener);
}

/* Connects a client. `data` is not NULL for TLS. */
static void set_up(struct fixture *f, gconstpointer data)
{
	struct tls_credentials *credentials = data ? own_credentials_create() : NULL;
	connect_pair(f);
	f->outer = outer_create(f->ours, credentials);
	g_assert_nonnull(f->outer);
	tls_credentials_unref(credentials);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	outer_destroy(f->outer);
	close(f->client);
	close(f->ours);
}

/* ---- the client ---- */

static void client_says(struct fixture *f, const void *bytes, size_t size_bytes)
{
	g_assert_cmpint(send(f->client, bytes, size_bytes, MSG_NOSIGNAL), ==, size_bytes);
}

static void client_hears(struct fixture *f, const void *bytes, size_t size_bytes)
{
	g_autofree char *heard = g_malloc(size_bytes);
	g_assert_cmpint(recv(f->client, heard, size_bytes, MSG_WAITALL), ==, size_bytes);
	g_assert_cmpmem(heard, size_bytes, bytes, size_bytes);
}

/* Waits until there is something to read, and returns what outer_read() does then. */
static ssize_t read_soon(struct fixture *f, uint8_t *bytes, size_t size_bytes)
{
	gint64 end_us = g_get_monotonic_time() + WAIT_US;
	ssize_t n;
	while ((n = outer_read(f->outer, bytes, size_bytes)) == -EAGAIN &&
		g_get_monotonic_time() < end_us)
		g_usleep(200);
	return n;
}

static void hear(struct fixture *f, const char *wanted)
{
	uint8_t bytes[64];
	size_t length = strlen(wanted), n_bytes = 0;
	while (n_bytes < length) {
		ssize_t n = read_soon(f, bytes + n_bytes, length - n_bytes);
		g_assert_cmpint(n, >, 0);
		n_bytes += (size_t)n;
	}
	g_assert_cmpmem(bytes, n_bytes, wanted, length);
}

/* ---- plain ---- */

static void test_plain(struct fixture *f, gconstpointer data)
{
	uint8_t byte;
	g_assert_cmpint(outer_read(f->outer, &byte, 1), ==, -EAGAIN);
	client_says(f, "hello", 5);
	hear(f, "hello");
	g_assert_cmpint(outer_write(f->outer, (const uint8_t *)"hi", 2), ==, 2);
	client_hears(f, "hi", 2);
	g_assert_false(outer_is_in_pieces(f->outer) || outer_wants_out(f->outer));
	g_assert_cmpstr(outer_reason(f->outer), ==, "");
	g_assert_cmpint(outer_shake(f->outer, NULL), ==, 0);
	g_assert_cmpint(outer_finish(f->outer), ==, 0);
	shutdown(f->client, SHUT_WR);
	g_assert_cmpint(read_soon(f, &byte, 1), ==, 0);
}

/* A client reads nothing, so little that is unsent waits in the kernel. */
static void test_unsent(struct fixture *f, gconstpointer data)
{
	static const uint8_t bytes[4 * OUTER_UNSENT_BYTES];
	int unsent_bytes, small = 4096;
	ssize_t n;
	setsockopt(f->client, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	while ((n = outer_write(f->outer, bytes, sizeof(bytes))) > 0)
		g_assert_cmpint(n, <=, OUTER_UNSENT_BYTES);
	g_assert_cmpint(n, ==, -EAGAIN);
	g_assert_cmpint(ioctl(f->ours, SIOCOUTQNSD, &unsent_bytes), ==, 0);
	g_assert_cmpint(unsent_bytes, >=, OUTER_UNSENT_BYTES);
	g_assert_cmpint(unsent_bytes, <, 2 * OUTER_UNSENT_BYTES);
}

static int get_option(struct fixture *f, int level, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);
	g_assert_cmpint(getsockopt(f->ours, level, option, &value, &size), ==, 0);
	return value;
}

static void test_options(struct fixture *f, gconstpointer data)
{
	char congestion[16] = "";
	socklen_t size = sizeof(congestion) - 1;
	outer_prepare(f->outer, false);
	g_assert_cmpint(get_option(f, IPPROTO_TCP, TCP_NODELAY), ==, 1);
	g_assert_cmpint(get_option(f, SOL_SOCKET, SO_KEEPALIVE), ==, 1);
	g_assert_cmpint(get_option(f, IPPROTO_TCP, TCP_NOTSENT_LOWAT), ==, OUTER_UNSENT_BYTES);
	/* A client that answers nothing is gone after about a minute. */
	g_assert_cmpint(get_option(f, IPPROTO_TCP, TCP_KEEPIDLE) +
				get_option(f, IPPROTO_TCP, TCP_KEEPINTVL) *
					get_option(f, IPPROTO_TCP, TCP_KEEPCNT),
		==, 60);
	g_assert_cmpint(get_option(f, IPPROTO_TCP, TCP_USER_TIMEOUT), ==, 60000);
	/* By its main channel that is known sooner. */
	outer_prepare(f->outer, true);
	g_assert_cmpint(get_option(f, IPPROTO_TCP, TCP_KEEPIDLE) +
				get_option(f, IPPROTO_TCP, TCP_KEEPINTVL) *
					get_option(f, IPPROTO_TCP, TCP_KEEPCNT),
		<, OUTER_VANISHED_MS / 1000);
	g_assert_cmpint(get_option(f, IPPROTO_TCP, TCP_USER_TIMEOUT), <, OUTER_VANISHED_MS);
	g_assert_cmpint(getsockopt(f->ours, IPPROTO_TCP, TCP_CONGESTION, congestion, &size), ==, 0);
	g_assert_false(g_str_has_prefix(congestion, "bbr"));
	outer_set_more(f->outer, true);
	g_assert_cmpint(get_option(f, IPPROTO_TCP, TCP_CORK), ==, 1);
	outer_set_more(f->outer, false);
	g_assert_cmpint(get_option(f, IPPROTO_TCP, TCP_CORK), ==, 0);
}

/* ---- frames ---- */

/* What came with the request is read first, however small the pieces; then what the socket has. */
static void test_early(struct fixture *f, gconstpointer data)
{
	static const char early[] = "\x82\x83" MASK "abc\x82\x84" MASK "d";
	client_says(f, "efg\x82\x81" MASK "h", 3 + 7);
	g_assert_true(outer_begin_frames(f->outer, (const uint8_t *)early, sizeof(early) - 1));
	g_assert_true(outer_is_in_pieces(f->outer));
	hear(f, "abcdefgh");
	uint8_t byte;
	g_assert_cmpint(outer_read(f->outer, &byte, 1), ==, -EAGAIN);
	g_assert_cmpint(outer_write(f->outer, (const uint8_t *)"hi", 2), ==, 2);
	client_hears(f, "\x82\x02hi", 4);
}

static void test_goodbye(struct fixture *f, gconstpointer data)
{
	const uint8_t byte = 0;
	g_assert_true(outer_begin_frames(f->outer, NULL, 0));
	outer_close(f->outer, WEBSOCKET_GOING_AWAY);
	g_assert_cmpint(outer_finish(f->outer), ==, 0);
	client_hears(f, "\x88\x02\x03\xe9", 4);
	g_assert_cmpint(outer_write(f->outer, &byte, 1), ==, -EPIPE);
}

static void test_client_goodbye(struct fixture *f, gconstpointer data)
{
	uint8_t byte;
	g_assert_true(outer_begin_frames(f->outer, NULL, 0));
	client_says(f, "\x88\x80" MASK, 6);
	g_assert_cmpint(read_soon(f, &byte, 1), ==, -ESHUTDOWN);
	g_assert_cmpint(outer_finish(f->outer), ==, 0);
	client_hears(f, "\x88\x00", 2);
}

static void test_broken_frame(struct fixture *f, gconstpointer data)
{
	uint8_t byte;
	g_assert_true(outer_begin_frames(f->outer, NULL, 0));
	client_says(f, "\x82\x01x", 3);
	g_assert_cmpint(read_soon(f, &byte, 1), ==, -EPROTO);
	g_assert_cmpstr(outer_reason(f->outer), !=, "");
}

/* ---- TLS ---- */

struct tls_client {
	gnutls_certificate_credentials_t trust;
	gnutls_session_t session;
};

static void tls_client_begin(struct tls_client *client, int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	g_assert_cmpint(gnutls_certificate_allocate_credentials(&client->trust), ==, 0);
	g_assert_cmpint(gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK), ==, 0);
	g_assert_cmpint(gnutls_set_default_priority(client->session), ==, 0);
	g_assert_cmpint(
		gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->trust), ==,
		0);
	gnutls_transport_set_int(client->session, fd);
}

static void tls_client_end(struct tls_client *client)
{
	gnutls_deinit(client->session);
	gnutls_certificate_free_credentials(client->trust);
}

/* Reads a record that is on its way. */
static ssize_t tls_client_hears(struct tls_client *client, char *bytes, size_t size_bytes)
{
	gint64 end_us = g_get_monotonic_time() + WAIT_US;
	ssize_t n;
	while ((n = gnutls_record_recv(client->session, bytes, size_bytes)) < 0 &&
		!gnutls_error_is_fatal((int)n) && g_get_monotonic_time() < end_us)
		g_usleep(200);
	return n;
}

static void shake_hands(struct fixture *f, struct tls_client *client)
{
	gint64 end_us = g_get_monotonic_time() + WAIT_US;
	const char *why = NULL;
	int ours = -EAGAIN, theirs = -1;
	while ((ours == -EAGAIN || theirs != 0) && g_get_monotonic_time() < end_us) {
		theirs = theirs == 0 ? 0 : gnutls_handshake(client->session);
		ours = ours == 0 ? 0 : outer_shake(f->outer, &why);
	}
	g_assert_cmpint(ours, ==, 0);
	g_assert_cmpint(theirs, ==, 0);
}

static void test_tls(struct fixture *f, gconstpointer data)
{
	struct tls_client client;
	char bytes[16];
	tls_client_begin(&client, f->client);
	g_assert_true(outer_is_in_pieces(f->outer));
	shake_hands(f, &client);
	g_assert_false(outer_wants_out(f->outer));
	g_assert_cmpint(gnutls_record_send(client.session, "hello", 5), ==, 5);
	hear(f, "hello");
	g_assert_cmpint(outer_write(f->outer, (const uint8_t *)"hi", 2), ==, 2);
	g_assert_cmpint(tls_client_hears(&client, bytes, sizeof(bytes)), ==, 2);
	g_assert_cmpmem(bytes, 2, "hi", 2);
	/* The end is TLS's own close_notify, else the client would take it for an attack. */
	g_assert_cmpint(outer_finish(f->outer), ==, 0);
	g_assert_cmpint(tls_client_hears(&client, bytes, sizeof(bytes)), ==, 0);
	tls_client_end(&client);
}

static int shake_soon(struct fixture *f, const char **why)
{
	gint64 end_us = g_get_monotonic_time() + WAIT_US;
	int result;
	while ((result = outer_shake(f->outer, why)) == -EAGAIN && g_get_monotonic_time() < end_us)
		g_usleep(200);
	return result;
}

static void test_tls_nonsense(struct fixture *f, gconstpointer data)
{
	const char *why = NULL;
	g_assert_cmpint(outer_shake(f->outer, &why), ==, -EAGAIN);
	client_says(f, "REDQ and not TLS at all", 23);
	g_assert_cmpint(shake_soon(f, &why), ==, -EPROTO);
	g_assert_nonnull(why);
	g_assert_cmpstr(why, !=, "");
}

static void test_tls_ended(struct fixture *f, gconstpointer data)
{
	const char *why = NULL;
	shutdown(f->client, SHUT_WR);
	g_assert_cmpint(shake_soon(f, &why), ==, -EPIPE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
		bool tls;
	} cases[] = {
		{ "/outer/plain", test_plain, false },
		{ "/outer/unsent", test_unsent, false },
		{ "/outer/options", test_options, false },
		{ "/outer/early", test_early, false },
		{ "/outer/goodbye", test_goodbye, false },
		{ "/outer/client-goodbye", test_client_goodbye, false },
		{ "/outer/broken-frame", test_broken_frame, false },
		{ "/outer/tls", test_tls, true },
		{ "/outer/tls-nonsense", test_tls_nonsense, true },
		{ "/outer/tls-ended", test_tls_ended, true },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, cases[i].tls ? "tls" : NULL, set_up,
			cases[i].run, tear_down);
	return g_test_run();
}
