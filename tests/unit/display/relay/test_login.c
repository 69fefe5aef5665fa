/* SPDX-License-Identifier: MIT */
/*
 * login: checks how the relay answers clients that log in: with SPICE's errors, by what tickets
 * judge, and that spice-server hears of nobody who is not in. The relay is a real one; client and
 * spice-server are played.
 */
#include <glib.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/relay/spice_login.h"
#include "display/tickets/limits.h"
#include "tests/unit/display/relay/relay_rig.h"
#include "tests/unit/display/relay/spice_words.h"

#define SOON_MS 200
#define PASSWORD "correct horse"

static void say(int fd, const void *bytes, size_t size_bytes)
{
	g_assert_cmpint(send(fd, bytes, size_bytes, MSG_NOSIGNAL), ==, size_bytes);
}

/* The relay may ask spice-server meanwhile, on the main context. */
static void hear(int fd, void *bytes, size_t size_bytes)
{
	while (recv(fd, bytes, size_bytes, MSG_PEEK | MSG_DONTWAIT) < (ssize_t)size_bytes)
		g_main_context_iteration(NULL, FALSE);
	g_assert_cmpint(recv(fd, bytes, size_bytes, MSG_WAITALL), ==, size_bytes);
}

struct answer {
	SpiceLinkHeader header;
	SpiceLinkReply reply;
} __attribute__((packed));

static uint32_t hear_answer(int fd, struct answer *answer)
{
	uint32_t words[2 * SPICE_LOGIN_WORDS_MAX];
	hear(fd, answer, sizeof(*answer));
	size_t rest_bytes = answer->header.size - sizeof(answer->reply);
	g_assert_cmpuint(rest_bytes, <=, sizeof(words));
	hear(fd, words, rest_bytes);
	return answer->reply.error;
}

static bool has_ended(int fd)
{
	uint8_t byte;
	return recv(fd, &byte, 1, 0) == 0;
}

static GByteArray *make_link(uint8_t channel)
{
	GByteArray *link = g_byte_array_new();
	put_client_link(link, channel, caps_of(true));
	return link;
}

/* Logs in with this password. Returns the result. */
static uint32_t log_in(int fd, uint8_t channel, const char *password)
{
	struct answer answer;
	uint32_t result, mechanism = SPICE_COMMON_CAP_AUTH_SPICE;
	uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES];
	g_autoptr(GByteArray) link = make_link(channel);
	say(fd, link->data, link->len);
	g_assert_cmpuint(hear_answer(fd, &answer), ==, SPICE_LINK_ERR_OK);
	g_assert_true(link_key_encrypt(answer.reply.pub_key, password, encrypted));
	say(fd, &mechanism, sizeof(mechanism));
	say(fd, encrypted, sizeof(encrypted));
	hear(fd, &result, sizeof(result));
	return result;
}

static void ask_for_password(struct relay_rig *rig)
{
	const struct tickets_password password = { .name = 1, .secret = PASSWORD };
	g_assert_true(tickets_replace(rig->tickets, &password, 1, g_get_monotonic_time()));
}

static void expect_nobody(struct relay_rig *rig)
{
	gint64 end_us = g_get_monotonic_time() + SOON_MS * 1000;
	while (g_get_monotonic_time() < end_us)
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(1000);
	g_assert_cmpint(rig->guest.fd, <, 0);
}

/*
 * Has spice-server let in who has come, who leaves then. That is logged before its visit ends, and
 * so does not stand where another line is expected. The rig's own visit goes on.
 */
static void let_go(struct relay_rig *rig, int client)
{
	int server = relay_rig_await_guest(rig);
	relay_rig_let_in(server, true);
	close(client);
	g_assert_true(has_ended(server));
	close(server);
	while (tickets_visitors(rig->tickets, NULL, 0) > 1)
		g_usleep(1000);
}

static void expect_warning(const char *pattern)
{
	g_test_expect_message("vitrine", G_LOG_LEVEL_WARNING, pattern);
}

/* ---- passwords ---- */

static void test_passwords(void)
{
	static const struct {
		const char *given;
		uint32_t result;
	} cases[] = {
		{ PASSWORD, SPICE_LINK_ERR_OK },
		{ "wrong", SPICE_LINK_ERR_PERMISSION_DENIED },
		{ "", SPICE_LINK_ERR_PERMISSION_DENIED },
		{ PASSWORD "!", SPICE_LINK_ERR_PERMISSION_DENIED },
	};
	struct relay_rig rig;
	relay_rig_start(&rig);
	ask_for_password(&rig);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		int client = relay_rig_connect(&rig, KEEPER_LISTENER_TCP);
		/* Clients ask people for it only when they were refused without: that is no guess.
		 */
		if (cases[i].result != SPICE_LINK_ERR_OK && cases[i].given[0] != '\0')
			expect_warning("client 127.0.0.1:*: not let in*password*");
		g_assert_cmpuint(
			log_in(client, SPICE_CHANNEL_MAIN, cases[i].given), ==, cases[i].result);
		if (cases[i].result == SPICE_LINK_ERR_OK) {
			let_go(&rig, client);
			continue;
		}
		g_assert_true(has_ended(client));
		expect_nobody(&rig);
		close(client);
	}
	relay_rig_stop(&rig);
	g_test_assert_expected_messages();
}

/* What cannot be read with our key is a guess like others. */
static void test_unreadable(void)
{
	struct relay_rig rig;
	struct answer answer;
	uint32_t result;
	g_autoptr(GByteArray) link = make_link(SPICE_CHANNEL_MAIN), ticket = g_byte_array_new();
	relay_rig_start(&rig);
	ask_for_password(&rig);
	int client = relay_rig_connect(&rig, KEEPER_LISTENER_TCP);
	put_ticket(ticket, true);
	say(client, link->data, link->len);
	g_assert_cmpuint(hear_answer(client, &answer), ==, SPICE_LINK_ERR_OK);
	expect_warning("*not let in*wrong password*");
	say(client, ticket->data, ticket->len);
	hear(client, &result, sizeof(result));
	g_assert_cmpuint(result, ==, SPICE_LINK_ERR_PERMISSION_DENIED);
	close(client);
	relay_rig_stop(&rig);
	g_test_assert_expected_messages();
}

/* Whoever guesses waits for the judgement, and gets it. */
static void test_waits(void)
{
	struct relay_rig rig;
	relay_rig_start(&rig);
	ask_for_password(&rig);
	for (unsigned i = 0; i < DELAYS_FREE_TRIES + 2; i++) {
		int client = relay_rig_connect(&rig, KEEPER_LISTENER_TCP);
		expect_warning("*not let in*wrong password*");
		log_in(client, SPICE_CHANNEL_MAIN, "guess");
		close(client);
	}
	int client = relay_rig_connect(&rig, KEEPER_LISTENER_TCP);
	gint64 began_us = g_get_monotonic_time();
	g_assert_cmpuint(log_in(client, SPICE_CHANNEL_MAIN, PASSWORD), ==, SPICE_LINK_ERR_OK);
	g_assert_cmpint(g_get_monotonic_time() - began_us, >=, DELAYS_FIRST_US / 2);
	let_go(&rig, client);
	relay_rig_stop(&rig);
	g_test_assert_expected_messages();
}

/* ---- link messages ---- */

static void refuse_link(struct relay_rig *rig, const GByteArray *link, uint32_t error)
{
	struct answer answer;
	int client = relay_rig_connect(rig, KEEPER_LISTENER_TCP);
	expect_warning("*cut off: *");
	say(client, link->data, link->len);
	g_assert_cmpuint(hear_answer(client, &answer), ==, error);
	g_assert_true(has_ended(client));
	close(client);
	g_test_assert_expected_messages();
}

static void test_links(void)
{
	struct relay_rig rig;
	g_autoptr(GByteArray) version = make_link(SPICE_CHANNEL_MAIN);
	g_autoptr(GByteArray) capabilities = make_link(SPICE_CHANNEL_MAIN);
	g_autoptr(GByteArray) unknown = make_link(SPICE_CHANNEL_SMARTCARD);
	relay_rig_start(&rig);
	((SpiceLinkHeader *)version->data)->major_version++;
	refuse_link(&rig, version, SPICE_LINK_ERR_VERSION_MISMATCH);
	((SpiceLinkMess *)(capabilities->data + sizeof(SpiceLinkHeader)))->num_channel_caps = 2000;
	refuse_link(&rig, capabilities, SPICE_LINK_ERR_INVALID_DATA);
	unsigned n_asked = rig.n_asked;
	refuse_link(&rig, unknown, SPICE_LINK_ERR_CHANNEL_NOT_AVAILABLE);
	g_assert_cmpuint(rig.n_asked, ==, n_asked);
	relay_rig_stop(&rig);
}

/* Another mechanism than the one that is offered is refused. */
static void test_mechanism(void)
{
	struct relay_rig rig;
	struct answer answer;
	uint32_t sasl = SPICE_COMMON_CAP_AUTH_SASL;
	g_autoptr(GByteArray) link = make_link(SPICE_CHANNEL_MAIN);
	relay_rig_start(&rig);
	int client = relay_rig_connect(&rig, KEEPER_LISTENER_TCP);
	say(client, link->data, link->len);
	g_assert_cmpuint(hear_answer(client, &answer), ==, SPICE_LINK_ERR_OK);
	expect_warning("*other means*");
	say(client, &sasl, sizeof(sasl));
	g_assert_cmpuint(hear_answer(client, &answer), ==, SPICE_LINK_ERR_INVALID_DATA);
	close(client);
	relay_rig_stop(&rig);
	g_test_assert_expected_messages();
}

/* spice-server is asked once for each type, and again later when it had no answer. */
static void test_asks_once(void)
{
	struct relay_rig rig;
	relay_rig_start(&rig);
	unsigned n_asked = rig.n_asked;
	relay_rig_learn(&rig, SPICE_CHANNEL_INPUTS);
	relay_rig_learn(&rig, SPICE_CHANNEL_INPUTS);
	g_assert_cmpuint(rig.n_asked, ==, n_asked + 1);
	rig.silent = true;
	g_autoptr(GByteArray) link = make_link(SPICE_CHANNEL_RECORD);
	refuse_link(&rig, link, SPICE_LINK_ERR_CHANNEL_NOT_AVAILABLE);
	refuse_link(&rig, link, SPICE_LINK_ERR_CHANNEL_NOT_AVAILABLE);
	g_assert_cmpuint(rig.n_asked, ==, n_asked + 2);
	rig.silent = false;
	g_usleep(1100 * 1000);
	relay_rig_learn(&rig, SPICE_CHANNEL_RECORD);
	g_assert_cmpuint(rig.n_asked, ==, n_asked + 3);
	relay_rig_stop(&rig);
}

/* ---- sessions ---- */

static void refuse_session(struct relay_rig *rig, uint8_t channel)
{
	int client = relay_rig_connect(rig, KEEPER_LISTENER_TCP);
	expect_warning("*names a session that there is not, or a channel that it has*");
	g_assert_cmpuint(log_in(client, channel, ""), ==, SPICE_LINK_ERR_BAD_CONNECTION_ID);
	g_assert_true(has_ended(client));
	expect_nobody(rig);
	close(client);
	g_test_assert_expected_messages();
}

/* A channel is there once, and no more when the session's main channel has gone. */
static void test_sessions(void)
{
	struct relay_rig rig;
	relay_rig_start(&rig);
	int client = relay_rig_connect(&rig, KEEPER_LISTENER_TCP);
	relay_rig_log_in(&rig, client, SPICE_CHANNEL_INPUTS, true);
	int server = relay_rig_await_guest(&rig);
	relay_rig_let_in(server, true);
	refuse_session(&rig, SPICE_CHANNEL_INPUTS);
	close(client);
	g_assert_true(has_ended(server));
	close(server);
	client = relay_rig_connect(&rig, KEEPER_LISTENER_TCP);
	relay_rig_log_in(&rig, client, SPICE_CHANNEL_INPUTS, true);
	let_go(&rig, client);
	shutdown(rig.main_client, SHUT_RDWR);
	g_assert_true(has_ended(rig.main_server));
	close(rig.main_server);
	rig.main_server = -1;
	expect_nobody(&rig);
	refuse_session(&rig, SPICE_CHANNEL_CURSOR);
	relay_rig_stop(&rig);
}

/* spice-server hears of a display only when that has said INIT. */
static void test_display(void)
{
	static const uint8_t body[14];
	struct relay_rig rig;
	uint8_t heard[sizeof(SpiceMiniDataHeader) + sizeof(body)];
	g_autoptr(GByteArray) init = g_byte_array_new();
	relay_rig_start(&rig);
	int client = relay_rig_connect(&rig, KEEPER_LISTENER_TCP);
	relay_rig_log_in(&rig, client, SPICE_CHANNEL_DISPLAY, true);
	expect_nobody(&rig);
	put_message(init, true, SPICE_MSGC_DISPLAY_INIT, body, sizeof(body));
	say(client, init->data, init->len - 1);
	expect_nobody(&rig);
	say(client, init->data + init->len - 1, 1);
	int server = relay_rig_await_guest(&rig);
	relay_rig_let_in(server, true);
	hear(server, heard, sizeof(heard));
	g_assert_cmpmem(heard, sizeof(heard), init->data, init->len);
	close(client);
	close(server);
	relay_rig_stop(&rig);
}

/* Of devices clients are not offered to compress, and all else is as spice-server says it. */
static void test_withheld(void)
{
	struct spice_login_capabilities words = { .n_channel = 1, .channel = { UINT32_MAX } };
	spice_login_withhold(&words, SPICE_CHANNEL_DISPLAY);
	g_assert_cmphex(words.channel[0], ==, UINT32_MAX);
	spice_login_withhold(&words, SPICE_CHANNEL_USBREDIR);
	g_assert_cmphex(words.channel[0], ==, ~(1u << SPICE_SPICEVMC_CAP_DATA_COMPRESS_LZ4));
	words = (struct spice_login_capabilities){ 0 };
	spice_login_withhold(&words, SPICE_CHANNEL_PORT);
	g_assert_cmphex(words.channel[0], ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/relay-login/passwords", test_passwords);
	g_test_add_func("/relay-login/unreadable", test_unreadable);
	g_test_add_func("/relay-login/waits", test_waits);
	g_test_add_func("/relay-login/links", test_links);
	g_test_add_func("/relay-login/mechanism", test_mechanism);
	g_test_add_func("/relay-login/asks-once", test_asks_once);
	g_test_add_func("/relay-login/sessions", test_sessions);
	g_test_add_func("/relay-login/display", test_display);
	g_test_add_func("/relay-login/withheld", test_withheld);
	return g_test_run();
}
