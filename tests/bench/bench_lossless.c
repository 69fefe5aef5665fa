/* SPDX-License-Identifier: MIT */
/*
 * bench-lossless tells what spice-server's compressions make of still pictures: bytes on the
 * display channel, CPU of vitrine-display and of the client. It shows pictures by the real
 * vitrine-display to spice-probe, a stock client, which asks for one compression after the other
 * (fixture.h).
 *
 *   bench-lossless [--rounds=N]
 *
 * Ratios are to lz4 in the same run. `below` is the line rate below which a picture is at the
 * client sooner than with lz4, if bytes and CPU times of both ends simply add: bytes * 8 / rate +
 * CPU.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/processes.h"
#include "tests/bench/samples.h"
#include "tests/bench/stills.h"
#include "tests/client/fixture.h"

#define WIDTH 1920
#define HEIGHT 1080
/* Changes that come more often become video (display/painting/video_areas.h). */
#define PAUSE_US (G_USEC_PER_SEC / 4)
#define QUIET_US 40000

static int rounds = 5;

struct kind {
	const char *name;
	void (*draw)(struct canvas *canvas, struct rect area, uint32_t seed);
	uint32_t width_min; /* of which anything can be drawn */
};

static const struct kind kinds[] = {
	{ "text", still_text, 16 },
	{ "interface", still_interface, 160 },
	{ "shaded", canvas_film, 1 },
	{ "photo", canvas_photo, 1 },
};

static const struct rect areas[] = {
	{ 0, 0, WIDTH, HEIGHT },
	{ 320, 160, 640, 480 },
	{ 160, 320, 1600, 32 },
	{ 160, 320, 48, 16 },
};

/* display/relay/spice_watches.h says why neither glz nor auto_glz is here. */
static const char *const names[] = { "lz4", "lz", "auto_lz", "quic" };

/* Holds what one picture costs. */
struct cost {
	double bytes, display_ms, client_ms;
};

static gint64 bytes_read(struct fixture *fixture)
{
	g_autofree char *stats = client_run(fixture->client, "stats");
	return answer_int(stats, "display-0");
}

/*
 * Waits until the display channel is quiet; returns the bytes that have been read from it so far.
 */
static gint64 settle(struct fixture *fixture, gint64 begin_us)
{
	gint64 left_us = begin_us + PAUSE_US - g_get_monotonic_time(), before, now;
	g_usleep((gulong)MAX(left_us, QUIET_US));
	for (before = -1; (now = bytes_read(fixture)) != before; before = now)
		g_usleep(QUIET_US);
	return now;
}

static double cpu_ms(pid_t pid)
{
	struct process_time time;
	process_read_time(pid, &time);
	return (double)time.cpu_ns / 1e6;
}

static void show(struct fixture *fixture, const struct kind *kind, const struct rect *area,
	struct cost *cost)
{
	static uint32_t seed;
	pid_t display = fake_desktop_pid(fixture->desktop), client = client_pid(fixture->client);
	kind->draw(fixture_canvas(fixture), *area, ++seed);
	gint64 begin_us = g_get_monotonic_time();
	*cost = (struct cost){ -(double)bytes_read(fixture), -cpu_ms(display), -cpu_ms(client) };
	fake_render_flush(fixture->render, 0, area, 1);
	cost->bytes += (double)settle(fixture, begin_us);
	cost->display_ms += cpu_ms(display);
	cost->client_ms += cpu_ms(client);
}

static double median(double *values)
{
	struct samples samples = { 0 };
	for (int i = 0; i < rounds; i++)
		samples_add(&samples, values[i]);
	double value = samples_quantile(&samples, 0.5);
	samples_finish(&samples);
	return value;
}

static struct cost measure(
	struct fixture *fixture, const char *name, const struct kind *kind, const struct rect *area)
{
	g_autofree double *bytes = g_new(double, rounds), *display_ms = g_new(double, rounds),
			  *client_ms = g_new(double, rounds);
	g_free(client_run(fixture->client, "compression %s", name));
	g_usleep(QUIET_US);
	for (int i = 0; i < rounds; i++) {
		struct cost cost;
		show(fixture, kind, area, &cost);
		bytes[i] = cost.bytes;
		display_ms[i] = cost.display_ms;
		client_ms[i] = cost.client_ms;
	}
	fixture_expect_canvas(fixture);
	return (struct cost){ median(bytes), median(display_ms), median(client_ms) };
}

static void print_cost(const char *name, const struct cost *cost, const struct cost *lz4)
{
	double saved_bytes = lz4->bytes - cost->bytes;
	double more_ms = cost->display_ms + cost->client_ms - lz4->display_ms - lz4->client_ms;
	printf("  %-9s %9.0f bytes %5.2f  display %6.2f ms %5.2f  client %6.2f ms %5.2f", name,
		cost->bytes, cost->bytes / lz4->bytes, cost->display_ms,
		cost->display_ms / lz4->display_ms, cost->client_ms,
		cost->client_ms / lz4->client_ms);
	if (cost == lz4)
		printf("\n");
	else if (saved_bytes <= 0)
		printf("  never\n");
	else if (more_ms <= 0)
		printf("  always\n");
	else
		printf("  below %.0f Mbit/s\n", saved_bytes * 8 / more_ms / 1000);
	fflush(stdout);
}

static void compare(struct fixture *fixture, const struct kind *kind, const struct rect *area)
{
	struct cost costs[G_N_ELEMENTS(names)];
	printf("%s, %ux%u\n", kind->name, area->width, area->height);
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		costs[i] = measure(fixture, names[i], kind, area);
		print_cost(names[i], &costs[i], &costs[0]);
	}
}

int main(int argc, char **argv)
{
	struct fixture fixture;
	const GOptionEntry entries[] = {
		{ "rounds", 0, 0, G_OPTION_ARG_INT, &rounds, "pictures of each", "N" },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- still pictures by compression");
	g_autoptr(GError) error = NULL;
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) || rounds < 1) {
		g_printerr("bench-lossless: %s\n", error ? error->message : "no rounds");
		return 2;
	}
	fixture_init(&argc, &argv);
	fixture_start(&fixture, WIDTH, HEIGHT, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	for (unsigned area = 0; area < G_N_ELEMENTS(areas); area++) {
		for (unsigned kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
			if (areas[area].width >= kinds[kind].width_min)
				compare(&fixture, &kinds[kind], &areas[area]);
		}
	}
	fixture_stop(&fixture);
	return 0;
}
