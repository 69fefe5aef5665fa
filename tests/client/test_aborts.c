/* SPDX-License-Identifier: MIT */
/*
 * aborts: has clients say what spice-server 0.15.1 aborts at, all of it, or uses after freeing it
 * (docs/spice-aborts.md). Whoever says it may be cut off. Display lives, and serves the next one at
 * once.
 */
#include "tests/client/fixture.h"
#include "tests/client/stranger.h"

#include <spice/enums.h>
#include <spice/protocol.h>
#include <spice/vd_agent.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOON_US 60000
#define SERVED_MS 3000

/* All share one display. */
static struct fixture shared;

/* ---- what they do ---- */

static void say_twice(struct stranger *stranger)
{
	const uint8_t init[14] = { 0 };
	uint8_t body[64];
	uint16_t type;
	for (unsigned i = 0; i < 3; i++)
		stranger_hear_message(stranger->display, &type, body, sizeof(body));
	stranger_say_message(stranger->display, SPICE_MSGC_DISPLAY_INIT, init, sizeof(init));
}

/* A window that is larger than any gives no dictionary, which is asserted to be one. */
static void wide_window(struct stranger *stranger)
{
	const uint8_t init[14] = { [13] = 0x7f };
	close(stranger->display);
	g_usleep(SOON_US);
	stranger->display = stranger_open(shared.desktop, SPICE_CHANNEL_DISPLAY, stranger->session);
	stranger_say_message(stranger->display, SPICE_MSGC_DISPLAY_INIT, init, sizeof(init));
}

static void say_everywhere(struct stranger *stranger, uint16_t type, uint32_t body_bytes)
{
	static const uint8_t channels[] = { SPICE_CHANNEL_INPUTS, SPICE_CHANNEL_CURSOR,
		SPICE_CHANNEL_PLAYBACK };
	static const uint8_t body[256];
	int fds[G_N_ELEMENTS(channels)];
	for (unsigned i = 0; i < G_N_ELEMENTS(channels); i++) {
		fds[i] = stranger_open(shared.desktop, channels[i], stranger->session);
		g_usleep(SOON_US);
		stranger_say_message(fds[i], type, body, body_bytes);
	}
	stranger_say_message(stranger->display, type, body, body_bytes);
	stranger_say_message(stranger->main, type, body, body_bytes);
	g_usleep(SOON_US);
	for (unsigned i = 0; i < G_N_ELEMENTS(channels); i++)
		close(fds[i]);
}

static void flush_mark(struct stranger *stranger)
{
	say_everywhere(stranger, SPICE_MSGC_MIGRATE_FLUSH_MARK, 0);
}

static void migrate_data(struct stranger *stranger)
{
	say_everywhere(stranger, SPICE_MSGC_MIGRATE_DATA, 200);
}

static void seamless(struct stranger *stranger)
{
	const uint32_t version = 1;
	stranger_say_message(
		stranger->main, SPICE_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS, &version, sizeof(version));
}

static void migrated(struct stranger *stranger)
{
	stranger_say_message(stranger->main, SPICE_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS, NULL, 0);
	stranger_say_message(stranger->main, SPICE_MSGC_MAIN_MIGRATE_END, NULL, 0);
}

/* A main channel that names a session says that it comes from another host. */
static void migrates_here(struct stranger *stranger)
{
	uint32_t result = SPICE_LINK_ERR_OK;
	int fd = stranger_go_until(
		shared.desktop, SPICE_CHANNEL_MAIN, stranger->session, STRANGER_TICKET);
	g_assert_true(stranger_hear(fd, &result, sizeof(result)));
	g_assert_cmpuint(result, ==, SPICE_LINK_ERR_BAD_CONNECTION_ID);
	close(fd);
}

/* ---- what they say to the agent ---- */

static void start_agent(int fd)
{
	const uint32_t tokens = 10;
	stranger_say_message(fd, SPICE_MSGC_MAIN_AGENT_START, &tokens, sizeof(tokens));
}

static void token_first(struct stranger *stranger)
{
	const uint32_t tokens = 10;
	stranger_say_message(stranger->main, SPICE_MSGC_MAIN_AGENT_TOKEN, &tokens, sizeof(tokens));
}

struct monitors {
	VDAgentMessage message;
	VDAgentMonitorsConfig config;
	VDAgentMonConfig monitor;
} __attribute__((packed));

static struct monitors one_monitor(void)
{
	return (struct monitors){
		.message = { .protocol = VD_AGENT_PROTOCOL,
			.type = VD_AGENT_MONITORS_CONFIG,
			.size = sizeof(VDAgentMonitorsConfig) + sizeof(VDAgentMonConfig) },
		.config.num_of_monitors = 1,
		.monitor = { 480, 640, 32, 0, 0 },
	};
}

static void many_monitors(struct stranger *stranger)
{
	struct monitors monitors = one_monitor();
	monitors.config.num_of_monitors = 1000;
	start_agent(stranger->main);
	stranger_say_message(
		stranger->main, SPICE_MSGC_MAIN_AGENT_DATA, &monitors, sizeof(monitors));
}

static void endless_monitors(struct stranger *stranger)
{
	struct monitors monitors = one_monitor();
	monitors.message.size = UINT32_MAX;
	start_agent(stranger->main);
	stranger_say_message(
		stranger->main, SPICE_MSGC_MAIN_AGENT_DATA, &monitors, sizeof(monitors));
}

/* There is no buffer for what is empty, and it is asserted that there is. */
static void empty_part(struct stranger *stranger)
{
	const VDAgentMessage message = {
		.protocol = VD_AGENT_PROTOCOL, .type = VD_AGENT_CLIPBOARD, .size = 1000
	};
	start_agent(stranger->main);
	stranger_say_message(stranger->main, SPICE_MSGC_MAIN_AGENT_DATA, &message, sizeof(message));
	stranger_say_message(stranger->main, SPICE_MSGC_MAIN_AGENT_DATA, NULL, 0);
}

/* Another takes over while a message is under way, and says one, too. */
static void take_over(struct stranger *stranger)
{
	struct stranger other;
	struct monitors monitors = one_monitor();
	g_usleep(SOON_US);
	stranger_connect_main(&other, shared.desktop);
	start_agent(other.main);
	stranger_say_message(other.main, SPICE_MSGC_MAIN_AGENT_DATA, &monitors, sizeof(monitors));
	g_usleep(SOON_US);
	close(other.main);
}

static void half_part(struct stranger *stranger)
{
	const SpiceMiniDataHeader header = { SPICE_MSGC_MAIN_AGENT_DATA, 1000 };
	struct monitors monitors = one_monitor();
	start_agent(stranger->main);
	stranger_say(stranger->main, &header, sizeof(header));
	stranger_say(stranger->main, &monitors, sizeof(monitors));
	take_over(stranger);
}

static void half_monitors(struct stranger *stranger)
{
	struct monitors monitors = one_monitor();
	start_agent(stranger->main);
	stranger_say_message(stranger->main, SPICE_MSGC_MAIN_AGENT_DATA, &monitors,
		offsetof(struct monitors, monitor));
	take_over(stranger);
}

/* ---- channels ---- */

static void no_codecs(struct stranger *stranger)
{
	g_usleep(SOON_US);
	stranger_say_message(
		stranger->display, SPICE_MSGC_DISPLAY_PREFERRED_VIDEO_CODEC_TYPE, "\0\1", 2);
}

static void doubled(struct stranger *stranger)
{
	static const uint8_t channels[] = { SPICE_CHANNEL_DISPLAY, SPICE_CHANNEL_INPUTS };
	int inputs = stranger_open(shared.desktop, SPICE_CHANNEL_INPUTS, stranger->session);
	for (unsigned i = 0; i < G_N_ELEMENTS(channels); i++) {
		uint32_t result = SPICE_LINK_ERR_OK;
		int fd = stranger_go_until(
			shared.desktop, channels[i], stranger->session, STRANGER_TICKET);
		g_assert_true(stranger_hear(fd, &result, sizeof(result)));
		g_assert_cmpuint(result, !=, SPICE_LINK_ERR_OK);
		close(fd);
	}
	close(inputs);
}

static void unknown_types(struct stranger *stranger)
{
	for (unsigned channel = 0; channel < 256;
		channel = channel < 16 ? channel + 1 : channel * 2 - 1) {
		SpiceLinkHeader header;
		SpiceLinkReply reply = { 0 };
		if (channel >= SPICE_CHANNEL_MAIN && channel <= SPICE_CHANNEL_RECORD)
			continue;
		int fd = stranger_go_until(
			shared.desktop, (uint8_t)channel, stranger->session, STRANGER_LINK);
		g_assert_true(stranger_hear(fd, &header, sizeof(header)));
		g_assert_true(stranger_hear(fd, &reply, sizeof(reply)));
		g_assert_cmpuint(reply.error, ==, SPICE_LINK_ERR_CHANNEL_NOT_AVAILABLE);
		close(fd);
	}
}

/* Half a message of every kind, and then the end, one way or the other. */
static void half_messages(struct stranger *stranger)
{
	static const uint8_t channels[] = { SPICE_CHANNEL_MAIN, SPICE_CHANNEL_DISPLAY,
		SPICE_CHANNEL_INPUTS, SPICE_CHANNEL_CURSOR, SPICE_CHANNEL_PLAYBACK,
		SPICE_CHANNEL_RECORD };
	static const uint8_t body[8];
	const struct linger none = { .l_onoff = 1 };
	for (unsigned i = 0; i < G_N_ELEMENTS(channels) * 24; i++) {
		struct stranger own;
		uint8_t channel = channels[i % G_N_ELEMENTS(channels)];
		unsigned n = i / G_N_ELEMENTS(channels);
		const SpiceMiniDataHeader header = { (uint16_t)(n < 6 ? n + 1 : n + 95), 9 };
		stranger_connect_main(&own, shared.desktop);
		int fd = channel == SPICE_CHANNEL_MAIN ? own.main :
							 stranger_go_until(shared.desktop, channel,
								 own.session, STRANGER_MESSAGE);
		stranger_say(fd, &header, sizeof(header));
		stranger_say(fd, body, n % sizeof(body));
		if (i & 1)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
		close(fd);
		if (fd != own.main)
			close(own.main);
	}
}

static const struct abort_case {
	const char *name;
	void (*run)(struct stranger *stranger);
} cases[] = {
	{ "init-twice", say_twice },
	{ "wide-window", wide_window },
	{ "flush-mark", flush_mark },
	{ "migrate-data", migrate_data },
	{ "seamless", seamless },
	{ "migrated", migrated },
	{ "migrates-here", migrates_here },
	{ "token-first", token_first },
	{ "many-monitors", many_monitors },
	{ "endless-monitors", endless_monitors },
	{ "empty-part", empty_part },
	{ "half-part", half_part },
	{ "half-monitors", half_monitors },
	{ "no-codecs", no_codecs },
	{ "doubled", doubled },
	{ "unknown-types", unknown_types },
	{ "half-messages", half_messages },
};

/* ---- how it is judged ---- */

static void expect_served(void)
{
	struct stranger next;
	gint64 began_us = g_get_monotonic_time();
	stranger_connect(&next, shared.desktop);
	gint64 took_ms = (g_get_monotonic_time() - began_us) / 1000;
	g_test_message("the next one was served after %d ms", (int)took_ms);
	g_assert_cmpint(took_ms, <, SERVED_MS);
	stranger_close(&next);
}

static void start_shared(void)
{
	if (!shared.desktop)
		fixture_start(&shared, 640, 480, NULL);
}

static void test_case(gconstpointer user)
{
	const struct abort_case *one = user;
	struct stranger stranger;
	start_shared();
	pid_t pid = fake_desktop_pid(shared.desktop);
	stranger_connect(&stranger, shared.desktop);
	one->run(&stranger);
	g_usleep(SOON_US);
	g_assert_true(fake_desktop_is_alive(shared.desktop));
	g_assert_cmpint(fake_desktop_pid(shared.desktop), ==, pid);
	expect_served();
	stranger_close(&stranger);
}

/* ---- cuts in any phase ---- */

static unsigned count_entries(const char *what)
{
	unsigned n = 0;
	g_autofree char *path =
		g_strdup_printf("/proc/%d/%s", fake_desktop_pid(shared.desktop), what);
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	while (folder && g_dir_read_name(folder))
		n++;
	return n;
}

static void cut_once(void)
{
	static const uint8_t channels[] = { SPICE_CHANNEL_MAIN, SPICE_CHANNEL_DISPLAY,
		SPICE_CHANNEL_INPUTS, SPICE_CHANNEL_CURSOR, SPICE_CHANNEL_PLAYBACK,
		SPICE_CHANNEL_RECORD };
	const struct linger none = { .l_onoff = 1 };
	struct stranger stranger;
	uint8_t channel = channels[g_test_rand_int_range(0, G_N_ELEMENTS(channels))];
	enum stranger_step step = (enum stranger_step)g_test_rand_int_range(0, STRANGER_STEPS);
	stranger_connect_main(&stranger, shared.desktop);
	int fd = stranger_go_until(shared.desktop, channel,
		channel == SPICE_CHANNEL_MAIN ? 0 : stranger.session, step);
	if (g_test_rand_bit())
		g_usleep((gulong)g_test_rand_int_range(0, 5000));
	if (g_test_rand_bit())
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	if (g_test_rand_bit()) {
		close(stranger.main);
		close(fd);
	} else {
		close(fd);
		close(stranger.main);
	}
}

static void cut(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		cut_once();
		g_assert_true(fake_desktop_is_alive(shared.desktop));
	}
	expect_served();
}

/* spice-server may take its time to notice an end: ten seconds, of a display that shows nothing. */
static void await_fds(unsigned most)
{
	for (unsigned i = 0; i < 15 && count_entries("fd") > most; i++)
		g_usleep(G_USEC_PER_SEC);
}

/* Display may grow by this much. AddressSanitizer keeps 16 MiB of what was freed, beside that. */
#ifdef __SANITIZE_ADDRESS__
#define GROWTH_KIB (32 * 1024)
#else
#define GROWTH_KIB (16 * 1024)
#endif

static void test_cuts(void)
{
	const char *wanted = g_getenv("VITRINE_CUTS");
	unsigned n = wanted ? (unsigned)atoi(wanted) : 200;
	start_shared();
	cut(20);
	g_usleep(2 * G_USEC_PER_SEC);
	unsigned fds = count_entries("fd"), threads = count_entries("task");
	unsigned long kib = fake_desktop_resident_kib(shared.desktop);
	cut(n);
	await_fds(fds);
	unsigned fds_then = count_entries("fd"), threads_then = count_entries("task");
	unsigned long kib_then = fake_desktop_resident_kib(shared.desktop);
	g_test_message("%u cuts: descriptors %u, then %u; threads %u, then %u; KiB %lu, then %lu",
		n, fds, fds_then, threads, threads_then, kib, kib_then);
	g_assert_cmpuint(fds_then, <=, fds);
	g_assert_cmpuint(threads_then, <=, threads);
	g_assert_cmpuint(kib_then, <, kib + GROWTH_KIB);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/aborts/%s", cases[i].name);
		g_test_add_data_func(path, &cases[i], test_case);
	}
	g_test_add_func("/aborts/cuts", test_cuts);
	int result = g_test_run();
	if (shared.desktop)
		fixture_stop(&shared);
	return result;
}
