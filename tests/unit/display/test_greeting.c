/* SPDX-License-Identifier: MIT */
/*
 * greeting: how spice-server greets the relay, with the key that it is given (inner_key.h). It is
 * spice-server itself, so the test fails with one that gets its keys in another way.
 */
#include <glib.h>
#include <spice/enums.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/inner_key/inner_key.h"
#include "display/relay/loopback.h"
#include "display/relay/spice_login.h"
#include "display/spice/spice_core.h"

#define CONNECTIONS 8
#define PATIENCE_US (10 * G_USEC_PER_SEC)

static void on_channel(void *user, enum spice_core_channel channel, unsigned id, bool connected)
{
}

static void on_connection(void *user, int fd, const void *key, bool connected)
{
}

static const struct spice_core_ops core_ops = {
	.channel = on_channel,
	.connection = on_connection,
};

/* Returns how long spice-server held the loop until it had answered, in microseconds. */
static gint64 greet(struct spice_core *core, struct spice_login_answer *answer)
{
	uint8_t question[SPICE_LINK_BYTES_MAX + 4], heard[SPICE_LOGIN_ANSWER_BYTES_MAX];
	size_t heard_bytes = 0;
	int ends[2];
	g_assert_true(loopback_pair(ends, INNER_BYTES));
	g_assert_cmpint(
		send(ends[0], question, spice_login_make_question(SPICE_CHANNEL_MAIN, question), 0),
		>, 0);
	gint64 begun_us = g_get_monotonic_time();
	g_assert_true(spice_core_add_client(core, ends[1]));
	while (spice_login_read_answer(heard, heard_bytes, answer) == 0) {
		g_assert_cmpint(g_get_monotonic_time() - begun_us, <, PATIENCE_US);
		g_main_context_iteration(NULL, FALSE);
		ssize_t n = recv(ends[0], heard + heard_bytes, sizeof(heard) - heard_bytes, 0);
		heard_bytes += n > 0 ? (size_t)n : 0;
	}
	gint64 took_us = g_get_monotonic_time() - begun_us;
	g_assert_cmpuint(answer->error, ==, SPICE_LOGIN_OK);
	close(ends[0]);
	return took_us;
}

static void test_one_key(void)
{
	struct spice_login_answer first, answer;
	struct spice_core *core = spice_core_create("greeting", &core_ops, NULL);
	inner_key_begin();
	greet(core, &first);
	gint64 longest_us = 0;
	for (unsigned i = 1; i < CONNECTIONS; i++) {
		gint64 took_us = greet(core, &answer);
		longest_us = MAX(longest_us, took_us);
		g_assert_cmpmem(answer.public_key, LINK_KEY_PUBLIC_BYTES, first.public_key,
			LINK_KEY_PUBLIC_BYTES);
	}
	g_test_message("an answer took %.1f ms at most", (double)longest_us / 1000);
	g_assert_cmpuint(inner_key_given(), ==, CONNECTIONS);
	inner_key_check();
	/* They are removed when spice-server sees their ends. */
	while (g_main_context_iteration(NULL, FALSE))
		;
	spice_core_destroy(core);
	inner_key_end();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/greeting/one-key", test_one_key);
	return g_test_run();
}
