/* SPDX-License-Identifier: MIT */
/*
 * phases: raises every event in every phase of a relayed connection. The tests are made from the
 * machine's own table: an event that it knows leads to where it says, one that it does not know
 * ends this connection with a message, and in no case does anything stay open. Events by which a
 * phase says that it has done its work are raised by the way to each phase (ends_rig.h).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/peer_log.h"
#include "display/relay/inner_maker.h"
#include "display/relay/phases.h"
#include "tests/unit/display/relay/ends_rig.h"
#include "tests/unit/display/relay/own_credentials.h"

#define SOON_US (30 * 1000)

static const char *const event_names[EVENTS] = {
	[EVENT_DONE] = "done",
	[EVENT_HTTP] = "http",
	[EVENT_REFUSED] = "refused",
	[EVENT_PASS] = "pass",
	[EVENT_SASL] = "sasl",
	[EVENT_DISPLAY] = "display",
	[EVENT_CLIENT_ENDED] = "client-ended",
	[EVENT_CLIENT_BYE] = "client-bye",
	[EVENT_CLIENT_GONE] = "client-gone",
	[EVENT_CLIENT_WRONG] = "client-wrong",
	[EVENT_SERVER_GONE] = "server-gone",
	[EVENT_SERVER_ENDED] = "server-ended",
	[EVENT_LATE] = "late",
	[EVENT_QUIT] = "quit",
};

static struct tls_credentials *credentials;

void __wrap_peer_warning(enum peer peer, const char *format, ...) G_GNUC_PRINTF(2, 3);

void __wrap_peer_warning(enum peer peer, const char *format, ...)
{
}

/* The way to a phase raises the events that lead there. */
static bool is_tested(enum place place, enum event event)
{
	bool ends = event >= EVENT_CLIENT_ENDED || event == EVENT_REFUSED;
	return ends || connection_next(ends_rig_phase(place), event) == PHASE_NONE;
}

static unsigned count_descriptors(void)
{
	unsigned n = 0;
	g_autoptr(GDir) folder = g_dir_open("/proc/self/fd", 0, NULL);
	while (g_dir_read_name(folder))
		n++;
	return n;
}

/* An action may have led further by an event of its own, but never back. */
static void check_next(const struct ends_rig *rig, enum phase before, enum phase wanted)
{
	enum phase phase = rig->connection->phase;
	g_assert_cmpint(phase, !=, PHASE_NONE);
	g_assert_true(phase == wanted || phase > before);
	g_assert_cmpint(rig->over, ==, phase == PHASE_OVER);
}

static void raise_event(struct ends_rig *rig, enum event event)
{
	struct connection *connection = rig->connection;
	enum phase before = connection->phase, wanted = connection_next(before, event);
	connection->why = "a test says so";
	if (wanted == PHASE_NONE)
		g_test_expect_message(
			"vitrine-display", G_LOG_LEVEL_CRITICAL, "*cut off: event * in phase *");
	connection_event(connection, event);
	g_test_assert_expected_messages();
	check_next(rig, before, wanted == PHASE_NONE ? PHASE_OVER : wanted);
	g_assert_true(wanted != PHASE_NONE || rig->over);
}

static void test_event(gconstpointer user)
{
	unsigned pair = GPOINTER_TO_UINT(user);
	enum place place = pair / EVENTS;
	enum event event = pair % EVENTS;
	struct ends_rig rig;
	unsigned n_descriptors = count_descriptors();
	ends_rig_start(&rig, place, credentials);
	raise_event(&rig, event);
	if (!rig.over)
		ends_rig_pump(&rig, SOON_US);
	if (!rig.over)
		connection_end(rig.connection);
	ends_rig_stop(&rig);
	g_assert_cmpuint(count_descriptors(), ==, n_descriptors);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	if (!inner_maker_start(NULL, NULL) || !inner_maker_is_ready(NULL))
		return EXIT_FAILURE;
	g_assert_true(sasl_talk_load());
	credentials = own_credentials_create();
	/* The main context keeps a descriptor of its own from its first use on. */
	g_main_context_iteration(NULL, FALSE);
	for (unsigned pair = 0; pair < PLACES * EVENTS; pair++) {
		g_autofree char *path = g_strdup_printf("/relay-phases/%s/%s",
			ends_rig_name(pair / EVENTS), event_names[pair % EVENTS]);
		if (is_tested(pair / EVENTS, pair % EVENTS))
			g_test_add_data_func(path, GUINT_TO_POINTER(pair), test_event);
	}
	int result = g_test_run();
	tls_credentials_unref(credentials);
	return result;
}
