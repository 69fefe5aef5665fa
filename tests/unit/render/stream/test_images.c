/* SPDX-License-Identifier: MIT */
/* images: nothing is drawn with shaders that count in an image of floats. */
#include <glib.h>

#include "tests/unit/render/stream/desk.h"

enum { COUNTING = 1, ANYWHERE, EXCHANGING, LOADING };
enum { R32_FLOAT = 28, L32_FLOAT = 160, R32_UINT = 193, BOTH_WAYS = 3 };

#define IMAGE_3 "IMAGE[3], 2D, PIPE_FORMAT_R32_UINT, WR\n"
#define OPERATION(op, image)                                                                       \
	"DCL TEMP[0]\nIMM[0] UINT32 {0, 1, 2, 3}\n" op " TEMP[0].x, " image                        \
	", IMM[0], IMM[0].yyyy, 2D, PIPE_FORMAT_R32_UINT\nEND\n"

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
	desk_put_text(d, COUNTING, STREAM_STAGE_COMPUTE,
		"COMP\nDCL " IMAGE_3 OPERATION("ATOMUADD", "IMAGE[3]"));
	desk_put_text(d, ANYWHERE, STREAM_STAGE_COMPUTE,
		"COMP\nDCL ADDR[0]\nDCL " IMAGE_3 OPERATION("ATOMOR", "IMAGE[ADDR[0].x+1]"));
	desk_put_text(d, EXCHANGING, STREAM_STAGE_COMPUTE,
		"COMP\nDCL " IMAGE_3 OPERATION("ATOMXCHG", "IMAGE[3]"));
	g_assert_cmpint(desk_send(d), ==, DESK_PASSED);
}

static void test_compute(void)
{
	struct desk d;
	begin(&d);
	set(&d, STREAM_STAGE_COMPUTE, R32_FLOAT, DESK_TEXTURE);
	g_assert_cmpint(run(&d), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, EXCHANGING, STREAM_STAGE_COMPUTE), ==, DESK_PASSED);
	g_assert_cmpint(run(&d), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, COUNTING, STREAM_STAGE_COMPUTE), ==, DESK_PASSED);
	g_assert_cmpint(run(&d), ==, DESK_MENDED);
	set(&d, STREAM_STAGE_COMPUTE, L32_FLOAT, DESK_TEXTURE);
	g_assert_cmpint(run(&d), ==, DESK_MENDED);
	g_assert_cmpint(bind(&d, ANYWHERE, STREAM_STAGE_COMPUTE), ==, DESK_PASSED);
	g_assert_cmpint(run(&d), ==, DESK_MENDED);
	set(&d, STREAM_STAGE_COMPUTE, R32_UINT, DESK_TEXTURE);
	g_assert_cmpint(run(&d), ==, DESK_PASSED);
	desk_finish(&d);
}

/* GL's places are those of all stages, and one that is emptied still has what it had. */
static void test_what_stays(void)
{
	struct desk d;
	begin(&d);
	g_assert_cmpint(bind(&d, COUNTING, STREAM_STAGE_COMPUTE), ==, DESK_PASSED);
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
		"VERT\nDCL IN[0]\nDCL OUT[0], POSITION\nDCL " IMAGE_3 "MOV OUT[0], IN[0]\nEND\n");
	desk_put_text(&d, COUNTING, STREAM_STAGE_FRAGMENT,
		"FRAG\nDCL " IMAGE_3 OPERATION("ATOMXOR", "IMAGE[3]"));
	DESK_PUT(&d, STREAM_BIND_SHADER, 0, COUNTING, STREAM_STAGE_FRAGMENT);
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
	g_test_add_func("/images/what stays", test_what_stays);
	g_test_add_func("/images/stages", test_stages);
	return g_test_run();
}
