/* SPDX-License-Identifier: MIT */
/*
 * stays: clients stay for long, over TLS, WebSocket and both: one only looks on, one types, one has
 * a film. Clients over TLS were once thrown out after 60 or 90 s, and what came last before a quiet
 * time was shown when something followed. So each picture is timed, from when the renderer presents
 * it until the client shows it, and each key until QEMU has it. That is more than the relay's share
 * of the time.
 *
 * A machine that is busy is late by itself. What was late while a thread that only sleeps was late,
 * too, says nothing of us, and what our threads waited for a processor is taken off (lateness.h).
 *
 * With --seconds=N each stays for so long and a message may be late by LATE_MS; without it, beside
 * other tests, they stay for SHORT_S and none may be stuck.
 */
#include "tests/client/bridge.h"
#include "tests/client/fixture.h"
#include "tests/client/lateness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 640
#define HEIGHT 480
#define PASSWORD "correct horse"
#define CONNECT_MS 20000
#define SHORT_S 100
#define LATE_MS 50
/* Nine desktops that begin at once hold each other up. */
#define WARM_S 15
/* What waits for something behind it comes seconds later, beside whatever tests. */
#define STUCK_MS 3000
#define PATIENCE_MS 20000
/* What is drawn are blocks of one colour, of which the client's middle pixel is looked at. */
#define BLOCK_PX 32
#define BLOCKS_MAX 4
#define FILM_US (G_USEC_PER_SEC / 25)
#define FILM_SAMPLE 4
#define FILM_PAUSE 300
#define FILM_PAUSE_US (2 * G_USEC_PER_SEC)
/*
 * The first frames of a video wait at the client for its clock, which we hold back then
 * (display/relay/clock.h), and for its decoder, which is made for each.
 */
#define FILM_BEGINS 50
#define FILM_BEGINS_MS 250
/* A film's colours are not exact; the block's are far apart. */
#define FILM_TOLERANCE 80

enum kind { KIND_LOOKS_ON, KIND_TYPES, KIND_FILM, KINDS };
static const char *const kind_names[KINDS] = { "looks-on", "types", "film" };

static const struct transport {
	const char *name;
	bool tls, websocket;
} transports[] = {
	{ "tls", true, false },
	{ "websocket", false, true },
	{ "websocket-in-tls", true, true },
};

struct lag {
	gint64 begun_us, ended_us;
	gint64 waited_us; /* by threads of all programs in between, for a processor */
	int limit_ms;
};

struct stay {
	enum kind kind;
	const struct transport *transport;
	struct fixture fixture;
	struct bridge bridge;
	GThread *thread;
	GRand *random;
	gint64 until_us;
	GArray *pictures, *keys; /* struct lag */
	uint32_t color;
	struct lag lag; /* that is under way */
	uint64_t n_connections;
};

static unsigned seconds;
static struct stay stays[G_N_ELEMENTS(transports) * KINDS];
static struct lateness *lateness;

static unsigned stay_s(void)
{
	return seconds ? seconds : SHORT_S;
}

/* ---- what each does ---- */

static bool is_over(const struct stay *stay)
{
	return g_get_monotonic_time() >= stay->until_us;
}

static void rest(struct stay *stay, int least_ms, int most_ms)
{
	g_usleep((gulong)g_rand_int_range(stay->random, least_ms, most_ms) * 1000);
}

static gint64 waited_us(const struct stay *stay)
{
	gint64 us = lateness_waited_us(fake_desktop_pid(stay->fixture.desktop)) +
		    lateness_waited_us(client_pid(stay->fixture.client));
	if (stay->transport->websocket)
		us += lateness_waited_us(bridge_pid(&stay->bridge));
	return us;
}

static void begin_lag(struct stay *stay, int limit_ms)
{
	gint64 before_us = waited_us(stay);
	stay->lag = (struct lag){ g_get_monotonic_time(), 0, before_us, limit_ms };
}

static void end_lag(struct stay *stay, GArray *lags, gint64 ended_us)
{
	stay->lag.ended_us = ended_us;
	gint64 now_us = waited_us(stay);
	/* What a thread waited is gone with it. */
	stay->lag.waited_us = MAX(now_us - stay->lag.waited_us, 0);
	g_array_append_val(lags, stay->lag);
}

static void send_wait(struct stay *stay, struct rect block, int tolerance)
{
	client_send(stay->fixture.client, "wait-pixel %u %u %06x %d %d", block.x + BLOCK_PX / 2,
		block.y + BLOCK_PX / 2, stay->color, PATIENCE_MS, tolerance);
}

static void take_answer(struct stay *stay)
{
	g_autofree char *answer = client_answer(stay->fixture.client);
	if (!answer_is_ok(answer)) {
		g_printerr("%s %s: %s\n", stay->transport->name, kind_names[stay->kind], answer);
		fake_desktop_print_log(stay->fixture.desktop);
	}
	g_assert_true(answer_is_ok(answer));
	end_lag(stay, stay->pictures, answer_int(answer, "now_us"));
}

/* Draws a few blocks, which come in messages of their own, and waits until one of them is seen. */
static void draw_blocks(struct stay *stay)
{
	struct rect blocks[BLOCKS_MAX];
	unsigned n = (unsigned)g_rand_int_range(stay->random, 1, BLOCKS_MAX + 1);
	stay->color = (stay->color + 0x102030) & 0xffffff;
	for (unsigned i = 0; i < n; i++) {
		blocks[i] = (struct rect){
			(uint32_t)g_rand_int_range(stay->random, 0, WIDTH - BLOCK_PX),
			(uint32_t)g_rand_int_range(stay->random, 0, HEIGHT - BLOCK_PX),
			BLOCK_PX,
			BLOCK_PX,
		};
		canvas_fill(fixture_canvas(&stay->fixture), blocks[i], stay->color);
	}
	send_wait(stay, blocks[g_rand_int_range(stay->random, 0, (gint32)n)], 0);
	begin_lag(stay, LATE_MS);
	fake_render_flush(stay->fixture.render, 0, blocks, n);
	take_answer(stay);
}

/* Something small is drawn now and then, and then nothing. */
static void look_on(struct stay *stay)
{
	while (!is_over(stay)) {
		rest(stay, 50, g_rand_boolean(stay->random) ? 500 : 6000);
		draw_blocks(stay);
	}
}

/* Each key brings a letter. */
static void type(struct stay *stay)
{
	while (!is_over(stay)) {
		rest(stay, 60, g_rand_int_range(stay->random, 0, 20) == 0 ? 5000 : 300);
		g_free(fake_qemu_take_record(stay->fixture.qemu));
		begin_lag(stay, LATE_MS);
		client_send(stay->fixture.client, "press 1e");
		g_assert_true(fake_qemu_wait_line(stay->fixture.qemu, "key press 30", PATIENCE_MS));
		end_lag(stay, stay->keys, g_get_monotonic_time());
		g_free(client_answer(stay->fixture.client));
		draw_blocks(stay);
		g_free(client_run(stay->fixture.client, "release 1e"));
		g_assert_true(
			fake_qemu_wait_line(stay->fixture.qemu, "key release 30", PATIENCE_MS));
	}
}

/* The block in a film becomes black and white in turn; now and then the film stands still. */
static void show_film(struct stay *stay)
{
	const struct rect film = { 64, 64, 256, 192 }, block = { 160, 128, BLOCK_PX, BLOCK_PX };
	bool waits = false;
	for (unsigned i = 0; !is_over(stay); i++) {
		if (waits && client_has_answer(stay->fixture.client)) {
			take_answer(stay);
			waits = false;
		}
		bool sampled = !waits && i % FILM_SAMPLE == 0;
		if (sampled) {
			stay->color ^= 0xffffff;
			send_wait(stay, block, FILM_TOLERANCE);
		}
		canvas_film(fixture_canvas(&stay->fixture), film, i);
		canvas_fill(fixture_canvas(&stay->fixture), block, stay->color);
		if (sampled)
			begin_lag(stay, i % FILM_PAUSE <= FILM_BEGINS ? FILM_BEGINS_MS : LATE_MS);
		waits |= sampled;
		fake_render_flush(stay->fixture.render, 0, &film, 1);
		g_usleep(i % FILM_PAUSE == 0 ? FILM_PAUSE_US : FILM_US);
	}
	if (waits)
		take_answer(stay);
}

static gpointer run(gpointer user)
{
	static void (*const kinds[KINDS])(struct stay *) = {
		[KIND_LOOKS_ON] = look_on,
		[KIND_TYPES] = type,
		[KIND_FILM] = show_film,
	};
	struct stay *stay = user;
	kinds[stay->kind](stay);
	return NULL;
}

/* ---- all of them at once ---- */

static uint64_t count_connections(const struct stay *stay)
{
	return fake_desktop_stats(stay->fixture.desktop)->door[STATS_CONNECTIONS];
}

static void come(struct stay *stay)
{
	const struct fake_desktop_options options = { .ticket = PASSWORD,
		.tls = stay->transport->tls };
	struct fixture *fixture = &stay->fixture;
	fixture_start(fixture, WIDTH, HEIGHT, &options);
	g_assert_true(fake_desktop_wait_log(fixture->desktop, "video: encoders:", 60000));
	if (stay->transport->websocket)
		bridge_start(&stay->bridge, fixture->desktop, NULL);
	else
		client_trust(fake_desktop_certificate(fixture->desktop));
	fixture->client =
		client_new(stay->transport->websocket ? stay->bridge.address :
							fake_desktop_address(fixture->desktop),
			PASSWORD);
	client_trust(NULL);
	g_assert_true(client_is_connected(fixture->client));
	g_assert_true(fake_render_wait_rate(fixture->render, 0, true, CONNECT_MS));
	fixture_expect_canvas(fixture);
	client_be_brief(fixture->client);
	stay->n_connections = count_connections(stay);
}

static void stay_all(void)
{
	gint64 begun_us = g_get_monotonic_time();
	for (unsigned i = 0; i < G_N_ELEMENTS(stays); i++) {
		stays[i] = (struct stay){
			.kind = i % KINDS,
			.transport = &transports[i / KINDS],
			.random = g_rand_new_with_seed(i),
			.pictures = g_array_new(FALSE, FALSE, sizeof(struct lag)),
			.keys = g_array_new(FALSE, FALSE, sizeof(struct lag)),
		};
		come(&stays[i]);
	}
	printf("# all have come after %.1f s\n",
		(double)(g_get_monotonic_time() - begun_us) / G_USEC_PER_SEC);
	lateness = lateness_start();
	gint64 until_us = g_get_monotonic_time() + (gint64)stay_s() * G_USEC_PER_SEC;
	for (unsigned i = 0; i < G_N_ELEMENTS(stays); i++) {
		stays[i].until_us = until_us;
		stays[i].thread = g_thread_new("stay", run, &stays[i]);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(stays); i++)
		g_thread_join(stays[i].thread);
	printf("# threads that sleep were late by more than %d ms %u times, by %.1f ms at most\n",
		LATENESS_MS, lateness_count(lateness), lateness_longest_ms(lateness));
}

/* ---- the tests ---- */

static int compare_lags(gconstpointer a, gconstpointer b)
{
	const struct lag *left = a, *right = b;
	gint64 left_us = left->ended_us - left->begun_us;
	gint64 right_us = right->ended_us - right->begun_us;
	return left_us < right_us ? -1 : left_us > right_us;
}

static double lag_ms(const GArray *lags, double share)
{
	const struct lag *lag =
		&g_array_index(lags, struct lag, (guint)(share * (lags->len - 1) + 0.5));
	return (double)(lag->ended_us - lag->begun_us) / 1000;
}

/* Returns those with this limit, shortest first, but for those of the beginning. */
static GArray *choose_lags(const struct stay *stay, const GArray *lags, int limit_ms)
{
	GArray *chosen = g_array_new(FALSE, FALSE, sizeof(struct lag));
	gint64 begun_us = stay->until_us - (gint64)(stay_s() - WARM_S) * G_USEC_PER_SEC;
	for (guint i = 0; i < lags->len; i++) {
		const struct lag *lag = &g_array_index(lags, struct lag, i);
		if (lag->limit_ms == limit_ms && lag->begun_us > begun_us)
			g_array_append_val(chosen, *lag);
	}
	g_array_sort(chosen, compare_lags);
	return chosen;
}

/* Returns how many were late though the machine was not. */
static unsigned count_late(const struct stay *stay, const GArray *lags, unsigned *n_late)
{
	unsigned n = 0;
	*n_late = 0;
	for (guint i = 0; i < lags->len; i++) {
		const struct lag *lag = &g_array_index(lags, struct lag, i);
		gint64 took_us = lag->ended_us - lag->begun_us;
		*n_late += took_us > lag->limit_ms * 1000;
		if (took_us - lag->waited_us <= lag->limit_ms * 1000 ||
			lateness_was(lateness, lag->begun_us, lag->ended_us))
			continue;
		n++;
		printf("# %.3f s before the end: %.1f ms, of which %.1f waited for a processor\n",
			(double)(stay->until_us - lag->begun_us) / G_USEC_PER_SEC,
			(double)took_us / 1000, (double)lag->waited_us / 1000);
	}
	return n;
}

static void judge(const struct stay *stay, const char *what, const GArray *lags, int limit_ms)
{
	g_autoptr(GArray) chosen = choose_lags(stay, lags, limit_ms);
	unsigned n_late;
	if (chosen->len == 0)
		return;
	unsigned n = count_late(stay, chosen, &n_late);
	printf("# %s over %s: %u %s, p50 %.1f ms, p99 %.1f, p99.9 %.1f, at most %.1f; %u took more "
	       "than %d ms, %u of them on a machine that was not late itself\n",
		kind_names[stay->kind], stay->transport->name, chosen->len, what,
		lag_ms(chosen, 0.5), lag_ms(chosen, 0.99), lag_ms(chosen, 0.999), lag_ms(chosen, 1),
		n_late, limit_ms, n);
	if (seconds > 0)
		g_assert_cmpuint(n, ==, 0);
	else
		g_assert_cmpfloat(lag_ms(chosen, 1), <, STUCK_MS);
}

static void test_stay(gconstpointer user)
{
	struct stay *stay = (struct stay *)user;
	static bool stayed;
	if (!stayed)
		stay_all();
	stayed = true;
	judge(stay, "pictures", stay->pictures, LATE_MS);
	judge(stay, "first pictures of a film", stay->pictures, FILM_BEGINS_MS);
	judge(stay, "keys", stay->keys, LATE_MS);
	g_assert_cmpuint(stay->pictures->len, >, 0);
	/* Nobody had to come twice. */
	g_assert_cmpuint(count_connections(stay), ==, stay->n_connections);
	fixture_expect_canvas(&stay->fixture);
	g_clear_pointer(&stay->fixture.client, client_free);
	if (stay->transport->websocket)
		bridge_stop(&stay->bridge);
	fixture_stop(&stay->fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		if (g_str_has_prefix(argv[i], "--seconds="))
			seconds = (unsigned)atoi(argv[i] + strlen("--seconds="));
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(stays); i++) {
		g_autofree char *path = g_strdup_printf(
			"/stays/%s/%s", transports[i / KINDS].name, kind_names[i % KINDS]);
		g_test_add_data_func(path, &stays[i], test_stay);
	}
	int result = g_test_run();
	if (lateness)
		lateness_stop(lateness);
	return result;
}
