/* SPDX-License-Identifier: MIT */
/*
 * tgsi: tests shader texts: each limit at its edge and one beyond, texts that break off at every
 * byte, and what Mesa's programs really send (tgsi/, written by Mesa 22.3.6 for programs of ours).
 */
#include <glib.h>
#include <string.h>

#include "render/stream/tgsi.h"
#include "render/stream/tgsi_limits.h"

#define VERTEX "VERT\nDCL IN[0]\nDCL OUT[0], POSITION\n"
#define FRAGMENT "FRAG\nDCL TEMP[0..3]\nDCL OUT[0], COLOR\n"
#define FRAGMENT_IN FRAGMENT "DCL IN[0..3], GENERIC[0], PERSPECTIVE\n"
#define COMPUTE "COMP\nDCL TEMP[0..40]\nIMM[0] UINT32 {0, 1, 2, 3}\n"

/*
 * Holds a text with a number (%u) that may be as high as `last`, and the field that is to blame for
 * a higher one.
 */
struct edge {
	const char *name;
	unsigned stage;
	const char *text;
	unsigned last;
	const char *field;
};

static const struct edge edges[] = {
	{ "inputs", TGSI_FRAGMENT, "FRAG\nDCL IN[%u], GENERIC[0], PERSPECTIVE\n", 79, "IN" },
	{ "inputs-range", TGSI_FRAGMENT, "FRAG\nDCL IN[1..%u], POSITION\n", 32, "POSITION" },
	{ "inputs-vertex", TGSI_VERTEX, "VERT\nDCL IN[1..%u]\n", 79, "IN" },
	{ "inputs-all", TGSI_VERTEX, "VERT\nDCL IN[0..%u]\n", 78, "IN" },
	{ "inputs-geometry", TGSI_GEOMETRY,
		"GEOM\nPROPERTY GS_INPUT_PRIMITIVE LINES\nDCL IN[][%u], GENERIC[0]\n", 79, "IN" },
	{ "inputs-tessellation", TGSI_TESS_EVAL, "TESS_EVAL\nDCL IN[][%u], GENERIC[0]\n", 79,
		"IN" },
	{ "input-array", TGSI_FRAGMENT, "FRAG\nDCL IN[0..1], ARRAY(%u), GENERIC[0]\n", 79,
		"array" },
	{ "output-array", TGSI_VERTEX, "VERT\nDCL OUT[0..1], ARRAY(%u), GENERIC[0]\n", 79,
		"array" },
	{ "temporary-array", TGSI_VERTEX, "VERT\nDCL TEMP[0..1], ARRAY(%u), LOCAL\n", 1023,
		"array" },
	{ "clip-distance", TGSI_VERTEX, "VERT\nDCL OUT[0], CLIPDIST[%u]\n", 3, "CLIPDIST" },
	{ "outputs", TGSI_VERTEX, "VERT\nDCL OUT[%u], GENERIC[0]\n", 79, "OUT" },
	{ "color-in", TGSI_FRAGMENT, "FRAG\nDCL IN[0], COLOR[%u], COLOR\n", 1, "COLOR" },
	{ "color-between", TGSI_VERTEX, "VERT\nDCL OUT[0], BCOLOR[%u]\n", 1, "BCOLOR" },
	{ "color-out", TGSI_FRAGMENT, "FRAG\nDCL OUT[0], COLOR[%u]\n", 7, "COLOR" },
	{ "generic", TGSI_VERTEX, "VERT\nDCL OUT[0], GENERIC[%u]\n", 62, "GENERIC" },
	{ "generic-array", TGSI_VERTEX, "VERT\nDCL OUT[0..3], ARRAY(1), GENERIC[%u]\n", 59,
		"GENERIC" },
	{ "patch", TGSI_TESS_EVAL, "TESS_EVAL\nDCL IN[0], PATCH[%u]\n", 31, "PATCH" },
	{ "texcoord", TGSI_FRAGMENT, "FRAG\nDCL IN[0], TEXCOORD[%u], LINEAR\n", 7, "TEXCOORD" },
	{ "system-value", TGSI_VERTEX, "VERT\nDCL SV[%u], VERTEXID\n", 79, "SV" },
	{ "constant-buffer", TGSI_VERTEX, "VERT\nDCL CONST[%u][0..3]\n", 31, "CONST" },
	{ "constants", TGSI_VERTEX, "VERT\nDCL CONST[0..%u]\n", 65535, "CONST" },
	{ "sampler", TGSI_FRAGMENT, "FRAG\nDCL SAMP[%u]\n", 31, "SAMP" },
	{ "sampler-used", TGSI_FRAGMENT, FRAGMENT "  0: TEX TEMP[0], TEMP[1], SAMP[%u], 2D\n", 31,
		"SAMP" },
	{ "view", TGSI_FRAGMENT, "FRAG\nDCL SVIEW[0..%u], 2D, FLOAT\n", 31, "SVIEW" },
	{ "image", TGSI_COMPUTE, "COMP\nDCL IMAGE[%u], 2D, PIPE_FORMAT_R32_UINT, WR\n", 31,
		"IMAGE" },
	{ "image-used", TGSI_COMPUTE, COMPUTE "LOAD TEMP[0], IMAGE[%u], TEMP[1], 2D\n", 31,
		"IMAGE" },
	{ "buffer", TGSI_COMPUTE, "COMP\nDCL BUFFER[%u]\n", 31, "BUFFER" },
	{ "buffer-used", TGSI_COMPUTE, COMPUTE "LOAD TEMP[0].x, BUFFER[%u], IMM[0].xxxx\n", 31,
		"BUFFER" },
	{ "buffer-stored", TGSI_COMPUTE, COMPUTE "STORE BUFFER[%u].x, TEMP[1], TEMP[2], COHERENT\n",
		31, "BUFFER" },
	{ "memory-used", TGSI_COMPUTE, COMPUTE "LOAD TEMP[0].x, MEMORY[%u], IMM[0].xxxx\n", 31,
		"MEMORY" },
	{ "coherent-store", TGSI_COMPUTE,
		COMPUTE "STORE IMAGE[0], TEMP[%u], TEMP[1], COHERENT, 2D\n", 31, "TEMP" },
	{ "atomic-buffer", TGSI_COMPUTE, "COMP\nDCL HWATOMIC[%u][0..3]\n", 31, "HWATOMIC" },
	{ "address", TGSI_VERTEX, "VERT\nDCL ADDR[0..%u]\n", 15, "ADDR" },
	{ "address-used", TGSI_VERTEX, VERTEX "  0: MOV OUT[0], CONST[ADDR[%u].x+3]\n", 15,
		"ADDR" },
	{ "temporary", TGSI_VERTEX, VERTEX "DCL TEMP[%u], LOCAL\n", 65535, "TEMP" },
	{ "temporary-used", TGSI_VERTEX, VERTEX "  0: MOV TEMP[%u], IN[0]\n", 32767, "TEMP" },
	{ "interpolated-array", TGSI_FRAGMENT,
		FRAGMENT_IN "INTERP_CENTROID TEMP[0], IN[ADDR[0].x](%u)\n", 79, "array" },
	{ "immediate-used", TGSI_COMPUTE, COMPUTE "MOV TEMP[0], IMM[%u]\n", 0, "IMM" },
	{ "membar", TGSI_COMPUTE, COMPUTE "MEMBAR IMM[%u].xxxx\n", 0, "IMM" },
	{ "texture-offset", TGSI_FRAGMENT,
		"FRAG\nIMM[0] INT32 {1, 2, 0, 0}\nDCL TEMP[0]\n"
		"TEX TEMP[0], TEMP[0], SAMP[0], 2D, IMM[%u].xyz\n",
		0, "IMM" },
	{ "declared-twice", TGSI_VERTEX,
		"VERT\nDCL OUT[0..2], GENERIC[0]\nDCL OUT[0..%u], GENERIC[0]\n", 2, "OUT" },
	{ "vertex-used", TGSI_GEOMETRY,
		"GEOM\nPROPERTY GS_INPUT_PRIMITIVE LINES\nDCL IN[][0], POSITION\nDCL OUT[0], "
		"POSITION\n"
		"MOV OUT[0], IN[%u][0]\n",
		31, "IN" },
	{ "clip-distances", TGSI_VERTEX, "VERT\nPROPERTY NUM_CLIPDIST_ENABLED %u\n", 8,
		"NUM_CLIPDIST_ENABLED" },
	{ "stream", TGSI_GEOMETRY, "GEOM\nDCL OUT[0], GENERIC[0], STREAM(%u, 0, 0, 0)\n", 3,
		"STREAM" },
};

/*
 * Makes a text of `head` and as many lines of `line` as wanted; a line has its number twice at
 * most.
 */
struct heap {
	const char *name;
	unsigned stage;
	const char *head, *line;
	unsigned last;
	const char *field;
};

static const struct heap heaps[] = {
	{ "input-declarations", TGSI_FRAGMENT, "FRAG\n", "DCL IN[0], GENERIC[%u]\n", 63, NULL },
	{ "input-declarations-same", TGSI_FRAGMENT, "FRAG\n", "DCL IN[0], GENERIC[0]\n", 64,
		"declarations of IN" },
	{ "output-declarations", TGSI_VERTEX, "VERT\n", "DCL OUT[0], GENERIC[0]\n", 64,
		"declarations of OUT" },
	{ "fragment-outputs", TGSI_FRAGMENT, "FRAG\n", "DCL OUT[%u], COLOR[0]\n", 12,
		"declarations of OUT" },
	{ "output-arrays", TGSI_VERTEX, "VERT\n", "DCL OUT[%u], ARRAY(1), GENERIC[%u]\n", 16,
		"arrays of OUT" },
	{ "system-values", TGSI_VERTEX, "VERT\n", "DCL SV[%u], VERTEXID\n", 32,
		"declarations of SV" },
	{ "atomic-ranges", TGSI_COMPUTE, "COMP\n", "DCL HWATOMIC[0][%u]\n", 32,
		"declarations of HWATOMIC" },
	{ "immediates", TGSI_VERTEX, "VERT\n", "IMM[%u] UINT32 {0, 0, 0, 0}\n", 1024,
		"immediates" },
	{ "registers", TGSI_VERTEX,
		"VERT\nDCL CONST[1][0..65535]\nDCL CONST[2][0..65535]\n"
		"DCL CONST[3][0..65535]\nDCL CONST[4][0..65534]\n",
		"DCL TEMP[%u]\n", 1, "registers" },
	{ "registers-temporary", TGSI_VERTEX, "VERT\n", "DCL TEMP[0..65535]\n", 4, "registers" },
	{ "depth", TGSI_VERTEX, VERTEX, "UIF IN[0].xxxx :0\n", 512, "UIF" },
	{ "loops", TGSI_VERTEX, VERTEX, "BGNLOOP :0\n", 512, "BGNLOOP" },
};

struct text {
	const char *name;
	unsigned stage;
	const char *text;
	const char *field; /* NULL: it passes */
};

static const struct text texts[] = {
	{ "input-declared", TGSI_VERTEX, VERTEX "  0: MOV OUT[0], IN[0]\n", NULL },
	{ "input-not-declared", TGSI_VERTEX, VERTEX "  0: MOV OUT[0], IN[1]\n", "IN" },
	{ "output-not-declared", TGSI_VERTEX, VERTEX "  0: MOV OUT[1].x, IN[0]\n", "OUT" },
	{ "interpolated", TGSI_FRAGMENT, FRAGMENT_IN "INTERP_CENTROID TEMP[0], IN[3]\n", NULL },
	{ "interpolated-not-declared", TGSI_FRAGMENT,
		FRAGMENT_IN "INTERP_CENTROID TEMP[0], IN[4]\n", "IN" },
	{ "address-not-declared", TGSI_FRAGMENT, FRAGMENT_IN "MOV TEMP[0], IN[ADDR[0].x+4]\n",
		"IN" },
	{ "declared-twice-as-others", TGSI_VERTEX,
		"VERT\nDCL OUT[0..2], ARRAY(1), GENERIC[0]\nDCL OUT[0..3], ARRAY(2), GENERIC[0]\n"
		"DCL OUT[0..4], ARRAY(1), GENERIC[1]\nDCL OUT[1..4], ARRAY(1), GENERIC[0]\n",
		NULL },
	{ "least", TGSI_VERTEX, "VERT\n", NULL },
	{ "lower-case", TGSI_VERTEX,
		"vert\ndcl out[0], position\nmov_sat out[0].xy, -|out[0].yyyy|\n", NULL },
	{ "spread", TGSI_VERTEX, " VERT\n\t DCL  OUT [ 0 .. 3 ] . xy , POSITION\nEND ", NULL },
	{ "unknown-property", TGSI_VERTEX, "VERT\nPROPERTY OF_TOMORROW 1, [2] {3}\nEND\n", NULL },
	{ "doubles", TGSI_FRAGMENT,
		"FRAG\nIMM[0] FLT64 {    3.14159265,       -inf}\nIMM[1] FLT64 {0x00000000, "
		"0x3ff00000, 0x00000000, 0x3ff00000}\nIMM[2] UINT64 {18446744073709551615, 0}\n"
		"IMM[3] INT64 {-9223372036854775808, 7}\n",
		NULL },
	{ "float-nan", TGSI_FRAGMENT, "FRAG\nIMM[0] FLT32 {1, 2, 3, nan}\n", "place" },
	{ "double-half", TGSI_FRAGMENT, "FRAG\nIMM[0] FLT64 {0x00000000, 0x3ff000", "place" },
	{ "floats", TGSI_FRAGMENT, "FRAG\nIMM[0] FLT32 {0x7fc00000, 1., -.5e+3, 7E2}\n", NULL },
	{ "membar-temporary", TGSI_COMPUTE, COMPUTE "MEMBAR TEMP[0].xxxx\n", "TEMP" },
	{ "emit-temporary", TGSI_GEOMETRY, "GEOM\nDCL TEMP[0]\nEMIT TEMP[0].xxxx\n", "TEMP" },
	{ "interpolated-temporary", TGSI_FRAGMENT, FRAGMENT "INTERP_CENTROID TEMP[0], TEMP[1]\n",
		"TEMP" },
	{ "sampler-moved", TGSI_FRAGMENT, FRAGMENT "MOV TEMP[0], SAMP[0]\n", "SAMP" },
	{ "atomic-as-coordinate", TGSI_COMPUTE,
		COMPUTE "LOAD TEMP[0], IMAGE[0], HWATOMIC[0][4000]\n", "HWATOMIC" },
	{ "address-moved", TGSI_VERTEX, VERTEX "MOV OUT[0], ADDR[0]\n", "ADDR" },
	{ "system-value-undeclared", TGSI_VERTEX, VERTEX "MOV OUT[0], SV[0]\n", "SV" },
	{ "double-to-nowhere", TGSI_FRAGMENT, FRAGMENT "DADD NULL[0], TEMP[0], TEMP[1]\n", "NULL" },
	{ "result-to-nowhere", TGSI_FRAGMENT, FRAGMENT "ADD NULL[0], TEMP[0], TEMP[1]\n", NULL },
	{ "double-to-point-size", TGSI_VERTEX,
		"VERT\nDCL OUT[3], PSIZE\nDCL TEMP[0]\nDADD OUT[3], TEMP[0], TEMP[0]\n", "OUT" },
	{ "five-sources", TGSI_FRAGMENT,
		FRAGMENT "SAMPLE_D TEMP[0], TEMP[0], SVIEW[0], SAMP[0], TEMP[1], TEMP[2]\n",
		"SAMPLE_D" },
	{ "input-below-zero", TGSI_VERTEX, VERTEX "MOV OUT[0], IN[-1]\n", "IN" },
	{ "immediate-below-zero", TGSI_COMPUTE, COMPUTE "MOV TEMP[0], IMM[-1]\n", "IMM" },
	{ "constant-below-zero", TGSI_VERTEX, VERTEX "MOV OUT[0], CONST[ADDR[0].x-1]\n", NULL },
	{ "range-backwards", TGSI_VERTEX, "VERT\nDCL TEMP[3..2]\n", "TEMP" },
	{ "wrapped", TGSI_VERTEX, "VERT\nDCL IN[4294967296]\n", "IN" },
	{ "wrapped-64", TGSI_VERTEX, "VERT\nDCL IN[18446744073709551616]\n", "IN" },
	{ "array-below-zero", TGSI_FRAGMENT, "FRAG\nDCL IN[0], ARRAY(-1), GENERIC[0]\n", "array" },
	{ "hex-short", TGSI_FRAGMENT, "FRAG\nIMM[0] FLT32 {0x0", "place" },
	{ "constant-broken", TGSI_FRAGMENT, "FRAG\nIMM[0] FLT32 {1, 2}\n", "place" },
	{ "octal", TGSI_FRAGMENT, "FRAG\nIMM[0] INT64 {07, 7}\n", "place" },
	{ "vertices-unknown", TGSI_GEOMETRY, "GEOM\nDCL IN[][0], POSITION\n", "place" },
	{ "end-without-if", TGSI_VERTEX, VERTEX "ENDIF\n", "place" },
	{ "another-stage", TGSI_FRAGMENT, "VERT\n", "stage" },
	{ "removed-opcode", TGSI_VERTEX, VERTEX "_SAT\n", "place" },
	{ "attribute-semantic", TGSI_VERTEX, "VERT\nDCL IN[0], GENERIC[0]\n", "place" },
	{ "declared-immediate", TGSI_VERTEX, "VERT\nDCL IMM[0]\n", "place" },
	{ "declared-predicate", TGSI_VERTEX, "VERT\nDCL PRED[4000000000]\n", "PRED" },
	{ "many-inputs", TGSI_VERTEX, "VERT\nDCL IN[0..65534]\n", "IN" },
};

static bool check(
	const char *text, unsigned stage, struct tgsi_facts *facts, struct stream_fault *fault)
{
	*fault = (struct stream_fault){ 0 };
	return tgsi_check(text, strlen(text) + 1, stage, facts, fault);
}

static void assert_text(const char *text, unsigned stage, const char *field)
{
	struct tgsi_facts facts;
	struct stream_fault fault;
	bool passes = check(text, stage, &facts, &fault);
	if (passes != !field || (field && strcmp(field, fault.field)))
		g_error("%s: %s %" G_GUINT64_FORMAT " > %" G_GUINT64_FORMAT " (%s)", text,
			passes ? "passes" : fault.field, fault.value, fault.limit,
			fault.why ? fault.why : "");
	g_assert_true(passes || fault.why);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static char *fill(const char *text, unsigned number)
{
	return g_strdup_printf(text, number, number);
}
#pragma GCC diagnostic pop

static void test_edge(gconstpointer data)
{
	const struct edge *edge = data;
	g_autofree char *last = fill(edge->text, edge->last);
	g_autofree char *beyond = fill(edge->text, edge->last + 1);
	assert_text(last, edge->stage, NULL);
	assert_text(beyond, edge->stage, edge->field);
	struct tgsi_facts facts;
	struct stream_fault fault;
	check(beyond, edge->stage, &facts, &fault);
	g_assert_cmpuint(fault.value, >, fault.limit);
}

static char *pile(const struct heap *heap, unsigned n)
{
	GString *text = g_string_new(heap->head);
	for (unsigned i = 0; i < n; i++) {
		g_autofree char *line = fill(heap->line, i);
		g_string_append(text, line);
	}
	return g_string_free(text, FALSE);
}

static void test_heap(gconstpointer data)
{
	const struct heap *heap = data;
	g_autofree char *last = pile(heap, heap->last);
	g_autofree char *beyond = pile(heap, heap->last + 1);
	assert_text(last, heap->stage, NULL);
	if (heap->field)
		assert_text(beyond, heap->stage, heap->field);
}

static void test_text(gconstpointer data)
{
	const struct text *text = data;
	assert_text(text->text, text->stage, text->field);
}

/* ---- length ---- */

static void test_length(void)
{
	struct tgsi_facts facts;
	struct stream_fault fault;
	g_assert_false(tgsi_check("VERT\n", 5, TGSI_VERTEX, &facts, &fault));
	g_assert_cmpstr(fault.field, ==, "length");
	g_assert_false(tgsi_check("", 0, TGSI_VERTEX, &facts, &fault));
	g_autofree char *text = g_malloc(TGSI_TEXT_BYTES_MAX + 2);
	memset(text, ' ', TGSI_TEXT_BYTES_MAX + 1);
	memcpy(text, "VERT", 4);
	text[TGSI_TEXT_BYTES_MAX + 1] = 0;
	g_assert_false(check(text, TGSI_VERTEX, &facts, &fault));
	g_assert_cmpuint(fault.value, ==, TGSI_TEXT_BYTES_MAX + 1);
	text[TGSI_TEXT_BYTES_MAX] = 0;
	g_assert_true(check(text, TGSI_VERTEX, &facts, &fault));
	g_assert_cmpuint(facts.text_bytes, ==, TGSI_TEXT_BYTES_MAX);
}

/* virglrenderer looks through all declared registers for each indirect one. */
static void test_searches(void)
{
	GString *text = g_string_new(
		"VERT\nDCL CONST[1][0..65535]\nDCL CONST[2][0..65535]\nDCL OUT[0], POSITION\n");
	for (unsigned i = 0; i < 16384; i++)
		g_string_append(text, "MOV OUT[0], CONST[1][ADDR[0].x]\n");
	g_autofree char *many = g_string_free(text, FALSE);
	assert_text(many, TGSI_VERTEX, "search steps");
}

/* ---- facts ---- */

static void test_facts(void)
{
	struct tgsi_facts facts;
	struct stream_fault fault;
	g_assert_true(
		check("FRAG\nDCL IN[0..2], ARRAY(1), GENERIC[4], LINEAR\nDCL IN[3], COLOR, COLOR\n"
		      "DCL OUT[1], COLOR\nDCL SAMP[3]\nDCL CONST[0..6]\nDCL CONST[2][0..3]\n"
		      "DCL IMAGE[1..2], 2D, PIPE_FORMAT_R32_FLOAT, WR\nDCL BUFFER[5]\nDCL TEMP[0]\n"
		      "IMM[0] UINT32 {0, 0, 0, 0}\nTEX TEMP[0], IN[0], SAMP[3], 2D\n"
		      "LOAD TEMP[0], BUFFER[5], IMM[0].xxxx\nSTORE IMAGE[ADDR[0].x+1], IMM[0], "
		      "TEMP[0], 2D\n"
		      "END\n",
			TGSI_FRAGMENT, &facts, &fault));
	g_assert_cmphex(facts.inputs[0], ==, 0xf);
	g_assert_cmphex(facts.outputs[0], ==, 2);
	g_assert_true(tgsi_has_output(&facts, 1) && !tgsi_has_output(&facts, 0));
	g_assert_false(tgsi_has_output(&facts, 200));
	g_assert_cmpuint(facts.n_input_ranges, ==, 1);
	g_assert_cmpuint(facts.input_ranges[0].varying, ==, TGSI_GENERIC);
	g_assert_cmpuint(facts.input_ranges[0].first, ==, 4);
	g_assert_cmpuint(facts.input_ranges[0].count, ==, 3);
	g_assert_cmpuint(facts.n_color_inputs, ==, 1);
	g_assert_cmphex(facts.samplers_used, ==, 8);
	g_assert_cmphex(facts.images, ==, 6);
	g_assert_true(facts.images_indirect && !facts.buffers_indirect);
	g_assert_cmphex(facts.buffers_used, ==, 0x20);
	g_assert_cmphex(facts.constant_buffers, ==, 5);
	g_assert_cmpuint(facts.n_constants, ==, 7);
	g_assert_cmpuint(facts.n_instructions, ==, 4);
}

/* virglrenderer looks streamed outputs up by their number among 64 declarations. */
static void test_outputs(void)
{
	struct tgsi_facts facts;
	struct stream_fault fault;
	g_assert_true(check("VERT\nDCL OUT[63..64], GENERIC[0]\n", TGSI_VERTEX, &facts, &fault));
	g_assert_true(tgsi_has_output(&facts, 63) && !tgsi_has_output(&facts, 64));
}

/* ---- pairs ---- */

/*
 * One stage has 64 inputs, of which the stage before brings 32 that the later one does not declare.
 */
static void test_link(void)
{
	struct tgsi_facts earlier, later;
	struct stream_fault fault;
	g_assert_true(check("VERT\nDCL OUT[0..31], GENERIC[0]\n", TGSI_VERTEX, &earlier, &fault));
	for (unsigned n = 31; n <= 33; n++) {
		const struct heap lines = { "", 0, "FRAG\n", "DCL IN[%u], FOG\n", 0, NULL };
		g_autofree char *text = pile(&lines, n);
		g_assert_true(check(text, TGSI_FRAGMENT, &later, &fault));
		g_assert_true(tgsi_check_link(&earlier, &later, &fault) == (n <= 32));
	}
	g_assert_cmpuint(fault.value, ==, 65);
	/* What the later stage takes does not count twice, and two-sided colours need more room. */
	g_assert_true(
		check("FRAG\nDCL IN[0..31], GENERIC[0], LINEAR\n", TGSI_FRAGMENT, &later, &fault));
	g_assert_true(tgsi_check_link(&earlier, &later, &fault));
	later.n_input_declarations = TGSI_IO_DECLARATIONS_MAX;
	g_assert_true(tgsi_check_link(&earlier, &later, &fault));
	later.n_color_inputs = 1;
	g_assert_false(tgsi_check_link(&earlier, &later, &fault));
	/* virglrenderer gives up when their entries reach the end, and not only when they pass it.
	 */
	later.n_input_declarations = 61;
	g_assert_true(tgsi_check_link(&earlier, &later, &fault));
	later.n_input_declarations = 62;
	g_assert_false(tgsi_check_link(&earlier, &later, &fault));
	g_assert_cmpuint(fault.value, ==, 64);
	g_assert_cmpuint(fault.limit, ==, 63);
}

/*
 * virglrenderer takes an input that begins in an array of the earlier stage's outputs for that
 * array, and does not have its last numbers then.
 */
static void test_link_of_arrays(void)
{
	static const struct {
		const char *outputs;
		bool links;
	} rows[] = {
		{ "DCL OUT[0..10], ARRAY(1), GENERIC[0]\nDCL OUT[11..20], GENERIC[11]\n", false },
		{ "DCL OUT[0..10], GENERIC[0]\nDCL OUT[11..20], GENERIC[11]\n", true },
		{ "DCL OUT[0..9], ARRAY(1), GENERIC[0]\nDCL OUT[10..20], GENERIC[10]\n", true },
		{ "DCL OUT[0..9], GENERIC[0]\nDCL OUT[10..20], ARRAY(1), GENERIC[10]\n", true },
	};
	const struct heap lines = { "", 0,
		"FRAG\nDCL IN[0..10], GENERIC[10]\nDCL IN[11..20], GENERIC[0]\n",
		"DCL IN[21], FOG\n", 0, NULL };
	g_autofree char *text = pile(&lines, 58);
	struct tgsi_facts earlier, later;
	struct stream_fault fault;
	g_assert_true(check(text, TGSI_FRAGMENT, &later, &fault));
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *outputs = g_strconcat("VERT\n", rows[i].outputs, NULL);
		g_assert_true(check(outputs, TGSI_VERTEX, &earlier, &fault));
		g_assert_true(tgsi_check_link(&earlier, &later, &fault) == rows[i].links);
	}
}

/* ---- what guests send ---- */

static unsigned stage_of(const char *text)
{
	static const char *const names[TGSI_STAGES] = { "VERT", "FRAG", "GEOM", "TESS_CTRL",
		"TESS_EVAL", "COMP" };
	for (unsigned i = 0; i < TGSI_STAGES; i++)
		if (g_str_has_prefix(text, names[i]))
			return i;
	g_error("a text of no stage");
}

/* Checks copies of exactly the text's size, so that a read behind the end shows. */
static void cut_everywhere(const char *text, unsigned stage)
{
	struct tgsi_facts facts;
	struct stream_fault fault;
	for (size_t n = strlen(text); n > 0; n--) {
		g_autofree char *cut = g_memdup2(text, n);
		cut[n - 1] = 0;
		tgsi_check(cut, n, stage, &facts, &fault);
		g_assert_false(tgsi_check(cut, n - 1, stage, &facts, &fault));
	}
}

static void test_corpus(gconstpointer data)
{
	const char *path = data;
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_text(text, stage_of(text), NULL);
	if (strlen(text) < 4096)
		cut_everywhere(text, stage_of(text));
}

static void add_corpus(void)
{
	g_autofree char *folder = g_test_build_filename(G_TEST_DIST, "tgsi", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	g_assert_nonnull(dir);
	unsigned n = 0;
	for (const char *name; (name = g_dir_read_name(dir)); n++) {
		g_autofree char *test = g_strdup_printf("/tgsi/corpus/%s", name);
		g_test_add_data_func_full(
			test, g_build_filename(folder, name, NULL), test_corpus, g_free);
	}
	g_assert_cmpuint(n, >, 20);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(rows, prefix, function)                                                                \
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {                                        \
		g_autofree char *name = g_strconcat(prefix, (rows)[i].name, NULL);                 \
		g_test_add_data_func(name, &(rows)[i], function);                                  \
	}
	ADD(edges, "/tgsi/edge/", test_edge)
	ADD(heaps, "/tgsi/lines/", test_heap)
	ADD(texts, "/tgsi/text/", test_text)
	g_test_add_func("/tgsi/link", test_link);
	g_test_add_func("/tgsi/link of arrays", test_link_of_arrays);
	g_test_add_func("/tgsi/length", test_length);
	g_test_add_func("/tgsi/searches", test_searches);
	g_test_add_func("/tgsi/facts", test_facts);
	g_test_add_func("/tgsi/outputs", test_outputs);
	add_corpus();
	return g_test_run();
}
