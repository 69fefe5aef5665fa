/* SPDX-License-Identifier: MIT */
/* images: nothing is drawn with shaders that take an image of others for one of integers. */
#include <glib.h>

#include "tests/unit/render/stream/desk.h"

enum { INTEGERS = 1, FLOATS, UNKNOWN, LOADING };
enum { R32_FLOAT = 28, R8G8B8A8_UNORM = 67, R32_UINT = 193, BOTH_WAYS = 3 };

#define IMAGE_3(format) "DCL IMAGE[3], 2D" format ", WR\n"
#define OF_INTEGERS IMAGE_3(", PIPE_FORMAT_R32_UINT")
#define STORE "IMM[0] UINT32 {0, 1, 2, 3}\nSTORE IMAGE[3], IMM[0], IMM[0], 2D\nEND\n"

static enum desk_fate bind(struct desk *d, uint32_t handle, uint32_t stage)
{
	DESK_PUT(d, STREAM_BIND_SHADER, 0, handle, stage);
	return desk_send(d);
}

static void set(struct desk *d, uint32_t stage, uint32_t format, uint32_t resource)
{
	DESK_PUT(d, STREAM_SET_SHADER_IMAGES, 0, stage, 3, format, BOTH_WAYS, 0, 0, resource);
	g_assert_cmpint(desk_send(d), ==, DESK_PASSED);
}

static enum desk_fate run(struct desk *d)
{
	DESK_PUT(d, STREAM_LAUNCH_GRID, 0, 1, 1, 1, 1, 1, 1, 0, 0);
	return desk_send(d);
}

static enum desk_fate draw(struct desk *d)
{
	DESK_PUT(d, STREAM_DRAW_VBO, 0, 0, 3, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0);
	return desk_send(d);
}

static void begin(struct desk *d)
{
	desk_init(d);
	desk_bind_shaders(d);
	desk_put_text(d, INTEGERS, STREAM_STAGE_COMPUTE, "COMP\n" OF_INTEGERS STORE);
	desk_put_text(
		d, FLOATS, STREAM_STAGE_COMPUTE, "COMP\n" IMAGE_3(", PIPE_FORMAT_R32_FLOAT") STORE);
	desk_put_text(d, UNKNOWN, STREAM_STAGE_COMPUTE, "COMP\n" IMAGE_3("") STORE);
	g_assert_cmpint(desk_send(d), ==, DESK_PASSED);
}

static void test_compute(void)
{
	struct desk d;
	begin(&d);
	set(&d, STREAM_STAGE_COMPUTE, R32_FLOAT, DESK_TEXTURE);
	g_assert_cmpint(run(&d), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, FLOATS, STREAM_STAGE_COMPUTE), ==, DESK_PASSED);
	g_assert_cmpint(run(&d), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, INTEGERS, STREAM_STAGE_COMPUTE), ==, DESK_PASSED);
	g_assert_cmpint(run(&d), ==, DESK_MENDED);
	set(&d, STREAM_STAGE_COMPUTE, R8G8B8A8_UNORM, DESK_TEXTURE);
	g_assert_cmpint(run(&d), ==, DESK_MENDED);
	set(&d, STREAM_STAGE_COMPUTE, R32_UINT, DESK_TEXTURE);
	g_assert_cmpint(run(&d), ==, DESK_PASSED);
	desk_finish(&d);
}

/* Mesa names no format where a program says none, as it may of images that are only written. */
static void test_no_format(void)
{
	struct desk d;
	begin(&d);
	g_assert_cmpint(bind(&d, UNKNOWN, STREAM_STAGE_COMPUTE), ==, DESK_PASSED);
	set(&d, STREAM_STAGE_COMPUTE, R32_FLOAT, DESK_TEXTURE);
	g_assert_cmpint(run(&d), ==, DESK_PASSED);
	set(&d, STREAM_STAGE_COMPUTE, R32_UINT, DESK_TEXTURE);
	g_assert_cmpint(run(&d), ==, DESK_PASSED);
	desk_finish(&d);
}

/* GL's places are those of all stages, and one that is emptied still has what it had. */
static void test_what_stays(void)
{
	struct desk d;
	begin(&d);
	g_assert_cmpint(bind(&d, INTEGERS, STREAM_STAGE_COMPUTE), ==, DESK_PASSED);
	set(&d, STREAM_STAGE_COMPUTE, 0, 0);
	g_assert_cmpint(run(&d), ==, DESK_PASSED);
	set(&d, STREAM_STAGE_FRAGMENT, R32_FLOAT, DESK_TEXTURE);
	g_assert_cmpint(run(&d), ==, DESK_MENDED);
	set(&d, STREAM_STAGE_COMPUTE, R32_UINT, DESK_TEXTURE);
	g_assert_cmpint(run(&d), ==, DESK_PASSED);
	set(&d, STREAM_STAGE_COMPUTE, 0, 0);
	g_assert_cmpint(run(&d), ==, DESK_MENDED);
	desk_finish(&d);
}

static void test_stages(void)
{
	struct desk d;
	begin(&d);
	desk_put_text(&d, LOADING, STREAM_STAGE_VERTEX,
		"VERT\nDCL IN[0]\nDCL OUT[0], POSITION\n" IMAGE_3(
			", PIPE_FORMAT_R32_FLOAT") "MOV OUT[0], IN[0]\nEND\n");
	desk_put_text(&d, INTEGERS, STREAM_STAGE_FRAGMENT, "FRAG\n" OF_INTEGERS STORE);
	DESK_PUT(&d, STREAM_BIND_SHADER, 0, INTEGERS, STREAM_STAGE_FRAGMENT);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	set(&d, STREAM_STAGE_FRAGMENT, R32_UINT, DESK_TEXTURE);
	set(&d, STREAM_STAGE_VERTEX, R32_FLOAT, DESK_TEXTURE);
	g_assert_cmpint(draw(&d), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, LOADING, STREAM_STAGE_VERTEX), ==, DESK_PASSED);
	g_assert_cmpint(draw(&d), ==, DESK_MENDED);
	set(&d, STREAM_STAGE_VERTEX, R32_UINT, DESK_TEXTURE);
	g_assert_cmpint(draw(&d), ==, DESK_PASSED);
	desk_finish(&d);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/images/compute", test_compute);
	g_test_add_func("/images/no format", test_no_format);
	g_test_add_func("/images/what stays", test_what_stays);
	g_test_add_func("/images/stages", test_stages);
	return g_test_run();
}
