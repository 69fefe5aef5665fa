/* SPDX-License-Identifier: MIT */
/*
 * floods [--seconds N] [--window N] [--anew] [NAME...] runs each kind of flood for N seconds beside
 * a desktop's program that draws at its head's rate. It shows for each that render's memory stays
 * below the sum of its quotas (quotas_get_memory_bytes()) and that the program keeps half of the
 * rate that it had alone just before. It prints one TAP line for each, with both figures.
 *
 * The flooder keeps the ring full, keeps what it is given and asks for more. With --anew it gives
 * all back at the first refusal and asks again, so that the renderer would make things all the
 * time. The ring is worked in order, since Linux takes one fence to mean that all before it are
 * done. So the desktop waits for what a flooder has in the ring before the desktop's next command,
 * until the quota making-time is used up.
 *
 * Flooder, desktop and renderer share the machine's processors. So each line also says what the
 * desktop keeps beside a thread that takes as much of a processor as flooder and desktop's program
 * took together, and asks for nothing.
 *
 * Memory is what render holds beyond the guest's own: the sum of the proportional set sizes of all
 * its mappings but those of guest memory, once a second, and its private memory ten times a second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "protocol/quotas.h"
#include "tests/bench/processes.h"
#include "tests/wire/flooder.h"
#include "tests/wire/neighbour.h"
#include "tests/wire/wire.h"

#define NEIGHBOUR 1
#define ALONE_SECONDS 4
#define BUSY_SLICE_US 10000
#define RATE_HZ 60
#define KEPT_PERCENT 50
#define MEMORY_BYTES (1024ull << 20)

static gint seconds = 60;
static gint window = GUEST_CONTROL_SIZE - NEIGHBOUR_COMMANDS - 1;
static gboolean anew;
static gchar **names;

static const GOptionEntry entries[] = {
	{ "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "of each flood", "N" },
	{ "window", 0, 0, G_OPTION_ARG_INT, &window, "of the flooder's commands in the ring", "N" },
	{ "anew", 0, 0, G_OPTION_ARG_NONE, &anew, "give back what was granted, and ask anew",
		NULL },
	{ G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &names, NULL, "NAME" },
	{ NULL },
};

/* ---- memory, by a thread that looks now and then ---- */

struct sampler {
	pid_t pid;
	GThread *thread;
	gint ended; /* atomic */
	uint64_t most_kib;
};

static uint64_t read_private_kib(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
	g_autofree char *text = NULL;
	unsigned long long kib = 0;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	const char *line = strstr(text, "\nRssAnon:");
	return line && sscanf(line, "\nRssAnon: %llu", &kib) == 1 ? kib : 0;
}

static gpointer sample(gpointer data)
{
	struct sampler *sampler = data;
	for (unsigned n = 0; !g_atomic_int_get(&sampler->ended); n++) {
		struct process_memory memory;
		uint64_t kib = read_private_kib(sampler->pid);
		sampler->most_kib = MAX(sampler->most_kib, kib);
		if (n % 10 == 0) {
			process_read_memory(sampler->pid, &memory);
			sampler->most_kib = MAX(sampler->most_kib, process_sum_kib(&memory));
		}
		g_usleep(100000);
	}
	return NULL;
}

static void sampler_begin(struct sampler *sampler, pid_t pid)
{
	*sampler = (struct sampler){ .pid = pid };
	sampler->thread = g_thread_new("sampler", sample, sampler);
}

static void sampler_end(struct sampler *sampler)
{
	g_atomic_int_set(&sampler->ended, 1);
	g_thread_join(sampler->thread);
}

/* ---- a process that is as busy as the flooder, and asks for nothing ---- */

struct idler {
	GThread *thread;
	gint ended;   /* atomic */
	double share; /* of a processor */
};

static double read_thread_seconds(void)
{
	struct timespec spent;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
	return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

static gpointer be_busy(gpointer data)
{
	struct idler *idler = data;
	double began_s = read_thread_seconds();
	gint64 began_us = g_get_monotonic_time();
	while (!g_atomic_int_get(&idler->ended)) {
		gint64 since_us = g_get_monotonic_time() - began_us;
		double wanted_s = idler->share * (double)since_us / G_USEC_PER_SEC;
		if (read_thread_seconds() - began_s >= wanted_s)
			g_usleep((gulong)((1 - idler->share) * BUSY_SLICE_US));
	}
	return NULL;
}

static void idler_begin(struct idler *idler, double share)
{
	*idler = (struct idler){ .share = MIN(share, 1) };
	idler->thread = g_thread_new("busy", be_busy, idler);
}

static void idler_end(struct idler *idler)
{
	g_atomic_int_set(&idler->ended, 1);
	g_thread_join(idler->thread);
}

/* ---- one flood ---- */

static struct desktop *create(const struct flood *flood)
{
	const struct desktop_options options = { .virgl = true,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.memory_bytes = MEMORY_BYTES,
		.quotas = flood->quotas };
	const struct frame_head_mode mode = { .enabled = 1,
		.width = SCENE3D_WIDTH,
		.height = SCENE3D_HEIGHT,
		.refresh_mhz = RATE_HZ * 1000 };
	flood_set_environment(flood);
	struct desktop *desktop = desktop_create(&options);
	consumer_link_heads(desktop->consumer, &mode, 1);
	consumer_link_rate(desktop->consumer, 0, RATE_HZ * 1000);
	desktop->guest->timeout_ms = wire_ms(60000);
	return desktop;
}

/* Returns how many pictures a second the neighbour completes; `flooder` may be NULL. */
static double run(struct neighbour *neighbour, struct flooder *flooder, int for_seconds)
{
	gint64 begin_us = g_get_monotonic_time();
	uint64_t before = neighbour->n_complete;
	neighbour_run(neighbour, flooder, for_seconds * G_USEC_PER_SEC);
	double took_s = (double)(g_get_monotonic_time() - begin_us) / G_USEC_PER_SEC;
	return (double)(neighbour->n_complete - before) / took_s;
}

static uint64_t get_most_kib(const struct flood *flood)
{
	struct quota_limits limits;
	quotas_set_initial(&limits);
	if (flood->quotas)
		g_assert_null(quotas_parse(&limits, flood->quotas));
	return quotas_get_memory_bytes(&limits) / 1024;
}

/*
 * Holds pictures a second of the desktop's program: alone, beside the flood, and beside a thread
 * that only keeps a processor as busy.
 */
struct rates {
	double alone, beside, beside_busy;
};

static bool tell(const struct flooder *flooder, unsigned number, const struct rates *rates,
	const struct sampler *sampler)
{
	uint64_t limit_kib = get_most_kib(flooder->flood);
	double percent = 100 * rates->beside / rates->alone;
	bool ok = percent >= KEPT_PERCENT && sampler->most_kib <= limit_kib;
	printf("%sok %u - %s%s: %.1f of %.1f pictures/s beside it (%.0f %%; %.0f %% beside one as "
	       "busy), "
	       "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
	       " MiB; %.0f commands/s, %" G_GUINT64_FORMAT " granted, %" G_GUINT64_FORMAT
	       " refused\n",
		ok ? "" : "not ", number, flooder->flood->name, flooder->anew ? ", anew" : "",
		rates->beside, rates->alone, percent, 100 * rates->beside_busy / rates->alone,
		sampler->most_kib / 1024, limit_kib / 1024, (double)flooder->n_sent / seconds,
		flooder->n_granted, flooder->n_refused);
	fflush(stdout);
	return ok;
}

/*
 * Returns pictures a second beside the flood; sets `share` to how much of a processor flooder and
 * desktop's program took.
 */
static double run_flood(struct neighbour *neighbour, struct flooder *flooder,
	struct sampler *sampler, pid_t renderer, double *share)
{
	double before_s = read_thread_seconds();
	gint64 began_us = g_get_monotonic_time();
	sampler_begin(sampler, renderer);
	double rate = run(neighbour, flooder, seconds);
	sampler_end(sampler);
	double took_s = (double)(g_get_monotonic_time() - began_us) / G_USEC_PER_SEC;
	*share = (read_thread_seconds() - before_s) / took_s;
	return rate;
}

static double run_beside_busy(struct neighbour *neighbour, double share)
{
	struct idler idler;
	idler_begin(&idler, share);
	double rate = run(neighbour, NULL, ALONE_SECONDS);
	idler_end(&idler);
	return rate;
}

static bool flood_once(const struct flood *flood, unsigned number)
{
	struct desktop *desktop = create(flood);
	pid_t renderer = desktop_renderer(desktop);
	struct neighbour neighbour;
	struct flooder flooder;
	struct sampler sampler;
	struct rates rates;
	double share;
	neighbour_init(&neighbour, desktop->guest, NEIGHBOUR);
	run(&neighbour, NULL, 1);
	rates.alone = run(&neighbour, NULL, ALONE_SECONDS);
	flooder_init(&flooder, desktop->guest, flood, anew, (unsigned)window);
	rates.beside = run_flood(&neighbour, &flooder, &sampler, renderer, &share);
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	flooder_finish(&flooder);
	rates.beside_busy = run_beside_busy(&neighbour, share);
	bool ok = tell(&flooder, number, &rates, &sampler);
	neighbour_finish(&neighbour);
	desktop_destroy(desktop);
	return ok;
}

/* ---- all of them ---- */

static bool is_wanted(const struct flood *flood)
{
	if (names)
		return g_strv_contains((const gchar *const *)names, flood->name);
	if (anew)
		return !flood->is_rate || flood->is_work;
	return !flood->is_work;
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new("[NAME...]");
	g_autoptr(GError) error = NULL;
	unsigned n = 0, n_failed = 0;
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "floods: %s\n", error->message);
		return 2;
	}
	wire_init(&argc, &argv);
	for (unsigned i = 0; i < n_floods; i++) {
		if (is_wanted(&floods[i]))
			n_failed += !flood_once(&floods[i], ++n);
	}
	printf("1..%u\n", n);
	return n_failed > 0;
}
