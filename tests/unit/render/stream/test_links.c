/* SPDX-License-Identifier: MIT */
/*
 * links: which shaders may stand behind which, when they are made (CREATE_OBJECT of a SHADER) and
 * when they are bound.
 */
#include <glib.h>

#include "tests/unit/render/stream/desk.h"

enum { VERTEX = 1, GEOMETRY, FRAGMENT };

/* Puts out 62 numbers, and beside them a new stage's own inputs have room for two. */
#define VERTEX_TEXT "VERT\nDCL OUT[0], POSITION\nDCL OUT[1..62], GENERIC[0]\nEND\n"
#define GEOMETRY_TEXT                                                                              \
	"GEOM\nPROPERTY GS_INPUT_PRIMITIVE POINTS\nDCL IN[][0], POSITION\nDCL OUT[0], "            \
	"POSITION\nEND\n"
#define TWO_INPUTS "FRAG\nDCL IN[0], FOG\nDCL IN[1], FOG[1]\nDCL OUT[0], COLOR\nEND\n"
#define THREE_INPUTS                                                                               \
	"FRAG\nDCL IN[0], FOG\nDCL IN[1], FOG[1]\nDCL IN[2], FOG[2]\nDCL OUT[0], COLOR\nEND\n"

static enum desk_fate bind(struct desk *d, uint32_t handle, uint32_t stage)
{
	DESK_PUT(d, STREAM_BIND_SHADER, 0, handle, stage);
	return desk_send(d);
}

static void begin(struct desk *d, bool has_geometry)
{
	desk_init(d);
	desk_put_text(d, VERTEX, STREAM_STAGE_VERTEX, VERTEX_TEXT);
	desk_put_text(d, GEOMETRY, STREAM_STAGE_GEOMETRY, GEOMETRY_TEXT);
	g_assert_cmpint(desk_send(d), ==, DESK_PASSED);
	g_assert_cmpint(bind(d, VERTEX, STREAM_STAGE_VERTEX), ==, DESK_PASSED);
	if (has_geometry)
		g_assert_cmpint(bind(d, GEOMETRY, STREAM_STAGE_GEOMETRY), ==, DESK_PASSED);
}

static enum desk_fate make(bool has_geometry, const char *text)
{
	struct desk d;
	begin(&d, has_geometry);
	desk_put_text(&d, FRAGMENT, STREAM_STAGE_FRAGMENT, text);
	enum desk_fate fate = desk_send(&d);
	if (fate == DESK_REFUSED)
		g_assert_cmpuint(d.fault.limit, ==, 64);
	desk_finish(&d);
	return fate;
}

static void test_behind_vertices(void)
{
	g_assert_cmpint(make(false, TWO_INPUTS), ==, DESK_PASSED);
	g_assert_cmpint(make(false, THREE_INPUTS), ==, DESK_REFUSED);
}

/* A geometry shader between them that puts out nothing makes no difference to a new shader. */
static void test_behind_another_stage(void)
{
	g_assert_cmpint(make(true, TWO_INPUTS), ==, DESK_PASSED);
	g_assert_cmpint(make(true, THREE_INPUTS), ==, DESK_REFUSED);
}

/* It does to one that is bound. */
static void test_bound_behind_another_stage(void)
{
	struct desk d;
	desk_init(&d);
	desk_put_text(&d, FRAGMENT, STREAM_STAGE_FRAGMENT, THREE_INPUTS);
	desk_put_text(&d, VERTEX, STREAM_STAGE_VERTEX, VERTEX_TEXT);
	desk_put_text(&d, GEOMETRY, STREAM_STAGE_GEOMETRY, GEOMETRY_TEXT);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, GEOMETRY, STREAM_STAGE_GEOMETRY), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, VERTEX, STREAM_STAGE_VERTEX), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, FRAGMENT, STREAM_STAGE_FRAGMENT), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, 0, STREAM_STAGE_GEOMETRY), ==, DESK_REFUSED);
	desk_finish(&d);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/links/behind vertices", test_behind_vertices);
	g_test_add_func("/links/behind another stage", test_behind_another_stage);
	g_test_add_func("/links/bound behind another stage", test_bound_behind_another_stage);
	return g_test_run();
}
