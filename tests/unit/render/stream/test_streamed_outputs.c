/* SPDX-License-Identifier: MIT */
/* streamed_outputs: a shader's streamed outputs, and the room that virglrenderer has for their
 * names. */
#include <glib.h>
#include <string.h>

#include "tests/unit/render/stream/desk.h"

#define OUTPUT(first, n, buffer, at) ((first) << 8 | (n) << 10 | (buffer) << 13 | (at) << 16)

/* Sends a vertex shader that streams its only output, in the places that are given. */
static enum desk_fate send(
	const uint32_t strides[STREAM_STREAMOUT_TARGETS_MAX], const uint32_t *outputs, unsigned n)
{
	static const char text[] =
		"VERT\nDCL IN[0]\nDCL OUT[0], POSITION\nMOV OUT[0], IN[0]\nEND\n";
	uint32_t words[DESK_WORDS_MAX] = { 1, STREAM_STAGE_VERTEX, sizeof(text), 100, n };
	struct desk d;
	desk_init(&d);
	memcpy(words + 5, strides, STREAM_STREAMOUT_TARGETS_MAX * sizeof(*strides));
	for (unsigned i = 0; i < n; i++)
		words[9 + 2 * i] = outputs[i];
	memcpy(words + 9 + 2 * n, text, sizeof(text));
	desk_put(&d, STREAM_CREATE_OBJECT, STREAM_OBJECT_SHADER, words,
		9 + 2 * n + (sizeof(text) + 3) / 4);
	enum desk_fate fate = desk_send(&d);
	if (fate == DESK_REFUSED)
		g_assert_cmpuint(d.fault.limit, ==, STREAM_STREAMOUT_NAMES_MAX);
	desk_finish(&d);
	return fate;
}

static enum desk_fate send_one(uint32_t stride, uint32_t output)
{
	uint32_t strides[STREAM_STREAMOUT_TARGETS_MAX] = { stride, stride, stride, stride };
	return send(strides, &output, 1);
}

/* What a vertex has in a buffer is skipped by a name for each four components. */
static void test_stride(void)
{
	uint32_t most = 4 + 4 * (STREAM_STREAMOUT_NAMES_MAX - 1);
	g_assert_cmpint(send_one(0, OUTPUT(0, 4, 0, 0)), ==, DESK_PASSED);
	g_assert_cmpint(send_one(64, OUTPUT(0, 4, 0, 0)), ==, DESK_PASSED);
	g_assert_cmpint(send_one(most, OUTPUT(0, 4, 0, 0)), ==, DESK_PASSED);
	g_assert_cmpint(send_one(most + 1, OUTPUT(0, 4, 0, 0)), ==, DESK_REFUSED);
	g_assert_cmpint(send_one(INT32_MAX, OUTPUT(0, 4, 0, 0)), ==, DESK_REFUSED);
	g_assert_cmpint(send_one(UINT32_MAX, OUTPUT(0, 4, 0, 0)), ==, DESK_REFUSED);
}

static void test_place(void)
{
	uint32_t most = 4 * (STREAM_STREAMOUT_NAMES_MAX - 1);
	g_assert_cmpint(send_one(0, OUTPUT(0, 1, 0, most)), ==, DESK_PASSED);
	g_assert_cmpint(send_one(0, OUTPUT(0, 1, 0, most + 1)), ==, DESK_REFUSED);
	g_assert_cmpint(send_one(0, OUTPUT(0, 1, 0, 0xffffu)), ==, DESK_REFUSED);
}

/*
 * Buffers before the one that is streamed to first are skipped, too: the first up to its stride,
 * and each with a name of its own.
 */
static void test_buffers(void)
{
	uint32_t most = 4 * (STREAM_STREAMOUT_NAMES_MAX - 1 - 3);
	uint32_t strides[STREAM_STREAMOUT_TARGETS_MAX] = { most, UINT32_MAX, UINT32_MAX, 4 };
	uint32_t last = OUTPUT(0, 4, 3, 0);
	g_assert_cmpint(send(strides, &last, 1), ==, DESK_PASSED);
	strides[0]++;
	g_assert_cmpint(send(strides, &last, 1), ==, DESK_REFUSED);
}

/* Outputs that go to and fro between two buffers fill the one up that they leave, each time. */
static void test_to_and_fro(void)
{
	enum { N = 8 };
	uint32_t outputs[N], names = N + N / 2,
			     most = 4 * ((STREAM_STREAMOUT_NAMES_MAX - names) / N);
	uint32_t strides[STREAM_STREAMOUT_TARGETS_MAX] = { 4 + most, 4 + most };
	for (unsigned i = 0; i < N; i++)
		outputs[i] = OUTPUT(0, 4, i % 2, 0);
	g_assert_cmpint(send(strides, outputs, N), ==, DESK_PASSED);
	strides[0] = strides[1] = 4 + most + 4;
	g_assert_cmpint(send(strides, outputs, N), ==, DESK_REFUSED);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/streamed_outputs/stride", test_stride);
	g_test_add_func("/streamed_outputs/place", test_place);
	g_test_add_func("/streamed_outputs/buffers", test_buffers);
	g_test_add_func("/streamed_outputs/to and fro", test_to_and_fro);
	return g_test_run();
}
