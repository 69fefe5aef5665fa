/* SPDX-License-Identifier: MIT */
#include "guest-tools/recover/word.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest-tools/common/text.h"
#include "guest-tools/common/timing.h"
#include "guest-tools/recover/launch.h"
#include "guest-tools/recover/limits.h"

#define BUS_VARIABLE "DBUS_SESSION_BUS_ADDRESS"
#define ENVIRONMENT_BYTES 65536
#define SHOWN_MS "15000"

void word_add_user(struct word *word, uid_t uid)
{
	for (unsigned i = 0; i < word->n_users; i++)
		if (word->users[i] == uid)
			return;
	if (uid != 0 && word->n_users < WORD_USERS_MAX)
		word->users[word->n_users++] = uid;
}

static bool notify_at(const struct word *word, uid_t uid, const char *address)
{
	const char *const words[] = { "busctl", "--user", "--timeout=5", "call",
		"org.freedesktop.Notifications", "/org/freedesktop/Notifications",
		"org.freedesktop.Notifications", "Notify", "susssasa{sv}i", "vitrine", "0",
		"video-display", word->summary, word->body, "0", "0", SHOWN_MS, NULL };
	return launch_wait_as(uid, BUS_VARIABLE, address, words) == 0;
}

struct bus_search {
	const struct word *word;
	uid_t uid;
	unsigned n_tried;
	char tried[WORD_BUSES_MAX][256];
	bool shown;
};

static void try_bus(struct bus_search *search, const char *address)
{
	for (unsigned i = 0; i < search->n_tried; i++)
		if (strcmp(search->tried[i], address) == 0)
			return;
	if (search->n_tried == WORD_BUSES_MAX || strlen(address) >= sizeof search->tried[0])
		return;
	text_copy(search->tried[search->n_tried++], sizeof search->tried[0], address);
	search->shown = notify_at(search->word, search->uid, address);
}

/*
 * A session may have a bus of its own (dbus-run-session), which only its processes know of. Some of
 * them may be left over from one that has ended.
 */
static bool environment(void *user, const char *path)
{
	struct bus_search *search = user;
	struct stat status;
	char text[ENVIRONMENT_BYTES];
	if (stat(path, &status) != 0 || status.st_uid != search->uid)
		return true;
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
	if (file)
		fclose(file);
	text[n] = 0;
	for (const char *at = text; at < text + n && !search->shown; at += strlen(at) + 1)
		if (strncmp(at, BUS_VARIABLE "=", strlen(BUS_VARIABLE) + 1) == 0)
			try_bus(search, at + strlen(BUS_VARIABLE) + 1);
	return !search->shown;
}

static bool notify(const struct word *word, uid_t uid)
{
	struct bus_search search = { .word = word, .uid = uid };
	char address[80];
	snprintf(address, sizeof address, "unix:path=/run/user/%u/bus", (unsigned)uid);
	try_bus(&search, address);
	if (!search.shown)
		text_each_path("/proc/[0-9]*/environ", environment, &search);
	return search.shown;
}

static void tell_everybody(const struct word *word)
{
	char text[sizeof word->summary + sizeof word->body + 4];
	snprintf(text, sizeof text, "%s: %s", word->summary, word->body);
	const char *const words[] = { "wall", text, NULL };
	if (launch_wait_as(0, NULL, NULL, words) == 0)
		return;
	FILE *console = fopen("/dev/console", "we");
	if (!console)
		return;
	fprintf(console, "\r\n%s\r\n", text);
	fclose(console);
}

static void wait_ms(unsigned milliseconds)
{
	for (double end_ms = timing_now_ms() + milliseconds; timing_now_ms() < end_ms;)
		timing_sleep_ms(100);
}

/* What processors have counted: in all, and with nothing to do. */
struct ticks {
	unsigned long long all, idle;
};

static bool processors_line(void *user, const char *line)
{
	struct ticks *ticks = user;
	unsigned long long n[8] = { 0 };
	if (sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &n[0], &n[1], &n[2], &n[3],
		    &n[4], &n[5], &n[6], &n[7]) < 4)
		return false;
	for (int i = 0; i < 8; i++)
		ticks->all += n[i];
	ticks->idle = n[3] + n[4];
	return false;
}

static struct ticks read_ticks(void)
{
	struct ticks ticks = { 0 };
	text_each_line("/proc/stat", processors_line, &ticks);
	return ticks;
}

/*
 * A desktop that comes up has a use for the processors, and each try starts programs. So they are
 * waited for until they have a third of their time left, but not for long.
 */
static void wait_calm(double *left_ms)
{
	bool calm = false;
	while (!calm && *left_ms > 0) {
		struct ticks before = read_ticks();
		wait_ms(WORD_CALM_STEP_MS);
		struct ticks after = read_ticks();
		calm = (after.idle - before.idle) * 3 >= after.all - before.all;
		*left_ms -= WORD_CALM_STEP_MS;
	}
}

static void work(const void *data)
{
	struct word left = *(const struct word *)data;
	double calm_ms = WORD_CALM_MAX_MS;
	unsigned n_shown = 0;
	wait_ms(left.delay_ms);
	for (int tries = 0; left.n_users > 0 && tries < WORD_TRIES; tries++) {
		if (left.delay_ms > 0)
			wait_calm(&calm_ms);
		for (unsigned i = left.n_users; i-- > 0;) {
			if (!notify(&left, left.users[i]))
				continue;
			left.users[i] = left.users[--left.n_users];
			n_shown++;
		}
		if (left.n_users > 0)
			wait_ms(WORD_PAUSE_MS);
	}
	if (n_shown == 0 || left.n_users > 0)
		tell_everybody(&left);
}

void word_tell(const struct word *word)
{
	fprintf(stderr, "%s: %s\n", word->summary, word->body);
	launch_fork(work, word);
}
