/* SPDX-License-Identifier: MIT */
/*
 * control: asks org.vitrine.Desktop1 of a machine whose QEMU is played, and looks at what QEMU is
 * asked, what is answered, and what is told to those who look on.
 */
#include "server/run/control.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/listen.h"
#include "protocol/desktop1.h"
#include "server/run/key_names.h"

#define PATIENCE_US (5 * G_USEC_PER_SEC)

struct fixture {
	char handed[64]; /* the last client that was to drive */
	char *folder, *qmp_path, *path;
	int listener, qemu;
	struct machine machine;
	struct control_server *control;
	VitrineDesktop1 *desktop;
	GString *told;
	bool is_ready, is_broken;
	int stop_within_s;
};

static void on_ready(void *user)
{
	struct fixture *fixture = user;
	fixture->is_ready = true;
}

static void on_event(void *user, const char *kind, const char *text)
{
	struct fixture *fixture = user;
	control_tell(fixture->control, kind, text);
}

static void on_broken(void *user)
{
	struct fixture *fixture = user;
	fixture->is_broken = true;
}

static void on_stop(void *user, unsigned within_s)
{
	struct fixture *fixture = user;
	fixture->stop_within_s = (int)within_s;
}

/* The first monitor shows two pixels, and there is no other. */
static void on_take(void *user, unsigned head, picture_call_done done, void *caller)
{
	struct fixture *fixture = user;
	const struct screenshot_answer answer = { .width = 2, .height = 1 };
	done(caller, head == 0 ? NULL : "no such monitor", &answer,
		head == 0 ? fixture->listener : -1);
}

static char *on_show(void *user)
{
	return g_strdup("{\"name\":\"one\"}");
}

static void on_told(VitrineDesktop1 *desktop, const char *kind, const char *text, gpointer user)
{
	struct fixture *fixture = user;
	g_string_append_printf(fixture->told, "%s ", kind);
}

static void on_made(GObject *source, GAsyncResult *result, gpointer user)
{
	struct fixture *fixture = user;
	fixture->desktop = vitrine_desktop1_proxy_new_finish(result, NULL);
	g_assert_nonnull(fixture->desktop);
	g_signal_connect(fixture->desktop, "event", G_CALLBACK(on_told), fixture);
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer user)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) connection =
		g_dbus_connection_new_for_address_finish(result, &error);
	g_assert_no_error(error);
	vitrine_desktop1_proxy_new(connection, G_DBUS_PROXY_FLAGS_NONE, NULL,
		"/org/vitrine/Desktop1", NULL, on_made, user);
}

#define AWAIT(condition)                                                                           \
	for (gint64 end_us = g_get_monotonic_time() + PATIENCE_US; !(condition);) {                \
		g_assert_cmpint(g_get_monotonic_time(), <, end_us);                                \
		g_main_context_iteration(NULL, FALSE);                                             \
	}

static void say(struct fixture *fixture, const char *text)
{
	ssize_t length = (ssize_t)strlen(text);
	g_assert_cmpint(send(fixture->qemu, text, (size_t)length, MSG_NOSIGNAL), ==, length);
}

/* Awaits one command of QEMU's, and gives its text. */
static char *hear(struct fixture *fixture)
{
	char bytes[1024];
	ssize_t n = -1;
	AWAIT((n = recv(fixture->qemu, bytes, sizeof(bytes) - 1, MSG_DONTWAIT)) > 0);
	bytes[n] = '\0';
	return g_strdup(bytes);
}

static void expect_command(struct fixture *fixture, const char *command)
{
	g_autofree char *heard = hear(fixture);
	g_assert_nonnull(strstr(heard, command));
}

static bool on_hand_over(void *user, const char *client)
{
	struct fixture *fixture = user;
	g_strlcpy(fixture->handed, client, sizeof(fixture->handed));
	return strcmp(client, "nobody:1") != 0;
}

static void set_up(struct fixture *fixture)
{
	const struct machine_events machine_events = { fixture, on_ready, on_event, on_broken,
		NULL };
	const struct control_events events = { fixture, on_stop, on_take, on_hand_over, on_show };
	g_autoptr(GError) error = NULL;
	*fixture = (struct fixture){ .folder = g_dir_make_tmp("vitrine-control-XXXXXX", NULL),
		.told = g_string_new(NULL),
		.qemu = -1,
		.stop_within_s = -1 };
	fixture->qmp_path = g_build_filename(fixture->folder, "qmp", NULL);
	fixture->path = g_build_filename(fixture->folder, "control", NULL);
	fixture->listener = listen_unix(fixture->qmp_path, NULL);
	machine_init(&fixture->machine, &machine_events);
	fixture->control = control_create(fixture->path, "one", &fixture->machine, &events, &error);
	g_assert_no_error(error);
	g_autofree char *address = g_strdup_printf("unix:path=%s", fixture->path);
	g_dbus_connection_new_for_address(address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT,
		NULL, NULL, on_connected, fixture);
	AWAIT(fixture->desktop);
}

/* QEMU answers: the machine runs. */
static void begin(struct fixture *fixture)
{
	machine_connect(&fixture->machine, fixture->qmp_path);
	AWAIT(fixture->machine.qmp);
	fixture->qemu = accept4(fixture->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	g_assert_cmpint(fixture->qemu, >=, 0);
	say(fixture, "{\"QMP\":{}}\n");
	expect_command(fixture, "qmp_capabilities");
	say(fixture, "{\"return\":{}}\n");
	AWAIT(fixture->is_ready);
	expect_command(fixture, "query-status");
	say(fixture, "{\"return\":{\"status\":\"running\"}}\n");
}

static void tear_down(struct fixture *fixture)
{
	g_object_unref(fixture->desktop);
	control_destroy(fixture->control);
	machine_finish(&fixture->machine);
	if (fixture->qemu >= 0)
		close(fixture->qemu);
	close(fixture->listener);
	g_unlink(fixture->qmp_path);
	g_unlink(fixture->path);
	g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
	g_free(fixture->qmp_path);
	g_free(fixture->path);
	g_free(fixture->folder);
	g_string_free(fixture->told, TRUE);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* ---- calls ---- */

struct answer {
	bool is_there;
	char *error; /* the D-Bus name; NULL: none */
};

static void on_answer(GObject *source, GAsyncResult *result, gpointer user)
{
	struct answer *answer = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) value = g_dbus_proxy_call_finish(G_DBUS_PROXY(source), result, &error);
	answer->is_there = true;
	answer->error = error ? g_dbus_error_get_remote_error(error) : NULL;
}

static void call(
	struct fixture *fixture, const char *method, GVariant *arguments, struct answer *answer)
{
	*answer = (struct answer){ 0 };
	g_dbus_proxy_call(G_DBUS_PROXY(fixture->desktop), method, arguments, G_DBUS_CALL_FLAGS_NONE,
		-1, NULL, on_answer, answer);
}

/* `command` is what QEMU is asked, and `reply` what it says; NULL: it is not asked. */
static void expect(struct fixture *fixture, const char *method, GVariant *arguments,
	const char *command, const char *reply, const char *error)
{
	struct answer answer;
	call(fixture, method, arguments, &answer);
	if (command)
		expect_command(fixture, command);
	if (reply)
		say(fixture, reply);
	AWAIT(answer.is_there);
	g_assert_cmpstr(answer.error, ==, error);
	g_free(answer.error);
}

#define DONE "{\"return\":{}}\n"
#define WRONG_STATE "org.vitrine.Error.WrongState"
#define NOT_UNDERSTOOD "org.vitrine.Error.NotUnderstood"

static GVariant *keys(const char *const *names, guint hold_ms)
{
	return g_variant_new("(^asu)", names, hold_ms);
}

static void test_before_qemu(void)
{
	struct fixture fixture;
	set_up(&fixture);
	g_assert_cmpstr(vitrine_desktop1_get_state(fixture.desktop), ==, "starting");
	g_assert_cmpstr(vitrine_desktop1_get_name(fixture.desktop), ==, "one");
	expect(&fixture, "Pause", NULL, NULL, NULL, WRONG_STATE);
	expect(&fixture, "Reset", NULL, NULL, NULL, "org.vitrine.Error.NotReady");
	tear_down(&fixture);
}

static void test_paused(void)
{
	struct fixture fixture;
	set_up(&fixture);
	begin(&fixture);
	expect(&fixture, "Pause", NULL, "\"stop\"", DONE, NULL);
	say(&fixture, "{\"event\":\"STOP\"}\n");
	expect_command(&fixture, "query-status");
	say(&fixture, "{\"return\":{\"status\":\"paused\"}}\n");
	AWAIT(strstr(fixture.told->str, "paused"));
	AWAIT(g_strcmp0(vitrine_desktop1_get_state(fixture.desktop), "paused") == 0);
	expect(&fixture, "Pause", NULL, NULL, NULL, WRONG_STATE);
	expect(&fixture, "SendKeys", keys((const char *const[]){ "a", NULL }, 0), NULL, NULL,
		WRONG_STATE);
	expect(&fixture, "Resume", NULL, "\"cont\"", DONE, NULL);
	say(&fixture, "{\"event\":\"RESUME\"}\n");
	AWAIT(g_strcmp0(vitrine_desktop1_get_state(fixture.desktop), "running") == 0);
	machine_set_driver(&fixture.machine, "2d");
	expect(&fixture, "Resume", NULL, NULL, NULL, WRONG_STATE);
	tear_down(&fixture);
}

static void test_refused(void)
{
	struct fixture fixture;
	set_up(&fixture);
	begin(&fixture);
	expect(&fixture, "Pause", NULL, "\"stop\"", "{\"error\":{\"desc\":\"no\"}}\n",
		"org.vitrine.Error.Refused");
	expect(&fixture, "Stop", g_variant_new("(u)", 86401), NULL, NULL, NOT_UNDERSTOOD);
	g_assert_cmpint(fixture.stop_within_s, ==, -1);
	expect(&fixture, "Stop", g_variant_new("(u)", 7), NULL, NULL, NULL);
	g_assert_cmpint(fixture.stop_within_s, ==, 7);
	/* QEMU goes while somebody waits. */
	struct answer answer;
	call(&fixture, "Reset", NULL, &answer);
	expect_command(&fixture, "system_reset");
	shutdown(fixture.qemu, SHUT_RDWR);
	AWAIT(answer.is_there);
	g_assert_cmpstr(answer.error, ==, "org.vitrine.Error.Refused");
	g_free(answer.error);
	tear_down(&fixture);
}

static void tell(struct fixture *fixture, enum ticket_event_kind kind)
{
	const struct ticket_event event = { .kind = kind, .text = "client x" };
	control_tell_keeper(fixture->control, &event);
}

/* It is answered when the keeper has told what came of it, one at a time. */
static void test_hand_over(void)
{
	struct fixture fixture;
	struct answer answer;
	set_up(&fixture);
	expect(&fixture, "HandOver", g_variant_new("(s)", "nobody:1"), NULL, NULL,
		"org.vitrine.Error.NotReady");
	call(&fixture, "HandOver", g_variant_new("(s)", "127.0.0.1:5"), &answer);
	AWAIT(strcmp(fixture.handed, "127.0.0.1:5") == 0);
	expect(&fixture, "HandOver", g_variant_new("(s)", ""), NULL, NULL, WRONG_STATE);
	tell(&fixture, TICKET_EVENT_CLIENT_CAME);
	g_assert_false(answer.is_there);
	tell(&fixture, TICKET_EVENT_CLIENT_DRIVES);
	AWAIT(answer.is_there);
	g_assert_cmpstr(answer.error, ==, NULL);
	AWAIT(strstr(fixture.told->str, "client-came client-drives"));
	call(&fixture, "HandOver", g_variant_new("(s)", "127.0.0.1:6"), &answer);
	AWAIT(strcmp(fixture.handed, "127.0.0.1:6") == 0);
	tell(&fixture, TICKET_EVENT_CLIENT_NOT_THERE);
	AWAIT(answer.is_there);
	g_assert_cmpstr(answer.error, ==, NOT_UNDERSTOOD);
	g_free(answer.error);
	/* A word that nobody waits for is none. */
	tell(&fixture, TICKET_EVENT_CLIENT_NOT_THERE);
	call(&fixture, "HandOver", g_variant_new("(s)", "127.0.0.1:7"), &answer);
	AWAIT(answer.is_there);
	g_assert_cmpstr(answer.error, ==, "org.vitrine.Error.NotReady");
	g_free(answer.error);
	tear_down(&fixture);
}

static void test_suspended(void)
{
	struct fixture fixture;
	set_up(&fixture);
	begin(&fixture);
	say(&fixture, "{\"event\":\"SUSPEND\"}\n");
	AWAIT(g_strcmp0(vitrine_desktop1_get_state(fixture.desktop), "suspended") == 0);
	expect(&fixture, "Resume", NULL, "system_wakeup", DONE, NULL);
	say(&fixture, "{\"event\":\"WAKEUP\"}\n{\"event\":\"RESET\",\"data\":{\"reason\":\"guest-"
		      "reset\"}}\n{\"event\":\"POWERDOWN\"}\n{\"event\":\"SHUTDOWN\"}\n");
	AWAIT(g_strcmp0(vitrine_desktop1_get_state(fixture.desktop), "off") == 0);
	AWAIT(strcmp(fixture.told->str, "suspended woken reset power-button off ") == 0);
	tear_down(&fixture);
}

static void test_driver(void)
{
	struct fixture fixture;
	set_up(&fixture);
	begin(&fixture);
	machine_set_driver(&fixture.machine, "firmware");
	machine_set_driver(&fixture.machine, NULL);
	machine_set_driver(&fixture.machine, "virgl");
	AWAIT(strcmp(fixture.told->str, "firmware-done driver-up ") == 0);
	AWAIT(g_strcmp0(vitrine_desktop1_get_driver(fixture.desktop), "virgl") == 0);
	/* As when the machine is paused and goes on. */
	machine_set_driver(&fixture.machine, NULL);
	machine_set_driver(&fixture.machine, "virgl");
	g_string_truncate(fixture.told, 0);
	machine_set_driver(&fixture.machine, NULL);
	AWAIT(strcmp(fixture.told->str, "driver-down ") == 0);
	/* It sleeps, and a key wakes it. */
	expect(&fixture, "Resume", NULL, "send-key", DONE, NULL);
	/* When the guest restarts the driver has stopped, too, and that is no news. */
	machine_set_driver(&fixture.machine, "virgl");
	machine_set_driver(&fixture.machine, NULL);
	say(&fixture, "{\"event\":\"RESET\"}\n");
	AWAIT(g_str_has_suffix(fixture.told->str, " reset "));
	g_assert_cmpuint(fixture.machine.down_timer, ==, 0);
	machine_set_driver(&fixture.machine, "nonsense");
	g_assert_cmpstr(fixture.machine.driver, ==, "firmware");
	tear_down(&fixture);
}

static void test_picture(void)
{
	struct fixture fixture;
	set_up(&fixture);
	begin(&fixture);
	expect(&fixture, "Screenshot", g_variant_new("(u)", 0), NULL, NULL, NULL);
	expect(&fixture, "Screenshot", g_variant_new("(u)", 1), NULL, NULL,
		"org.vitrine.Error.NoPicture");
	tear_down(&fixture);
}

static void test_broken(void)
{
	struct fixture fixture;
	set_up(&fixture);
	begin(&fixture);
	say(&fixture, "{\"event\":\"STOP\"}\n");
	expect_command(&fixture, "query-status");
	say(&fixture, "{\"return\":{\"status\":\"internal-error\"}}\n");
	AWAIT(fixture.is_broken);
	tear_down(&fixture);
}

static void test_keys(void)
{
	struct fixture fixture;
	set_up(&fixture);
	begin(&fixture);
	expect(&fixture, "SendKeys", keys((const char *const[]){ "Ctrl", "alt", "del", NULL }, 0),
		"{\"keys\":[{\"type\":\"qcode\",\"data\":\"ctrl\"},{\"type\":\"qcode\",\"data\":"
		"\"alt\"},{\"type\":\"qcode\",\"data\":\"delete\"}],\"hold-time\":100}",
		DONE, NULL);
	const char *const wrong[] = { "", "a b", "\"", "\n", "a,b",
		"a_name_that_is_longer_than_any_of_qemus" };
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		const char *const names[] = { "a", wrong[i], NULL };
		expect(&fixture, "SendKeys", keys(names, 0), NULL, NULL, NOT_UNDERSTOOD);
	}
	const char *many[KEY_NAMES_MAX + 2] = { NULL };
	expect(&fixture, "SendKeys", keys(many, 0), NULL, NULL, NOT_UNDERSTOOD);
	for (unsigned i = 0; i <= KEY_NAMES_MAX; i++)
		many[i] = "a";
	expect(&fixture, "SendKeys", keys(many, 0), NULL, NULL, NOT_UNDERSTOOD);
	expect(&fixture, "SendKeys", keys(many + 1, 10001), NULL, NULL, NOT_UNDERSTOOD);
	expect(&fixture, "SendKeys", keys(many + 1, 10000), "\"hold-time\":10000", DONE, NULL);
	tear_down(&fixture);
}

/* Most desktops end without anybody there, and then there is nothing to complain of. */
static void test_nobody(void)
{
	const struct machine_events machine_events = { NULL, on_ready, on_event, on_broken, NULL };
	const struct control_events events = { NULL, on_stop, on_take, on_hand_over, on_show };
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = g_dir_make_tmp("vitrine-control-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "control", NULL);
	g_autofree char *bad_path = g_build_filename(folder, "none", "control", NULL);
	struct machine machine;
	machine_init(&machine, &machine_events);
	struct control_server *control = control_create(path, "one", &machine, &events, &error);
	g_assert_no_error(error);
	control_tell(control, "ready", "nobody hears that");
	control_destroy(control);
	g_assert_null(control_create(bad_path, "one", &machine, &events, &error));
	g_assert_nonnull(error);
	machine_finish(&machine);
	g_unlink(path);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/control/nobody", test_nobody);
	g_test_add_func("/control/before-qemu", test_before_qemu);
	g_test_add_func("/control/paused", test_paused);
	g_test_add_func("/control/refused", test_refused);
	g_test_add_func("/control/suspended", test_suspended);
	g_test_add_func("/control/driver", test_driver);
	g_test_add_func("/control/broken", test_broken);
	g_test_add_func("/control/picture", test_picture);
	g_test_add_func("/control/keys", test_keys);
	g_test_add_func("/control/hand-over", test_hand_over);
	return g_test_run();
}
