/* SPDX-License-Identifier: MIT */
/*
 * For root, the figures come from the kernel's trace events, in a trace instance of our own.
 * virtio_gpu:virtio_gpu_cmd_queue (Linux 5.6) names each command that goes to the host, and
 * drm:drm_vblank_event_delivered is a finished flip. For anybody else they are the device's
 * interrupts.
 */
#include "guest-tools/check/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/netlink.h>

#include "guest-tools/check/guest.h"
#include "guest-tools/check/kernel.h"
#include "guest-tools/check/limits.h"
#include "guest-tools/common/array.h"
#include "guest-tools/common/descriptor.h"
#include "guest-tools/common/text.h"
#include "guest-tools/common/timing.h"

struct watch {
	int trace, kmsg, uevents;
	char instance[128];
	unsigned commands, submits, flushes, flips;
	unsigned n_intervals;
	double intervals_ms[WATCH_INTERVALS_MAX];
	double last_flip_ms;
	unsigned long interrupts;
	unsigned gpu_errors;
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	stopped = 1;
}

static bool write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	descriptor_close(fd);
	return written;
}

static void open_trace(struct watch *watch)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[256];
	watch->trace = -1;
	for (size_t i = 0; i < ARRAY_LENGTH(roots); i++) {
		snprintf(watch->instance, sizeof watch->instance, "%s/instances/vitrine-%d",
			roots[i], (int)getpid());
		if (mkdir(watch->instance, 0700) != 0)
			continue;
		bool any = write_file(
			watch->instance, "events/virtio_gpu/virtio_gpu_cmd_queue/enable", "1");
		any |= write_file(
			watch->instance, "events/drm/drm_vblank_event_delivered/enable", "1");
		snprintf(path, sizeof path, "%s/trace_pipe", watch->instance);
		if (any)
			watch->trace = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (watch->trace >= 0)
			return;
		rmdir(watch->instance);
	}
	watch->instance[0] = 0;
}

static void open_uevents(struct watch *watch)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	watch->uevents = socket(
		AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (watch->uevents >= 0 &&
		bind(watch->uevents, (struct sockaddr *)&address, sizeof address) != 0) {
		close(watch->uevents);
		watch->uevents = -1;
	}
}

static void take_flip(struct watch *watch, double time_ms)
{
	watch->flips++;
	if (watch->last_flip_ms > 0 && watch->n_intervals < WATCH_INTERVALS_MAX)
		watch->intervals_ms[watch->n_intervals++] = time_ms - watch->last_flip_ms;
	watch->last_flip_ms = time_ms;
}

/* Type 0x0104 is RESOURCE_FLUSH and type 0x0207 is SUBMIT_3D (virtio 1.2, 5.7.6.7). */
static void take_trace_line(struct watch *watch, const char *line)
{
	unsigned type = 0;
	double seconds = 0;
	const char *event = strstr(line, ": virtio_gpu_cmd_queue:");
	const char *flip = strstr(line, ": drm_vblank_event_delivered:");
	const char *colon = event ? event : flip;
	if (!colon)
		return;
	while (colon > line && colon[-1] != ' ')
		colon--;
	sscanf(colon, "%lf", &seconds);
	if (flip) {
		take_flip(watch, seconds * 1000.0);
		return;
	}
	const char *at = strstr(line, "type=");
	watch->commands++;
	if (!at || sscanf(at, "type=%x", &type) != 1)
		return;
	watch->flushes += type == 0x104;
	watch->submits += type == 0x207;
}

static void read_trace(struct watch *watch)
{
	static char buffer[WATCH_TRACE_BYTES_MAX];
	static size_t used;
	ssize_t n;
	while ((n = read(watch->trace, buffer + used, sizeof buffer - 1 - used)) > 0) {
		used += (size_t)n;
		buffer[used] = 0;
		char *line = buffer;
		for (char *end; (end = strchr(line, '\n')); line = end + 1) {
			*end = 0;
			take_trace_line(watch, line);
		}
		used -= (size_t)(line - buffer);
		memmove(buffer, line, used);
		if (used == sizeof buffer - 1)
			used = 0;
	}
}

static void read_kernel_log(struct watch *watch)
{
	char line[512];
	bool error;
	while (kernel_log_next(watch->kmsg, line, sizeof line, &error))
		if (error) {
			watch->gpu_errors++;
			printf("kernel: %s\n", line);
		}
}

static void read_uevents(struct watch *watch)
{
	char text[4096];
	ssize_t n;
	while ((n = recv(watch->uevents, text, sizeof text - 1, 0)) > 0) {
		bool drm = false, hotplug = false;
		text[n] = 0;
		for (char *word = text; word < text + n; word += strlen(word) + 1) {
			drm |= strcmp(word, "SUBSYSTEM=drm") == 0;
			hotplug |= strcmp(word, "HOTPLUG=1") == 0;
		}
		if (drm)
			printf("hot-plug: %s%s\n", text,
				hotplug ? " (the host changed its monitors or sizes)" : "");
	}
}

struct interrupt_sum {
	const char *device;
	unsigned long sum;
};

/*
 * A line reads " 27: 12 34 PCI-MSIX-0000:00:02.0 1-edge virtio0-control". Each number is of one
 * processor.
 */
static bool add_interrupts(void *user, const char *line)
{
	struct interrupt_sum *sum = user;
	const char *at = strchr(line, ':');
	char name[32];
	snprintf(name, sizeof name, "%s-", sum->device);
	if (!at || !sum->device[0] || !strstr(line, name))
		return true;
	for (at++;;) {
		char *end;
		unsigned long count = strtoul(at, &end, 10);
		if (end == at || (*end && *end != ' '))
			return true;
		sum->sum += count;
		at = end;
	}
}

static void write_second(struct watch *watch, const struct guest *guest, unsigned second)
{
	struct interrupt_sum sum = { .device = guest->gpu_virtio };
	text_each_line("/proc/interrupts", add_interrupts, &sum);
	printf("%4u s  %5lu interrupts", second, sum.sum - watch->interrupts);
	watch->interrupts = sum.sum;
	if (watch->trace >= 0)
		printf("  %5u commands  %4u 3D  %4u flushed  %4u flips", watch->commands,
			watch->submits, watch->flushes, watch->flips);
	if (watch->n_intervals > 0) {
		timing_sort(watch->intervals_ms, watch->n_intervals);
		printf("  every %.1f ms (%.1f to %.1f)",
			watch->intervals_ms[watch->n_intervals / 2], watch->intervals_ms[0],
			watch->intervals_ms[watch->n_intervals - 1]);
	}
	putchar('\n');
	fflush(stdout);
	watch->commands = watch->submits = watch->flushes = watch->flips = watch->n_intervals = 0;
}

static void open_sources(struct watch *watch)
{
	struct sigaction action = { .sa_handler = stop };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	open_trace(watch);
	open_uevents(watch);
	watch->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (watch->kmsg >= 0)
		lseek(watch->kmsg, 0, SEEK_END);
	if (watch->trace < 0)
		puts("Not root, or no kernel tracing: only interrupts of the device are counted.");
	if (watch->kmsg < 0)
		puts("The kernel log is closed to this user.");
}

int watch_run(int seconds)
{
	struct guest *guest = calloc(1, sizeof *guest);
	struct watch watch = { .last_flip_ms = 0 };
	if (!guest)
		return 3;
	guest_probe(guest, true);
	if (!guest->gpu_found)
		puts("No virtio-gpu device: see vitrine-guest-check.");
	open_sources(&watch);
	struct interrupt_sum sum = { .device = guest->gpu_virtio };
	text_each_line("/proc/interrupts", add_interrupts, &sum);
	watch.interrupts = sum.sum;
	fflush(stdout);
	double next_ms = timing_now_ms() + 1000;
	for (unsigned second = 1; !stopped && (seconds <= 0 || second <= (unsigned)seconds);) {
		struct pollfd sources[] = { { watch.trace, POLLIN, 0 }, { watch.kmsg, POLLIN, 0 },
			{ watch.uevents, POLLIN, 0 } };
		double left_ms = next_ms - timing_now_ms();
		poll(sources, 3, left_ms > 0 ? (int)left_ms + 1 : 0);
		if (watch.trace >= 0)
			read_trace(&watch);
		if (watch.kmsg >= 0)
			read_kernel_log(&watch);
		if (watch.uevents >= 0)
			read_uevents(&watch);
		if (timing_now_ms() < next_ms)
			continue;
		write_second(&watch, guest, second++);
		next_ms += 1000;
	}
	if (watch.trace >= 0)
		close(watch.trace);
	if (watch.instance[0])
		rmdir(watch.instance);
	free(guest);
	return watch.gpu_errors ? 1 : 0;
}
