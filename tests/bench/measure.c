/* SPDX-License-Identifier: MIT */
#include "tests/bench/measure.h"

#include <string.h>
#include <time.h>

#include "tests/bench/processes.h"
#include "tests/bench/samples.h"
#include "tests/wire/virgl_encode.h"

#define WIDTH 1920
#define HEIGHT 1080
#define FRAME_BYTES ((size_t)WIDTH * HEIGHT * 4)
#define EMPTY_ROUNDS 4000
#define SUBMIT_ROUNDS 1500
#define PACED_ROUNDS 120
#define WARM_UP 200
#define FRAMES_SECONDS 3
#define FRAMES_AHEAD 2

/* Describes a backend and whatever looks at its pictures. */
struct subject {
	bool ours;
	struct desktop *desktop; /* ours */
	struct guest *guest;
	struct picture_pattern pattern;
	uint64_t good, bad,
		last; /* the stock backend's frames, counted in the GPU socket's thread */
};

static void on_update(void *user, unsigned scanout, const struct gpu_socket_scanout *surface)
{
	struct subject *s = user;
	uint32_t number = 0;
	bool good = surface->width == WIDTH && surface->height == HEIGHT &&
		    picture_pattern_check(
			    &s->pattern, (const uint8_t *)surface->pixels, WIDTH * 4, &number) &&
		    number != s->last;
	s->last = number;
	__atomic_fetch_add(good ? &s->good : &s->bad, 1, __ATOMIC_RELAXED);
}

static void start(struct subject *s, bool ours, bool virgl)
{
	static const char *const with_virgl[] = { "--virgl", "--render-node", "/dev/null", NULL };
	memset(s, 0, sizeof(*s));
	s->ours = ours;
	s->last = UINT64_MAX;
	picture_pattern_init(&s->pattern, WIDTH, HEIGHT);
	if (ours) {
		struct desktop_options options = {
			.virgl = virgl,
			.no_pacing = true,
			.shape = GUEST_SHAPE_INDIRECT,
			.event_idx = true,
			.memory_bytes = 512u << 20,
		};
		s->desktop = desktop_create(&options);
		s->guest = s->desktop->guest;
		return;
	}
	struct guest_options options = {
		.program = wire_stock(),
		.arguments = virgl ? with_virgl : NULL,
		.memory_bytes = 512u << 20,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.virgl = virgl,
		.on_update = on_update,
		.on_update_user = s,
	};
	s->guest = guest_create(&options);
}

static void finish(struct subject *s)
{
	if (s->desktop)
		desktop_destroy(s->desktop);
	else
		guest_destroy(s->guest);
	picture_pattern_finish(&s->pattern);
}

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double elapsed_us(double start)
{
	return now_us() - start;
}

/* Returns the CPU time of the backend's own processes, in milliseconds by the scheduler's clock. */
static double read_all_cpu_ms(const struct subject *s)
{
	const struct backend *backend = s->guest->backend;
	pid_t consumer = backend_find_child(backend, "wire-consumer");
	GArray *processes = backend_list_children(backend);
	double sum = 0;
	g_array_append_val(processes, backend->pid);
	for (guint i = 0; i < processes->len; i++) {
		struct process_time time;
		pid_t pid = g_array_index(processes, pid_t, i);
		if (pid == consumer)
			continue;
		process_read_time(pid, &time);
		sum += (double)time.cpu_ns / 1e6;
	}
	g_array_unref(processes);
	return sum;
}

/*
 * Returns the CPU time of the process that executes commands, in microseconds by the scheduler's
 * clock.
 */
static double read_cpu_us(const struct subject *s)
{
	const struct backend *backend = s->guest->backend;
	struct process_time time;
	process_read_time(
		s->ours ? backend_find_child(backend, "vitrine-render") : backend->pid, &time);
	return (double)time.cpu_ns / 1e3;
}

static void measure_empty(struct subject *s, struct figures *figures)
{
	struct samples samples = { 0 };
	double cpu_before = 0;
	guest_rect dot = { 0, 0, 1, 1 };
	wire_ok(guest_gpu_create_2d(s->guest, 90, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, 64, 64));
	for (unsigned i = 0; i < EMPTY_ROUNDS + WARM_UP; i++) {
		if (i == WARM_UP)
			cpu_before = read_cpu_us(s);
		double begin = now_us();
		wire_ok(guest_gpu_flush(s->guest, 90, dot));
		if (i >= WARM_UP)
			samples_add(&samples, elapsed_us(begin));
	}
	figures->values[FIGURE_EMPTY_CPU_US] = (read_cpu_us(s) - cpu_before) / EMPTY_ROUNDS;
	wire_ok(guest_gpu_unref(s->guest, 90));
	figures->values[FIGURE_EMPTY_P50_US] = samples_quantile(&samples, 0.5);
	figures->values[FIGURE_EMPTY_P95_US] = samples_quantile(&samples, 0.95);
	samples_finish(&samples);
}

/*
 * Makes one resource for each pattern and fills it beforehand, as drawing is not what is measured.
 */
static void make_frames(struct subject *s, struct guest_backing *backings[PICTURE_PATTERNS])
{
	for (uint32_t k = 0; k < PICTURE_PATTERNS; k++) {
		backings[k] = guest_backing_create(s->guest, FRAME_BYTES, GUEST_PAGE_SIZE);
		for (uint32_t y = 0; y < HEIGHT; y++)
			guest_backing_write(backings[k], (size_t)y * WIDTH * 4,
				picture_pattern_row(&s->pattern, k, y), WIDTH * 4);
		wire_ok(guest_gpu_create_2d(
			s->guest, 10 + k, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, WIDTH, HEIGHT));
		wire_ok(guest_backing_attach(backings[k], 10 + k));
	}
}

/* Sends what a driver sends for a page flip, with one kick, and waits for the flush. */
static void flip(struct subject *s, struct guest_backing *backing, uint32_t number)
{
	uint32_t stamp[PICTURE_STAMP_PIXELS], id = 10 + number % PICTURE_PATTERNS;
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	struct virtio_gpu_transfer_to_host_2d transfer = {
		.hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
		.r = all,
		.resource_id = id,
	};
	struct virtio_gpu_set_scanout scanout = {
		.hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT,
		.r = all,
		.resource_id = id,
	};
	struct virtio_gpu_resource_flush flush = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH,
		.r = all,
		.resource_id = id,
	};
	picture_stamp(number, stamp);
	for (unsigned i = 0; i < 3; i++)
		guest_backing_write(backing, (size_t)picture_stamp_row(HEIGHT, i) * WIDTH * 4,
			stamp, sizeof(stamp));
	struct guest_queue *queue = s->guest->control;
	struct guest_request *requests[3] = {
		guest_queue_add(queue, &transfer, sizeof(transfer), 24),
		guest_queue_add(queue, &scanout, sizeof(scanout), 24),
		guest_queue_add(queue, &flush, sizeof(flush), 24),
	};
	guest_queue_kick(queue);
	for (unsigned i = 3; i-- > 0;) {
		g_assert_true(guest_queue_wait(queue, requests[i], s->guest->timeout_ms));
		wire_ok(*(const uint32_t *)requests[i]->response);
		guest_request_free(requests[i]);
	}
}

/*
 * Waits like a compositor, which draws a few pictures ahead of what is shown, not as many as it
 * can.
 */
static void keep_pace(struct subject *s, uint32_t number)
{
	if (s->ours && number >= FRAMES_AHEAD)
		consumer_link_bench_wait(s->desktop->consumer, number - FRAMES_AHEAD);
}

static uint64_t count_good(struct subject *s)
{
	if (s->ours)
		return consumer_link_state(s->desktop->consumer)->bench_good;
	return __atomic_load_n(&s->good, __ATOMIC_RELAXED);
}

static uint64_t count_bad(struct subject *s)
{
	if (s->ours)
		return consumer_link_state(s->desktop->consumer)->bench_bad;
	return __atomic_load_n(&s->bad, __ATOMIC_RELAXED);
}

static void measure_frames(struct subject *s, struct figures *figures)
{
	struct guest_backing *backings[PICTURE_PATTERNS];
	uint32_t number = 0;
	make_frames(s, backings);
	if (s->ours) {
		consumer_link_rate(s->desktop->consumer, 0, 10000000);
		consumer_link_bench(s->desktop->consumer, WIDTH, HEIGHT);
	}
	for (; number < 30; number++) {
		flip(s, backings[number % PICTURE_PATTERNS], number);
		keep_pace(s, number);
	}
	uint64_t before = count_good(s);
	double cpu_before = read_all_cpu_ms(s);
	double begin = now_us();
	while (elapsed_us(begin) < FRAMES_SECONDS * 1e6) {
		flip(s, backings[number % PICTURE_PATTERNS], number);
		keep_pace(s, number++);
	}
	double seconds = elapsed_us(begin) / 1e6;
	double cpu = read_all_cpu_ms(s) - cpu_before;
	double frames = (double)(count_good(s) - before);
	figures->values[FIGURE_FRAMES_PER_S] = frames / seconds;
	figures->values[FIGURE_FRAME_CPU_MS] = cpu / MAX(frames, 1);
	figures->values[FIGURE_FLIPS_PER_S] = (number - 30) / seconds;
	if (count_bad(s) > 0)
		g_error("%" G_GUINT64_FORMAT " frames arrived wrong", count_bad(s));
	if (s->ours)
		consumer_link_bench(s->desktop->consumer, 0, 0);
	wire_ok(guest_gpu_set_scanout(s->guest, 0, 0, (guest_rect){ 0 }));
	for (uint32_t k = 0; k < PICTURE_PATTERNS; k++) {
		wire_ok(guest_gpu_unref(s->guest, 10 + k));
		guest_backing_free(backings[k]);
	}
}

static void make_target(struct guest *guest)
{
	struct virtio_gpu_resource_create_3d create = {
		.resource_id = 2,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8A8,
		.bind = VIRGL_BIND_RENDER_TARGET,
		.width = 64,
		.height = 64,
		.depth = 1,
		.array_size = 1,
	};
	struct virgl_stream s = { 0 };
	wire_ok(guest_gpu_ctx_create(guest, 1, "bench"));
	wire_ok(guest_gpu_create_3d(guest, &create));
	wire_ok(guest_gpu_ctx_attach(guest, 1, 2));
	virgl_create_surface(&s, 1, 2, VIRGL_FORMAT_B8G8R8A8);
	virgl_set_framebuffer(&s, 1);
	wire_ok(guest_gpu_submit(guest, 1, s.words, virgl_stream_bytes(&s)));
	virgl_stream_finish(&s);
}

static double submit_once(struct guest *guest, uint64_t fence)
{
	const float color[4] = { (float)(fence % 7) / 7, 0.5f, 0.25f, 1 };
	struct virgl_stream s = { 0 };
	size_t bytes;
	virgl_clear(&s, color);
	g_autofree void *command =
		guest_gpu_make_submit(1, s.words, virgl_stream_bytes(&s), &bytes);
	virgl_stream_finish(&s);
	double begin = now_us();
	struct guest_request *request = guest_gpu_send_fenced(guest, command, bytes, fence);
	wire_ok(guest_gpu_finish_fenced(guest, request, fence));
	return elapsed_us(begin);
}

static void measure_submit(struct subject *s, struct figures *figures)
{
	struct samples flat = { 0 }, paced = { 0 };
	uint64_t fence = 1;
	make_target(s->guest);
	for (unsigned i = 0; i < WARM_UP; i++)
		submit_once(s->guest, fence++);
	double cpu_before = read_cpu_us(s);
	for (unsigned i = 0; i < SUBMIT_ROUNDS; i++)
		samples_add(&flat, submit_once(s->guest, fence++));
	figures->values[FIGURE_SUBMIT_CPU_US] = (read_cpu_us(s) - cpu_before) / SUBMIT_ROUNDS;
	gint64 next = g_get_monotonic_time();
	for (unsigned i = 0; i < PACED_ROUNDS; i++) {
		next += 1000000 / 60;
		gint64 now = g_get_monotonic_time();
		if (next > now)
			g_usleep((gulong)(next - now));
		samples_add(&paced, submit_once(s->guest, fence++));
	}
	figures->values[FIGURE_SUBMIT_P50_US] = samples_quantile(&flat, 0.5);
	figures->values[FIGURE_SUBMIT_P95_US] = samples_quantile(&flat, 0.95);
	figures->values[FIGURE_PACED_P50_US] = samples_quantile(&paced, 0.5);
	figures->values[FIGURE_PACED_P95_US] = samples_quantile(&paced, 0.95);
	samples_finish(&flat);
	samples_finish(&paced);
}

void measure(bool ours, struct figures *figures)
{
	struct subject s;
	start(&s, ours, false);
	measure_empty(&s, figures);
	measure_frames(&s, figures);
	finish(&s);
	start(&s, ours, true);
	measure_submit(&s, figures);
	finish(&s);
}
