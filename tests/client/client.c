/* SPDX-License-Identifier: MIT */
#include "tests/client/client.h"

#include <gio/gio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

struct client {
	GSubprocess *process;
	GDataInputStream *output;
	bool connected, brief;
};

static const char *trusted, *called;
static bool lends_devices;

void client_lend(bool lends)
{
	lends_devices = lends;
}

void client_trust(const char *certificate_path)
{
	trusted = certificate_path;
}

void client_call(const char *name)
{
	called = name;
}

static void die_with_the_test(gpointer user)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

struct client *client_new_idle(const char *address, const char *password)
{
	struct client *client = g_new0(struct client, 1);
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
	g_autoptr(GError) error = NULL;
	g_autofree char *password_option =
		g_strdup_printf("--password=%s", password ? password : "");
	g_autofree char *ca_option =
		trusted ? g_strdup_printf("--ca-file=%s", trusted) : g_strdup("--no-connect");
	g_autofree char *name_option = g_strdup_printf("--username=%s", called ? called : "");
	const char *program = g_getenv("SPICE_PROBE");

	g_assert_nonnull(program);
	g_subprocess_launcher_set_child_setup(launcher, die_with_the_test, NULL, NULL);
	client->process = g_subprocess_launcher_spawn(launcher, &error, program, "--no-connect",
		"--connect-timeout-ms=20000", "--key-interval-ms=2", ca_option, name_option,
		lends_devices ? "--devices" : "--no-connect", address,
		password ? password_option : NULL, NULL);
	g_assert_no_error(error);
	client->output = g_data_input_stream_new(g_subprocess_get_stdout_pipe(client->process));
	return client;
}

struct client *client_new(const char *address, const char *password)
{
	struct client *client = client_new_idle(address, password);
	g_autofree char *answer = client_ask(client, "reconnect");

	client->connected = answer_is_ok(answer);
	if (!client->connected)
		g_test_message("client: %s", answer);
	return client;
}

pid_t client_pid(const struct client *client)
{
	const char *pid = g_subprocess_get_identifier(client->process);

	return pid ? (pid_t)strtol(pid, NULL, 10) : 0;
}

bool client_is_connected(struct client *client)
{
	return client->connected;
}

void client_be_brief(struct client *client)
{
	client->brief = true;
}

void client_kill(struct client *client)
{
	g_subprocess_send_signal(client->process, SIGKILL);
	client_free(client);
}

void client_free(struct client *client)
{
	g_output_stream_close(g_subprocess_get_stdin_pipe(client->process), NULL, NULL);
	g_subprocess_wait(client->process, NULL, NULL);
	g_object_unref(client->output);
	g_object_unref(client->process);
	g_free(client);
}

static void client_write(struct client *client, const char *format, va_list values)
{
	g_autoptr(GString) line = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	g_string_append_vprintf(line, format, values);
	if (!client->brief)
		g_test_message("> %s", line->str);
	g_string_append_c(line, '\n');
	g_output_stream_write_all(g_subprocess_get_stdin_pipe(client->process), line->str,
		line->len, NULL, NULL, &error);
	g_assert_no_error(error);
}

char *client_answer(struct client *client)
{
	g_autoptr(GError) error = NULL;
	char *answer = g_data_input_stream_read_line(client->output, NULL, NULL, &error);

	g_assert_no_error(error);
	g_assert_nonnull(answer);
	if (!client->brief)
		g_test_message("< %s", answer);
	return answer;
}

bool client_has_answer(struct client *client)
{
	GPollableInputStream *pipe =
		G_POLLABLE_INPUT_STREAM(g_subprocess_get_stdout_pipe(client->process));

	return g_buffered_input_stream_get_available(G_BUFFERED_INPUT_STREAM(client->output)) > 0 ||
	       g_pollable_input_stream_is_readable(pipe);
}

void client_send(struct client *client, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	client_write(client, format, values);
	va_end(values);
}

char *client_ask(struct client *client, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	client_write(client, format, values);
	va_end(values);
	return client_answer(client);
}

char *client_run(struct client *client, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	client_write(client, format, values);
	va_end(values);
	char *answer = client_answer(client);
	if (!answer_is_ok(answer))
		g_printerr("client: %s\n", answer);
	g_assert_true(answer_is_ok(answer));
	return answer;
}

bool answer_is_ok(const char *answer)
{
	return g_str_has_prefix(answer, "{\"ok\":true");
}

/*
 * We search for the key as text, since the probe's answers are flat enough and json-glib would be
 * one more thing to install.
 */
static const char *answer_find(const char *answer, const char *key)
{
	g_autofree char *pattern = g_strdup_printf("\"%s\":", key);
	const char *place = strstr(answer, pattern);

	return place ? place + strlen(pattern) : NULL;
}

gint64 answer_int(const char *answer, const char *key)
{
	const char *value = answer_find(answer, key);

	g_assert_nonnull(value);
	return strncmp(value, "true", 4) == 0 ? 1 : g_ascii_strtoll(value, NULL, 10);
}

char *answer_text(const char *answer, const char *key)
{
	const char *value = answer_find(answer, key);

	if (!value || *value != '"')
		return NULL;
	return g_strndup(value + 1, strcspn(value + 1, "\""));
}
