/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/script/shaders.h"

/* Each of these is one instruction with operands of TEMP[0] … TEMP[2] and IMM[0]. */
static const char *const operations[] = {
	"ADD TEMP[0], TEMP[0], TEMP[1]",
	"MUL TEMP[1], TEMP[0], IMM[0].wxyz",
	"MAD TEMP[0].xyz, TEMP[1], TEMP[2], IMM[0].xxxx",
	"MIN TEMP[2], TEMP[0], |TEMP[1]|",
	"MAX TEMP[1].xw, -TEMP[0], TEMP[2].yyyy",
	"DP4 TEMP[2].x, TEMP[0], TEMP[1]",
	"DP3 TEMP[2].yz, TEMP[1], IMM[0]",
	"FRC TEMP[1], TEMP[0]",
	"RCP TEMP[0].w, IMM[0].wwww",
	"SQRT TEMP[1].x, |TEMP[0].xxxx|",
	"EX2 TEMP[2].z, TEMP[0].xxxx",
	"SLT TEMP[2], TEMP[0], TEMP[1]",
	"LRP TEMP[0], IMM[0], TEMP[1], TEMP[2]",
	"MOV_SAT TEMP[1], TEMP[2]",
	"CMP TEMP[0], TEMP[1], IMM[0], TEMP[2]",
	"SIN TEMP[0].x, TEMP[1].xxxx",
	"F2I TEMP[2], TEMP[1]",
	"I2F TEMP[1], TEMP[2]",
	"UADD TEMP[2], IMM[1], TEMP[2]",
	"AND TEMP[2].x, TEMP[2].xxxx, IMM[1].yyyy",
	"USHR TEMP[2].y, TEMP[2].xxxx, IMM[1].xxxx",
};

static void add_operations(GString *text, struct choices *choices, unsigned depth)
{
	for (unsigned n = choose(choices, 6); n > 0; n--)
		g_string_append_printf(
			text, "%s\n", operations[choose(choices, G_N_ELEMENTS(operations))]);
	if (depth == 0 || !choose_rarely(choices, 3))
		return;
	g_string_append(text, "FSLT TEMP[2].x, TEMP[0].xxxx, IMM[0].yyyy\n"
			      "UIF TEMP[2].xxxx\n");
	add_operations(text, choices, depth - 1);
	if (choose(choices, 2)) {
		g_string_append(text, "ELSE\n");
		add_operations(text, choices, depth - 1);
	}
	g_string_append(text, "ENDIF\n");
}

/* Adds a loop that counts TEMP[3].x from 0 to 7. */
static void add_loop(GString *text, struct choices *choices)
{
	if (!choose_rarely(choices, 4))
		return;
	g_string_append(text, "MOV TEMP[3].x, IMM[1].xxxx\n"
			      "BGNLOOP\n"
			      "USGE TEMP[3].y, TEMP[3].xxxx, IMM[1].wwww\n"
			      "UIF TEMP[3].yyyy\n"
			      "BRK\n"
			      "ENDIF\n"
			      "UADD TEMP[3].x, TEMP[3].xxxx, IMM[1].yyyy\n");
	add_operations(text, choices, 0);
	g_string_append(text, "ENDLOOP\n");
}

static void choose_needs(
	struct choices *choices, enum virgl_stage stage, struct shader_needs *needs)
{
	bool stores = stage == VIRGL_FRAGMENT || stage == VIRGL_COMPUTE;
	*needs = (struct shader_needs){
		.constants = choose(choices, 2),
		.uniform_buffer = choose_rarely(choices, 3),
		.sampler = stage != VIRGL_COMPUTE && choose_rarely(choices, 3),
		.buffer = stage == VIRGL_COMPUTE || (stores && choose_rarely(choices, 6)),
		.image = stores && choose_rarely(choices, 5),
		.atomic = stores && choose_rarely(choices, 6),
	};
}

static void add_declarations(GString *text, const struct shader_needs *needs)
{
	if (needs->constants)
		g_string_append_printf(text, "DCL CONST[0][0..%u]\n", SHADER_CONSTANTS - 1);
	if (needs->uniform_buffer)
		g_string_append_printf(text, "DCL CONST[1][0..%u]\n", SHADER_CONSTANTS - 1);
	if (needs->sampler)
		g_string_append(text, "DCL SAMP[0]\nDCL SVIEW[0], 2D, FLOAT\n");
	if (needs->image)
		g_string_append(text, "DCL IMAGE[0], 2D, PIPE_FORMAT_R32_UINT, WR\n");
	if (needs->buffer)
		g_string_append(text, "DCL BUFFER[0]\n");
	if (needs->atomic)
		g_string_append(text, "DCL HWATOMIC[0][0]\n");
	g_string_append(text, "DCL TEMP[0..4], LOCAL\n"
			      "IMM[0] FLT32 {0.5, 1.0, 2.0, 0.25}\n"
			      "IMM[1] UINT32 {0, 1, 4, 8}\n");
}

static void add_uses(GString *text, struct choices *choices, const struct shader_needs *needs)
{
	if (needs->constants)
		g_string_append_printf(text, "ADD TEMP[1], TEMP[1], CONST[0][%u]\n",
			choose(choices, SHADER_CONSTANTS));
	if (needs->uniform_buffer)
		g_string_append_printf(text, "MUL TEMP[1], TEMP[1], CONST[1][%u]\n",
			choose(choices, SHADER_CONSTANTS));
	if (needs->buffer)
		g_string_append(text, "LOAD TEMP[2].x, BUFFER[0], IMM[1].zzzz\n"
				      "ATOMUADD TEMP[3].x, BUFFER[0], IMM[1].wwww, IMM[1].yyyy\n"
				      "STORE BUFFER[0].x, IMM[1].xxxx, TEMP[2].xxxx\n");
	if (needs->image)
		g_string_append(text,
			"LOAD TEMP[3], IMAGE[0], IMM[1].xyxx, 2D, PIPE_FORMAT_R32_UINT\n"
			"STORE IMAGE[0], IMM[1].yxxx, TEMP[3], 2D, PIPE_FORMAT_R32_UINT\n");
	if (needs->atomic)
		g_string_append(
			text, "ATOMUADD TEMP[3].x, HWATOMIC[0][0], IMM[1].xxxx, IMM[1].yyyy\n");
	add_operations(text, choices, 2);
	add_loop(text, choices);
}

static void add_vertex(GString *text, struct choices *choices, const struct shader_needs *needs)
{
	g_string_append(text, "VERT\nDCL IN[0]\nDCL IN[1]\nDCL OUT[0], POSITION\n");
	for (unsigned i = 0; i < SHADER_VARYINGS; i++)
		g_string_append_printf(text, "DCL OUT[%u], GENERIC[%u]\n", i + 1, i);
	add_declarations(text, needs);
	g_string_append(text, "MOV TEMP[0], IN[0]\nMOV TEMP[1], IN[1]\nMOV TEMP[2], IN[1].wzyx\n");
	if (needs->sampler)
		g_string_append(text, "TXL TEMP[1], IMM[0], SAMP[0], 2D\n");
	add_uses(text, choices, needs);
	g_string_append(text, "MOV OUT[0], IN[0]\n");
	for (unsigned i = 0; i < SHADER_VARYINGS; i++)
		g_string_append_printf(text, "MOV OUT[%u], TEMP[%u]\n", i + 1, i % 2);
}

static void add_fragment(GString *text, struct choices *choices, const struct shader_needs *needs)
{
	unsigned n_inputs = 1 + choose(choices, SHADER_VARYINGS);
	g_string_append(text, "FRAG\nPROPERTY FS_COLOR0_WRITES_ALL_CBUFS 1\n");
	for (unsigned i = 0; i < n_inputs; i++)
		g_string_append_printf(text, "DCL IN[%u], GENERIC[%u], PERSPECTIVE\n", i, i);
	g_string_append(text, "DCL OUT[0], COLOR\n");
	add_declarations(text, needs);
	g_string_append_printf(text, "MOV TEMP[0], IN[0]\nMOV TEMP[1], IN[%u]\n", n_inputs - 1);
	g_string_append(text, "MOV TEMP[2], IMM[0]\n");
	if (needs->sampler)
		g_string_append(text, "TEX TEMP[1], IN[0], SAMP[0], 2D\n");
	add_uses(text, choices, needs);
	if (choose_rarely(choices, 5))
		g_string_append(text, "DDX TEMP[1], TEMP[0]\n");
	if (choose_rarely(choices, 5))
		g_string_append(text, "KILL_IF TEMP[1].xxxx\n");
	g_string_append_printf(text, "MOV OUT[0], TEMP[%u]\n", choose(choices, 2));
}

static void add_geometry(GString *text, struct choices *choices, const struct shader_needs *needs)
{
	g_string_append(text, "GEOM\nPROPERTY GS_INPUT_PRIMITIVE TRIANGLES\n"
			      "PROPERTY GS_OUTPUT_PRIMITIVE TRIANGLE_STRIP\n"
			      "PROPERTY GS_MAX_OUTPUT_VERTICES 3\nPROPERTY GS_INVOCATIONS 1\n"
			      "DCL IN[][0], POSITION\n");
	for (unsigned i = 0; i < SHADER_VARYINGS; i++)
		g_string_append_printf(text, "DCL IN[][%u], GENERIC[%u]\n", i + 1, i);
	g_string_append(text, "DCL OUT[0], POSITION\n");
	for (unsigned i = 0; i < SHADER_VARYINGS; i++)
		g_string_append_printf(text, "DCL OUT[%u], GENERIC[%u]\n", i + 1, i);
	add_declarations(text, needs);
	g_string_append(text, "MOV TEMP[0], IN[0][1]\nMOV TEMP[1], IN[1][1]\n"
			      "MOV TEMP[2], IN[2][1]\n");
	if (needs->sampler)
		g_string_append(text, "TXL TEMP[1], IMM[0], SAMP[0], 2D\n");
	add_uses(text, choices, needs);
	for (unsigned vertex = 0; vertex < 3; vertex++) {
		g_string_append_printf(text, "MOV OUT[0], IN[%u][0]\n", vertex);
		for (unsigned i = 0; i < SHADER_VARYINGS; i++)
			g_string_append_printf(text, "MOV OUT[%u], TEMP[%u]\n", i + 1, i % 2);
		g_string_append(text, "EMIT IMM[1].xxxx\n");
	}
	g_string_append(text, "ENDPRIM IMM[1].xxxx\n");
}

static void add_tess_control(
	GString *text, struct choices *choices, const struct shader_needs *needs)
{
	g_string_append(text, "TESS_CTRL\nPROPERTY TCS_VERTICES_OUT 3\nDCL IN[][0], POSITION\n");
	for (unsigned i = 0; i < SHADER_VARYINGS; i++)
		g_string_append_printf(text, "DCL IN[][%u], GENERIC[%u]\n", i + 1, i);
	g_string_append(text, "DCL OUT[][0], POSITION\n");
	for (unsigned i = 0; i < SHADER_VARYINGS; i++)
		g_string_append_printf(text, "DCL OUT[][%u], GENERIC[%u]\n", i + 1, i);
	g_string_append(text, "DCL OUT[4], TESSOUTER\nDCL OUT[5], TESSINNER\n"
			      "DCL SV[0], INVOCATIONID\nDCL ADDR[0]\n");
	add_declarations(text, needs);
	g_string_append(
		text, "MOV TEMP[0], IMM[0]\nMOV TEMP[1], IMM[0].yyyy\nMOV TEMP[2], IMM[0]\n");
	if (needs->sampler)
		g_string_append(text, "TXL TEMP[1], IMM[0], SAMP[0], 2D\n");
	add_uses(text, choices, needs);
	g_string_append(text, "UARL ADDR[0].x, SV[0].xxxx\n"
			      "MOV OUT[ADDR[0].x][0], IN[ADDR[0].x][0]\n");
	for (unsigned i = 0; i < SHADER_VARYINGS; i++)
		g_string_append_printf(text, "MOV OUT[ADDR[0].x][%u], TEMP[%u]\n", i + 1, i % 2);
	/* We write one component at a time, as the renderer takes no more. */
	for (unsigned i = 0; i < 4; i++)
		g_string_append_printf(text, "MOV OUT[4].%c, IMM[0].zzzz\n", "xyzw"[i]);
	g_string_append(text, "MOV OUT[5].x, IMM[0].zzzz\nMOV OUT[5].y, IMM[0].zzzz\n");
}

static void add_tess_evaluation(
	GString *text, struct choices *choices, const struct shader_needs *needs)
{
	g_string_append(text, "TESS_EVAL\nPROPERTY TES_PRIM_MODE 4\nPROPERTY TES_SPACING 2\n"
			      "PROPERTY TES_VERTEX_ORDER_CW 0\nPROPERTY TES_POINT_MODE 0\n"
			      "DCL IN[][0], POSITION\n");
	for (unsigned i = 0; i < SHADER_VARYINGS; i++)
		g_string_append_printf(text, "DCL IN[][%u], GENERIC[%u]\n", i + 1, i);
	g_string_append(text, "DCL SV[0], TESSCOORD\nDCL OUT[0], POSITION\n");
	for (unsigned i = 0; i < SHADER_VARYINGS; i++)
		g_string_append_printf(text, "DCL OUT[%u], GENERIC[%u]\n", i + 1, i);
	add_declarations(text, needs);
	g_string_append(text, "MUL TEMP[0], SV[0].xxxx, IN[0][0]\n"
			      "MAD TEMP[0], SV[0].yyyy, IN[1][0], TEMP[0]\n"
			      "MAD TEMP[0], SV[0].zzzz, IN[2][0], TEMP[0]\n"
			      "MOV OUT[0], TEMP[0]\nMOV TEMP[1], IN[0][1]\nMOV TEMP[2], IMM[0]\n");
	if (needs->sampler)
		g_string_append(text, "TXL TEMP[1], IMM[0], SAMP[0], 2D\n");
	add_uses(text, choices, needs);
	for (unsigned i = 0; i < SHADER_VARYINGS; i++)
		g_string_append_printf(text, "MOV OUT[%u], TEMP[%u]\n", i + 1, i % 2);
}

static void add_compute(GString *text, struct choices *choices, const struct shader_needs *needs)
{
	bool shares = choose_rarely(choices, 3);
	g_string_append(text, "COMP\nPROPERTY CS_FIXED_BLOCK_WIDTH 4\n"
			      "PROPERTY CS_FIXED_BLOCK_HEIGHT 1\nPROPERTY CS_FIXED_BLOCK_DEPTH 1\n"
			      "DCL SV[0], THREAD_ID\nDCL SV[1], BLOCK_ID\n");
	if (shares)
		g_string_append(text, "DCL MEMORY[0], SHARED\n");
	add_declarations(text, needs);
	g_string_append(text,
		"MOV TEMP[0], IMM[0]\nMOV TEMP[1], IMM[0].yyyy\nMOV TEMP[2].xyz, SV[1].xyzz\n"
		"UMUL TEMP[4].x, SV[0].xxxx, IMM[1].zzzz\n");
	add_uses(text, choices, needs);
	if (shares)
		g_string_append(text, "STORE MEMORY[0].x, TEMP[4].xxxx, SV[1].xxxx\nBARRIER\n"
				      "LOAD TEMP[2].x, MEMORY[0], IMM[1].zzzz\n");
	g_string_append(text, "STORE BUFFER[0].x, TEMP[4].xxxx, TEMP[2].xxxx\n");
}

char *shader_make(struct choices *choices, enum virgl_stage stage, struct shader_needs *needs)
{
	static void (*const add[VIRGL_STAGES])(
		GString *, struct choices *, const struct shader_needs *) = {
		[VIRGL_VERTEX] = add_vertex,
		[VIRGL_FRAGMENT] = add_fragment,
		[VIRGL_GEOMETRY] = add_geometry,
		[VIRGL_TESS_CTRL] = add_tess_control,
		[VIRGL_TESS_EVAL] = add_tess_evaluation,
		[VIRGL_COMPUTE] = add_compute,
	};
	GString *text = g_string_new(NULL);
	choose_needs(choices, stage, needs);
	add[stage](text, choices, needs);
	g_string_append(text, "END\n");
	return g_string_free(text, FALSE);
}

char *shader_make_plain_vertex(void)
{
	return g_strdup("VERT\nDCL IN[0]\nDCL IN[1]\nDCL OUT[0], POSITION\n"
			"DCL OUT[1], GENERIC[0]\nDCL OUT[2], GENERIC[1]\nDCL OUT[3], GENERIC[2]\n"
			"MOV OUT[0], IN[0]\nMOV OUT[1], IN[1]\nMOV OUT[2], IN[1]\n"
			"MOV OUT[3], IN[0]\nEND\n");
}
