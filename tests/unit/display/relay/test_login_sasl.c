/* SPDX-License-Identifier: MIT */
/*
 * login_sasl: logs in by SASL at a real relay, in TLS, as stock clients do and as none does. Client
 * and spice-server are played.
 */
#include <glib.h>
#include <gnutls/gnutls.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/peer_log.h"
#include "display/relay/sasl_talk.h"
#include "display/relay/spice_login.h"
#include "protocol/stats_writer.h"
#include "tests/unit/display/relay/own_credentials.h"
#include "tests/unit/display/relay/own_users.h"
#include "tests/unit/display/relay/relay_rig.h"
#include "tests/unit/display/relay/sasl_client.h"
#include "tests/unit/display/relay/spice_words.h"

#define LIST ",SCRAM-SHA-256,SCRAM-SHA-1,PLAIN,"
#define ENDED UINT32_MAX

void __wrap_peer_warning(enum peer peer, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* All lines are there, however many come. */
void __wrap_peer_warning(enum peer peer, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_logv("vitrine", G_LOG_LEVEL_WARNING, format, args);
	va_end(args);
}

struct caller {
	struct relay_rig *rig;
	int fd;
	gnutls_certificate_credentials_t trust;
	gnutls_session_t tls; /* NULL: none */
};

static void call(struct caller *caller, struct relay_rig *rig, bool in_tls)
{
	*caller = (struct caller){ .rig = rig };
	caller->fd = relay_rig_connect(rig, in_tls ? KEEPER_LISTENER_TLS : KEEPER_LISTENER_TCP);
	if (!in_tls)
		return;
	g_assert_cmpint(gnutls_certificate_allocate_credentials(&caller->trust), ==, 0);
	g_assert_cmpint(gnutls_init(&caller->tls, GNUTLS_CLIENT), ==, 0);
	g_assert_cmpint(gnutls_set_default_priority(caller->tls), ==, 0);
	g_assert_cmpint(
		gnutls_credentials_set(caller->tls, GNUTLS_CRD_CERTIFICATE, caller->trust), ==, 0);
	gnutls_transport_set_int(caller->tls, caller->fd);
	g_assert_cmpint(gnutls_handshake(caller->tls), ==, 0);
}

static void hang_up(struct caller *caller)
{
	if (caller->tls) {
		gnutls_deinit(caller->tls);
		gnutls_certificate_free_credentials(caller->trust);
	}
	close(caller->fd);
}

static void say(struct caller *caller, const void *bytes, size_t size_bytes)
{
	if (caller->tls)
		g_assert_cmpint(gnutls_record_send(caller->tls, bytes, size_bytes), ==, size_bytes);
	else
		g_assert_cmpint(send(caller->fd, bytes, size_bytes, MSG_NOSIGNAL), ==, size_bytes);
}

static void say_word(struct caller *caller, uint32_t word)
{
	say(caller, &word, sizeof(word));
}

/* Returns false when it has ended before. spice-server is asked on the main context. */
static bool hear(struct caller *caller, void *bytes, size_t size_bytes)
{
	size_t n = 0;
	while (n < size_bytes) {
		ssize_t more;
		while (g_main_context_iteration(NULL, FALSE))
			;
		more = caller->tls ?
			       gnutls_record_recv(caller->tls, (char *)bytes + n, size_bytes - n) :
			       recv(caller->fd, (char *)bytes + n, size_bytes - n, 0);
		if (more <= 0)
			return false;
		n += (size_t)more;
	}
	return true;
}

static uint32_t hear_word(struct caller *caller)
{
	uint32_t word;
	return hear(caller, &word, sizeof(word)) ? word : ENDED;
}

/* Says the link message. Returns the server's common capabilities. */
static uint32_t link_up(struct caller *caller, uint8_t channel)
{
	struct {
		SpiceLinkHeader header;
		SpiceLinkReply reply;
		uint32_t words[2 * SPICE_LOGIN_WORDS_MAX];
	} __attribute__((packed)) answer;
	g_autoptr(GByteArray) link = g_byte_array_new();
	put_client_link(link, channel, caps_of(true));
	say(caller, link->data, link->len);
	g_assert_true(hear(caller, &answer, sizeof(answer.header) + sizeof(answer.reply)));
	g_assert_cmpuint(answer.reply.error, ==, SPICE_LINK_ERR_OK);
	g_assert_true(hear(caller, answer.words, answer.header.size - sizeof(answer.reply)));
	return answer.words[0];
}

static void choose_sasl(struct caller *caller)
{
	char list[sizeof(LIST)] = "";
	say_word(caller, SPICE_COMMON_CAP_AUTH_SASL);
	g_assert_cmpuint(hear_word(caller), ==, strlen(LIST));
	g_assert_true(hear(caller, list, strlen(LIST)));
	g_assert_cmpstr(list, ==, LIST);
}

static void say_datum(struct caller *caller, const char *bytes, unsigned n)
{
	g_autoptr(GByteArray) datum = g_byte_array_new();
	if (bytes)
		put_sasl_datum(datum, bytes, n);
	else
		put(datum, "\0\0\0\0", 4);
	say(caller, datum->data, datum->len);
}

/* Returns the server's datum, or NULL when it has ended; `done` says whether it is done. */
static GByteArray *hear_datum(struct caller *caller, bool *done)
{
	uint8_t byte = 0;
	uint32_t length = hear_word(caller);
	if (length == ENDED)
		return NULL;
	g_assert_cmpuint(length, <=, 1000);
	GByteArray *datum = g_byte_array_new();
	g_byte_array_set_size(datum, length);
	g_assert_true(hear(caller, datum->data, length));
	g_assert_true(hear(caller, &byte, 1));
	*done = byte != 0;
	if (length > 0)
		g_byte_array_set_size(datum, length - 1);
	return datum;
}

/* Logs in as spice-gtk does. Returns the result; ENDED: none was said. */
static uint32_t log_in(
	struct caller *caller, const char *mechanism, const char *name, const char *password)
{
	const char *bytes = NULL;
	unsigned n = 0;
	bool done = false;
	uint32_t result = ENDED;
	g_autoptr(GByteArray) start = g_byte_array_new();
	struct sasl_client *client = sasl_client_create(mechanism, name, password, NULL);
	choose_sasl(caller);
	g_assert_true(sasl_client_begin(client, &bytes, &n));
	put_sasl_text(start, mechanism, strlen(mechanism));
	say(caller, start->data, start->len);
	say_datum(caller, bytes, n);
	for (;;) {
		g_autoptr(GByteArray) heard = hear_datum(caller, &done);
		if (!heard)
			break;
		if (!done || heard->len > 0)
			g_assert_true(
				sasl_client_go_on(client, heard->data, heard->len, &bytes, &n));
		if (done) {
			g_assert_true(sasl_client_is_done(client));
			result = hear_word(caller);
			/* What all clients hear follows. */
			if (result == SPICE_LINK_ERR_OK)
				result = hear_word(caller);
			break;
		}
		say_datum(caller, bytes, n);
	}
	sasl_client_destroy(client);
	return result;
}

static void start(struct relay_rig *rig)
{
	relay_rig_start(rig);
	relay_set_credentials(rig->relay, own_credentials_create());
	own_users_add(rig->tickets);
}

/* Has spice-server let in who has come, who leaves then. */
static void let_go(struct caller *caller)
{
	uint8_t byte;
	int server = relay_rig_await_guest(caller->rig);
	relay_rig_let_in(server, true);
	hang_up(caller);
	g_assert_cmpint(recv(server, &byte, 1, 0), ==, 0);
	close(server);
}

static void expect_warning(const char *pattern)
{
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING, pattern);
}

/* ---- as clients do ---- */

static void test_right(gconstpointer user)
{
	struct relay_rig rig;
	struct caller caller;
	uint64_t before = stats_get_memory()->door[STATS_PASSWORDS_RIGHT];
	start(&rig);
	call(&caller, &rig, true);
	g_assert_true(link_up(&caller, SPICE_CHANNEL_MAIN) & 1u << SPICE_COMMON_CAP_AUTH_SASL);
	g_assert_cmpuint(
		log_in(&caller, user, OWN_USERS_NAME, OWN_USERS_SECRET), ==, SPICE_LINK_ERR_OK);
	let_go(&caller);
	g_assert_cmpuint(stats_get_memory()->door[STATS_PASSWORDS_RIGHT], ==, before + 1);
	relay_rig_stop(&rig);
}

static void test_wrong(gconstpointer user)
{
	static const struct {
		const char *name, *password, *warning;
	} cases[] = {
		{ OWN_USERS_NAME, "wrong",
			"client 127.0.0.1:*: not let in * as \"alice\": wrong "
			"name or password" },
		{ "carol", OWN_USERS_SECRET,
			"client 127.0.0.1:*: not let in * as \"carol\": wrong "
			"name or password" },
		{ OWN_USERS_VIEWER, OWN_USERS_SECRET, "*as \"bob\": wrong name or password" },
	};
	struct relay_rig rig;
	uint64_t before = stats_get_memory()->door[STATS_PASSWORDS_WRONG];
	bool plain = g_str_equal(user, "PLAIN");
	start(&rig);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct caller caller;
		call(&caller, &rig, true);
		link_up(&caller, SPICE_CHANNEL_MAIN);
		expect_warning(cases[i].warning);
		g_assert_cmpuint(log_in(&caller, user, cases[i].name, cases[i].password), ==,
			plain ? SPICE_LINK_ERR_PERMISSION_DENIED : ENDED);
		hang_up(&caller);
		g_assert_cmpint(rig.guest.fd, <, 0);
		g_test_assert_expected_messages();
	}
	g_assert_cmpuint(
		stats_get_memory()->door[STATS_PASSWORDS_WRONG] - before, ==, G_N_ELEMENTS(cases));
	relay_rig_stop(&rig);
}

/* Whoever guesses waits before a single key is computed, and so does the right one behind. */
static void test_waits(void)
{
	struct relay_rig rig;
	struct caller caller;
	const struct peer_address from = { .kind = PEER_ADDRESS_INET, .bytes = { 127, 0, 0, 1 } };
	start(&rig);
	own_users_guess(rig.tickets, &from);
	call(&caller, &rig, true);
	link_up(&caller, SPICE_CHANNEL_MAIN);
	gint64 began_us = g_get_monotonic_time();
	g_assert_cmpuint(log_in(&caller, "SCRAM-SHA-256", OWN_USERS_NAME, OWN_USERS_SECRET), ==,
		SPICE_LINK_ERR_OK);
	g_assert_cmpint(g_get_monotonic_time() - began_us, >=, DELAYS_FIRST_US);
	let_go(&caller);
	relay_rig_stop(&rig);
}

/* Outside of TLS, and where nobody has a name, clients are told of no SASL. */
static void test_not_offered(void)
{
	const struct tickets_password plain = { .name = 1, .secret = OWN_USERS_PASSWORD };
	struct relay_rig rig;
	struct caller caller;
	start(&rig);
	call(&caller, &rig, false);
	g_assert_false(link_up(&caller, SPICE_CHANNEL_MAIN) & 1u << SPICE_COMMON_CAP_AUTH_SASL);
	expect_warning("*other means than it was offered*");
	say_word(&caller, SPICE_COMMON_CAP_AUTH_SASL);
	while (hear_word(&caller) != ENDED)
		;
	hang_up(&caller);
	g_test_assert_expected_messages();
	g_assert_true(tickets_replace(rig.tickets, &plain, 1, 0));
	call(&caller, &rig, true);
	g_assert_false(link_up(&caller, SPICE_CHANNEL_MAIN) & 1u << SPICE_COMMON_CAP_AUTH_SASL);
	hang_up(&caller);
	relay_rig_stop(&rig);
}

/* ---- as none does ---- */

/* Says these bytes in the place of a start. Returns what it is told; ENDED: nothing. */
static uint32_t say_wrong(struct relay_rig *rig, const GByteArray *bytes, const char *warning)
{
	struct caller caller;
	call(&caller, rig, true);
	link_up(&caller, SPICE_CHANNEL_MAIN);
	choose_sasl(&caller);
	expect_warning(warning);
	say(&caller, bytes->data, bytes->len);
	uint32_t word = hear_word(&caller);
	hang_up(&caller);
	g_test_assert_expected_messages();
	return word;
}

static void test_lengths(void)
{
	static const uint32_t lengths[] = { 0, SPICE_SASL_NAME_MAX + 1, INT32_MAX, UINT32_MAX };
	struct relay_rig rig;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	start(&rig);
	for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
		g_byte_array_set_size(bytes, 0);
		put(bytes, &lengths[i], sizeof(lengths[i]));
		g_assert_cmpuint(say_wrong(&rig, bytes, "*to log in by SASL is wrong*"), ==, ENDED);
	}
	for (unsigned i = 1; i < G_N_ELEMENTS(lengths); i++) {
		uint32_t length = MAX(lengths[i], SPICE_SASL_DATUM_MAX + 1);
		g_byte_array_set_size(bytes, 0);
		put_sasl_text(bytes, "PLAIN", 5);
		put(bytes, &length, sizeof(length));
		g_assert_cmpuint(say_wrong(&rig, bytes, "*to log in by SASL is wrong*"), ==, ENDED);
	}
	relay_rig_stop(&rig);
}

static void test_mechanisms(void)
{
	static const char *const names[] = { "ANONYMOUS", "DIGEST-MD5", "GSSAPI", "EXTERNAL",
		"PLAIN,", "plain", "SCRAM-SHA-256-PLUS" };
	struct relay_rig rig;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	start(&rig);
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_byte_array_set_size(bytes, 0);
		put_sasl_text(bytes, names[i], strlen(names[i]));
		put_sasl_datum(bytes, "x", 1);
		g_assert_cmpuint(
			say_wrong(&rig, bytes, "*other means than it was offered*"), ==, ENDED);
	}
	relay_rig_stop(&rig);
}

/* A mechanism that is begun cannot be left for another, or be begun again. */
static void test_changes(void)
{
	static const char *const names[] = { "PLAIN", "SCRAM-SHA-256" };
	struct relay_rig rig;
	start(&rig);
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		struct caller caller;
		bool done = false;
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		call(&caller, &rig, true);
		link_up(&caller, SPICE_CHANNEL_MAIN);
		choose_sasl(&caller);
		put_sasl_scram(bytes);
		put_sasl_text(bytes, names[i], strlen(names[i]));
		put_sasl_datum(bytes, "\0alice\0wonder", 13);
		expect_warning("*as \"alice\": wrong name or password");
		say(&caller, bytes->data, bytes->len);
		g_autoptr(GByteArray) heard = hear_datum(&caller, &done);
		g_assert_true(heard && heard->len > 0 && !done);
		g_assert_cmpuint(hear_word(&caller), ==, ENDED);
		hang_up(&caller);
		g_test_assert_expected_messages();
	}
	relay_rig_stop(&rig);
}

/* Who hangs up before the proof has had a try. */
static void test_hangs_up(void)
{
	struct relay_rig rig;
	start(&rig);
	for (unsigned i = 0; i < DELAYS_FREE_TRIES + 1; i++) {
		struct caller caller;
		bool done = false;
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		call(&caller, &rig, true);
		link_up(&caller, SPICE_CHANNEL_MAIN);
		choose_sasl(&caller);
		put_sasl_scram(bytes);
		say(&caller, bytes->data, bytes->len);
		g_autoptr(GByteArray) heard = hear_datum(&caller, &done);
		g_assert_nonnull(heard);
		hang_up(&caller);
	}
	const struct tickets_try next = { .from = { .kind = PEER_ADDRESS_INET,
						  .bytes = { 127, 0, 0, 1 } } };
	g_assert_cmpint(
		tickets_ask(rig.tickets, &next, g_get_monotonic_time()).verdict, ==, TICKETS_LATER);
	relay_rig_stop(&rig);
}

int main(int argc, char **argv)
{
	static const char *const mechanisms[] = { "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN" };
	g_test_init(&argc, &argv, NULL);
	g_assert_true(sasl_talk_load());
	for (unsigned i = 0; i < G_N_ELEMENTS(mechanisms); i++) {
		g_autofree char *right = g_strconcat("/login-sasl/right/", mechanisms[i], NULL);
		g_autofree char *wrong = g_strconcat("/login-sasl/wrong/", mechanisms[i], NULL);
		g_test_add_data_func(right, mechanisms[i], test_right);
		g_test_add_data_func(wrong, mechanisms[i], test_wrong);
	}
	g_test_add_func("/login-sasl/waits", test_waits);
	g_test_add_func("/login-sasl/not-offered", test_not_offered);
	g_test_add_func("/login-sasl/lengths", test_lengths);
	g_test_add_func("/login-sasl/mechanisms", test_mechanisms);
	g_test_add_func("/login-sasl/changes", test_changes);
	g_test_add_func("/login-sasl/hangs-up", test_hangs_up);
	return g_test_run();
}
