/* SPDX-License-Identifier: MIT */
/*
 * bench-idle measures one desktop at 1920x1080 that nobody looks at, on software rendering, with
 * the real workers, after it has shown 2D and drawn 3D: memory of our processes by cause, and what
 * CPU they use in ten seconds of nothing. A second desktop, whose pictures the frame consumer takes
 * at full speed before it stops looking, tells what the renderer holds on to then; the larger
 * figure counts. The exit status is 1 above 220 MB or 10 ms.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/processes.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

#define WIDTH 1920
#define HEIGHT 1080
#define MEMORY_LIMIT_KIB (220u * 1024)
#define CPU_LIMIT_NS 10000000u
#define IDLE_SECONDS 10

enum { KEEPER, RENDER, DISPLAY, STARTER, FETCHER, INNER, PROCESSES };
static const char *const NAMES[PROCESSES] = { "vitrine-gpu", "vitrine-render", "vitrine-display",
	"vitrine-starter", "vitrine-fetcher", "vitrine-inner" };

/* Makes a directory in which the keeper finds both workers. */
static char *make_worker_dir(void)
{
	char *directory = backend_directory_create();
	/* Root's workers are other users, who must find their programs. */
	g_assert_no_errno(chmod(directory, 0755));
	static const char *const variables[] = { "VITRINE_RENDER", "VITRINE_DISPLAY" };
	for (unsigned i = 0; i < 2; i++) {
		g_autofree char *path = g_build_filename(directory, NAMES[RENDER + i], NULL);
		const char *program = g_getenv(variables[i]);
		if (!program || symlink(program, path) < 0)
			g_error("%s is not set: run by meson", variables[i]);
	}
	return directory;
}

static struct guest *start(void)
{
	char *directory = make_worker_dir();
	g_autofree char *workers = g_strdup_printf("--worker-dir=%s", directory);
	g_autofree char *spice = g_strdup_printf("--spice-unix=%s/spice", directory);
	const char *arguments[] = { workers, spice, "--software", "--virgl", NULL };
	struct guest_options options = {
		.program = g_getenv("VITRINE_GPU"),
		.arguments = arguments,
		.directory = directory,
		.layout = GUEST_MEMORY_SPREAD,
		.memory_bytes = 512u << 20,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.virgl = true,
	};
	return guest_create(&options);
}

/* Draws a 1080p target with GL and shows it on a head, as a compositor does. */
static void draw(struct guest *guest)
{
	const float color[4] = { 0.2f, 0.4f, 0.6f, 1 };
	struct virtio_gpu_resource_create_3d create = {
		.resource_id = 501,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8X8,
		.bind = VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SCANOUT,
		.width = WIDTH,
		.height = HEIGHT,
		.depth = 1,
		.array_size = 1,
	};
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	g_assert_true(scene3d_run(guest, 10, 1));
	wire_ok(guest_gpu_ctx_create(guest, 500, "idle"));
	wire_ok(guest_gpu_create_3d(guest, &create));
	wire_ok(guest_gpu_ctx_attach(guest, 500, 501));
	struct virgl_stream s = { 0 };
	virgl_create_surface(&s, 1, 501, VIRGL_FORMAT_B8G8R8X8);
	virgl_set_framebuffer(&s, 1);
	virgl_clear(&s, color);
	wire_ok(guest_gpu_submit(guest, 500, s.words, virgl_stream_bytes(&s)));
	virgl_stream_finish(&s);
	wire_ok(guest_gpu_set_scanout(guest, 0, 501, all));
	for (int i = 0; i < 10; i++)
		wire_ok(guest_gpu_flush(guest, 501, all));
}

static void find_processes(const struct guest *guest, pid_t pids[PROCESSES])
{
	pids[KEEPER] = guest->backend->pid;
	for (unsigned i = RENDER; i <= DISPLAY; i++)
		pids[i] = backend_wait_child(guest->backend, NAMES[i], 0, 5000);
	for (unsigned i = STARTER; i < PROCESSES; i++)
		pids[i] = process_find_child(pids[i == INNER ? DISPLAY : KEEPER], NAMES[i]);
	for (unsigned i = RENDER; i < PROCESSES; i++) {
		if (!pids[i])
			g_error("no %s", NAMES[i]);
	}
}

static void print_causes(void)
{
	printf("%-16s", "Pss in MB");
	for (unsigned c = 0; c < MEMORY_CAUSES; c++)
		printf(" %9s", c == MEMORY_GUEST ? "(guest)" : MEMORY_CAUSE_NAMES[c]);
	printf(" %9s %9s\n", "sum", "its own");
}

static uint64_t print_process(const char *name, pid_t pid)
{
	struct process_memory memory;
	process_read_memory(pid, &memory);
	printf("%-16s", name);
	for (unsigned c = 0; c < MEMORY_CAUSES; c++)
		printf(" %9.2f", (double)memory.pss_kib[c] / 1024);
	/* The sum counts halves of what a process shares with whom it was forked from. */
	printf(" %9.2f %9.2f\n", (double)process_sum_kib(&memory) / 1024,
		(double)process_read_own_kib(pid) / 1024);
	return process_sum_kib(&memory);
}

static uint64_t print_memory(const pid_t pids[PROCESSES])
{
	uint64_t all = 0;
	print_causes();
	for (unsigned i = 0; i < PROCESSES; i++)
		all += print_process(NAMES[i], pids[i]);
	printf("all: %.2f MB, without guest memory\n\n", (double)all / 1024);
	return all;
}

static uint64_t print_time(const pid_t pids[PROCESSES])
{
	struct process_time before[PROCESSES], after[PROCESSES];
	uint64_t all = 0;
	for (unsigned i = 0; i < PROCESSES; i++) {
		process_read_time(pids[i], &before[i]);
		if (before[i].cpu_ns == 0)
			g_error("%s has used no CPU at all: no schedstat here?", NAMES[i]);
	}
	g_usleep(IDLE_SECONDS * G_USEC_PER_SEC);
	printf("%-16s %12s %9s\n", "10 s idle", "CPU us", "wake-ups");
	for (unsigned i = 0; i < PROCESSES; i++) {
		process_read_time(pids[i], &after[i]);
		uint64_t cpu_ns = after[i].cpu_ns - before[i].cpu_ns;
		printf("%-16s %12.1f %9" G_GUINT64_FORMAT "\n", NAMES[i], (double)cpu_ns / 1000,
			after[i].wake_ups - before[i].wake_ups);
		all += cpu_ns;
	}
	return all;
}

/* Prints and returns how much more the renderer holds after someone has looked. */
static uint64_t print_viewed(void)
{
	struct desktop_options options = {
		.virgl = true,
		.memory_bytes = 512u << 20,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
	};
	struct desktop *desktop = desktop_create(&options);
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	draw(desktop->guest);
	for (int i = 0; i < 60; i++) {
		wire_ok(guest_gpu_flush(desktop->guest, 501, all));
		g_usleep(16000);
	}
	consumer_link_rate(desktop->consumer, 0, 0);
	g_usleep(2 * G_USEC_PER_SEC);
	printf("after someone has looked at it\n");
	print_causes();
	uint64_t kib = print_process(NAMES[RENDER], desktop_renderer(desktop));
	printf("\n");
	desktop_destroy(desktop);
	return kib;
}

int main(int argc, char **argv)
{
	pid_t pids[PROCESSES];
	struct process_memory renderer;
	wire_init(&argc, &argv);
	struct guest *guest = start();
	draw(guest);
	find_processes(guest, pids);
	g_usleep(2 * G_USEC_PER_SEC);
	uint64_t memory_kib = print_memory(pids);
	process_read_memory(pids[RENDER], &renderer);
	uint64_t cpu_ns = print_time(pids);
	guest_destroy(guest);
	uint64_t viewed_kib = print_viewed(), plain_kib = process_sum_kib(&renderer);
	if (viewed_kib > plain_kib)
		memory_kib += viewed_kib - plain_kib;
	bool good = memory_kib <= MEMORY_LIMIT_KIB && cpu_ns <= CPU_LIMIT_NS;
	printf("%.2f MB of at most %u, %.1f ms of CPU of at most %u: %s\n",
		(double)memory_kib / 1024, MEMORY_LIMIT_KIB / 1024, (double)cpu_ns / 1e6,
		CPU_LIMIT_NS / 1000000, good ? "good" : "OVER A LIMIT");
	return good ? 0 : 1;
}
