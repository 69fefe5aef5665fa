/* SPDX-License-Identifier: MIT */
/*
 * watchdog: checks who is stuck, when that is known, and that no content of a heartbeat does harm.
 */
#include <string.h>

#include "server/keeper/limits.h"
#include "server/keeper/watchdog.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)
/* This may be any time of the machine's. */
#define START (1000 * S)
#define PERIOD (WATCHDOG_PERIOD_MS * MS)

struct fixture {
	struct heartbeat_memory heartbeat;
	struct watchdog watchdog;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	heartbeat_memory_init(&f->heartbeat, "test", &error);
	g_assert_no_error(error);
	f->watchdog.limits = (struct watchdog_limits){ .stopped_ns = 10 * S,
		.starting_ns = 60 * S,
		.loops_ns = { [HEARTBEAT_MAIN] = 10 * S, [HEARTBEAT_GPU] = 10 * S } };
	watchdog_begin(&f->watchdog, START);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	heartbeat_memory_finish(&f->heartbeat);
}

static void say(struct fixture *f, enum heartbeat_loop loop, uint32_t state, uint64_t since_ns)
{
	struct heartbeat_beat *beat = &f->heartbeat.map->beats[loop];
	*beat = (struct heartbeat_beat){ .since_ns = since_ns, .state = state, .context = 7 };
	memcpy(beat->text, "SUBMIT_3D", sizeof("SUBMIT_3D"));
}

static struct watchdog_verdict look(struct fixture *f, bool stopped, uint64_t now_ns)
{
	return watchdog_look(&f->watchdog, &f->heartbeat, stopped, now_ns);
}

/*
 * Looks as the keeper does, until there is a fault. Returns when there was one; 0 if there was none
 * by `end_ns`.
 */
static uint64_t find_fault(struct fixture *f, bool stopped, uint64_t now_ns, uint64_t end_ns,
	struct watchdog_verdict *verdict)
{
	while (now_ns < end_ns) {
		*verdict = look(f, stopped, now_ns);
		if (verdict->fault != WATCHDOG_NONE)
			return now_ns;
		g_assert_cmpuint(verdict->look_again_ns, >, 0);
		now_ns += verdict->look_again_ns;
	}
	return 0;
}

static void test_idle(struct fixture *f, gconstpointer data)
{
	struct watchdog_verdict verdict;
	say(f, HEARTBEAT_MAIN, HEARTBEAT_IDLE, START - 100 * S);
	g_assert_cmpuint(find_fault(f, false, START, START + 3600 * S, &verdict), ==, 0);
	g_assert_cmpuint(verdict.look_again_ns, ==, PERIOD);
}

/*
 * Wherever between two looks the work began, it is found when its limit has passed, and not later.
 */
static void test_stuck(struct fixture *f, gconstpointer data)
{
	struct watchdog_verdict verdict;
	for (uint64_t after = 1; after < PERIOD; after += 7 * MS) {
		watchdog_begin(&f->watchdog, START);
		say(f, HEARTBEAT_GPU, HEARTBEAT_IDLE, START);
		g_assert_cmpint(look(f, false, START).fault, ==, WATCHDOG_NONE);
		say(f, HEARTBEAT_GPU, HEARTBEAT_WORKING, START + after);
		uint64_t found = find_fault(f, false, START + PERIOD, START + 60 * S, &verdict);
		g_assert_cmpuint(found, ==, START + after + 10 * S);
		g_assert_cmpint(verdict.fault, ==, WATCHDOG_STUCK);
		g_assert_cmpint(verdict.loop, ==, HEARTBEAT_GPU);
		g_assert_cmpuint(verdict.said.context, ==, 7);
		g_assert_cmpstr(verdict.said.what, ==, "SUBMIT_3D");
		g_assert_cmpuint(verdict.for_ns, ==, 10 * S);
	}
}

/* Of two that are stuck the one stuck for longer is to blame, since the other waits for it. */
static void test_oldest_is_told(struct fixture *f, gconstpointer data)
{
	say(f, HEARTBEAT_MAIN, HEARTBEAT_WORKING, START + 2 * S);
	say(f, HEARTBEAT_GPU, HEARTBEAT_WORKING, START + 1 * S);
	for (uint64_t now_ns = START; now_ns < START + 10 * S; now_ns += PERIOD)
		g_assert_cmpint(look(f, false, now_ns).fault, ==, WATCHDOG_NONE);
	struct watchdog_verdict verdict = look(f, false, START + 13 * S);
	g_assert_cmpint(verdict.fault, ==, WATCHDOG_STUCK);
	g_assert_cmpint(verdict.loop, ==, HEARTBEAT_GPU);
}

static void test_starting(struct fixture *f, gconstpointer data)
{
	struct watchdog_verdict verdict;
	say(f, HEARTBEAT_GPU, HEARTBEAT_STARTING, START);
	g_assert_cmpuint(
		find_fault(f, false, START, START + 100 * S, &verdict), ==, START + 60 * S);
}

static void test_loop_without_limit(struct fixture *f, gconstpointer data)
{
	struct watchdog_verdict verdict;
	say(f, HEARTBEAT_RELAY, HEARTBEAT_WORKING, START);
	g_assert_cmpuint(find_fault(f, false, START, START + 100 * S, &verdict), ==, 0);
}

/* A driver that has just begun waits for 5 s, and the next renderer must have answered by then. */
static void test_stopped_under_driver(struct fixture *f, gconstpointer data)
{
	struct watchdog_verdict verdict;
	for (uint64_t after = 0; after < 3 * S; after += 7 * MS) {
		watchdog_begin(&f->watchdog, START);
		look(f, false, START);
		watchdog_driver_started(&f->watchdog, START);
		uint64_t at = START + WATCHDOG_DRIVER_STOPPED_MS * MS;
		/* As long as it runs nothing is found, and looks are as far apart as that. */
		for (; at < START + after; at += verdict.look_again_ns)
			verdict = look(f, false, at);
		uint64_t found = find_fault(f, true, at, START + 60 * S, &verdict);
		g_assert_cmpint(verdict.fault, ==, WATCHDOG_STOPPED);
		g_assert_cmpuint(found - (START + after), <=, 1 * S);
	}
	/* Later it has as long as ever. */
	watchdog_begin(&f->watchdog, START);
	watchdog_driver_started(&f->watchdog, START);
	uint64_t later = START + WATCHDOG_DRIVER_MS * MS;
	look(f, false, later - 1);
	g_assert_cmpuint(find_fault(f, true, later, later + 60 * S, &verdict), >=, later + 8 * S);
}

/*
 * A worker is stopped between two looks. That is known half a period before or after the limit, two
 * seconds at most.
 */
static void test_stopped(struct fixture *f, gconstpointer data)
{
	struct watchdog_verdict verdict;
	g_assert_cmpuint(PERIOD / 2, <=, 2 * S);
	for (uint64_t after = 0; after < PERIOD; after += 7 * MS) {
		watchdog_begin(&f->watchdog, START);
		look(f, false, START);
		uint64_t found = find_fault(f, true, START + PERIOD, START + 60 * S, &verdict);
		uint64_t took = found - (START + after);
		g_assert_cmpint(verdict.fault, ==, WATCHDOG_STOPPED);
		g_assert_cmpuint(took, >=, 10 * S - PERIOD / 2);
		g_assert_cmpuint(took, <=, 10 * S + PERIOD / 2);
	}
}

/* A worker that was stopped and goes on is counted from there, as neither stopped nor stuck. */
static void test_continued(struct fixture *f, gconstpointer data)
{
	struct watchdog_verdict verdict;
	say(f, HEARTBEAT_GPU, HEARTBEAT_WORKING, START);
	look(f, true, START + 4 * S);
	g_assert_cmpint(look(f, true, START + 8 * S).fault, ==, WATCHDOG_NONE);
	g_assert_cmpuint(
		find_fault(f, false, START + 11 * S, START + 60 * S, &verdict), ==, START + 21 * S);
	g_assert_cmpint(verdict.fault, ==, WATCHDOG_STUCK);
}

/* A keeper that was itself stopped blames nobody for that time. */
static void test_own_absence(struct fixture *f, gconstpointer data)
{
	struct watchdog_verdict verdict;
	say(f, HEARTBEAT_GPU, HEARTBEAT_WORKING, START + S);
	look(f, false, START + 2 * S);
	uint64_t found = find_fault(f, false, START + 1000 * S, START + 2000 * S, &verdict);
	g_assert_cmpuint(found, ==, START + 1010 * S);
}

/*
 * Work that nobody wants any more has a second left, also when it begins before the reset is done;
 * what begins after that has its limit.
 */
static void test_reset(struct fixture *f, gconstpointer data)
{
	struct watchdog_verdict verdict;
	say(f, HEARTBEAT_GPU, HEARTBEAT_WORKING, START + S);
	watchdog_reset_sent(&f->watchdog, START + 3 * S);
	g_assert_cmpuint(find_fault(f, false, START + 3 * S, START + 60 * S, &verdict), ==,
		START + 3 * S + WATCHDOG_HURRY_MS * MS);
	say(f, HEARTBEAT_GPU, HEARTBEAT_WORKING, START + 3 * S + 1);
	g_assert_cmpuint(find_fault(f, false, START + 3 * S, START + 60 * S, &verdict), ==,
		START + 3 * S + WATCHDOG_HURRY_MS * MS);
	f->heartbeat.map->resets = 1;
	say(f, HEARTBEAT_GPU, HEARTBEAT_WORKING, START + 4 * S);
	g_assert_cmpuint(
		find_fault(f, false, START + 4 * S, START + 60 * S, &verdict), ==, START + 14 * S);
}

/* The keeper looks often enough for a short limit. */
static void test_short_limit(struct fixture *f, gconstpointer data)
{
	struct watchdog_verdict verdict;
	f->watchdog.limits.stopped_ns = f->watchdog.limits.loops_ns[HEARTBEAT_GPU] = S;
	verdict = look(f, false, START);
	g_assert_cmpuint(verdict.look_again_ns, <=, S);
	say(f, HEARTBEAT_GPU, HEARTBEAT_WORKING, START + 1);
	uint64_t found = find_fault(f, false, START + S, START + 60 * S, &verdict);
	g_assert_cmpuint(found, <=, START + 2 * S);
}

/*
 * A heartbeat may hold future times, states that do not exist and text without an end: nothing but
 * a verdict comes of it.
 */
static void test_any_content(struct fixture *f, gconstpointer data)
{
	for (unsigned round = 0; round < 20000; round++) {
		uint32_t *words = (uint32_t *)f->heartbeat.map->beats;
		for (size_t i = 0; i < sizeof(f->heartbeat.map->beats) / (sizeof(*words)); i++)
			words[i] = g_test_rand_bit() ? (uint32_t)g_test_rand_int() :
						       (uint32_t)g_test_rand_int_range(0, 5);
		struct watchdog_verdict verdict =
			look(f, round & 1, START + (uint64_t)round * 100 * MS);
		g_assert_cmpuint(verdict.look_again_ns, <=, PERIOD);
		for (unsigned loop = 0; loop < HEARTBEAT_LOOPS; loop++) {
			struct heartbeat_said said = heartbeat_memory_read(&f->heartbeat, loop);
			g_assert_cmpuint(said.state, <=, HEARTBEAT_WORKING);
			g_assert_cmpuint(
				strnlen(said.what, sizeof(said.what)), <, sizeof(said.what));
			for (const char *c = said.what; *c; c++)
				g_assert_true(g_ascii_isprint(*c));
		}
	}
	say(f, HEARTBEAT_GPU, HEARTBEAT_WORKING, UINT64_MAX);
	watchdog_begin(&f->watchdog, START);
	g_assert_cmpint(look(f, false, START + S).fault, ==, WATCHDOG_NONE);
}

static void test_cleared(struct fixture *f, gconstpointer data)
{
	say(f, HEARTBEAT_GPU, HEARTBEAT_WORKING, START);
	heartbeat_memory_clear(&f->heartbeat);
	g_assert_cmpint(
		heartbeat_memory_read(&f->heartbeat, HEARTBEAT_GPU).state, ==, HEARTBEAT_UNUSED);
	g_assert_cmpuint(f->heartbeat.map->magic, ==, HEARTBEAT_MAGIC);
}

#define ADD(name, function)                                                                        \
	g_test_add("/watchdog/" name, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("idle", test_idle);
	ADD("stuck", test_stuck);
	ADD("oldest-is-told", test_oldest_is_told);
	ADD("starting", test_starting);
	ADD("loop-without-limit", test_loop_without_limit);
	ADD("stopped", test_stopped);
	ADD("stopped-under-driver", test_stopped_under_driver);
	ADD("continued", test_continued);
	ADD("own-absence", test_own_absence);
	ADD("reset", test_reset);
	ADD("short-limit", test_short_limit);
	ADD("any-content", test_any_content);
	ADD("cleared", test_cleared);
	return g_test_run();
}
