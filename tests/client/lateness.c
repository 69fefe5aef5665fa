/* SPDX-License-Identifier: MIT */
#include "tests/client/lateness.h"

#include <sched.h>
#include <stdio.h>

#define SLEEP_US 4000

struct held_up {
	gint64 begun_us, ended_us;
};

struct sleeper {
	struct lateness *lateness;
	GThread *thread;
	int cpu;
};

struct lateness {
	struct sleeper sleepers[CPU_SETSIZE];
	unsigned n_sleepers;
	gint stop; /* atomic */
	GMutex lock;
	GArray *held_up; /* struct held_up, by their ends */
	gint64 longest_us;
};

static void note(struct lateness *lateness, gint64 due_us, gint64 now_us)
{
	const struct held_up held_up = { due_us, now_us };
	if (now_us - due_us <= LATENESS_MS * 1000)
		return;
	g_mutex_lock(&lateness->lock);
	g_array_append_val(lateness->held_up, held_up);
	lateness->longest_us = MAX(lateness->longest_us, now_us - due_us);
	g_mutex_unlock(&lateness->lock);
}

static gpointer sleep_and_look(gpointer user)
{
	struct sleeper *sleeper = user;
	cpu_set_t own;
	CPU_ZERO(&own);
	CPU_SET(sleeper->cpu, &own);
	/* Of the calling thread alone. */
	g_assert_cmpint(sched_setaffinity(0, sizeof(own), &own), ==, 0);
	while (!g_atomic_int_get(&sleeper->lateness->stop)) {
		gint64 due_us = g_get_monotonic_time() + SLEEP_US;
		g_usleep(SLEEP_US);
		note(sleeper->lateness, due_us, g_get_monotonic_time());
	}
	return NULL;
}

struct lateness *lateness_start(void)
{
	struct lateness *lateness = g_new0(struct lateness, 1);
	cpu_set_t cpus;
	g_mutex_init(&lateness->lock);
	lateness->held_up = g_array_new(FALSE, FALSE, sizeof(struct held_up));
	g_assert_cmpint(sched_getaffinity(0, sizeof(cpus), &cpus), ==, 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &cpus))
			continue;
		struct sleeper *sleeper = &lateness->sleepers[lateness->n_sleepers++];
		sleeper->lateness = lateness;
		sleeper->cpu = cpu;
		sleeper->thread = g_thread_new("lateness", sleep_and_look, sleeper);
	}
	return lateness;
}

void lateness_stop(struct lateness *lateness)
{
	g_atomic_int_set(&lateness->stop, 1);
	for (unsigned i = 0; i < lateness->n_sleepers; i++)
		g_thread_join(lateness->sleepers[i].thread);
	g_array_unref(lateness->held_up);
	g_mutex_clear(&lateness->lock);
	g_free(lateness);
}

bool lateness_was(struct lateness *lateness, gint64 begun_us, gint64 ended_us)
{
	bool found = false;
	g_mutex_lock(&lateness->lock);
	for (guint i = 0; i < lateness->held_up->len && !found; i++) {
		const struct held_up *each = &g_array_index(lateness->held_up, struct held_up, i);
		found = each->ended_us > begun_us && each->begun_us < ended_us;
	}
	g_mutex_unlock(&lateness->lock);
	return found;
}

double lateness_longest_ms(struct lateness *lateness)
{
	g_mutex_lock(&lateness->lock);
	gint64 longest_us = lateness->longest_us;
	g_mutex_unlock(&lateness->lock);
	return (double)longest_us / 1000;
}

unsigned lateness_count(struct lateness *lateness)
{
	g_mutex_lock(&lateness->lock);
	unsigned n = lateness->held_up->len;
	g_mutex_unlock(&lateness->lock);
	return n;
}

static gint64 thread_waited_us(pid_t pid, const char *thread)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%s/schedstat", (int)pid, thread);
	g_autofree char *text = NULL;
	guint64 ran_ns, waited_ns;
	/* It may have ended. */
	if (!g_file_get_contents(path, &text, NULL, NULL) ||
		sscanf(text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, &ran_ns, &waited_ns) != 2)
		return 0;
	return (gint64)(waited_ns / 1000);
}

gint64 lateness_waited_us(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)pid);
	g_autoptr(GDir) threads = g_dir_open(path, 0, NULL);
	const char *thread;
	gint64 sum_us = 0;
	while (threads && (thread = g_dir_read_name(threads)))
		sum_us += thread_waited_us(pid, thread);
	return sum_us;
}
