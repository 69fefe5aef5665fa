/* SPDX-License-Identifier: MIT */
/*
 * pointer-log [WIDTH HEIGHT [COUNT]] prints what absolute pointers report, one line an event group:
 *
 *   DEVICE abs X Y max MAXX MAXY pixel PX PY
 *
 * and for buttons and wheels, when they come, "DEVICE button CODE VALUE" and "DEVICE wheel STEPS".
 * PX is where compositors put it on a screen of WIDTH (1920x1080 when left out): X * WIDTH / (MAXX
 * + 1), rounded down. It reads every absolute pointer at once, and ends after COUNT groups when
 * given.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICES_MAX 16

struct pointer {
	char name[64];
	int fd;
	struct input_absinfo x, y;
	bool moved;
};

static bool pointer_open(struct pointer *pointer, const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "/dev/input/%s", name);
	*pointer = (struct pointer){ .fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) };
	if (pointer->fd < 0)
		return false;
	if (ioctl(pointer->fd, EVIOCGABS(ABS_X), &pointer->x) < 0 ||
		ioctl(pointer->fd, EVIOCGABS(ABS_Y), &pointer->y) < 0 || pointer->x.maximum <= 0 ||
		pointer->y.maximum <= 0) {
		close(pointer->fd);
		return false;
	}
	snprintf(pointer->name, sizeof(pointer->name), "%.60s", name);
	return true;
}

static int pointers_open(struct pointer *pointers)
{
	DIR *dir = opendir("/dev/input");
	int n = 0;

	for (struct dirent *entry; dir && n < DEVICES_MAX && (entry = readdir(dir));)
		if (strncmp(entry->d_name, "event", 5) == 0 &&
			pointer_open(&pointers[n], entry->d_name))
			n++;
	if (dir)
		closedir(dir);
	return n;
}

static void pointer_print(const struct pointer *pointer, long width, long height)
{
	printf("%s abs %d %d max %d %d pixel %ld %ld\n", pointer->name, pointer->x.value,
		pointer->y.value, pointer->x.maximum, pointer->y.maximum,
		pointer->x.value * width / (pointer->x.maximum + 1),
		pointer->y.value * height / (pointer->y.maximum + 1));
	fflush(stdout);
}

/* Takes one event. Returns true when it completes a group that moved the pointer. */
static bool pointer_take(struct pointer *pointer, const struct input_event *event)
{
	if (event->type == EV_ABS && (event->code == ABS_X || event->code == ABS_Y)) {
		*(event->code == ABS_X ? &pointer->x.value : &pointer->y.value) = event->value;
		pointer->moved = true;
	}
	if (event->type == EV_KEY)
		printf("%s button %#x %d\n", pointer->name, event->code, event->value);
	if (event->type == EV_REL && event->code == REL_WHEEL)
		printf("%s wheel %d\n", pointer->name, event->value);
	if (event->type != EV_SYN)
		return false;
	fflush(stdout);
	if (!pointer->moved)
		return false;
	pointer->moved = false;
	return true;
}

int main(int argc, char **argv)
{
	const long width = argc > 2 ? atol(argv[1]) : 1920;
	const long height = argc > 2 ? atol(argv[2]) : 1080;
	long left = argc > 3 ? atol(argv[3]) : -1;
	struct pointer pointers[DEVICES_MAX];
	struct pollfd polls[DEVICES_MAX];
	const int n = pointers_open(pointers);

	if (n == 0) {
		fputs("pointer-log: no absolute pointer\n", stderr);
		return 1;
	}
	printf("watching %d\n", n);
	fflush(stdout);
	for (int i = 0; i < n; i++)
		polls[i] = (struct pollfd){ .fd = pointers[i].fd, .events = POLLIN };
	while (left != 0 && (poll(polls, (nfds_t)n, -1) > 0 || errno == EINTR)) {
		for (int i = 0; i < n; i++) {
			struct input_event event;

			while (left != 0 &&
				read(pointers[i].fd, &event, sizeof(event)) == sizeof(event)) {
				if (!pointer_take(&pointers[i], &event))
					continue;
				pointer_print(&pointers[i], width, height);
				left -= left > 0;
			}
		}
	}
	return 0;
}
