/* SPDX-License-Identifier: MIT */
/*
 * bench-start [--pairs=N] [--than=BUILD]: how long a desktop takes to start, on software rendering:
 * until its renderer answers the guest's first command, and until its display hears a client; and
 * what memory all of its processes have then. With all walls and with --confine=off, alternately;
 * or with all walls in this build and another one. What only the walls need is there with
 * --confine=off, too: starter, fetcher and display's child. So memory of theirs, that would not be
 * without them, is told apart.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/fd.h"
#include "tests/bench/processes.h"
#include "tests/bench/samples.h"
#include "tests/wire/wire.h"

#define PATIENCE_S 20
/* Display looks for encoders behind its first client. */
#define SETTLED_MS 500
#define PROCESSES_MAX 16

static int n_pairs = 15;
static char *than;
static const GOptionEntry options[] = {
	{ "pairs", 0, 0, G_OPTION_ARG_INT, &n_pairs, "How many pairs", "N" },
	{ "than", 0, 0, G_OPTION_ARG_STRING, &than, "Another build to compare with", "BUILD" },
	{ NULL },
};

/* One of the two that are compared. */
struct side {
	const char *name, *confine;
	char *gpu, *workers;
	struct samples renderer, all, memory, servants;
};

/* They are there for the walls. */
static const char *const servants[] = { "vitrine-starter", "vitrine-fetcher", "vitrine-inner",
	NULL };
#define N_SERVANTS (G_N_ELEMENTS(servants) - 1)
/* Beside the keeper and its two workers. */
#define N_PROCESSES (N_SERVANTS + 3)

static void add_worker(const char *directory, const char *name, const char *program)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	if (!program || symlink(program, path) < 0)
		g_error("no %s: run by meson", name);
}

static void init_side(struct side *side, const char *build)
{
	side->workers = backend_directory_create();
	/* Root's workers are other users, who must find their programs. */
	g_assert_no_errno(chmod(side->workers, 0755));
	side->gpu = build ? g_build_filename(build, "server/vitrine-gpu", NULL) :
			    g_strdup(g_getenv("VITRINE_GPU"));
	g_autofree char *render =
		build ? g_build_filename(build, "render/vitrine-render", NULL) : NULL;
	g_autofree char *display =
		build ? g_build_filename(build, "display/vitrine-display", NULL) : NULL;
	add_worker(side->workers, "vitrine-render", build ? render : g_getenv("VITRINE_RENDER"));
	add_worker(side->workers, "vitrine-display", build ? display : g_getenv("VITRINE_DISPLAY"));
}

static void finish_side(struct side *side)
{
	for (unsigned i = 0; i < 2; i++) {
		g_autofree char *path = g_build_filename(
			side->workers, i ? "vitrine-render" : "vitrine-display", NULL);
		unlink(path);
	}
	rmdir(side->workers);
	g_free(side->workers);
	g_free(side->gpu);
	samples_finish(&side->renderer);
	samples_finish(&side->all);
	samples_finish(&side->memory);
	samples_finish(&side->servants);
}

/* What is no SPICE is hung up on, once there is a display that reads it. */
static int call_display(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		send(fd, "this is no SPICE", 16, MSG_NOSIGNAL) != 16)
		g_error("%s: %s", path, g_strerror(errno));
	return fd;
}

static void hear_display(int fd)
{
	char bytes[256];
	ssize_t n;
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		;
	if (n < 0 && errno != ECONNRESET)
		g_error("no answer of display: %s", g_strerror(errno));
	close(fd);
}

static bool is_servant(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int)pid);
	g_autofree char *name = NULL;
	return g_file_get_contents(path, &name, NULL, NULL) &&
	       g_strv_contains(servants, g_strchomp(name));
}

static void measure_memory(struct side *side, pid_t keeper)
{
	pid_t pids[PROCESSES_MAX];
	uint64_t all_kib = 0, servants_kib = 0;
	unsigned n = process_list(keeper, pids, PROCESSES_MAX), n_servants = 0;
	for (unsigned i = 0; i < n; i++) {
		struct process_memory memory;
		process_read_memory(pids[i], &memory);
		all_kib += process_sum_kib(&memory);
		if (is_servant(pids[i])) {
			servants_kib += process_read_own_kib(pids[i]);
			n_servants++;
		}
	}
	if (n != N_PROCESSES || n_servants != N_SERVANTS)
		g_error("%u processes, %u of them servants", n, n_servants);
	samples_add(&side->memory, (double)all_kib / 1024);
	samples_add(&side->servants, (double)servants_kib / 1024);
}

static void start_one(struct side *side)
{
	char *directory = backend_directory_create();
	g_autofree char *workers = g_strdup_printf("--worker-dir=%s", side->workers);
	g_autofree char *socket = g_strdup_printf("%s/spice", directory);
	g_autofree char *spice = g_strdup_printf("--spice-unix=%s", socket);
	const char *arguments[] = { workers, spice, "--software", "--virgl", side->confine, NULL };
	const struct guest_options guest_options = {
		.program = side->gpu,
		.arguments = arguments,
		.directory = directory,
		.shape = GUEST_SHAPE_INDIRECT,
		.virgl = true,
	};
	struct virtio_gpu_resp_display_info info;
	gint64 begin = g_get_monotonic_time();
	struct guest *guest = guest_create(&guest_options);
	int display = call_display(socket);
	g_assert_cmphex(
		guest_gpu_get_display_info(guest, &info), ==, VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	samples_add(&side->renderer, (double)(g_get_monotonic_time() - begin) / 1000);
	hear_display(display);
	samples_add(&side->all, (double)(g_get_monotonic_time() - begin) / 1000);
	g_usleep(SETTLED_MS * 1000);
	measure_memory(side, guest->backend->pid);
	guest_destroy(guest);
}

static void print(const struct side *sides, const char *what, const char *unit, struct samples *a,
	struct samples *b)
{
	double medians[2] = { samples_quantile(a, 0.5), samples_quantile(b, 0.5) };
	double minima[2] = { samples_quantile(a, 0), samples_quantile(b, 0) };
	printf("%-20s %s %16s %16s\n", what, unit, sides[0].name, sides[1].name);
	printf("%-20s    %16.2f %16.2f %+8.2f\n", "  median", medians[0], medians[1],
		medians[1] - medians[0]);
	printf("%-20s    %16.2f %16.2f %+8.2f\n", "  minimum", minima[0], minima[1],
		minima[1] - minima[0]);
}

int main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;
	g_option_context_add_main_entries(context, options, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		g_error("%s", error->message);
	wire_init(&argc, &argv);
	struct side sides[2] = {
		{ .name = than ? "the other build" : "--confine=off",
			.confine = than ? "--confine=auto" : "--confine=off" },
		{ .name = "--confine=auto", .confine = "--confine=auto" },
	};
	init_side(&sides[0], than);
	init_side(&sides[1], NULL);
	/* The first one of each finds its programs and libraries on disk. */
	for (int pair = -1; pair < n_pairs; pair++) {
		for (unsigned i = 0; i < 2; i++) {
			struct side *side = &sides[(pair & 1) ^ (int)i];
			start_one(side);
			if (pair < 0)
				side->renderer.n = side->all.n = side->memory.n = side->servants.n =
					0;
		}
	}
	print(sides, "renderer answers", "ms", &sides[0].renderer, &sides[1].renderer);
	print(sides, "display, too", "ms", &sides[0].all, &sides[1].all);
	print(sides, "memory of all", "MB", &sides[0].memory, &sides[1].memory);
	print(sides, "of it servants'", "MB", &sides[0].servants, &sides[1].servants);
	finish_side(&sides[0]);
	finish_side(&sides[1]);
	return 0;
}
