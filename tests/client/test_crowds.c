/* SPDX-License-Identifier: MIT */
/*
 * crowds: 2000 strangers a second, of each kind, in front of a desktop. Good clients on a line of
 * 50 ms get in beside them at the first try; what the strangers cost display, and for how long its
 * main loop was held at most, is printed and bounded.
 *
 * With --seconds=N each kind lasts for so long, with 50 clients; without it each is short.
 */
#include "tests/client/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/client/crowd.h"
#include "tests/client/link_by_hand.h"

#define PASSWORD "correct horse"
#define PER_S 2000
#define ROUND_TRIP_MS 50
#define LET_IN_MS 1000
#define PATIENCE_S 10
#define GUESSES 1000
/* Those that cost nothing, and the first that wait. */
#define ANSWERED_MAX 10
#define CLIENTS 50
#define SHORT_CLIENTS 3
/*
 * The main loop is held for too long past this. A machine that does other things besides lets its
 * thread wait for a processor, too: that is told apart.
 */
#define HELD_MAX_MS 50
#define COST_MAX_PERCENT 25

static unsigned seconds;

/* ---- how long loops are held ---- */

struct watch {
	const struct heartbeat *heartbeat;
	GThread *thread;
	gint stop; /* atomic */
	uint64_t held_ns[HEARTBEAT_LOOPS];
	/* The main loop: the longest without what its thread waited for a processor. */
	uint64_t busy_ns;
	int schedstat_fd;
	uint64_t since_ns, waited_before_ns; /* of the beat that was seen last */
};

/* Returns how long the main loop's thread has waited for a processor so far. */
static uint64_t waited_ns(const struct watch *watch)
{
	char text[128] = "";
	uint64_t ran_ns, waited_ns = 0;
	g_assert_cmpint(pread(watch->schedstat_fd, text, sizeof(text) - 1, 0), >, 0);
	g_assert_cmpint(
		sscanf(text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, &ran_ns, &waited_ns), ==,
		2);
	return waited_ns;
}

static void note_main(struct watch *watch, uint64_t since_ns, uint64_t held_ns)
{
	uint64_t now_ns = waited_ns(watch);
	if (since_ns != watch->since_ns)
		watch->waited_before_ns = now_ns;
	watch->since_ns = since_ns;
	uint64_t waited = now_ns - watch->waited_before_ns;
	watch->busy_ns = MAX(watch->busy_ns, held_ns - MIN(held_ns, waited));
}

static gpointer watch_loops(gpointer user)
{
	struct watch *watch = user;
	static const enum heartbeat_loop loops[] = { HEARTBEAT_MAIN, HEARTBEAT_RELAY };
	while (!g_atomic_int_get(&watch->stop)) {
		for (unsigned i = 0; i < G_N_ELEMENTS(loops); i++) {
			const struct heartbeat_beat *beat = &watch->heartbeat->beats[loops[i]];
			uint32_t state = __atomic_load_n(&beat->state, __ATOMIC_ACQUIRE);
			uint64_t since_ns = __atomic_load_n(&beat->since_ns, __ATOMIC_RELAXED);
			uint64_t now_ns = (uint64_t)g_get_monotonic_time() * 1000;
			if (state != HEARTBEAT_WORKING || now_ns <= since_ns)
				continue;
			watch->held_ns[loops[i]] = MAX(watch->held_ns[loops[i]], now_ns - since_ns);
			if (loops[i] == HEARTBEAT_MAIN)
				note_main(watch, since_ns, now_ns - since_ns);
		}
		g_usleep(1000);
	}
	return NULL;
}

static void watch_start(struct watch *watch, const struct fixture *fixture)
{
	g_autofree char *name = g_strdup_printf(
		"/proc/%1$d/task/%1$d/schedstat", (int)fake_desktop_pid(fixture->desktop));
	*watch = (struct watch){
		.heartbeat = fake_desktop_heartbeat(fixture->desktop),
		.schedstat_fd = open(name, O_RDONLY | O_CLOEXEC),
	};
	g_assert_cmpint(watch->schedstat_fd, >=, 0);
	watch->thread = g_thread_new("watch", watch_loops, watch);
}

static void watch_stop(struct watch *watch)
{
	g_atomic_int_set(&watch->stop, 1);
	g_thread_join(watch->thread);
	close(watch->schedstat_fd);
}

static double cpu_s(const struct fixture *fixture)
{
	clockid_t clock;
	struct timespec used = { 0 };
	g_assert_cmpint(clock_getcpuclockid(fake_desktop_pid(fixture->desktop), &clock), ==, 0);
	g_assert_cmpint(clock_gettime(clock, &used), ==, 0);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* ---- a good client ---- */

/*
 * A network that makes us compute too much waits, all of it; good clients come from another one
 * then.
 */
static bool makes_us_compute(enum crowd_kind kind)
{
	return kind == CROWD_HELLO || kind == CROWD_GUESS;
}

struct good {
	int fd;
	gnutls_session_t tls; /* NULL: none */
	gnutls_certificate_credentials_t trust;
};

static bool good_say(struct good *good, const void *bytes, size_t size_bytes)
{
	g_usleep(ROUND_TRIP_MS * 1000);
	if (good->tls)
		return gnutls_record_send(good->tls, bytes, size_bytes) == (ssize_t)size_bytes;
	return send(good->fd, bytes, size_bytes, MSG_NOSIGNAL) == (ssize_t)size_bytes;
}

static bool good_hear(struct good *good, void *bytes, size_t size_bytes)
{
	size_t heard_bytes = 0;
	while (heard_bytes < size_bytes) {
		uint8_t *to = (uint8_t *)bytes + heard_bytes;
		ssize_t n = good->tls ?
				    gnutls_record_recv(good->tls, to, size_bytes - heard_bytes) :
				    recv(good->fd, to, size_bytes - heard_bytes, 0);
		if (n <= 0)
			return false;
		heard_bytes += (size_t)n;
	}
	return true;
}

/* The line's delay stands before each of the client's flights. */
static bool good_shake(struct good *good)
{
	int result;
	g_assert_cmpint(gnutls_certificate_allocate_credentials(&good->trust), ==, 0);
	g_assert_cmpint(gnutls_init(&good->tls, GNUTLS_CLIENT), ==, 0);
	g_assert_cmpint(gnutls_set_default_priority(good->tls), ==, 0);
	g_assert_cmpint(
		gnutls_credentials_set(good->tls, GNUTLS_CRD_CERTIFICATE, good->trust), ==, 0);
	gnutls_transport_set_int(good->tls, good->fd);
	g_usleep(ROUND_TRIP_MS * 1000);
	do
		result = gnutls_handshake(good->tls);
	while (result < 0 && !gnutls_error_is_fatal(result));
	g_usleep(ROUND_TRIP_MS * 1000);
	return result == 0;
}

static bool good_log_in(struct good *good)
{
	uint8_t link[LINK_BY_HAND_BYTES], ticket[LINK_BY_HAND_TICKET_BYTES], reply[1024];
	SpiceLinkHeader header;
	SpiceMiniDataHeader message;
	uint32_t result;
	link_by_hand_message(link, SPICE_CHANNEL_MAIN, 0);
	if (!good_say(good, link, sizeof(link)) || !good_hear(good, &header, sizeof(header)) ||
		header.size > sizeof(reply) || !good_hear(good, reply, header.size))
		return false;
	link_by_hand_ticket(ticket, reply + offsetof(SpiceLinkReply, pub_key), PASSWORD);
	return good_say(good, ticket, sizeof(ticket)) && good_hear(good, &result, sizeof(result)) &&
	       result == SPICE_LINK_ERR_OK && good_hear(good, &message, sizeof(message));
}

static bool speaks_tls(enum crowd_kind kind)
{
	return kind == CROWD_TLS || kind == CROWD_HELLO;
}

/* Comes from 127.0.0.1, as the crowd does, or from another address of the host. */
static int connect_from(const struct fixture *fixture, bool elsewhere)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + elsewhere) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)fake_desktop_port(fixture->desktop));
	g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	return fd;
}

/* Returns how many ms it took until spice-server said its first word; -1: it was not let in. */
static int64_t good_connect(const struct fixture *fixture, bool tls, bool elsewhere)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	const int on = 1;
	gint64 begun_us = g_get_monotonic_time();
	struct good good = { .fd = connect_from(fixture, elsewhere) };
	setsockopt(good.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(good.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	bool in = (!tls || good_shake(&good)) && good_log_in(&good);
	int64_t took_ms = in ? (g_get_monotonic_time() - begun_us) / 1000 : -1;
	if (good.tls)
		gnutls_deinit(good.tls);
	if (good.trust)
		gnutls_certificate_free_credentials(good.trust);
	close(good.fd);
	return took_ms;
}

struct tally {
	unsigned n, in;
	int64_t longest_ms;
};

/* Clients come one after the other, spread over `s` seconds. */
static struct tally good_connect_many(
	const struct fixture *fixture, enum crowd_kind kind, unsigned n, unsigned s)
{
	struct tally tally = { 0 };
	gint64 begun_us = g_get_monotonic_time();
	gint64 pause_us = (gint64)s * G_USEC_PER_SEC / n;
	for (; tally.n < n; tally.n++) {
		int64_t took_ms = good_connect(fixture, speaks_tls(kind), makes_us_compute(kind));
		tally.in += took_ms >= 0;
		tally.longest_ms = MAX(tally.longest_ms, took_ms);
		gint64 left_us = begun_us + (tally.n + 1) * pause_us - g_get_monotonic_time();
		if (left_us > 0)
			g_usleep((gulong)left_us);
	}
	return tally;
}

/* ---- the test ---- */

static void test_crowd(gconstpointer data)
{
	enum crowd_kind kind = (enum crowd_kind)GPOINTER_TO_INT(data);
	bool tls = speaks_tls(kind);
	const struct fake_desktop_options options = { .ticket = PASSWORD, .tls = tls };
	bool is_short = seconds == 0;
	struct fixture fixture;
	struct watch watch;
	fixture_start(&fixture, 640, 480, &options);
	/* What good clients alone cost is not the strangers'. */
	double before_s = cpu_s(&fixture);
	watch_start(&watch, &fixture);
	struct tally alone = good_connect_many(&fixture, kind, is_short ? 1 : CLIENTS / 5, 0);
	watch_stop(&watch);
	double alone_ms = (double)watch.held_ns[HEARTBEAT_MAIN] / 1e6;
	double each_s = is_short ? 0 : (cpu_s(&fixture) - before_s) / alone.n;
	g_assert_cmpuint(alone.in, ==, alone.n);
	struct crowd *crowd =
		crowd_start((uint16_t)fake_desktop_port(fixture.desktop), kind, PER_S);
	g_usleep(G_USEC_PER_SEC / 4);
	watch_start(&watch, &fixture);
	unsigned came = crowd_came(crowd);
	gint64 begun_us = g_get_monotonic_time();
	before_s = cpu_s(&fixture);
	struct tally tally =
		good_connect_many(&fixture, kind, is_short ? SHORT_CLIENTS : CLIENTS, seconds);
	double took_s = (double)(g_get_monotonic_time() - begun_us) / G_USEC_PER_SEC;
	double cost = (cpu_s(&fixture) - before_s - each_s * tally.n) / took_s;
	came = crowd_came(crowd) - came;
	unsigned answered = crowd_answered(crowd);
	watch_stop(&watch);
	crowd_stop(crowd);
	printf("# %s, %.0f a second for %.0f s: %u of %u clients got in, in %" G_GINT64_FORMAT
	       " ms at most (%" G_GINT64_FORMAT " alone); %s %.0f %% of a core; "
	       "held: main loop %.1f ms, without waits for a processor %.1f (%.1f while clients "
	       "came alone), relay %.1f ms; %u guesses answered\n",
		crowd_names[kind], came / took_s, took_s, tally.in, tally.n, tally.longest_ms,
		alone.longest_ms, is_short ? "all of it cost" : "the strangers cost", cost * 100,
		(double)watch.held_ns[HEARTBEAT_MAIN] / 1e6, (double)watch.busy_ns / 1e6, alone_ms,
		(double)watch.held_ns[HEARTBEAT_RELAY] / 1e6, answered);
	g_assert_true(fake_desktop_is_alive(fixture.desktop));
	g_assert_cmpuint(came, >, 0);
	g_assert_cmpuint(tally.in, ==, tally.n);
	g_assert_cmpint(tally.longest_ms, <=, LET_IN_MS);
	g_assert_cmpfloat((double)watch.busy_ns / 1e6, <=, HELD_MAX_MS);
	if (!is_short)
		g_assert_cmpfloat(cost * 100, <=, COST_MAX_PERCENT);
	fixture_stop(&fixture);
}

/*
 * A thousand wrong passwords of one address: the right one gets in from another at once, and from
 * the same one when its turn comes, at its only try. Few of the wrong ones are answered.
 */
static void test_guessed(void)
{
	const struct fake_desktop_options options = { .ticket = PASSWORD };
	struct fixture fixture;
	fixture_start(&fixture, 640, 480, &options);
	g_assert_cmpint(good_connect(&fixture, false, true), >=, 0);
	gint64 begun_us = g_get_monotonic_time();
	struct crowd *crowd =
		crowd_start((uint16_t)fake_desktop_port(fixture.desktop), CROWD_GUESS, PER_S);
	while (crowd_came(crowd) < GUESSES)
		g_usleep(1000);
	double took_s = (double)(g_get_monotonic_time() - begun_us) / G_USEC_PER_SEC;
	int64_t elsewhere_ms = good_connect(&fixture, false, true);
	unsigned came = crowd_came(crowd), answered = crowd_answered(crowd);
	crowd_stop(crowd);
	/* This takes some seconds, which not every run has. */
	int64_t same_ms = seconds > 0 ? good_connect(&fixture, false, false) : 0;
	printf("# %u guesses of one address in %.1f s, %u answered: the right password gets in "
	       "from another address in %" G_GINT64_FORMAT
	       " ms, then from the same in %" G_GINT64_FORMAT " ms\n",
		came, took_s, answered, elsewhere_ms, same_ms);
	g_assert_cmpint(elsewhere_ms, >=, 0);
	g_assert_cmpint(elsewhere_ms, <=, LET_IN_MS);
	g_assert_cmpint(same_ms, >=, 0);
	g_assert_cmpint(same_ms, <=, PATIENCE_S * 1000);
	g_assert_cmpuint(answered, <=, ANSWERED_MAX);
	g_assert_true(fake_desktop_wait_log(fixture.desktop, "client 127.0.0.1:", 1000));
	g_assert_true(fake_desktop_wait_log(fixture.desktop, "wrong password", 1000));
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (g_str_has_prefix(argv[i], "--seconds="))
			seconds = (unsigned)atoi(argv[i] + strlen("--seconds="));
	}
	fixture_init(&argc, &argv);
	for (int kind = 0; kind < CROWD_KINDS; kind++) {
		g_autofree char *path = g_strdup_printf("/crowds/%s", crowd_names[kind]);
		g_strdelimit(path + strlen("/crowds/"), " ", '-');
		g_test_add_data_func(path, GINT_TO_POINTER(kind), test_crowd);
	}
	g_test_add_func("/crowds/guessed", test_guessed);
	return g_test_run();
}
