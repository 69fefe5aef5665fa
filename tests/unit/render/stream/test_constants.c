/* SPDX-License-Identifier: MIT */
/* streams: tests the constants that the checker puts before a guest's own, so that a shader reads
 * no others. */
#include <glib.h>

#include "render/stream/limits.h"
#include "tests/unit/render/stream/desk.h"

/* The checker puts constants in front of a stage's first ones, as many as most shaders may read. */
static void test_constants(void)
{
	struct desk d;
	desk_init(&d);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 0);
	DESK_PUT(&d, STREAM_SET_CONSTANT_BUFFER, 0, 1, 0, 11, 12);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_MENDED);
	uint32_t inserted = 1 + 2 + STREAM_CONSTANTS_USUAL;
	g_assert_cmpuint(d.passed.n_words, ==, 2 + inserted + 5 + 2);
	const uint32_t *words = d.passed.words;
	g_assert_cmpuint(words[0], ==, stream_header(STREAM_SET_SUB_CTX, 0, 1));
	g_assert_cmpuint(words[2], ==,
		stream_header(STREAM_SET_CONSTANT_BUFFER, 0, 2 + STREAM_CONSTANTS_USUAL));
	g_assert_cmpuint(words[3], ==, 1);
	g_assert_cmpuint(words[2 + inserted], ==, stream_header(STREAM_SET_CONSTANT_BUFFER, 0, 4));
	g_assert_cmpuint(words[2 + inserted + 4], ==, 12);
	DESK_PUT(&d, STREAM_SET_CONSTANT_BUFFER, 0, 1, 0, 11, 12);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	DESK_PUT(&d, STREAM_SET_CONSTANT_BUFFER, 0, 2, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	desk_finish(&d);
}

#define LARGE_SHADER 50
#define N_LARGE 8000

static void bind_large(struct desk *d, unsigned n_constants)
{
	g_autofree char *text = g_strdup_printf("VERT\nDCL OUT[0], POSITION\n"
						"DCL CONST[0..%u]\nMOV OUT[0], CONST[1]\nEND\n",
		n_constants - 1);
	desk_put_text(d, LARGE_SHADER, STREAM_STAGE_VERTEX, text);
	DESK_PUT(d, STREAM_BIND_SHADER, 0, LARGE_SHADER, STREAM_STAGE_VERTEX);
}

/* Sends it, and checks that the last words before it are a large shader's room. */
static void expect_room(struct desk *d, uint32_t n_constants)
{
	uint32_t own = d->n_words, inserted = 1 + 2 + 4 * n_constants;
	g_assert_cmpint(desk_send(d), ==, DESK_MENDED);
	g_assert_cmpuint(d->passed.n_words, ==, own + inserted);
}

/* Room is made for what the bound shader declares, whether constants or the shader come first. */
static void test_large_shader(void)
{
	struct desk d;
	desk_init(&d);
	bind_large(&d, N_LARGE);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	DESK_PUT(&d, STREAM_SET_CONSTANT_BUFFER, 0, STREAM_STAGE_VERTEX, 0, 11);
	expect_room(&d, N_LARGE);
	g_assert_cmphex(d.passed.words[0], ==,
		stream_header(STREAM_SET_CONSTANT_BUFFER, 0, 2 + 4 * N_LARGE));
	bind_large(&d, N_LARGE + 1);
	expect_room(&d, N_LARGE + 1);
	g_assert_cmphex(
		d.passed.words[d.passed.n_words - 3], ==, stream_header(STREAM_BIND_SHADER, 0, 2));
	DESK_PUT(&d, STREAM_BIND_SHADER, 0, LARGE_SHADER, STREAM_STAGE_VERTEX);
	DESK_PUT(&d, STREAM_SET_CONSTANT_BUFFER, 0, STREAM_STAGE_VERTEX, 0, 11);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	desk_finish(&d);
}

/* No command sets as many constants as Mesa may declare: such a shader is harmless without any. */
static void test_too_large_shader(void)
{
	const uint32_t most = STREAM_CONSTANTS_MAX / 4;
	struct desk d;
	desk_init(&d);
	bind_large(&d, most);
	DESK_PUT(&d, STREAM_SET_CONSTANT_BUFFER, 0, STREAM_STAGE_VERTEX, 0, 11);
	expect_room(&d, most);
	bind_large(&d, most + 1);
	g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
	g_assert_cmpuint(d.fault.limit, ==, most);
	desk_finish(&d);

	desk_init(&d);
	bind_large(&d, most + 1);
	DESK_PUT(&d, STREAM_SET_CONSTANT_BUFFER, 0, STREAM_STAGE_VERTEX, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	DESK_PUT(&d, STREAM_SET_CONSTANT_BUFFER, 0, STREAM_STAGE_VERTEX, 0, 11);
	g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
	g_assert_cmpuint(d.fault.limit, ==, most);
	desk_finish(&d);
}

/* So many stages get the usual room in one stream. */
#define USUAL_ROOMS (STREAM_CONSTANT_ROOMS_MAX / STREAM_CONSTANTS_USUAL)

static void put_rooms(struct desk *d, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		DESK_PUT(d, STREAM_CREATE_SUB_CTX, 0, 1);
		DESK_PUT(d, STREAM_SET_CONSTANT_BUFFER, 0, 0, 0, 5);
		DESK_PUT(d, STREAM_DESTROY_SUB_CTX, 0, 1);
	}
}

/* Sub-contexts that come and go in one stream do not make it grow without end. */
static void test_many_rooms(void)
{
	struct desk d;
	desk_init(&d);
	for (unsigned i = 0; i < 2; i++) {
		put_rooms(&d, USUAL_ROOMS);
		g_assert_cmpint(desk_send(&d), ==, DESK_MENDED);
	}
	put_rooms(&d, USUAL_ROOMS + 1);
	g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
	g_assert_cmpuint(d.fault.limit, ==, STREAM_CONSTANT_ROOMS_MAX);
	g_assert_cmpuint(d.passed.n_words, <, STREAM_CONSTANT_ROOMS_MAX + STREAM_CONSTANTS_USUAL);
	desk_finish(&d);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/constants/constants", test_constants);
	g_test_add_func("/constants/large-shader", test_large_shader);
	g_test_add_func("/constants/too-large-shader", test_too_large_shader);
	g_test_add_func("/constants/many-rooms", test_many_rooms);
	return g_test_run();
}
