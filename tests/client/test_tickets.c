/* SPDX-License-Identifier: MIT */
/*
 * tickets: has stock clients come with passwords and tickets of several kinds. Who may only look on
 * sees the guest and changes nothing; a ticket serves all channels of one session.
 */
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
	come(&fixture, "once");
	expect_typed(&fixture);
	expect_refused(&fixture, "once");
	expect_typed(&fixture);
	leave(&fixture);
	expect_refused(&fixture, "once");
	g_assert_true(fake_desktop_wait_log(fixture.desktop, "the ticket has been used", LINE_MS));
	come(&fixture, "all of it");
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

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/tickets/view-only", test_view_only);
	g_test_add_func("/tickets/once", test_once);
	g_test_add_func("/tickets/changed", test_changed);
	return g_test_run();
}
