/* SPDX-License-Identifier: MIT */
/*
 * bench_replay: replays sequences of frames (sequences.h) through display's painting, without
 * spice-server and without a client, and prints for each frame what that cost and what came of it.
 *
 * CPU is this thread's, in the median of some runs, so that a busy machine matters little. It is
 * told in two parts: comparing (comparer.h) and the rest, which is mostly sending (send_plan.h).
 * Bytes are the pixels that drawables name, and what painting believes that they take on the wire.
 * The digest is one of all drawables with their pixels: two states of the code that print the same
 * one have sent the same. Each sequence is sent on a line without limit and on one of 10 Mbit/s.
 *
 * At the end of each run the surface that the drawables make must be the guest's picture.
 */
#include <drm_fourcc.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/rect.h"
#include "common/shm.h"
#include "display/painting/comparer.h"
#include "display/painting/painter.h"
#include "tests/bench/samples.h"
#include "tests/bench/sequences.h"

#define WIDTH 1920u
#define HEIGHT 1080u
#define BYTES (WIDTH * HEIGHT * 4u)
#define FRAME_US 16667
#define RUNS_DEFAULT 5
/*
 * We send this many frames without damage after the last one at most, until nothing is under way
 * any more and video has ended.
 */
#define SETTLE_FRAMES 1200u
#define BUFFERS (FRAME_LOCKED_MAX + 1)
#define HELD_MAX 1024u
/*
 * Describe a slow line: the rate at which it carries bits, and how many bytes are given ahead of it
 * at most.
 */
#define SLOW_BPS 10000000u
#define SLOW_AHEAD_BYTES 50000

/* Sums up the CPU time that was spent in the call that compares, in nanoseconds. */
static uint64_t compare_ns;

static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * The linker puts this function in the place of the painter's call of comparer_look()
 * (meson.build).
 */
void __real_comparer_look(struct comparer *comparer, const struct frame *frame,
	struct damage *damage, int64_t now_us, const struct video_wish *wish,
	struct changes *changes);
void __wrap_comparer_look(struct comparer *comparer, const struct frame *frame,
	struct damage *damage, int64_t now_us, const struct video_wish *wish,
	struct changes *changes);
void __wrap_comparer_look(struct comparer *comparer, const struct frame *frame,
	struct damage *damage, int64_t now_us, const struct video_wish *wish,
	struct changes *changes)
{
	uint64_t begin_ns = cpu_ns();
	__real_comparer_look(comparer, frame, damage, now_us, wish, changes);
	compare_ns += cpu_ns() - begin_ns;
}

/* Takes bytes at its rate if slow; lots (display/line) are not simulated. */
struct line_model {
	const char *name;
	bool slow;
};
static const struct line_model LINES[] = { { "no limit", false }, { "10 Mbit/s", true } };

/* Counts what one run did. */
struct tally {
	uint64_t drawables, pixel_bytes, wire_bytes;
	uint64_t compare_ns, send_ns;
	uint64_t digest;
};

struct replay {
	struct scene scene;
	struct head *head;
	struct painter *painter;
	uint32_t *memory[BUFFERS];
	struct shared_buffer *buffers[BUFFERS];
	bool locked[BUFFERS];
	uint64_t serial;
	uint32_t *surface; /* what a client would show */
	struct bitmap held[HELD_MAX];
	unsigned n_held;
	const struct line_model *line;
	int64_t now_us, tokens;
	struct tally tally;
};

static void on_released(void *user, uint32_t buffer, uint32_t head, uint64_t serial)
{
	struct replay *replay = user;
	replay->locked[buffer - 1] = false;
}

static void make_buffer(struct replay *replay, uint32_t i)
{
	struct frame_buffer_add add = {
		.buffer = i + 1,
		.kind = FRAME_BUFFER_MEMFD,
		.width = WIDTH,
		.height = HEIGHT,
		.stride_bytes = WIDTH * 4,
		.fourcc = DRM_FORMAT_XRGB8888,
		.size_bytes = BYTES,
	};
	int fd = shm_create("bench-replay", BYTES);
	replay->buffers[i] = shared_buffer_create(&add, fd);
	replay->memory[i] = shm_map(fd, BYTES, true);
	g_assert(replay->buffers[i] && replay->memory[i]);
	close(fd);
}

static struct replay *replay_create(const struct line_model *line)
{
	struct replay *replay = g_new0(struct replay, 1);
	scene_init(&replay->scene, WIDTH, HEIGHT);
	replay->line = line;
	replay->surface = g_malloc0(BYTES);
	replay->head = head_create(0);
	replay->painter = painter_create(replay->head);
	head_resize(replay->head, WIDTH, HEIGHT);
	head_set_watched(replay->head, true);
	for (uint32_t i = 0; i < BUFFERS; i++)
		make_buffer(replay, i);
	replay->now_us = 1000000;
	return replay;
}

static void replay_destroy(struct replay *replay)
{
	painter_destroy(replay->painter);
	head_destroy(replay->head);
	for (unsigned i = 0; i < BUFFERS; i++) {
		g_assert_false(replay->locked[i]);
		shared_buffer_unref(replay->buffers[i]);
		shm_unmap(replay->memory[i], BYTES);
	}
	scene_finish(&replay->scene);
	g_free(replay->surface);
	g_free(replay);
}

static unsigned free_buffer(const struct replay *replay)
{
	for (unsigned i = 0; i < BUFFERS; i++) {
		if (!replay->locked[i])
			return i;
	}
	g_error("painting holds all buffers");
}

static void push(struct replay *replay, const struct rect *damage, unsigned n)
{
	unsigned i = free_buffer(replay);
	memcpy(replay->memory[i], replay->scene.pixels, BYTES);
	struct frame_present message = { .buffer = i + 1, .serial = ++replay->serial };
	replay->locked[i] = true;
	head_push_frame(replay->head,
		frame_create(replay->buffers[i], &message, WIDTH, HEIGHT, on_released, replay),
		damage, n);
}

static void digest_add(uint64_t *digest, uint64_t value)
{
	*digest = (*digest ^ value) * 0x9e3779b97f4a7c15u;
	*digest ^= *digest >> 29;
}

static void digest_picture(struct replay *replay, const struct bitmap *picture)
{
	uint64_t *digest = &replay->tally.digest;
	const struct rect *rect = &picture->rect;
	digest_add(digest, picture->kind * 2 + picture->moving);
	digest_add(digest, (uint64_t)rect->x << 32 | rect->y);
	digest_add(digest, (uint64_t)rect->width << 32 | rect->height);
	digest_add(digest, (uint64_t)picture->from_x << 32 | picture->from_y);
	digest_add(digest, picture->estimated_bytes << 1 | (picture->source != NULL));
	digest_add(digest, (uint64_t)replay->now_us);
	for (uint32_t row = 0; picture->kind == BITMAP_PIXELS && row < rect->height; row++) {
		const uint32_t *pixels =
			(const uint32_t *)(const void *)(picture->pixels +
							 (size_t)row * picture->stride_bytes);
		for (uint32_t x = 0; x < rect->width; x++)
			digest_add(digest, pixels[x]);
	}
}

static void show(struct replay *replay, const struct bitmap *picture)
{
	const struct rect *rect = &picture->rect;
	g_autofree uint32_t *before =
		picture->kind == BITMAP_SCROLL ? g_memdup2(replay->surface, BYTES) : NULL;
	for (uint32_t row = 0; row < rect->height; row++) {
		uint32_t *to = replay->surface + (size_t)(rect->y + row) * WIDTH + rect->x;
		const void *from =
			before ? (const void *)(before + (size_t)(picture->from_y + row) * WIDTH +
						picture->from_x) :
				 picture->pixels + (size_t)row * picture->stride_bytes;
		memcpy(to, from, rect->width * 4);
	}
}

static void release_held(struct replay *replay)
{
	uint64_t begin_ns = cpu_ns();
	for (unsigned i = 0; i < replay->n_held; i++)
		painter_release(replay->painter, &replay->held[i]);
	replay->tally.send_ns += cpu_ns() - begin_ns;
	replay->n_held = 0;
}

static struct send_limits limits(const struct replay *replay)
{
	if (!replay->line->slow)
		return (struct send_limits){ UINT64_MAX, UINT64_MAX, 400000000 };
	return (struct send_limits){ (uint64_t)MAX(replay->tokens, 0), 8192, SLOW_BPS / 2 };
}

static enum bitmap_result take(struct replay *replay, struct bitmap *picture)
{
	struct send_limits now = limits(replay);
	compare_ns = 0;
	uint64_t begin_ns = cpu_ns();
	enum bitmap_result result = painter_take(replay->painter, replay->now_us, &now, picture);
	uint64_t all_ns = cpu_ns() - begin_ns;
	replay->tally.compare_ns += compare_ns;
	replay->tally.send_ns += all_ns - MIN(compare_ns, all_ns);
	return result;
}

static void note_picture(struct replay *replay, const struct bitmap *picture)
{
	replay->tally.drawables++;
	replay->tally.wire_bytes += picture->estimated_bytes;
	if (picture->kind == BITMAP_PIXELS)
		replay->tally.pixel_bytes += rect_area(&picture->rect) * 4;
	replay->tokens -= (int64_t)picture->estimated_bytes;
	digest_picture(replay, picture);
	show(replay, picture);
	replay->held[replay->n_held++] = *picture;
}

/* Takes all there is and lets go of it when it was sent, as spice-server does. */
static enum bitmap_result pull(struct replay *replay)
{
	enum bitmap_result result;
	struct bitmap picture;
	for (;;) {
		result = take(replay, &picture);
		if (result == BITMAP_TAKEN)
			note_picture(replay, &picture);
		else if (result != BITMAP_STARVED)
			break;
		if (result == BITMAP_STARVED || replay->n_held == HELD_MAX)
			release_held(replay);
	}
	release_held(replay);
	return result;
}

static enum bitmap_result tick(struct replay *replay)
{
	replay->now_us += FRAME_US;
	replay->tokens =
		MIN(replay->tokens + (int64_t)SLOW_BPS / 8 * FRAME_US / 1000000, SLOW_AHEAD_BYTES);
	return pull(replay);
}

/* Ticks until nothing is left to send and nothing moves. */
static void settle(struct replay *replay)
{
	for (unsigned i = 0; i < SETTLE_FRAMES; i++) {
		if (tick(replay) == BITMAP_NONE && !painter_wants_ticks(replay->painter))
			return;
	}
	g_error("painting did not come to rest");
}

static struct tally play(const struct sequence *sequence, const struct line_model *line)
{
	struct replay *replay = replay_create(line);
	struct rect damage[SEQUENCE_RECTS_MAX] = { { 0, 0, WIDTH, HEIGHT } };
	sequence->begin(&replay->scene);
	push(replay, damage, 1);
	settle(replay);
	/* We do not count the first picture, which is the same for all sequences. */
	replay->tally = (struct tally){ 0 };
	for (unsigned i = 0; i < sequence->n_frames; i++) {
		unsigned n = sequence->draw(&replay->scene, i, damage);
		if (n > 0)
			push(replay, damage, n);
		tick(replay);
	}
	settle(replay);
	if (memcmp(replay->surface, replay->scene.pixels, BYTES) != 0)
		g_error("%s, %s: the client shows another picture than the guest", sequence->name,
			line->name);
	struct tally tally = replay->tally;
	replay_destroy(replay);
	return tally;
}

static void report(const struct sequence *sequence, const struct line_model *line, unsigned n_runs)
{
	struct samples compare_us = { 0 }, send_us = { 0 };
	struct tally tally = { 0 };
	double n = sequence->n_frames;
	for (unsigned run = 0; run < n_runs; run++) {
		struct tally one = play(sequence, line);
		if (run > 0 && one.digest != tally.digest)
			g_error("%s: two runs differ", sequence->name);
		tally = one;
		samples_add(&compare_us, (double)one.compare_ns / n / 1000);
		samples_add(&send_us, (double)one.send_ns / n / 1000);
	}
	double compare = samples_quantile(&compare_us, 0.5), send = samples_quantile(&send_us, 0.5);
	printf("%-7s %-10s %7.2f drawables %9.1f KB of pixels %8.2f KB on the wire  CPU %7.1f us = "
	       "%7.1f compare + %6.1f send (+- %.0f %%)  digest %016" G_GINT64_MODIFIER "x\n",
		sequence->name, line->name, (double)tally.drawables / n,
		(double)tally.pixel_bytes / n / 1024, (double)tally.wire_bytes / n / 1024,
		compare + send, compare, send,
		(samples_quantile(&compare_us, 1) - samples_quantile(&compare_us, 0)) * 50 /
			MAX(compare, 0.1),
		tally.digest);
	fflush(stdout);
	samples_finish(&compare_us);
	samples_finish(&send_us);
}

/* Runs each sequence RUNS times: bench-replay [RUNS]. */
int main(int argc, char **argv)
{
	unsigned n_runs = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : RUNS_DEFAULT;
	printf("For each frame of %ux%u, medians of %u runs:\n", WIDTH, HEIGHT, n_runs);
	for (unsigned i = 0; i < SEQUENCES; i++) {
		for (unsigned line = 0; line < G_N_ELEMENTS(LINES); line++)
			report(&SEQUENCE[i], &LINES[line], MAX(n_runs, 1));
	}
	return 0;
}
