/* SPDX-License-Identifier: MIT */
/* draws: tests what is left of a stream without its draws. */
#include <glib.h>
#include <string.h>

#include "render/stream/draws.h"
#include "render/stream/protocol.h"

#define HEADER(number, n_words) ((uint32_t)(number) | (uint32_t)(n_words) << 16)

static void expect(const uint32_t *words, uint32_t n_words, const uint32_t *left, uint32_t n_left)
{
	g_autofree uint32_t *copy = g_memdup2(words, n_words * sizeof(*words));
	g_assert_cmpuint(draws_leave_out(copy, n_words), ==, n_left);
	g_assert_cmpmem(copy, n_left * sizeof(*copy), left, n_left * sizeof(*left));
}

static void test_left_out(void)
{
	const uint32_t words[] = { HEADER(STREAM_DRAW_VBO, 2), 1, 2, HEADER(STREAM_CLEAR, 1),
		STREAM_DRAW_VBO, HEADER(STREAM_NOP, 0), HEADER(STREAM_LAUNCH_GRID, 1), 7,
		HEADER(STREAM_LINK_SHADER, 0), HEADER(STREAM_BIND_OBJECT | 5 << 8, 1), 9,
		HEADER(STREAM_DRAW_VBO, 1), 3 };
	const uint32_t left[] = { HEADER(STREAM_CLEAR, 1), STREAM_DRAW_VBO, HEADER(STREAM_NOP, 0),
		HEADER(STREAM_BIND_OBJECT | 5 << 8, 1), 9 };
	expect(words, G_N_ELEMENTS(words), left, G_N_ELEMENTS(left));
	expect(left, G_N_ELEMENTS(left), left, G_N_ELEMENTS(left));
}

static void test_nothing(void)
{
	const uint32_t draws[] = { HEADER(STREAM_DRAW_VBO, 1), 3, HEADER(STREAM_DRAW_VBO, 0) };
	expect(draws, G_N_ELEMENTS(draws), NULL, 0);
	g_assert_cmpuint(draws_leave_out(NULL, 0), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/draws/left out", test_left_out);
	g_test_add_func("/draws/nothing", test_nothing);
	return g_test_run();
}
