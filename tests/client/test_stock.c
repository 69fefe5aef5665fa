/* SPDX-License-Identifier: MIT */
/*
 * stock: has stock WebSocket libraries, which keep RFC 6455 as their authors read it, come to a
 * desktop: they keep and break its rules by hand, and carry a whole client.
 */
#include "tests/client/bridge.h"
#include "tests/client/fixture.h"

#include <string.h>

#define ANSWER_MS 10000

static const struct library {
	const char *module, *package;
} libraries[] = {
	{ "websockets", "python3-websockets" },
	{ "websocket", "python3-websocket" },
};

static bool is_there(const struct library *library)
{
	if (bridge_find_python(library->module))
		return true;
	g_autofree char *why = g_strdup_printf("no %s here", library->package);
	g_test_skip(why);
	return false;
}

/* ---- rules ---- */

static void run_rules(struct fixture *fixture, const struct library *library)
{
	g_autofree char *port = g_strdup_printf("%u", fake_desktop_port(fixture->desktop));
	const char *words[] = { port, library->module, fake_desktop_certificate(fixture->desktop),
		NULL };
	struct bridge script;
	char *line;

	bridge_run(
		&script, bridge_find_python(library->module), g_getenv("STOCK_WEBSOCKET"), words);
	while (strcmp(line = bridge_read_line(&script), "waiting") != 0) {
		g_test_message("%s: %s", library->module, line);
		g_assert_true(g_str_has_prefix(line, "ok "));
		g_free(line);
	}
	g_free(line);
	fixture_stop(fixture);
	line = bridge_read_line(&script);
	g_assert_cmpstr(line, ==, "end 1001 clean");
	g_free(line);
	bridge_stop(&script);
}

static void rules_test(const struct library *library, bool tls)
{
	const struct fake_desktop_options options = { .tls = tls };
	struct fixture fixture;

	if (!is_there(library))
		return;
	fixture_start(&fixture, 640, 480, &options);
	run_rules(&fixture, library);
}

static void test_rules(gconstpointer user)
{
	rules_test(user, false);
}

static void test_rules_in_tls(gconstpointer user)
{
	rules_test(user, true);
}

/* ---- a client ---- */

static void exchange_pictures(struct fixture *fixture)
{
	for (int i = 0; i < 4; i++) {
		canvas_noise(fixture_canvas(fixture), canvas_all(fixture_canvas(fixture)), 70 + i);
		fake_render_flush_all(fixture->render, 0);
		fixture_expect_canvas(fixture);
	}
}

static void test_client(gconstpointer user)
{
	const struct library *library = user;
	struct fixture fixture;
	struct bridge bridge;

	if (!is_there(library))
		return;
	fixture_start(&fixture, 640, 480, NULL);
	bridge_start(&bridge, fixture.desktop, library->module);
	fixture.client = client_new(bridge.address, NULL);
	g_assert_true(client_is_connected(fixture.client));
	g_assert_true(fake_render_wait_rate(fixture.render, 0, true, ANSWER_MS));
	exchange_pictures(&fixture);
	/* The moves take long enough for pings to come among them. */
	for (int i = 0; i < 150; i++)
		g_free(client_run(fixture.client, "move %d %d", 10 + i, 20 + i));
	exchange_pictures(&fixture);
	g_clear_pointer(&fixture.client, client_free);
	bridge_stop(&bridge);
	fixture_stop(&fixture);
}

static void add(const char *what, const struct library *library, GTestDataFunc test)
{
	g_autofree char *path = g_strdup_printf("/stock/%s/%s", library->module, what);
	g_test_add_data_func(path, library, test);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	for (unsigned i = 0; i < G_N_ELEMENTS(libraries); i++) {
		add("rules", &libraries[i], test_rules);
		add("rules-in-tls", &libraries[i], test_rules_in_tls);
		add("client", &libraries[i], test_client);
	}
	return g_test_run();
}
