/* SPDX-License-Identifier: MIT */
/*
 * presence [SECONDS] runs a guest's program that crashes the renderer as fast as it can, for a
 * minute: by new contexts of one name, by new contexts of ever new names, and by contexts with
 * names of their own that it made beforehand. It shows for each that the renderer is there for 99 %
 * of the time, and prints one TAP line each.
 *
 * It is not there from a crash until the successor answers, and for as long as any other answer
 * takes more than 100 ms. A crash is a signal to the renderer while it is at the context's work, as
 * a fault in it would raise.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/wire/scene3d.h"
#include "tests/wire/slow.h"
#include "tests/wire/wire.h"

#define PRESENT_PERCENT 99.0
#define ANSWER_US 100000
/* These are the desktop's own context and the first of the program's. */
#define DESKTOP 1
#define BASE 1000
#define STEP 10
/* The initial quota leaves room for this many contexts. */
#define BEFOREHAND 120

enum way { ONE_NAME, NEW_NAMES, MADE_BEFOREHAND, WAYS };
static const char *const way_names[WAYS] = { "one name", "ever new names",
	"contexts made beforehand" };

struct attack {
	struct desktop *desktop;
	struct guest *guest;
	enum way way;
	unsigned n_tries, n_crashes;
	gint64 absent_us;
};

static void note_answer(struct attack *attack, gint64 start_us)
{
	gint64 took_us = g_get_monotonic_time() - start_us;
	if (took_us > ANSWER_US)
		attack->absent_us += took_us - ANSWER_US;
}

static bool make_context(struct attack *attack, uint32_t id, unsigned name)
{
	g_autofree char *text = g_strdup_printf("evil-%u", name);
	gint64 start_us = g_get_monotonic_time();
	bool made = guest_gpu_ctx_create(attack->guest, id, text) == VIRTIO_GPU_RESP_OK_NODATA;
	note_answer(attack, start_us);
	return made;
}

/* Returns whether there is a context to crash in; makes it unless it was made beforehand. */
static bool find_context(struct attack *attack, uint32_t id)
{
	if (attack->way != MADE_BEFOREHAND)
		return make_context(attack, id, attack->way == NEW_NAMES ? attack->n_tries : 0);
	gint64 start_us = g_get_monotonic_time();
	bool has = guest_gpu_has_context(attack->guest, id);
	note_answer(attack, start_us);
	return has;
}

static void try(struct attack *attack)
{
	unsigned n =
		attack->way == MADE_BEFOREHAND ? attack->n_tries % BEFOREHAND : attack->n_tries;
	uint32_t id = BASE + STEP * n;
	bool found = find_context(attack, id);
	attack->n_tries++;
	if (!found)
		return;
	struct slow *slow = slow_create_in(attack->guest, id, 0);
	attack->absent_us += slow_crash(slow, attack->desktop);
	for (unsigned i = 0; i < SLOW_IDS; i++)
		guest_gpu_unref(attack->guest, id + i);
	slow_forget(slow);
	attack->n_crashes++;
}

static void prepare(struct attack *attack, enum way way)
{
	const guest_rect all = { 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT };
	const struct desktop_options options = {
		.virgl = true, .shape = GUEST_SHAPE_INDIRECT, .event_idx = true
	};
	*attack = (struct attack){ .desktop = desktop_create(&options), .way = way };
	attack->guest = attack->desktop->guest;
	attack->guest->timeout_ms = wire_ms(20000);
	struct scene3d *scene = scene3d_create(attack->guest, DESKTOP, false);
	wire_ok(guest_gpu_set_scanout(attack->guest, 0, DESKTOP, all));
	wire_ok(guest_gpu_flush(attack->guest, DESKTOP, all));
	scene3d_destroy(scene, true);
	for (unsigned i = 0; i < BEFOREHAND && way == MADE_BEFOREHAND; i++)
		g_assert_true(make_context(attack, BASE + STEP * i, i));
	attack->absent_us = 0;
}

static bool run(enum way way, int seconds)
{
	struct attack attack;
	prepare(&attack, way);
	gint64 start_us = g_get_monotonic_time();
	while (g_get_monotonic_time() - start_us < seconds * G_USEC_PER_SEC)
		try(&attack);
	gint64 took_us = g_get_monotonic_time() - start_us;
	double percent = 100 - 100.0 * (double)attack.absent_us / (double)took_us;
	bool desktop_left = guest_gpu_has_context(attack.guest, DESKTOP);
	bool ok = percent >= PRESENT_PERCENT && attack.n_crashes > 0 && desktop_left;
	printf("%sok %u - %s: the renderer is there for %.2f %% of %" G_GINT64_FORMAT
	       " s; %u crashes, %u tries%s\n",
		ok ? "" : "not ", way + 1, way_names[way], percent, took_us / G_USEC_PER_SEC,
		attack.n_crashes, attack.n_tries, desktop_left ? "" : "; the desktop is lost");
	fflush(stdout);
	desktop_destroy(attack.desktop);
	return ok;
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 60;
	bool ok = true;
	argc = 1;
	wire_init(&argc, &argv);
	for (enum way way = 0; way < WAYS; way++)
		ok &= run(way, seconds);
	printf("1..%d\n", WAYS);
	return ok ? 0 : 1;
}
