/* SPDX-License-Identifier: MIT */
#include "tests/unit/server/keeper/worker_stage.h"

#include <glib.h>
#include <signal.h>

static bool on_ready(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct stage *stage = user;
	return worker_set_ready(&stage->worker, message);
}

static bool on_pointer_area(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct stage *stage = user;
	stage->n_areas++;
	return true;
}

static const struct link_handler table[] = {
	{ KEEPER_MESSAGE_READY, "READY", sizeof(struct keeper_ready), 0, 0, on_ready },
	{ KEEPER_MESSAGE_POINTER_AREA, "POINTER_AREA", sizeof(struct keeper_pointer_area), 0, 0,
		on_pointer_area },
};

static void on_worker_ready(void *owner)
{
	struct stage *stage = owner;
	struct keeper_features m = { .header.type = KEEPER_MESSAGE_FEATURES };
	stage->n_ready++;
	worker_send(&stage->worker, &m, sizeof(m), NULL, 0);
}

static void on_worker_lost(void *owner)
{
}

static void on_worker_failed(void *owner)
{
	struct stage *stage = owner;
	stage->n_failed++;
}

static void on_worker_ended(void *owner, enum worker_end end, const struct heartbeat_said *hung_at)
{
	struct stage *stage = owner;
	stage->n_ended++;
	stage->end = end;
	if (end != WORKER_ENDED_FROM_OUTSIDE && stage->spare_ms > 0)
		worker_want_spare(&stage->worker, stage->spare_ms);
}

#define CLASS(waits)                                                                               \
	{                                                                                          \
		.name = "fake-worker", .table = table, .table_length = G_N_ELEMENTS(table),        \
		.ready = on_worker_ready, .lost = on_worker_lost, .failed = on_worker_failed,      \
		.ended = on_worker_ended, .is_told_to_begin = (waits)                              \
	}

/* The second one is of processes that wait until they are told to begin. */
static const struct worker_class class = CLASS(false), told_class = CLASS(true);

static gboolean on_time(gpointer user)
{
	*(bool *)user = true;
	return G_SOURCE_REMOVE;
}

void stage_run_for(unsigned ms)
{
	bool over = false;
	g_timeout_add(ms, on_time, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
}

bool stage_is_alive(pid_t pid)
{
	return pid > 0 && kill(pid, 0) == 0;
}

void stage_begin(struct stage *stage, unsigned spare_ms)
{
	g_autoptr(GError) error = NULL;
	static char *argv[] = { NULL, NULL };
	static const struct starter_plan plan = {
		.commands = { { .argv = argv }, { .argv = argv } }, .n_commands = 2, .name = "test"
	};
	argv[0] = (char *)g_getenv("FAKE_WORKER");
	*stage = (struct stage){ .spare_ms = spare_ms };
	starter_init(&stage->starter, &plan, &error);
	g_assert_no_error(error);
	worker_init(&stage->worker, g_getenv("FAKE_WORKER_WAITS") ? &told_class : &class, stage,
		&stage->starter, 0);
	const struct watchdog_limits far = { .stopped_ns = G_MAXINT64, .starting_ns = G_MAXINT64 };
	stage->worker.watchdog.limits = far;
	worker_start(&stage->worker, &error);
	g_assert_no_error(error);
	WAIT_UNTIL(stage->n_ready == 1 || stage->n_failed > 0);
}

pid_t stage_replace(struct stage *stage, int signal_number)
{
	pid_t before = stage->worker.process.pid;
	unsigned n_ready = stage->n_ready;
	g_assert_cmpint(kill(before, signal_number), ==, 0);
	WAIT_UNTIL(stage->n_ready == n_ready + 1);
	g_assert_cmpint(stage->worker.process.pid, !=, before);
	return stage->worker.process.pid;
}

pid_t stage_await_spare(struct stage *stage)
{
	WAIT_UNTIL(stage->worker.spare.process.pid > 0);
	return stage->worker.spare.process.pid;
}

void stage_finish(struct stage *stage)
{
	pid_t pids[] = { stage->worker.process.pid, stage->worker.spare.process.pid };
	worker_finish(&stage->worker);
	starter_finish(&stage->starter);
	for (unsigned i = 0; i < G_N_ELEMENTS(pids); i++)
		g_assert_false(stage_is_alive(pids[i]));
}
