/* SPDX-License-Identifier: MIT */
/*
 * tickets: has stock clients come with passwords and tickets of several kinds. Who may only look on
 * sees the guest and changes nothing; a ticket serves all channels of one session. In TLS they log
 * in by SASL, where users have names.
 */
#include <glib/gstdio.h>
#include <unistd.h>

#include "tests/client/fixture.h"

#define LINE_MS 5000
/* Nothing has come so many milliseconds after it would have. */
#define QUIET_MS 700

static void start(struct fixture *fixture, uint32_t name, uint32_t flags, const char *ticket)
{
	const struct fake_desktop_options options = { .ticket = "all of it" };
	fixture_start(fixture, 640, 480, &options);
	fake_desktop_give_ticket(fixture->desktop, name, flags, ticket);
}

static void come(struct fixture *fixture, const char *ticket)
{
	fixture->client = client_new(fake_desktop_address(fixture->desktop), ticket);
	g_assert_true(client_is_connected(fixture->client));
	g_assert_true(fake_render_wait_rate(fixture->render, 0, true, 20000));
	fixture_expect_canvas(fixture);
}

static void leave(struct fixture *fixture)
{
	g_clear_pointer(&fixture->client, client_free);
	g_assert_true(fake_render_wait_rate(fixture->render, 0, false, 20000));
}

static void expect_refused(struct fixture *fixture, const char *ticket)
{
	struct client *client = client_new(fake_desktop_address(fixture->desktop), ticket);
	g_assert_false(client_is_connected(client));
	client_free(client);
}

static void type(struct fixture *fixture)
{
	g_free(client_ask(fixture->client, "move 5 5"));
	g_free(client_ask(fixture->client, "key 1e"));
	g_free(client_ask(fixture->client, "click 10 10 left"));
}

static void expect_typed(struct fixture *fixture)
{
	g_free(fake_qemu_take_record(fixture->qemu));
	type(fixture);
	g_assert_true(fake_qemu_wait_line(fixture->qemu, "key release 30", LINE_MS));
}

static void expect_nothing_typed(struct fixture *fixture)
{
	g_free(fake_qemu_take_record(fixture->qemu));
	for (unsigned i = 0; i < 10; i++)
		type(fixture);
	g_usleep(QUIET_MS * 1000);
	g_autofree char *record = fake_qemu_take_record(fixture->qemu);
	g_assert_cmpstr(record, ==, "");
}

static void test_view_only(void)
{
	struct fixture fixture;
	start(&fixture, KEEPER_TICKET_VIEW_PASSWORD, KEEPER_TICKET_VIEW_ONLY, "look");
	come(&fixture, "look");
	expect_nothing_typed(&fixture);
	canvas_noise(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 2);
	fake_render_flush_all(fixture.render, 0);
	fixture_expect_canvas(&fixture);
	/* A second one who looks on takes the first one's place, as clients do. */
	struct client *first = fixture.client;
	come(&fixture, "look");
	client_free(first);
	leave(&fixture);
	/* Who may do more keeps it. */
	come(&fixture, "all of it");
	expect_typed(&fixture);
	expect_refused(&fixture, "look");
	expect_typed(&fixture);
	fixture_expect_canvas(&fixture);
	leave(&fixture);
	come(&fixture, "look");
	expect_nothing_typed(&fixture);
	fixture_stop(&fixture);
}

static void test_once(void)
{
	struct fixture fixture;
	start(&fixture, KEEPER_TICKET_FIRST_GIVEN, KEEPER_TICKET_ONCE, "once");
	expect_refused(&fixture, "never");
	g_assert_cmpuint(fake_desktop_used_ticket(fixture.desktop), ==, 0);
	come(&fixture, "once");
	g_assert_cmpuint(fake_desktop_used_ticket(fixture.desktop), ==, KEEPER_TICKET_FIRST_GIVEN);
	expect_typed(&fixture);
	expect_refused(&fixture, "once");
	expect_typed(&fixture);
	leave(&fixture);
	expect_refused(&fixture, "once");
	g_assert_true(fake_desktop_wait_log(fixture.desktop, "the ticket has been used", LINE_MS));
	come(&fixture, "all of it");
	fixture_stop(&fixture);
}

/* A ticket that was used in a display before this one is used up here, too. */
static void test_used_before(void)
{
	struct fixture fixture;
	start(&fixture, KEEPER_TICKET_FIRST_GIVEN, KEEPER_TICKET_ONCE | KEEPER_TICKET_SPENT,
		"once");
	expect_refused(&fixture, "once");
	g_assert_true(fake_desktop_wait_log(fixture.desktop, "the ticket has been used", LINE_MS));
	fake_desktop_give_ticket(
		fixture.desktop, KEEPER_TICKET_FIRST_GIVEN + 1, KEEPER_TICKET_ONCE, "another");
	come(&fixture, "another");
	fixture_stop(&fixture);
}

/* A password that is changed or taken back is for those who come: who is in stays. */
static void test_changed(void)
{
	struct fixture fixture;
	start(&fixture, KEEPER_TICKET_VIEW_PASSWORD, KEEPER_TICKET_VIEW_ONLY, "look");
	come(&fixture, "all of it");
	fake_desktop_give_ticket(fixture.desktop, KEEPER_TICKET_PASSWORD, 0, "another");
	fake_desktop_give_ticket(fixture.desktop, KEEPER_TICKET_VIEW_PASSWORD, 0, NULL);
	expect_refused(&fixture, "all of it");
	expect_refused(&fixture, "look");
	expect_typed(&fixture);
	leave(&fixture);
	come(&fixture, "another");
	fixture_stop(&fixture);
}

/* ---- users, in TLS ---- */

static void start_users(struct fixture *fixture)
{
	const struct fake_desktop_options options = { .tls = true, .ticket = "all of it" };
	fixture_start(fixture, 640, 480, &options);
	struct fake_desktop *desktop = fixture->desktop;
	fake_desktop_give_user(desktop, KEEPER_TICKET_PASSWORD, 0, "desktop", "all of it");
	fake_desktop_give_user(
		desktop, KEEPER_TICKET_FIRST_USER, KEEPER_TICKET_NAMED, "alice", "wonderland");
	fake_desktop_give_user(desktop, KEEPER_TICKET_FIRST_USER + 1,
		KEEPER_TICKET_NAMED | KEEPER_TICKET_VIEW_ONLY, "bob", "look");
	client_trust(fake_desktop_certificate(desktop));
}

static void stop_users(struct fixture *fixture)
{
	client_trust(NULL);
	client_call(NULL);
	fixture_stop(fixture);
}

static void come_as(struct fixture *fixture, const char *name, const char *secret)
{
	g_autofree char *line = g_strdup_printf(": came as %s", name);
	client_call(name);
	come(fixture, secret);
	g_assert_true(fake_desktop_wait_log(fixture->desktop, line, LINE_MS));
}

static void expect_refused_as(struct fixture *fixture, const char *name, const char *secret)
{
	client_call(name);
	expect_refused(fixture, secret);
	g_autofree char *line = g_strdup_printf("as \"%s\": wrong name or password", name);
	g_assert_true(fake_desktop_wait_log(fixture->desktop, line, LINE_MS));
}

/* A stock client chooses SCRAM, for each of its channels. */
static void test_users(void)
{
	struct fixture fixture;
	start_users(&fixture);
	come_as(&fixture, "alice", "wonderland");
	expect_typed(&fixture);
	leave(&fixture);
	come_as(&fixture, "bob", "look");
	g_assert_true(
		fake_desktop_wait_log(fixture.desktop, ": came as bob, to look only\n", LINE_MS));
	expect_nothing_typed(&fixture);
	canvas_noise(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 3);
	fake_render_flush_all(fixture.render, 0);
	fixture_expect_canvas(&fixture);
	leave(&fixture);
	come_as(&fixture, "desktop", "all of it");
	expect_typed(&fixture);
	leave(&fixture);
	expect_refused_as(&fixture, "alice", "look");
	expect_refused_as(&fixture, "carol", "wonderland");
	/* Who gives no name is asked for one. */
	client_call(NULL);
	expect_refused(&fixture, "all of it");
	stop_users(&fixture);
}

/* A user who has gone, or has another password, stays who is in and does not come again. */
static void test_users_changed(void)
{
	struct fixture fixture;
	start_users(&fixture);
	come_as(&fixture, "alice", "wonderland");
	fake_desktop_give_user(fixture.desktop, KEEPER_TICKET_FIRST_USER, KEEPER_TICKET_NAMED,
		"alice", "cheshire");
	fake_desktop_give_user(
		fixture.desktop, KEEPER_TICKET_FIRST_USER + 1, KEEPER_TICKET_NAMED, "", NULL);
	expect_refused_as(&fixture, "alice", "wonderland");
	expect_refused_as(&fixture, "bob", "look");
	expect_typed(&fixture);
	leave(&fixture);
	come_as(&fixture, "alice", "cheshire");
	stop_users(&fixture);
}

/* A ticket's name is its beginning; all of the session's channels come with it. */
static void test_users_once(void)
{
	struct fixture fixture;
	start_users(&fixture);
	fake_desktop_give_user(fixture.desktop, KEEPER_TICKET_FIRST_GIVEN, KEEPER_TICKET_ONCE,
		"abcdef", "abcdefghijkm");
	come_as(&fixture, "abcdef", "abcdefghijkm");
	expect_typed(&fixture);
	leave(&fixture);
	expect_refused(&fixture, "abcdefghijkm");
	g_assert_true(fake_desktop_wait_log(fixture.desktop, "the ticket has been used", LINE_MS));
	stop_users(&fixture);
}

/* Names may look like addresses, and passwords have what SCRAM's own messages are made of. */
static void test_users_odd(void)
{
	struct fixture fixture;
	start_users(&fixture);
	fake_desktop_give_user(fixture.desktop, KEEPER_TICKET_FIRST_USER, KEEPER_TICKET_NAMED,
		"A.b-c_d@example.org", " p,=n,,\"\\%s:@ ");
	come_as(&fixture, "A.b-c_d@example.org", " p,=n,,\"\\%s:@ ");
	expect_typed(&fixture);
	leave(&fixture);
	expect_refused_as(&fixture, "A.b-c_d", " p,=n,,\"\\%s:@ ");
	expect_refused_as(&fixture, "A.b-c_d@example.org", "p,=n,,\"\\%s:@");
	stop_users(&fixture);
}

/* A client whose library knows PLAIN alone says its password, in TLS. */
static void test_users_plain(void)
{
	struct fixture fixture;
	g_autofree char *folder = g_dir_make_tmp("vitrine-sasl-XXXXXX", NULL);
	g_autofree char *plugin = g_build_filename(folder, "libplain.so", NULL);
	g_autofree char *system = g_build_filename(g_getenv("SASL_PLUGINS"), "libplain.so", NULL);
	g_assert_cmpint(symlink(system, plugin), ==, 0);
	start_users(&fixture);
	g_setenv("SASL_PATH", folder, TRUE);
	come_as(&fixture, "alice", "wonderland");
	expect_typed(&fixture);
	leave(&fixture);
	expect_refused_as(&fixture, "alice", "wonder");
	fake_desktop_give_user(fixture.desktop, KEEPER_TICKET_FIRST_USER, KEEPER_TICKET_NAMED,
		"alice@example.org", "won:der, land");
	come_as(&fixture, "alice@example.org", "won:der, land");
	leave(&fixture);
	g_unsetenv("SASL_PATH");
	stop_users(&fixture);
	g_unlink(plugin);
	g_rmdir(folder);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/tickets/view-only", test_view_only);
	g_test_add_func("/tickets/once", test_once);
	g_test_add_func("/tickets/used-before", test_used_before);
	g_test_add_func("/tickets/changed", test_changed);
	g_test_add_func("/tickets/users", test_users);
	g_test_add_func("/tickets/users-changed", test_users_changed);
	g_test_add_func("/tickets/users-once", test_users_once);
	g_test_add_func("/tickets/users-odd", test_users_odd);
	g_test_add_func("/tickets/users-plain", test_users_plain);
	return g_test_run();
}
