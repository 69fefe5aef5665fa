/* SPDX-License-Identifier: MIT */
/* glsl_bounds: indices that are no constants are bounded where the software renderer does not. */
#include <glib.h>
#include <string.h>

#include "render/gl/glsl_bounds.h"

static void assert_bounded(const char *text, const char *expected)
{
	g_autofree char *bounded = glsl_bounds_apply(text);
	g_assert_cmpstr(bounded, ==, expected);
}

static void assert_left_alone(const char *text)
{
	assert_bounded(text, text);
}

static void test_shared_memory(void)
{
	assert_left_alone("shared uint values[256];\n");
	assert_bounded("temp0.x = (values[ssbo_addr_temp + 0u]);",
		"temp0.x = (values[min(uint(ssbo_addr_temp + 0u), uint(values.length() - 1))]);");
	assert_bounded("atomicAdd(values[int(floatBitsToInt(temp0.x)) >> 2], 1u);",
		"atomicAdd(values[min(uint(int(floatBitsToInt(temp0.x)) >> 2), "
		"uint(values.length() - 1))], 1u);");
	assert_left_alone("old_values[x], values2[x]");
}

static void test_vertices(void)
{
	assert_left_alone("out  vec4 tco_g0[][4];\nin vec4 vso_g1[];\n");
	assert_bounded("vec4(gl_in[addr0].gl_Position)",
		"vec4(gl_in[min(uint(addr0), uint(gl_in.length() - 1))].gl_Position)");
	assert_left_alone("gl_out[gl_InvocationID].gl_Position = vec4(gl_in[2].gl_Position);");
}

static void test_arrays(void)
{
	assert_bounded("tco_g0[gl_InvocationID][addr12 + 3] = temp0;",
		"tco_g0[gl_InvocationID][min(uint(addr12 + 3), "
		"uint(tco_g0[gl_InvocationID].length() - 1))] = temp0;");
	assert_bounded("(patch0[addr0 + 1].x)",
		"(patch0[min(uint(addr0 + 1), uint(patch0.length() - 1))].x)");
	assert_bounded("(blk[addr0].a[addr1])",
		"(blk[min(uint(addr0), uint(blk.length() - 1))].a[min(uint(addr1), "
		"uint(blk[min(uint(addr0), uint(blk.length() - 1))].a.length() - 1))])");
}

/* Indices within indices are bounded, too. */
static void test_nested(void)
{
	assert_bounded("values[(uint(vso_g0[addr0].x) >> 2) + 0u]",
		"values[min(uint((uint(vso_g0[min(uint(addr0), uint(vso_g0.length() - 1))].x) >> "
		"2) + 0u), uint(values.length() - 1))]");
}

/* Shared memory is cleared where it is used. */
static void test_clearing(void)
{
	g_autofree char *used = glsl_bounds_apply("void main(void)\n{\ntemp0.x = values[0];\n}\n");
	const char *clearing = strstr(used, "values[i] -= values[i];\n");
	g_assert_nonnull(clearing);
	g_assert_cmpint(strspn(used, "void main(void)\n{\n"), >=, strlen("void main(void)\n{\n"));
	g_assert_true(clearing < strstr(used, "barrier();\n"));
	g_assert_true(strstr(used, "barrier();\n") < strstr(used, "temp0.x = values[0];\n"));
	assert_left_alone("void main(void)\n{\ntemp0.x = 1.0;\n}\n");
	assert_left_alone("shared uint values[256];\n");
}

static void test_left_alone(void)
{
	assert_left_alone("temp0[addr0 + 1] = uintBitsToFloat(tcconst0[addr0 + 2]);");
	assert_left_alone("tcuboarr[addr0].ubocontents[addr1 + 3], csssboarr[addr0+1].x");
	assert_left_alone("imageLoad(csimg0[addr0 + 1], p), texelFetch(tcsamp0[addr0+1], p, 0)");
	assert_left_alone("clip_dist_temp[1 + addr0]");
	assert_left_alone("csssbocontents0[(ssbo_addr_temp) + 0u]");
	assert_left_alone("vec4[addr");
	assert_left_alone("[addr0]");
	assert_left_alone("");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/glsl bounds/shared memory", test_shared_memory);
	g_test_add_func("/glsl bounds/vertices", test_vertices);
	g_test_add_func("/glsl bounds/arrays", test_arrays);
	g_test_add_func("/glsl bounds/nested", test_nested);
	g_test_add_func("/glsl bounds/clearing", test_clearing);
	g_test_add_func("/glsl bounds/left alone", test_left_alone);
	return g_test_run();
}
