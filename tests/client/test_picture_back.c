/* SPDX-License-Identifier: MIT */
/*
 * picture-back [ROUNDS] checks that what stands still is replaced, and that a client sees a new
 * picture within the limit of 10 s and 3 s more. There are three kinds, side by side, each on a
 * desktop of its own with the real workers, the initial limits and a stock client: an endless
 * shader, a renderer and a display that are stopped (SIGSTOP). Each runs ROUNDS times (20), every
 * time with a new desktop, and prints one TAP line.
 *
 * The guest draws by OpenGL, another colour each time, and goes on to do so all the while. A new
 * renderer has nothing of what GL had, so each picture is drawn by a context of its own, as if the
 * guest's session began anew. The round is over when the client has a colour that was drawn after
 * the process that stood still was replaced. A client that was cut off connects again.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/client/client.h"
#include "tests/wire/slow.h"
#include "tests/wire/virgl_encode.h"
#include "tests/wire/wire.h"

#define LIMIT_MS 10000
#define ABOVE_MS 3000
/* A round is given up after this time. */
#define PATIENCE_MS 60000
#define LOOK_MS 100
#define SIDE 256
#define PICTURE 1
#define CONTEXT 50
#define PAINTER 60

enum kind { ENDLESS_SHADER, STOPPED_RENDERER, STOPPED_DISPLAY, KINDS };
static const char *const kind_names[KINDS] = { "endless shader", "stopped renderer",
	"stopped display" };

struct round {
	struct guest *guest;
	struct client *client;
	uint32_t n_pictures;
};

/* ---- the desktop ---- */

static char *start(struct round *round)
{
	char *directory = backend_make_worker_dir();
	char *address = g_strdup_printf("--unix=%s/spice", directory);
	g_autofree char *workers = g_strdup_printf("--worker-dir=%s", directory);
	g_autofree char *spice = g_strdup_printf("--spice-unix=%s/spice", directory);
	const char *arguments[] = { workers, spice, "--software", "--virgl", "--spare=none", NULL };
	const struct guest_options options = { .program = g_getenv("VITRINE_GPU"),
		.arguments = arguments,
		.directory = directory,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.virgl = true,
		.timeout_ms = PATIENCE_MS };
	round->guest = guest_create(&options);
	return address;
}

/* ---- pictures ---- */

static uint32_t color_of(uint32_t picture)
{
	return picture * 0x050301 % 0xffffff;
}

/*
 * Draws the next colour. A renderer that is replaced meanwhile may answer with an error, so none is
 * checked; the next picture makes up for it.
 */
static void show_next(struct round *round)
{
	const guest_rect all = { 0, 0, SIDE, SIDE };
	uint32_t color = color_of(++round->n_pictures);
	const float rgba[4] = { (float)(color >> 16 & 255) / 255, (float)(color >> 8 & 255) / 255,
		(float)(color & 255) / 255, 1 };
	struct virgl_stream stream = { 0 };
	virgl_create_surface(&stream, 1, PICTURE, VIRGL_FORMAT_B8G8R8X8);
	virgl_set_framebuffer(&stream, 1);
	virgl_clear(&stream, rgba);
	guest_gpu_ctx_create(round->guest, PAINTER, "session");
	guest_gpu_ctx_attach(round->guest, PAINTER, PICTURE);
	guest_gpu_submit(round->guest, PAINTER, stream.words, virgl_stream_bytes(&stream));
	guest_gpu_flush(round->guest, PICTURE, all);
	guest_gpu_ctx_destroy(round->guest, PAINTER);
	virgl_stream_finish(&stream);
}

/* Returns whether the client sees the newest picture; connects it again if it was cut off. */
static bool is_seen(struct round *round)
{
	g_autofree char *answer = client_ask(round->client, "wait-pixel %d %d %06x %d 0", SIDE / 2,
		SIDE / 2, color_of(round->n_pictures), LOOK_MS);
	if (answer_is_ok(answer))
		return true;
	g_autofree char *error = answer_text(answer, "error");
	if (error && strstr(error, "not connected"))
		g_free(client_ask(round->client, "reconnect"));
	return false;
}

static pid_t find_worker(const struct round *round, const char *name)
{
	return backend_find_child(round->guest->backend, name);
}

/*
 * Draws until the client sees a picture that process `old` has no part in. Returns false when the
 * round was given up.
 */
static bool await_picture(struct round *round, const char *worker, pid_t old)
{
	gint64 end_us = g_get_monotonic_time() + PATIENCE_MS * 1000;
	do {
		pid_t now = find_worker(round, worker);
		show_next(round);
		if (now != 0 && now != old && is_seen(round))
			return true;
	} while (g_get_monotonic_time() < end_us);
	return false;
}

/* ---- a round ---- */

/*
 * Makes the worker stand still. Returns the endless job's request, to be freed when it is over, or
 * NULL.
 */
static struct guest_request *do_harm(enum kind kind, struct slow *slow, pid_t worker)
{
	if (kind == ENDLESS_SHADER)
		return slow_send_endless(slow, 9);
	kill(worker, SIGSTOP);
	return NULL;
}

static void prepare(struct round *round)
{
	*round = (struct round){ 0 };
	g_autofree char *address = start(round);
	const guest_rect all = { 0, 0, SIDE, SIDE };
	const struct virtio_gpu_resource_create_3d create = { .resource_id = PICTURE,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8X8,
		.bind = VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SCANOUT,
		.width = SIDE,
		.height = SIDE,
		.depth = 1,
		.array_size = 1 };
	wire_ok(guest_gpu_create_3d(round->guest, &create));
	wire_ok(guest_gpu_set_scanout(round->guest, 0, PICTURE, all));
	round->client = client_new(address, NULL);
	g_assert_true(await_picture(round, "vitrine-display", 0));
}

static void finish(struct round *round)
{
	client_kill(round->client);
	guest_destroy(round->guest);
}

/* Returns how long the picture was away, in milliseconds. */
static gint64 run_round(enum kind kind)
{
	const char *name = kind == STOPPED_DISPLAY ? "vitrine-display" : "vitrine-render";
	struct round round;
	prepare(&round);
	struct slow *slow = slow_create(round.guest, CONTEXT, 0);
	pid_t worker = find_worker(&round, name);
	gint64 start_us = g_get_monotonic_time();
	struct guest_request *request = do_harm(kind, slow, worker);
	if (!await_picture(&round, name, worker))
		g_error("%s: no picture within %d s", kind_names[kind], PATIENCE_MS / 1000);
	gint64 took_ms = (g_get_monotonic_time() - start_us) / 1000;
	if (request)
		g_assert_true(
			guest_queue_wait(round.guest->control, request, round.guest->timeout_ms));
	guest_request_free(request);
	slow_forget(slow);
	finish(&round);
	return took_ms;
}

/* ---- the kinds side by side ---- */

static void run_kind(enum kind kind, int n_rounds)
{
	gint64 least_ms = G_MAXINT64, most_ms = 0;
	int n_good = 0;
	for (int i = 0; i < n_rounds; i++) {
		gint64 took_ms = run_round(kind);
		fprintf(stderr, "# %s, round %d: %" G_GINT64_FORMAT " ms\n", kind_names[kind],
			i + 1, took_ms);
		n_good += took_ms <= LIMIT_MS + ABOVE_MS;
		least_ms = MIN(least_ms, took_ms);
		most_ms = MAX(most_ms, took_ms);
	}
	printf("%sok %d - %s: a new picture within %d s %d of %d times, after %.1f to %.1f s\n",
		n_good == n_rounds ? "" : "not ", kind + 1, kind_names[kind],
		(LIMIT_MS + ABOVE_MS) / 1000, n_good, n_rounds, (double)least_ms / 1000,
		(double)most_ms / 1000);
	fflush(stdout);
	_exit(n_good != n_rounds);
}

int main(int argc, char **argv)
{
	int n_rounds = argc > 1 ? atoi(argv[1]) : 20;
	int n_bad = 0;
	argc = 1;
	wire_init(&argc, &argv);
	for (enum kind kind = 0; kind < KINDS; kind++) {
		pid_t pid = fork();
		g_assert_cmpint(pid, >=, 0);
		if (pid == 0)
			run_kind(kind, n_rounds);
	}
	for (enum kind kind = 0; kind < KINDS; kind++) {
		int status;
		g_assert_cmpint(wait(&status), >, 0);
		n_bad += status != 0;
	}
	printf("1..%d\n", KINDS);
	return n_bad > 0;
}
