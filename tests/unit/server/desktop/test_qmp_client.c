/* SPDX-License-Identifier: MIT */
/* qmp_client: checks what is made of each line that QEMU, or whoever passes for it, may send. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/listen.h"
#include "server/desktop/limits.h"
#include "server/desktop/qmp_client.h"

#define GREETING "{\"QMP\":{\"version\":{},\"capabilities\":[\"oob\"]}}\n"
#define CAPABILITIES "{\"execute\":\"qmp_capabilities\"}\n"
#define OPENING GREETING "{\"return\":{}}\n"

struct fixture {
	char *folder, *path;
	int listener, qemu;
	struct qmp_client *client;
	GString *seen; /* what the events were, a word each */
	bool destroy_at_event;
};

static void on_ready(void *user)
{
	struct fixture *fixture = user;
	g_string_append(fixture->seen, "ready ");
}

static void on_answer(void *user, JsonNode *result, const char *error)
{
	struct fixture *fixture = user;
	g_string_append_printf(
		fixture->seen, "%s%s ", error ? "error:" : "answer", error ? error : "");
}

static void on_event(void *user, const char *name, JsonObject *data)
{
	struct fixture *fixture = user;
	g_string_append_printf(fixture->seen, "%s%s ", name, data ? "+data" : "");
	if (fixture->destroy_at_event)
		g_clear_pointer(&fixture->client, qmp_client_destroy);
}

static void on_closed(void *user)
{
	struct fixture *fixture = user;
	g_string_append(fixture->seen, "closed ");
	g_clear_pointer(&fixture->client, qmp_client_destroy);
}

static void set_up(struct fixture *fixture)
{
	const struct qmp_client_events events = { fixture, on_ready, on_answer, on_event,
		on_closed };
	*fixture = (struct fixture){ .folder = g_dir_make_tmp("vitrine-qmp-XXXXXX", NULL),
		.seen = g_string_new(NULL) };
	fixture->path = g_build_filename(fixture->folder, "qmp", NULL);
	g_assert_null(qmp_client_connect(fixture->path, &events));
	fixture->listener = listen_unix(fixture->path, NULL);
	g_assert_cmpint(fixture->listener, >=, 0);
	fixture->client = qmp_client_connect(fixture->path, &events);
	g_assert_nonnull(fixture->client);
	fixture->qemu = accept(fixture->listener, NULL, NULL);
	g_assert_cmpint(fixture->qemu, >=, 0);
}

static void tear_down(struct fixture *fixture)
{
	qmp_client_destroy(fixture->client);
	if (fixture->qemu >= 0)
		close(fixture->qemu);
	close(fixture->listener);
	g_unlink(fixture->path);
	g_rmdir(fixture->folder);
	g_free(fixture->path);
	g_free(fixture->folder);
	g_string_free(fixture->seen, TRUE);
}

static void run_loop(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void say(struct fixture *fixture, const char *text)
{
	size_t length = strlen(text);
	g_assert_cmpint(send(fixture->qemu, text, length, MSG_NOSIGNAL), ==, length);
	run_loop();
}

struct line_case {
	const char *name, *text;
	const char *seen; /* beyond the "ready" that the opening brings */
};

static const struct line_case cases[] = {
	{ "answer", "{\"return\":{\"status\":\"running\"}}\n", "answer " },
	{ "two-in-one", "{\"return\":{}}\n{\"return\":1}\n", "answer answer " },
	{ "half", "{\"return\":", "" },
	{ "error", "{\"error\":{\"class\":\"X\",\"desc\":\"why\"}}\n", "error:why " },
	{ "error-without-reason", "{\"error\":{}}\n", "error:no reason given " },
	{ "error-of-no-object", "{\"error\":7}\n", "error:no reason given " },
	{ "error-of-number", "{\"error\":{\"desc\":7}}\n", "error:no reason given " },
	{ "event", "{\"event\":\"STOP\"}\n", "STOP " },
	{ "event-with-data", "{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true}}\n",
		"SHUTDOWN+data " },
	{ "event-with-odd-data", "{\"event\":\"STOP\",\"data\":[1]}\n", "STOP " },
	{ "event-without-name", "{\"event\":{\"x\":1}}\n", "closed " },
	{ "event-null", "{\"event\":null}\n", "closed " },
	{ "something-else", "{\"news\":1}\n", "" },
	{ "empty", "\n", "closed " },
	{ "no-json", "HTTP/1.1 200 OK\n", "closed " },
	{ "no-object", "[1,2]\n", "closed " },
	{ "null", "null\n", "closed " },
	{ "after-the-end", "[]\n{\"event\":\"STOP\"}\n", "closed " },
	{ "no-utf8", "{\"event\":\"\xff\xfe\"}\n", "closed " },
};

static void test_line(const void *data)
{
	const struct line_case *c = data;
	struct fixture fixture;
	set_up(&fixture);
	say(&fixture, OPENING);
	g_assert_cmpstr(fixture.seen->str, ==, "ready ");
	g_string_truncate(fixture.seen, 0);
	say(&fixture, c->text);
	g_assert_cmpstr(fixture.seen->str, ==, c->seen);
	tear_down(&fixture);
}

static void expect_said(struct fixture *fixture, const char *expected)
{
	char buffer[256] = { 0 };
	ssize_t n = recv(fixture->qemu, buffer, sizeof(buffer) - 1, MSG_DONTWAIT);
	g_assert_cmpint(n, ==, strlen(expected));
	g_assert_cmpstr(buffer, ==, expected);
}

static void test_conversation(void)
{
	struct fixture fixture;
	set_up(&fixture);
	say(&fixture, GREETING);
	expect_said(&fixture, CAPABILITIES);
	g_assert_cmpstr(fixture.seen->str, ==, "");
	/* An old QEMU that refuses capabilities is still one to talk to. */
	say(&fixture, "{\"error\":{\"desc\":\"no capabilities\"}}\n");
	g_assert_cmpstr(fixture.seen->str, ==, "ready ");
	g_assert_true(qmp_client_send(fixture.client, "stop", NULL, -1));
	expect_said(&fixture, "{\"execute\":\"stop\"}\n");
	g_assert_true(qmp_client_send(fixture.client, "getfd", "{\"fdname\":\"x\"}", -1));
	expect_said(&fixture, "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"x\"}}\n");
	tear_down(&fixture);
}

static void test_byte_by_byte(void)
{
	static const char text[] = OPENING "{\"event\":\"STOP\"}\n";
	struct fixture fixture;
	set_up(&fixture);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		g_assert_cmpint(send(fixture.qemu, &text[i], 1, MSG_NOSIGNAL), ==, 1);
		run_loop();
	}
	g_assert_cmpstr(fixture.seen->str, ==, "ready STOP ");
	tear_down(&fixture);
}

/* A line without an end ends the connection instead of filling memory. */
static void test_endless_line(void)
{
	struct fixture fixture;
	g_autofree char *block = g_strnfill(4096, 'x');
	size_t n_bytes = 0;
	set_up(&fixture);
	say(&fixture, OPENING);
	for (; fixture.client && n_bytes < 4 * QMP_TEXT_LINE_MAX_BYTES; n_bytes += 4096)
		say(&fixture, block);
	g_assert_cmpstr(fixture.seen->str, ==, "ready closed ");
	g_assert_cmpuint(n_bytes, >=, QMP_TEXT_LINE_MAX_BYTES);
	g_assert_cmpuint(n_bytes, <=, QMP_TEXT_LINE_MAX_BYTES + 2 * 4096);
	tear_down(&fixture);
}

static void test_hang_up(void)
{
	struct fixture fixture;
	set_up(&fixture);
	close(fixture.qemu);
	fixture.qemu = -1;
	run_loop();
	g_assert_cmpstr(fixture.seen->str, ==, "closed ");
	tear_down(&fixture);
}

/* What follows the event is not read any more. */
static void test_destroyed_by_handler(void)
{
	struct fixture fixture;
	set_up(&fixture);
	fixture.destroy_at_event = true;
	say(&fixture, OPENING "{\"event\":\"STOP\"}\n{\"event\":\"RESUME\"}\n");
	g_assert_cmpstr(fixture.seen->str, ==, "ready STOP ");
	tear_down(&fixture);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/qmp-client/line/%s", cases[i].name);
		g_test_add_data_func(path, &cases[i], test_line);
	}
	g_test_add_func("/qmp-client/conversation", test_conversation);
	g_test_add_func("/qmp-client/byte-by-byte", test_byte_by_byte);
	g_test_add_func("/qmp-client/endless-line", test_endless_line);
	g_test_add_func("/qmp-client/hang-up", test_hang_up);
	g_test_add_func("/qmp-client/destroyed-by-handler", test_destroyed_by_handler);
	return g_test_run();
}
