/* SPDX-License-Identifier: MIT */
#include "display/relay/effort.h"

#include <time.h>

#include "display/relay/limits.h"

#define TICK_MS 5

struct effort {
	void (*granted)(void *user);
	GQueue waiting;  /* struct effort_turn, who came last is first */
	gint64 left_us;  /* that may be computed for strangers; less than 0: a debt */
	gint64 given_us; /* when it was last added to */
	gint64 begun_us; /* of this thread's time; -1: nothing is under way */
	GSource *timer;  /* NULL: nobody waits */
};

struct effort *effort_create(void (*granted)(void *user))
{
	struct effort *effort = g_new0(struct effort, 1);
	effort->granted = granted;
	g_queue_init(&effort->waiting);
	effort->left_us = EFFORT_SAVED_US;
	effort->given_us = g_get_monotonic_time();
	effort->begun_us = -1;
	return effort;
}

static void stop_timer(struct effort *effort)
{
	if (!effort->timer)
		return;
	g_source_destroy(effort->timer);
	g_clear_pointer(&effort->timer, g_source_unref);
}

void effort_destroy(struct effort *effort)
{
	if (!effort)
		return;
	g_assert(effort->waiting.length == 0);
	stop_timer(effort);
	g_free(effort);
}

static gint64 thread_us(void)
{
	struct timespec used;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (gint64)used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

static void give(struct effort *effort)
{
	gint64 now_us = g_get_monotonic_time();
	gint64 more_us = (now_us - effort->given_us) * EFFORT_PERCENT / 100;
	effort->left_us = MIN(effort->left_us + more_us, EFFORT_SAVED_US);
	effort->given_us = now_us;
}

/* Each turn's time is known only when it has been used, so one is granted after the other. */
static gboolean on_tick(gpointer user)
{
	struct effort *effort = user;
	give(effort);
	if (effort->left_us > 0 && effort->waiting.length > 0) {
		struct effort_turn *turn = g_queue_pop_head_link(&effort->waiting)->data;
		turn->waits = false;
		turn->granted = true;
		effort->granted(turn->user);
	}
	if (effort->waiting.length > 0)
		return G_SOURCE_CONTINUE;
	stop_timer(effort);
	return G_SOURCE_REMOVE;
}

static void wait_for_turn(struct effort *effort, struct effort_turn *turn)
{
	turn->waits = true;
	turn->link.data = turn;
	g_queue_push_head_link(&effort->waiting, &turn->link);
	if (effort->timer)
		return;
	effort->timer = g_timeout_source_new(TICK_MS);
	g_source_set_callback(effort->timer, on_tick, effort, NULL);
	g_source_attach(effort->timer, g_main_context_get_thread_default());
}

bool effort_begin(struct effort *effort, struct effort_turn *turn, bool few, void *user)
{
	g_assert(effort->begun_us < 0);
	turn->user = user;
	if (turn->waits)
		return false;
	give(effort);
	bool may = turn->granted || effort->left_us > (few ? -EFFORT_DEBT_US : 0);
	turn->granted = false;
	if (may)
		effort->begun_us = thread_us();
	else
		wait_for_turn(effort, turn);
	return may;
}

/* Who waits is next as long as there is time left: the timer alone would grant too few. */
void effort_end(struct effort *effort)
{
	g_assert(effort->begun_us >= 0);
	effort->left_us -= thread_us() - effort->begun_us;
	effort->begun_us = -1;
	if (effort->left_us > 0 && effort->waiting.length > 0)
		on_tick(effort);
}

void effort_leave(struct effort *effort, struct effort_turn *turn)
{
	if (turn->waits)
		g_queue_unlink(&effort->waiting, &turn->link);
	turn->waits = turn->granted = false;
}
