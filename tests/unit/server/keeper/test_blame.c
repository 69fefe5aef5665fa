/* SPDX-License-Identifier: MIT */
/* blame: checks who is refused after which crash, for how long, and who goes on. */
#include <glib.h>
#include <string.h>

#include "server/keeper/blame.h"

#define S UINT64_C(1000000000)
#define START (1000 * S)

static struct blame_judgement judge(
	struct blame *blame, uint32_t context, const char *text, uint64_t now_ns)
{
	char name[LEDGER_NAME_BYTES] = { 0 };
	memcpy(name, text, strnlen(text, sizeof(name)));
	return blame_judge(blame, context, name, false, now_ns);
}

static bool is_refused(const struct blame *blame, const char *text, uint64_t now_ns)
{
	struct ledger_refusal refusals[LEDGER_REFUSALS_MAX];
	blame_fill(blame, refusals, now_ns);
	for (unsigned i = 0; i < LEDGER_REFUSALS_MAX; i++) {
		if (refusals[i].until_ns > now_ns &&
			(refusals[i].any_name ||
				strncmp(refusals[i].name, text, LEDGER_NAME_BYTES) == 0))
			return true;
	}
	return false;
}

static void test_first_is_forgiven(void)
{
	struct blame blame = { 0 };
	struct blame_judgement j = judge(&blame, 7, "glmark2", START);
	g_assert_cmpuint(j.n_crashes, ==, 1);
	g_assert_false(j.lose_context || j.lose_name);
	g_assert_cmpuint(j.refused_s + j.all_refused_s, ==, 0);
	g_assert_false(is_refused(&blame, "glmark2", START));
}

/* A name that crashes twice, whatever its id, is refused, and longer each time; others are not. */
static void test_again(void)
{
	struct blame blame = { 0 };
	judge(&blame, 7, "glmark2", START);
	struct blame_judgement j = judge(&blame, 9, "glmark2", START + S);
	g_assert_true(j.lose_context);
	g_assert_false(j.lose_name);
	g_assert_cmpuint(j.refused_s, ==, BLAME_REFUSAL_S);
	g_assert_cmpuint(j.all_refused_s, ==, 0);
	g_assert_true(is_refused(&blame, "glmark2", START + S));
	g_assert_false(is_refused(&blame, "glmark", START + S));
	g_assert_true(is_refused(&blame, "glmark2", START + BLAME_REFUSAL_S * S));
	g_assert_false(is_refused(&blame, "glmark2", START + (BLAME_REFUSAL_S + 1) * S));
	uint64_t now_ns = START + S;
	for (unsigned n = 3; n < 40; n++) {
		unsigned twice_s = MIN(2 * j.refused_s, BLAME_REFUSAL_MAX_S);
		now_ns += (j.refused_s + 1) * S;
		j = judge(&blame, 9, "glmark2", now_ns);
		g_assert_cmpuint(j.n_crashes, ==, n);
		g_assert_true(j.lose_name);
		g_assert_cmpuint(j.refused_s, ==, twice_s);
	}
}

static void test_forgotten(void)
{
	struct blame blame = { 0 };
	judge(&blame, 7, "glmark2", START);
	g_assert_cmpuint(
		judge(&blame, 7, "glmark2", START + (BLAME_FORGET_S + 1) * S).n_crashes, ==, 1);
	uint64_t now_ns = START + (BLAME_FORGET_S + 2) * S;
	g_assert_cmpuint(judge(&blame, 7, "glmark2", now_ns).n_crashes, ==, 2);
	/* Crashes are not forgotten while the name is refused, nor soon after. */
	now_ns += (BLAME_FORGET_S + BLAME_REFUSAL_S) * S;
	g_assert_cmpuint(judge(&blame, 7, "glmark2", now_ns).n_crashes, ==, 3);
}

static void test_hang(void)
{
	struct blame blame = { 0 };
	char name[LEDGER_NAME_BYTES] = "glmark2";
	struct blame_judgement j = blame_judge(&blame, 7, name, true, START);
	g_assert_true(j.lose_context);
	g_assert_cmpuint(j.refused_s, ==, 0);
	j = blame_judge(&blame, 8, name, true, START + 20 * S);
	g_assert_true(j.lose_context);
	g_assert_cmpuint(j.refused_s, ==, BLAME_REFUSAL_S);
}

/*
 * A program takes another name each time: nobody new is let in for a while, and those who are there
 * stay.
 */
static void test_ever_new_names(void)
{
	struct blame blame = { 0 };
	unsigned n = 0, n_crashes = 0;
	for (uint64_t now_ns = START; now_ns < START + 60 * S; now_ns += S / 5) {
		g_autofree char *name = g_strdup_printf("evil-%u", n++);
		if (is_refused(&blame, name, now_ns))
			continue;
		struct blame_judgement j = judge(&blame, n, name, now_ns);
		g_assert_cmpint(j.lose_context, ==, n_crashes == 2);
		g_assert_false(j.lose_name);
		n_crashes++;
	}
	g_assert_cmpuint(n_crashes, ==, 3);
}

/*
 * Contexts were made beforehand, each with a name of its own: soon all are lost whose picture no
 * head has shown.
 */
static void test_made_beforehand(void)
{
	struct blame blame = { 0 };
	for (unsigned n = 1; n <= 6; n++) {
		g_autofree char *name = g_strdup_printf("evil-%u", n);
		struct blame_judgement j = judge(&blame, n, name, START + n * S / 10);
		g_assert_cmpint(j.lose_context, ==, n >= 3);
		g_assert_cmpint(j.lose_unseen, ==, n >= 4);
	}
	/* A later minute's first crashes are forgiven again. */
	uint64_t later_ns = START + (2 * BLAME_REFUSAL_MAX_S + BLAME_FORGET_ALL_S) * S;
	g_assert_false(judge(&blame, 7, "evil-7", later_ns).lose_unseen);
}

/* A program that always has the same name is no reason to refuse others. */
static void test_one_name_is_not_all(void)
{
	struct blame blame = { 0 };
	for (unsigned n = 0; n < 50; n++) {
		struct blame_judgement j = judge(&blame, n, "evil", START + n * S / 10);
		g_assert_cmpuint(j.all_refused_s, ==, 0);
	}
	g_assert_false(is_refused(&blame, "innocent", START + 5 * S));
}

/* Crashes of some programs within an hour are not a storm. */
static void test_now_and_then(void)
{
	struct blame blame = { 0 };
	for (unsigned n = 0; n < 50; n++) {
		g_autofree char *name = g_strdup_printf("program-%u", n);
		struct blame_judgement j =
			judge(&blame, n, name, START + n * (BLAME_FORGET_ALL_S + 1) * S);
		g_assert_cmpuint(j.all_refused_s, ==, 0);
	}
}

/* They cannot be refused by name, so from the third crash on all new contexts are. */
static void test_nameless(void)
{
	struct blame blame = { 0 };
	judge(&blame, 7, "", START);
	g_assert_cmpuint(judge(&blame, 8, "", START + S).n_crashes, ==, 1);
	struct blame_judgement j = judge(&blame, 7, "", START + 2 * S);
	g_assert_cmpuint(j.n_crashes, ==, 2);
	g_assert_true(j.lose_context);
	g_assert_false(j.lose_name);
	g_assert_cmpuint(j.refused_s, ==, 0);
	g_assert_cmpuint(j.all_refused_s, ==, BLAME_REFUSAL_S);
	blame = (struct blame){ 0 };
	judge(&blame, 7, "", START);
	j = judge(&blame, 7, "", START + S);
	g_assert_cmpuint(j.refused_s, ==, 0);
	g_assert_false(is_refused(&blame, "", START + S));
}

/* Names fill their 64 bytes, and there are more of them than are remembered. */
static void test_many_long_names(void)
{
	struct blame blame = { 0 };
	char name[LEDGER_NAME_BYTES];
	memset(name, 'x', sizeof(name));
	for (unsigned n = 0; n < 10 * BLAME_NAMES_MAX; n++) {
		name[0] = (char)('A' + n % 26);
		name[LEDGER_NAME_BYTES - 1] = (char)('A' + n / 26);
		blame_judge(&blame, n, name, false, START + n * S);
		blame_judge(&blame, n, name, false, START + n * S);
		g_assert_true(is_refused(&blame, name, START + n * S));
	}
	blame_clear(&blame);
	g_assert_false(is_refused(&blame, name, START));
}

/* ---- whose work it was ---- */

#define MS UINT64_C(1000000)

static void say(struct heartbeat_memory *memory, enum heartbeat_loop loop, uint32_t context,
	uint64_t since_ns)
{
	memory->map->beats[loop] = (struct heartbeat_beat){ .since_ns = since_ns,
		.state = context ? HEARTBEAT_WORKING : HEARTBEAT_IDLE,
		.context = context };
}

/* Returns the context that is found; 0 if there is none. */
static uint32_t find(const struct heartbeat_memory *memory, enum heartbeat_loop hung_loop)
{
	struct heartbeat_said at, hung_at = { 0 };
	if (hung_loop < HEARTBEAT_LOOPS)
		hung_at = heartbeat_memory_read(memory, hung_loop);
	bool found = blame_find(memory, hung_loop < HEARTBEAT_LOOPS ? &hung_at : NULL, &at);
	return found ? at.context : 0;
}

static void test_find(void)
{
	const enum heartbeat_loop crash = HEARTBEAT_LOOPS;
	struct heartbeat_memory memory;
	g_assert_true(heartbeat_memory_init(&memory, "test", NULL));
	g_assert_cmpuint(find(&memory, crash), ==, 0);
	say(&memory, HEARTBEAT_GPU_WORK, 5, START);
	g_assert_cmpuint(find(&memory, crash), ==, 5);
	g_assert_cmpuint(find(&memory, HEARTBEAT_GPU_WORK), ==, 5);
	/* The gpu thread works for another context, since just after or since long after. */
	say(&memory, HEARTBEAT_GPU, 6, START + 10 * MS);
	g_assert_cmpuint(find(&memory, crash), ==, 6);
	g_assert_cmpuint(find(&memory, HEARTBEAT_GPU_WORK), ==, 6);
	g_assert_cmpuint(find(&memory, HEARTBEAT_GPU), ==, 6);
	say(&memory, HEARTBEAT_MAIN, 0, START);
	g_assert_cmpuint(find(&memory, HEARTBEAT_MAIN), ==, 0);
	say(&memory, HEARTBEAT_GPU, 6, START + 2 * S);
	g_assert_cmpuint(find(&memory, crash), ==, 6);
	g_assert_cmpuint(find(&memory, HEARTBEAT_GPU_WORK), ==, 5);
	/* The gpu thread works for no context. */
	say(&memory, HEARTBEAT_GPU, 0, START + 10 * MS);
	g_assert_cmpuint(find(&memory, HEARTBEAT_GPU_WORK), ==, 5);
	heartbeat_memory_finish(&memory);
}

/* Who is guilty of a reset is what the gpu thread says, and not what the GPU was at. */
static void test_find_guilty(void)
{
	struct heartbeat_memory memory;
	struct heartbeat_said at;
	g_assert_true(heartbeat_memory_init(&memory, "test", NULL));
	g_assert_false(blame_find_guilty(&memory, &at));
	say(&memory, HEARTBEAT_GPU_WORK, 5, START);
	g_assert_false(blame_find_guilty(&memory, &at));
	say(&memory, HEARTBEAT_GPU, 6, START);
	g_assert_true(blame_find_guilty(&memory, &at));
	g_assert_cmpuint(at.context, ==, 6);
	heartbeat_memory_finish(&memory);
}

/* Resets by nobody knows whom are forgiven, but not many of one minute. */
static void test_silent(void)
{
	struct blame blame = { 0 };
	uint64_t now_ns = START;
	for (unsigned i = 0; i < 3 * BLAME_SILENT_MAX; i++, now_ns += (BLAME_FORGET_ALL_S + 1) * S)
		g_assert_false(blame_count_silent(&blame, now_ns));
	for (unsigned i = 0; i < BLAME_SILENT_MAX; i++)
		g_assert_false(blame_count_silent(&blame, now_ns + i * S));
	g_assert_true(blame_count_silent(&blame, now_ns + BLAME_SILENT_MAX * S));
	blame_clear(&blame);
	g_assert_false(blame_count_silent(&blame, now_ns + BLAME_SILENT_MAX * S));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/blame/first-is-forgiven", test_first_is_forgiven);
	g_test_add_func("/blame/again", test_again);
	g_test_add_func("/blame/forgotten", test_forgotten);
	g_test_add_func("/blame/hang", test_hang);
	g_test_add_func("/blame/ever-new-names", test_ever_new_names);
	g_test_add_func("/blame/made-beforehand", test_made_beforehand);
	g_test_add_func("/blame/one-name-is-not-all", test_one_name_is_not_all);
	g_test_add_func("/blame/now-and-then", test_now_and_then);
	g_test_add_func("/blame/nameless", test_nameless);
	g_test_add_func("/blame/many-long-names", test_many_long_names);
	g_test_add_func("/blame/find", test_find);
	g_test_add_func("/blame/find-guilty", test_find_guilty);
	g_test_add_func("/blame/silent", test_silent);
	return g_test_run();
}
