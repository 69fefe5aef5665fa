/* SPDX-License-Identifier: MIT */
/*
 * ends: ends every phase of a relayed connection in every way that there is, and checks what is
 * freed, what is still delivered and answered, and what is logged. Each pair is a test of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/peer_log.h"
#include "display/door/limits.h"
#include "display/relay/inner_maker.h"
#include "display/relay/pass.h"
#include "display/relay/phases.h"
#include "tests/unit/display/relay/ends_rig.h"
#include "tests/unit/display/relay/own_credentials.h"
#include "tests/unit/display/relay/spice_words.h"

#define SOON_US (300 * 1000)
/* This is longer than the deadline that is waited for. */
#define LATE_US (3 * G_USEC_PER_SEC)

enum way {
	FIN,      /* the client closes */
	RST,      /* the client is gone */
	HALF,     /* the client has said all it wants to, and listens */
	NONSENSE, /* the client says bytes that mean nothing there */
	GOODBYE,  /* in TLS (close_notify) or in a frame */
	ALERT,    /* a fatal one of TLS */
	LATE,     /* nothing comes any more */
	S_FIN,    /* spice-server closes */
	S_RST,
	QUIT, /* the relay ends */
	WAYS,
};

static const char *const way_names[WAYS] = { "fin", "reset", "half-close", "nonsense", "goodbye",
	"alert", "late", "server-fin", "server-reset", "quit" };

/*
 * Says what comes of it: 'o' over soon, without a warning; 'w' over soon, with one; 'l' over when
 * the deadline has passed, without a warning, 'L' with one; 's' it stays; ' ' there is no such
 * pair.
 */
static const char *const wanted_ends[PLACES] = {
	/* in the order of enum way */
	/*                    FRHNGALsrQ */
	[AT_SHAKE] = "oooL ww  o",
	[AT_FIRST] = "ooowoww  o",
	[AT_FIRST_PLAIN] = "ooow  w  o",
	[AT_REQUEST] = "ooow  w  o",
	[AT_MESSAGE] = "ooowo w  o",
	[AT_MESSAGE_PLAIN] = "ooow  w  o",
	[AT_ANSWER] = "ooos  w  o",
	[AT_TICKET] = "ooow  w  o",
	[AT_SASL_START] = "ooowoww  o",
	[AT_SASL_ASK] = "ooosssw  o",
	[AT_SASL_STEP] = "ooowoww  o",
	[AT_JUDGE] = "ooos  w  o",
	[AT_INIT] = "ooow  L  o",
	[AT_JOIN] = "ooos  Lwwo",
	[AT_RESULT] = "ooos  Lwwo",
	[AT_ADMISSION] = "ooow   wwo",
	[AT_OPENING] = "ooow  sooo",
	[AT_OPENING_FRAMES] = "ooowo sooo",
	[AT_CHANNEL] = "ooow  sooo",
	[AT_CHANNEL_TLS] = "ooowowsooo",
	[AT_CHANNEL_FRAMES] = "ooowo sooo",
	[AT_PASS] = "ooos  sooo",
	[AT_REST] = "ooss  l  o",
	[AT_LEAVING] = "so    looo",
	[AT_ORPHAN] = "      looo",
	[AT_LAST_WORDS] = "oos   l  o",
	[AT_CLOSING] = "oool  l  o",
};

static struct tls_credentials *credentials;
static unsigned n_warnings;

void __wrap_peer_warning(enum peer peer, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Counts warnings, and holds none back. */
void __wrap_peer_warning(enum peer peer, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_assert_cmpint(peer, ==, PEER_CLIENT);
	g_assert_false(g_str_has_suffix(text, ": "));
	g_test_message("warning: %s", text);
	n_warnings++;
}

/*
 * Waits for the deadline of a second, so that it is seen to wake the connection, and brings longer
 * ones near.
 */
static void bring_deadline_near(struct ends_rig *rig)
{
	struct connection *connection = rig->connection;
	if (rig->over || rig->place == AT_CLOSING)
		return;
	g_assert_cmpint(connection->deadline_us, >, g_get_monotonic_time());
	connection->deadline_us = g_get_monotonic_time();
	connection_plan(connection, -1);
}

/* ---- the ways ---- */

static void talk_nonsense(struct ends_rig *rig)
{
	uint8_t noise[64];
	memset(noise, 0xff, sizeof(noise));
	noise[sizeof(noise) - 1] = '\n';
	if (rig->frames)
		ends_rig_say_frame(rig, 1, noise, sizeof(noise));
	else
		ends_rig_say_raw(rig, noise, sizeof(noise));
}

static void say_goodbye(struct ends_rig *rig)
{
	if (rig->frames)
		ends_rig_say_frame(rig, 8, "\3\xe8", 2);
	else
		g_assert_cmpint(gnutls_bye(rig->tls, GNUTLS_SHUT_WR), ==, 0);
}

static void alert(struct ends_rig *rig)
{
	if (rig->tls)
		g_assert_cmpint(
			gnutls_alert_send(rig->tls, GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR), ==,
			0);
	else
		ends_rig_say_raw(rig, "\x15\x03\x01\0\2\2\x50", 7);
}

/*
 * Reaches the lobby's deadline in the other way: so many strangers come that the first has to go.
 */
static void crowd_the_lobby(struct ends_rig *rig)
{
	int pair[2];
	static char keys[ENDS_RIG_LOBBY_MAX];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	for (unsigned i = 0; i < ENDS_RIG_LOBBY_MAX; i++)
		lobby_enter(rig->host.lobby, &keys[i], pair[0], &ends_rig_client);
	for (unsigned i = 0; i < ENDS_RIG_LOBBY_MAX; i++)
		lobby_leave(rig->host.lobby, &keys[i]);
	close(pair[0]);
	close(pair[1]);
}

static void be_late(struct ends_rig *rig)
{
	rig->server_answers = false;
	if (rig->place < AT_INIT)
		crowd_the_lobby(rig);
}

static void go(struct ends_rig *rig, enum way way)
{
	switch (way) {
	case FIN:
	case RST:
		ends_rig_close(&rig->client, way == RST);
		break;
	case HALF:
		shutdown(rig->client, SHUT_WR);
		break;
	case NONSENSE:
		talk_nonsense(rig);
		break;
	case GOODBYE:
		say_goodbye(rig);
		break;
	case ALERT:
		alert(rig);
		break;
	case LATE:
		be_late(rig);
		break;
	case S_FIN:
	case S_RST:
		ends_rig_close(&rig->server, way == S_RST);
		break;
	default:
		connection_end(rig->connection);
	}
}

/* ---- what must come of it ---- */

static unsigned count_descriptors(void)
{
	unsigned n = 0;
	g_autoptr(GDir) folder = g_dir_open("/proc/self/fd", 0, NULL);
	while (g_dir_read_name(folder))
		n++;
	return n;
}

static bool may_still_speak(enum place place)
{
	return place == AT_CHANNEL || place == AT_CHANNEL_TLS || place == AT_CHANNEL_FRAMES ||
	       place == AT_PASS;
}

/* Says the last thing that the client says before it ends. */
static void say_last(struct ends_rig *rig)
{
	static const uint8_t body[200];
	g_autoptr(GByteArray) last = g_byte_array_new();
	put_message(last, true, SPICE_MSGC_PONG, body, sizeof(body));
	ends_rig_say(rig, last->data, last->len);
}

static void check_delivery(const struct ends_rig *rig, enum way way)
{
	if (!may_still_speak(rig->place) || (way != FIN && way != HALF && way != GOODBYE))
		return;
	g_assert_cmpmem(rig->heard->data, rig->heard->len, rig->said->data, rig->said->len);
	g_assert_true(rig->server_saw_end || rig->server < 0);
}

/* Whoever spice-server hears of as a display has said INIT. */
static void check_opening(const struct ends_rig *rig)
{
	if (ends_rig_is_display(rig->place) && rig->place != AT_INIT)
		g_assert_true(ends_rig_has_init(rig));
	if (rig->place < AT_JOIN)
		g_assert_cmpint(rig->server, <, 0);
}

static bool answer_has(const struct ends_rig *rig, const void *bytes, size_t size_bytes)
{
	return memmem(rig->answered->data, rig->answered->len, bytes, size_bytes) != NULL;
}

static void check_answers(const struct ends_rig *rig, enum way way)
{
	/* An end of TLS without a close_notify might be anybody's, so there is no answer to it. */
	enum way in_order = rig->place == AT_CHANNEL_TLS ? GOODBYE : HALF;
	if (may_still_speak(rig->place) && way == in_order)
		g_assert_true(answer_has(rig, ENDS_RIG_LAST, strlen(ENDS_RIG_LAST)));
	if (rig->frames && way == GOODBYE)
		g_assert_true(answer_has(rig, "\x88\2\3\xe8", 4));
	if (rig->frames && way == NONSENSE)
		g_assert_true(answer_has(rig, "\x88\2\3\xeb", 4));
	if (rig->frames && way == QUIT)
		g_assert_true(answer_has(rig, "\x88\2\3\xe9", 4));
	if (rig->frames && way == S_FIN)
		g_assert_true(answer_has(rig, "\x88\2\3\xe8", 4));
	if (rig->place == AT_REQUEST && way == NONSENSE)
		g_assert_true(answer_has(rig, "HTTP/1.1 400 ", 13));
}

/* Pumps the rig. A client that is told its end closes its own. */
static void pump(struct ends_rig *rig, gint64 time_us)
{
	gint64 end_us = g_get_monotonic_time() + time_us;
	do {
		ends_rig_pump(rig, 1000);
		if (rig->client_saw_end && rig->client >= 0 && rig->place != AT_CLOSING)
			ends_rig_close(&rig->client, false);
	} while (!rig->over && g_get_monotonic_time() < end_us);
}

static void end_in_a_way(enum place place, enum way way, char wanted)
{
	struct ends_rig rig;
	ends_rig_start(&rig, place, credentials);
	if (may_still_speak(place) && (way == FIN || way == HALF || way == GOODBYE))
		say_last(&rig);
	n_warnings = place == AT_CLOSING ? 0 : n_warnings;
	go(&rig, way);
	rig.server_admits = place == AT_ADMISSION && way < LATE && rig.server >= 0;
	gint64 began_us = g_get_monotonic_time();
	if (way == LATE && g_ascii_tolower(wanted) == 'l')
		bring_deadline_near(&rig);
	pump(&rig, g_ascii_tolower(wanted) == 'l' ? LATE_US : 3 * SOON_US);
	g_test_message("%s, %s: over %d after %d ms, %u warnings, server %d", ends_rig_name(place),
		way_names[way], rig.over, (int)((g_get_monotonic_time() - began_us) / 1000),
		n_warnings, rig.server);
	g_assert_cmpint(rig.over, ==, wanted != 's');
	g_assert_cmpuint(n_warnings, ==, wanted == 'w' || wanted == 'L');
	g_assert_true(way == S_FIN || way == S_RST || way == LATE || way == QUIT ||
		      !rig.end_before_gone_on);
	check_delivery(&rig, way);
	check_opening(&rig);
	check_answers(&rig, way);
	if (!rig.over)
		connection_end(rig.connection);
	ends_rig_stop(&rig);
}

static void test_pair(gconstpointer user)
{
	unsigned pair = GPOINTER_TO_UINT(user);
	enum place place = pair / WAYS;
	enum way way = pair % WAYS;
	unsigned n_descriptors = count_descriptors();
	n_warnings = 0;
	end_in_a_way(place, way, wanted_ends[place][way]);
	g_assert_cmpuint(count_descriptors(), ==, n_descriptors);
}

/* ---- a head that is busy when its display begins ---- */

/* This is longer than spice-server needs if it is not busy. */
#define BUSY_US (700 * 1000)

static void say_message(struct ends_rig *rig, uint16_t type)
{
	g_autoptr(GByteArray) message = g_byte_array_new();
	put_message(message, true, type, NULL, 0);
	ends_rig_say(rig, message->data, message->len);
}

static void start_busy(struct ends_rig *rig)
{
	ends_rig_start(rig, AT_OPENING, NULL);
	rig->server_answers = false;
	ends_rig_pump(rig, BUSY_US);
}

/* Ends the busy time. However long it lasted, the end waited until spice-server had gone on. */
static void stop_busy(struct ends_rig *rig)
{
	g_assert_cmpint(rig->connection->phase, ==, PHASE_ORPHAN);
	g_assert_false(rig->server_saw_end);
	rig->server_answers = true;
	ends_rig_pump(rig, SOON_US);
	g_assert_true(rig->over && rig->went_on && !rig->end_before_gone_on);
	ends_rig_stop(rig);
}

static void test_busy_end(void)
{
	struct ends_rig rig;
	start_busy(&rig);
	ends_rig_close(&rig.client, false);
	ends_rig_pump(&rig, SOON_US / 10);
	stop_busy(&rig);
}

/* What every client says passes; what spice-server might find fault with does not. */
static void test_busy_nonsense(void)
{
	struct ends_rig rig;
	start_busy(&rig);
	say_message(&rig, SPICE_MSGC_ACK);
	ends_rig_pump(&rig, SOON_US / 10);
	g_assert_cmpuint(rig.heard->len, ==, rig.said->len);
	say_message(&rig, UINT16_MAX);
	ends_rig_pump(&rig, BUSY_US);
	g_assert_cmpuint(rig.heard->len, <, rig.said->len);
	n_warnings = 0;
	bring_deadline_near(&rig);
	ends_rig_pump(&rig, SOON_US / 10);
	g_assert_true(rig.client_saw_end && n_warnings == 1);
	stop_busy(&rig);
}

/* ---- no SPICE in frames ---- */

/* What breaks no rule of WebSocket, but is no SPICE, is answered in WebSocket's words, too. */
static void refuse_in_frames(enum place place)
{
	uint8_t noise[64];
	struct ends_rig rig;
	memset(noise, 0xff, sizeof(noise));
	ends_rig_start(&rig, place, NULL);
	ends_rig_say(&rig, noise, sizeof(noise));
	pump(&rig, 3 * SOON_US);
	g_assert_true(rig.over);
	g_assert_true(answer_has(&rig, "\x88\2\3\xf0", 4));
	ends_rig_stop(&rig);
}

static void test_no_spice_in_frames(void)
{
	refuse_in_frames(AT_MESSAGE);
}

/* ---- a local client that is slow to read ---- */

/* Says more than goes to the client at once, so that the rest waits. */
static void say_much(struct ends_rig *rig)
{
	static const uint8_t much[PASS_BYTES];
	int little = 4096;
	rig->client_reads = false;
	setsockopt(rig->connection->outer.fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
	g_byte_array_set_size(rig->answered, 0);
	g_assert_cmpint(send(rig->server, much, sizeof(much), MSG_NOSIGNAL), ==, sizeof(much));
}

/* What the head's worker has taken from spice-server goes on although neither side says more. */
static void test_worker_takes(void)
{
	struct ends_rig rig;
	ends_rig_start(&rig, AT_PASS, NULL);
	ends_rig_pump(&rig, SOON_US / 10);
	say_much(&rig);
	pass_step_aside(SPICE_WORDS_CHANNEL_ID);
	g_assert_false(pipe_is_idle(&rig.connection->pipes[SPICE_TALK_SERVER]));
	rig.client_reads = true;
	ends_rig_pump(&rig, SOON_US);
	g_assert_cmpuint(rig.answered->len, ==, PASS_BYTES);
	connection_end(rig.connection);
	ends_rig_stop(&rig);
}

/* What spice-server said before it closed is still delivered. */
static void test_pass_last_words(void)
{
	struct ends_rig rig;
	ends_rig_start(&rig, AT_PASS, NULL);
	say_much(&rig);
	ends_rig_close(&rig.server, false);
	ends_rig_pump(&rig, SOON_US / 10);
	rig.client_reads = true;
	ends_rig_pump(&rig, SOON_US);
	g_assert_cmpuint(rig.answered->len, ==, PASS_BYTES);
	g_assert_true(rig.over && rig.client_saw_end);
	ends_rig_stop(&rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	if (!inner_maker_start(NULL, NULL) || !inner_maker_is_ready(NULL))
		return EXIT_FAILURE;
	g_assert_true(sasl_talk_load());
	credentials = own_credentials_create();
	/*
	 * The main context keeps a descriptor of its own from its first use on, which no test
	 * should count.
	 */
	g_main_context_iteration(NULL, FALSE);
	for (unsigned pair = 0; pair < PLACES * WAYS; pair++) {
		g_autofree char *path = g_strdup_printf(
			"/relay-ends/%s/%s", ends_rig_name(pair / WAYS), way_names[pair % WAYS]);
		if (wanted_ends[pair / WAYS][pair % WAYS] != ' ')
			g_test_add_data_func(path, GUINT_TO_POINTER(pair), test_pair);
	}
	g_test_add_func("/relay-ends/opening/busy-end", test_busy_end);
	g_test_add_func("/relay-ends/opening/busy-nonsense", test_busy_nonsense);
	g_test_add_func("/relay-ends/message/no-spice-in-frames", test_no_spice_in_frames);
	g_test_add_func("/relay-ends/pass/worker-takes", test_worker_takes);
	g_test_add_func("/relay-ends/pass/last-words", test_pass_last_words);
	int result = g_test_run();
	tls_credentials_unref(credentials);
	return result;
}
