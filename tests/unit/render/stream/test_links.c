/* SPDX-License-Identifier: MIT */
/*
 * links: which shaders may stand behind which, when they are made (CREATE_OBJECT of a SHADER), when
 * they are bound, and when something is drawn with them.
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

/* ---- their buffers ---- */

#define FRAGMENT_TEXT(buffers) "FRAG\nDCL OUT[0], COLOR\n" buffers "END\n"

static enum desk_fate draw(struct desk *d)
{
	DESK_PUT(d, STREAM_DRAW_VBO, 0, 0, 3, 4, 0, 1, 0, 0, 0, 0, 0, 2, 0);
	return desk_send(d);
}

static enum desk_fate link_stages(struct desk *d, uint32_t geometry)
{
	DESK_PUT(d, STREAM_LINK_SHADER, 0, VERTEX, FRAGMENT, geometry, 0, 0, 0);
	return desk_send(d);
}

#define GEOMETRY_OF(n, invocations, rest)                                                          \
	"GEOM\nPROPERTY GS_MAX_OUTPUT_VERTICES " #n "\nPROPERTY GS_INVOCATIONS " #invocations      \
	"\nDCL OUT[0], POSITION\n" rest "END\n"
#define EMITS(component) "IMM[0] UINT32 {0, 0, 1, 5}\nEMIT IMM[0]." component "\n"

/*
 * A vertex has 144 bytes here, and Mesa allocates one more than the shader says: so many are
 * 256 and 512 KiB.
 */
static void test_geometry_bytes(void)
{
	static const struct {
		const char *text;
		enum desk_fate alone, tessellated;
	} lines[] = {
		{ GEOMETRY_OF(1819, 1, ""), DESK_PASSED, DESK_PASSED },
		{ GEOMETRY_OF(1820, 1, ""), DESK_PASSED, DESK_MENDED },
		{ GEOMETRY_OF(3639, 1, ""), DESK_PASSED, DESK_MENDED },
		{ GEOMETRY_OF(3640, 1, ""), DESK_MENDED, DESK_MENDED },
		{ GEOMETRY_OF(55, 32, ""), DESK_PASSED, DESK_PASSED },
		{ GEOMETRY_OF(56, 32, ""), DESK_PASSED, DESK_MENDED },
		{ GEOMETRY_OF(112, 32, ""), DESK_PASSED, DESK_MENDED },
		{ GEOMETRY_OF(113, 32, ""), DESK_MENDED, DESK_MENDED },
		{ GEOMETRY_OF(1819, 1, EMITS("xxxx")), DESK_PASSED, DESK_PASSED },
		{ GEOMETRY_OF(454, 1, EMITS("zxxx")), DESK_PASSED, DESK_PASSED },
		{ GEOMETRY_OF(455, 1, EMITS("zxxx")), DESK_PASSED, DESK_MENDED },
		{ GEOMETRY_OF(909, 1, EMITS("wxxx")), DESK_PASSED, DESK_MENDED },
		{ GEOMETRY_OF(910, 1, EMITS("wxxx")), DESK_MENDED, DESK_MENDED },
		{ GEOMETRY_OF(4294967295, 4294967295, ""), DESK_MENDED, DESK_MENDED },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
		struct desk d;
		desk_init(&d);
		desk_bind_shaders(&d);
		desk_put_text(&d, 10, STREAM_STAGE_GEOMETRY, lines[i].text);
		desk_put_text(
			&d, 11, STREAM_STAGE_TESS_EVAL, "TESS_EVAL\nDCL OUT[0], POSITION\nEND\n");
		g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
		g_assert_cmpint(bind(&d, 10, STREAM_STAGE_GEOMETRY), ==, DESK_PASSED);
		g_assert_cmpint(draw(&d), ==, lines[i].alone);
		g_assert_cmpint(bind(&d, 11, STREAM_STAGE_TESS_EVAL), ==, DESK_PASSED);
		g_assert_cmpint(draw(&d), ==, lines[i].tessellated);
		g_assert_cmpint(bind(&d, 0, STREAM_STAGE_GEOMETRY), ==, DESK_PASSED);
		g_assert_cmpint(draw(&d), ==, DESK_PASSED);
		desk_finish(&d);
	}
}

/* The vertex shader has buffers 2 to 21, which take 20 places. */
static void begin_with_buffers(struct desk *d, const char *geometry, const char *fragment)
{
	desk_init(d);
	desk_put_text(d, GEOMETRY, STREAM_STAGE_GEOMETRY, geometry);
	desk_put_text(d, FRAGMENT, STREAM_STAGE_FRAGMENT, fragment);
	desk_put_text(d, VERTEX, STREAM_STAGE_VERTEX, "VERT\nDCL BUFFER[2]\nDCL BUFFER[21]\nEND\n");
	g_assert_cmpint(desk_send(d), ==, DESK_PASSED);
	g_assert_cmpint(bind(d, VERTEX, STREAM_STAGE_VERTEX), ==, DESK_PASSED);
	g_assert_cmpint(bind(d, FRAGMENT, STREAM_STAGE_FRAGMENT), ==, DESK_PASSED);
}

static void test_buffers(void)
{
	static const struct {
		const char *fragment;
		enum desk_fate fate;
	} lines[] = {
		{ FRAGMENT_TEXT("DCL BUFFER[0..11]\n"), DESK_PASSED },
		{ FRAGMENT_TEXT("DCL BUFFER[0..12]\n"), DESK_MENDED },
		{ FRAGMENT_TEXT("DCL BUFFER[12]\n"), DESK_MENDED },
		{ FRAGMENT_TEXT(""), DESK_PASSED },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
		struct desk d;
		begin_with_buffers(&d, GEOMETRY_TEXT, lines[i].fragment);
		g_assert_cmpint(draw(&d), ==, lines[i].fate);
		g_assert_cmpint(draw(&d), ==, lines[i].fate);
		g_assert_cmpint(link_stages(&d, 0), ==, lines[i].fate);
		desk_finish(&d);
	}
}

/* A shader may be made while another one stands before it than will. */
static void test_buffers_of_a_new_one(void)
{
	struct desk d;
	begin_with_buffers(&d, GEOMETRY_TEXT, FRAGMENT_TEXT(""));
	desk_put_text(&d, 9, STREAM_STAGE_FRAGMENT, FRAGMENT_TEXT("DCL BUFFER[0..31]\n"));
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, 9, STREAM_STAGE_FRAGMENT), ==, DESK_PASSED);
	g_assert_cmpint(draw(&d), ==, DESK_MENDED);
	g_assert_cmpint(bind(&d, DESK_VERTEX_SHADER, STREAM_STAGE_VERTEX), ==, DESK_PASSED);
	g_assert_cmpint(draw(&d), ==, DESK_PASSED);
	desk_finish(&d);
}

/* A stage that has none passes on where those before it end. */
static void test_buffers_behind_another_stage(void)
{
	struct desk d;
	begin_with_buffers(&d, GEOMETRY_TEXT, FRAGMENT_TEXT("DCL BUFFER[0..12]\n"));
	g_assert_cmpint(link_stages(&d, GEOMETRY), ==, DESK_MENDED);
	g_assert_cmpint(bind(&d, GEOMETRY, STREAM_STAGE_GEOMETRY), ==, DESK_PASSED);
	g_assert_cmpint(draw(&d), ==, DESK_MENDED);
	g_assert_cmpint(bind(&d, 0, STREAM_STAGE_VERTEX), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, DESK_VERTEX_SHADER, STREAM_STAGE_VERTEX), ==, DESK_PASSED);
	g_assert_cmpint(draw(&d), ==, DESK_PASSED);
	desk_finish(&d);
}

/* The vertex shader of the desk has no buffers. */
static void begin_with_three(struct desk *d)
{
	begin_with_buffers(d, "GEOM\nPROPERTY GS_INPUT_PRIMITIVE POINTS\nDCL BUFFER[0]\nEND\n",
		FRAGMENT_TEXT(""));
	desk_put_text(d, 9, STREAM_STAGE_FRAGMENT, FRAGMENT_TEXT("DCL BUFFER[0..11]\n"));
	g_assert_cmpint(desk_send(d), ==, DESK_PASSED);
	g_assert_cmpint(bind(d, GEOMETRY, STREAM_STAGE_GEOMETRY), ==, DESK_PASSED);
}

/* A stage's end is kept by virglrenderer when it stands behind others again. */
static void test_buffers_that_were_before(void)
{
	struct desk d;
	begin_with_three(&d);
	g_assert_cmpint(draw(&d), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, DESK_VERTEX_SHADER, STREAM_STAGE_VERTEX), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, 9, STREAM_STAGE_FRAGMENT), ==, DESK_PASSED);
	g_assert_cmpint(draw(&d), ==, DESK_MENDED);
	desk_finish(&d);
}

/* It stood behind others in a link, too. */
static void test_buffers_of_a_link(void)
{
	struct desk d;
	begin_with_three(&d);
	g_assert_cmpint(bind(&d, DESK_VERTEX_SHADER, STREAM_STAGE_VERTEX), ==, DESK_PASSED);
	g_assert_cmpint(bind(&d, 9, STREAM_STAGE_FRAGMENT), ==, DESK_PASSED);
	g_assert_cmpint(draw(&d), ==, DESK_PASSED);
	g_assert_cmpint(link_stages(&d, GEOMETRY), ==, DESK_PASSED);
	g_assert_cmpint(draw(&d), ==, DESK_MENDED);
	desk_finish(&d);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/links/behind vertices", test_behind_vertices);
	g_test_add_func("/links/behind another stage", test_behind_another_stage);
	g_test_add_func("/links/bound behind another stage", test_bound_behind_another_stage);
	g_test_add_func("/links/bytes of geometry", test_geometry_bytes);
	g_test_add_func("/links/buffers", test_buffers);
	g_test_add_func("/links/buffers of a new one", test_buffers_of_a_new_one);
	g_test_add_func("/links/buffers behind another stage", test_buffers_behind_another_stage);
	g_test_add_func("/links/buffers that were before", test_buffers_that_were_before);
	g_test_add_func("/links/buffers of a link", test_buffers_of_a_link);
	return g_test_run();
}
