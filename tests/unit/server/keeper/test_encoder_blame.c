/* SPDX-License-Identifier: MIT */
/* encoder_blame: checks which encoders are refused after which crashes of display. */
#include <glib.h>

#include "server/keeper/blame.h"
#include "server/keeper/encoder_blame.h"

#define S UINT64_C(1000000000)
#define START (1000 * S)

enum { VA, NVENC, X264, VPX };

struct stage {
	struct heartbeat_memory heartbeat;
	struct encoder_blame blame;
};

static void set_up(struct stage *stage, gconstpointer data)
{
	*stage = (struct stage){ 0 };
	g_assert_true(heartbeat_memory_init(&stage->heartbeat, "test", NULL));
}

static void tear_down(struct stage *stage, gconstpointer data)
{
	heartbeat_memory_finish(&stage->heartbeat);
}

/* A display that has these at work, as bits, and `tried` in a trial, or -1, crashes. */
static void crash(struct stage *stage, uint32_t at_work, int tried, uint64_t now_ns)
{
	heartbeat_memory_clear(&stage->heartbeat);
	struct heartbeat_encoders *encoders = &stage->heartbeat.map->encoders;
	encoders->hardware = 1u << VA | 1u << NVENC;
	for (unsigned i = 0; i < HEARTBEAT_ENCODERS; i++)
		encoders->n_at_work[i] = at_work >> i & 1;
	encoders->tried = (uint32_t)(tried + 1);
	encoder_blame_count(&stage->blame, &stage->heartbeat, now_ns);
}

static void expect_refused(struct stage *stage, uint32_t refused)
{
	heartbeat_memory_clear(&stage->heartbeat);
	g_assert_cmphex(stage->heartbeat.map->encoders.refused, ==, refused);
}

/* A spare display is there before, and is to know it when it is told to work. */
static void test_one_that_waits(struct stage *stage, gconstpointer data)
{
	heartbeat_memory_refuse_encoders(&stage->heartbeat, 1u << VA);
	g_assert_cmphex(stage->heartbeat.map->encoders.refused, ==, 1u << VA);
	heartbeat_memory_refuse_encoders(&stage->heartbeat, 1u << X264);
	g_assert_cmphex(stage->heartbeat.map->encoders.refused, ==, 1u << VA | 1u << X264);
	expect_refused(stage, 1u << VA | 1u << X264);
}

static void test_trial(struct stage *stage, gconstpointer data)
{
	crash(stage, 0, NVENC, START);
	expect_refused(stage, 1u << NVENC);
	crash(stage, 0, X264, START);
	expect_refused(stage, 1u << NVENC | 1u << X264);
}

static void test_at_work_twice(struct stage *stage, gconstpointer data)
{
	crash(stage, 1u << VA, -1, START);
	expect_refused(stage, 0);
	crash(stage, 1u << VA, -1, START + 60 * S);
	expect_refused(stage, 1u << VA);
}

/* A client that brings display down again and again does not take all encoders away. */
static void test_software(struct stage *stage, gconstpointer data)
{
	for (unsigned i = 0; i < 10; i++)
		crash(stage, 1u << VA | 1u << X264 | 1u << VPX, -1, START + i * S);
	expect_refused(stage, 1u << VA);
	for (unsigned i = 0; i < 10; i++)
		crash(stage, 1u << X264 | 1u << VPX, -1, START + i * S);
	expect_refused(stage, 1u << VA);
	crash(stage, 1u << X264, -1, START + 20 * S);
	expect_refused(stage, 1u << VA);
	crash(stage, 1u << X264, -1, START + 21 * S);
	expect_refused(stage, 1u << VA | 1u << X264);
}

/* Weeks lie between two crashes, and what was refused stays so. */
static void test_forgotten(struct stage *stage, gconstpointer data)
{
	for (unsigned i = 0; i < 10; i++)
		crash(stage, 1u << VA, -1, START + i * (BLAME_FORGET_S + 1) * S);
	expect_refused(stage, 0);
	crash(stage, 1u << VA, -1, START + (10 * (BLAME_FORGET_S + 1) - 2) * S);
	expect_refused(stage, 1u << VA);
	crash(stage, 1u << NVENC, -1, START + 100 * BLAME_FORGET_S * S);
	expect_refused(stage, 1u << VA);
}

/* A display may write anything. */
static void test_any_content(struct stage *stage, gconstpointer data)
{
	for (unsigned round = 0; round < 1000; round++) {
		uint32_t *words = (uint32_t *)&stage->heartbeat.map->encoders;
		for (size_t i = 0; i < sizeof(struct heartbeat_encoders) / sizeof(*words); i++)
			words[i] = (uint32_t)g_test_rand_int();
		encoder_blame_count(&stage->blame, &stage->heartbeat, START);
		g_assert_cmphex(stage->heartbeat.encoders_refused >> HEARTBEAT_ENCODERS, ==, 0);
	}
}

#define ADD(name, function)                                                                        \
	g_test_add("/encoder-blame/" name, struct stage, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("one-that-waits", test_one_that_waits);
	ADD("trial", test_trial);
	ADD("at-work-twice", test_at_work_twice);
	ADD("software", test_software);
	ADD("forgotten", test_forgotten);
	ADD("any-content", test_any_content);
	return g_test_run();
}
