/* SPDX-License-Identifier: MIT */
/*
 * session: a piece of a desktop's life, in which anything may fail once (run-faults). It is over
 * well when the guest draws and is shown, and when all is gone afterwards.
 *
 * A command may get an error, a renderer or display may be replaced, and the guest's driver may be
 * loaded anew, as a person would: that is tried a few times. Exit status: 0 the desktop works; 3 it
 * has ended and said why; all else is a fault. The last line of output says what there was.
 */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

#define WIDTH 64
#define HEIGHT 48
#define TRIES 4
#define STATUS_ENDED 3
#define STATUS_SILENT 5

static struct desktop *desktop;

static void say(const char *outcome, const char *what)
{
	printf("session: %s: %s\n", outcome, what);
	fflush(stdout);
}

static unsigned count_fds(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	unsigned n = 0;
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* A spare one waits after a crash. The servants are children, too, and always there. */
static unsigned count_workers(const struct backend *backend)
{
	GArray *children = backend_list_children(backend);
	unsigned n = children->len;
	g_array_unref(children);
	return n;
}

/* A line of ours that is more than news, or one of GLib's. */
static bool has_said_why(const char *log)
{
	return strstr(log, "vitrine-") || strstr(log, "failed to allocate") || strstr(log, "GLib");
}

static void print_log(const struct backend *backend)
{
	g_autofree char *log = backend_read_log(backend);
	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
		printf("| %s\n", line);
}

/* Whatever a harness asserts about a keeper that is gone comes to this. */
static void end_with_keeper(struct backend *backend)
{
	if (!backend_wait_exit(backend, 15000)) {
		print_log(backend);
		say("silent", "it serves nobody, and goes on");
		_exit(STATUS_SILENT);
	}
	g_autofree char *log = backend_read_log(backend);
	bool said = has_said_why(log);
	char *last = log;
	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n")) {
		printf("| %s\n", line);
		last = line;
	}
	say(said ? "ended" : "silent", last ? last : "nothing");
	wire_remove_directory(backend->directory);
	_exit(said ? STATUS_ENDED : STATUS_SILENT);
}

/* Where an assertion of the harness leads to, while there is a step that can be tried again. */
static sigjmp_buf step;
static volatile sig_atomic_t can_go_back, is_ending;

static void on_abort(int signal_number)
{
	if (can_go_back) {
		can_go_back = 0;
		siglongjmp(step, 1);
	}
	if (is_ending++)
		_exit(STATUS_SILENT);
	struct backend *backend = backend_newest();
	if (backend)
		end_with_keeper(backend);
	say("silent", "there was no keeper");
	_exit(STATUS_SILENT);
}

static bool show_2d(uint32_t id, uint32_t seed)
{
	struct guest *guest = desktop->guest;
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	g_autofree uint32_t *pixels = wire_noise(seed, WIDTH * HEIGHT);
	struct guest_backing *backing =
		guest_backing_create(guest, WIDTH * HEIGHT * 4, GUEST_PAGE_SIZE);
	guest_backing_write(backing, 0, pixels, WIDTH * HEIGHT * 4);
	bool good = guest_gpu_create_2d(guest, id, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, WIDTH,
			    HEIGHT) == VIRTIO_GPU_RESP_OK_NODATA &&
		    guest_backing_attach(backing, id) == VIRTIO_GPU_RESP_OK_NODATA &&
		    guest_gpu_transfer_2d(guest, id, all, 0) == VIRTIO_GPU_RESP_OK_NODATA &&
		    guest_gpu_set_scanout(guest, 0, id, all) == VIRTIO_GPU_RESP_OK_NODATA &&
		    guest_gpu_flush(guest, id, all) == VIRTIO_GPU_RESP_OK_NODATA &&
		    desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT);
	guest_gpu_detach_backing(guest, id);
	guest_backing_free(backing);
	return good;
}

static bool draw(uint32_t base, uint32_t seed)
{
	return scene3d_run(desktop->guest, base, seed);
}

/*
 * Does a step until it succeeds. What goes wrong once goes well when the driver has been loaded
 * anew.
 */
static void insist(bool (*act)(uint32_t id, uint32_t seed), uint32_t id)
{
	for (volatile unsigned i = 0; i < TRIES; i++) {
		if (sigsetjmp(step, 1) == 0) {
			can_go_back = 1;
			bool good = act(id + i * 10, 3 + i);
			can_go_back = 0;
			if (good)
				return;
		}
		if (backend_wait_exit(desktop->guest->backend, 0))
			end_with_keeper(desktop->guest->backend);
		g_usleep(200000);
		if (sigsetjmp(step, 1) == 0) {
			can_go_back = 1;
			guest_driver_reload(desktop->guest);
			can_go_back = 0;
		}
	}
	g_error("the desktop does not work");
}

static void kill_renderer(void)
{
	pid_t old = backend_find_child(desktop->guest->backend, "vitrine-render");
	if (old > 0)
		kill(old, SIGKILL);
	if (old > 0 &&
		backend_wait_child(desktop->guest->backend, "vitrine-render", old, 15000) == 0)
		end_with_keeper(desktop->guest->backend);
}

int main(int argc, char **argv)
{
	const struct desktop_options options = { .virgl = true,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.unconfined = g_getenv("FAULTS_UNCONFINED") != NULL };
	const char *preload = g_getenv("FAULTS_PRELOAD");
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR);
	signal(SIGABRT, on_abort);
	signal(SIGTRAP, on_abort);
	if (preload)
		g_setenv("LD_PRELOAD", preload, TRUE);
	desktop = desktop_create(&options);
	desktop->guest->timeout_ms = 8000;
	insist(draw, 100);
	insist(show_2d, 1);
	kill_renderer();
	insist(draw, 200);
	insist(show_2d, 301);
	/* Those who wait for something have come back from it. */
	g_usleep(100000);
	unsigned n_fds = count_fds(desktop->guest->backend->pid);
	unsigned n_workers = count_workers(desktop->guest->backend);
	backend_close_socket(desktop->guest->backend);
	if (!backend_wait_exit(desktop->guest->backend, 20000)) {
		say("silent", "the keeper does not end with QEMU");
		_exit(STATUS_SILENT);
	}
	printf("fds: %u of %u workers\n", n_fds, n_workers);
	print_log(desktop->guest->backend);
	wire_remove_directory(desktop->guest->backend->directory);
	say("works", "drawn and shown");
	return 0;
}
