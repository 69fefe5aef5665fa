/* SPDX-License-Identifier: MIT */
/* decoder: tests the table of commands, and taking a stream apart by it. */
#include <glib.h>
#include <string.h>

#include "render/stream/decoder.h"

static bool decode(uint32_t number, uint32_t object, uint32_t length, uint32_t room)
{
	static uint32_t words[0x10000 + 1];
	struct stream_command command;
	struct stream_fault fault = { 0 };
	words[0] = stream_header(number, object, length);
	bool ok = stream_decode(words, room, &command, &fault);
	g_assert_cmpint(ok, !=, fault.why != NULL);
	return ok;
}

static bool takes(uint32_t number, uint32_t object, uint32_t length)
{
	return decode(number, object, length, length + 1);
}

/* Gives the sizes that each command may have (virgl_protocol.h), and one beside them. */
static const struct {
	uint32_t number, object, length, wrong;
} lengths[] = {
	{ STREAM_NOP, 0, 0xffff, 0 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_BLEND, 11, 12 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_RASTERIZER, 9, 8 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_DSA, 5, 4 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_SHADER, 5, 4 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_SHADER, 0xffff, 1 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_VERTEX_ELEMENTS, 1, 2 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_VERTEX_ELEMENTS, 1 + 4 * 32, 1 + 4 * 33 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_SAMPLER_VIEW, 6, 7 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_SAMPLER_STATE, 9, 10 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_SURFACE, 5, 6 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_QUERY, 4, 3 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_STREAMOUT_TARGET, 4, 5 },
	{ STREAM_CREATE_OBJECT, STREAM_OBJECT_MSAA_SURFACE, 6, 5 },
	{ STREAM_BIND_OBJECT, STREAM_OBJECT_BLEND, 1, 0 },
	{ STREAM_BIND_OBJECT, STREAM_OBJECT_RASTERIZER, 1, 2 },
	{ STREAM_BIND_OBJECT, STREAM_OBJECT_DSA, 1, 2 },
	{ STREAM_BIND_OBJECT, STREAM_OBJECT_VERTEX_ELEMENTS, 1, 2 },
	{ STREAM_DESTROY_OBJECT, STREAM_OBJECT_QUERY, 1, 2 },
	{ STREAM_SET_VIEWPORT_STATE, 0, 1 + 6 * 16, 1 + 6 * 17 },
	{ STREAM_SET_VIEWPORT_STATE, 0, 7, 6 },
	{ STREAM_SET_FRAMEBUFFER_STATE, 0, 2 + 8, 2 + 9 },
	{ STREAM_SET_VERTEX_BUFFERS, 0, 0, 1 },
	{ STREAM_SET_VERTEX_BUFFERS, 0, 3 * 32, 3 * 33 },
	{ STREAM_CLEAR, 0, 8, 7 },
	{ STREAM_DRAW_VBO, 0, 12, 13 },
	{ STREAM_DRAW_VBO, 0, 14, 15 },
	{ STREAM_DRAW_VBO, 0, 20, 21 },
	{ STREAM_RESOURCE_INLINE_WRITE, 0, 11, 10 },
	{ STREAM_RESOURCE_INLINE_WRITE, 0, 0xffff, 1 },
	{ STREAM_SET_SAMPLER_VIEWS, 0, 2 + 128, 2 + 129 },
	{ STREAM_SET_INDEX_BUFFER, 0, 1, 2 },
	{ STREAM_SET_INDEX_BUFFER, 0, 3, 4 },
	{ STREAM_SET_CONSTANT_BUFFER, 0, 2, 1 },
	{ STREAM_SET_CONSTANT_BUFFER, 0, 0xffff, 0 },
	{ STREAM_SET_STENCIL_REF, 0, 1, 2 },
	{ STREAM_SET_BLEND_COLOR, 0, 4, 5 },
	{ STREAM_SET_SCISSOR_STATE, 0, 1 + 2 * 16, 1 + 2 * 17 },
	{ STREAM_BLIT, 0, 21, 20 },
	{ STREAM_RESOURCE_COPY_REGION, 0, 13, 12 },
	{ STREAM_BIND_SAMPLER_STATES, 0, 2 + 32, 2 + 33 },
	{ STREAM_BEGIN_QUERY, 0, 1, 2 },
	{ STREAM_END_QUERY, 0, 1, 2 },
	{ STREAM_GET_QUERY_RESULT, 0, 2, 1 },
	{ STREAM_SET_POLYGON_STIPPLE, 0, 32, 31 },
	{ STREAM_SET_CLIP_STATE, 0, 32, 33 },
	{ STREAM_SET_SAMPLE_MASK, 0, 1, 0 },
	{ STREAM_SET_STREAMOUT_TARGETS, 0, 1 + 4, 1 + 5 },
	{ STREAM_SET_RENDER_CONDITION, 0, 3, 2 },
	{ STREAM_SET_UNIFORM_BUFFER, 0, 5, 4 },
	{ STREAM_SET_SUB_CTX, 0, 1, 2 },
	{ STREAM_CREATE_SUB_CTX, 0, 1, 0 },
	{ STREAM_DESTROY_SUB_CTX, 0, 1, 0 },
	{ STREAM_BIND_SHADER, 0, 2, 1 },
	{ STREAM_SET_TESS_STATE, 0, 6, 5 },
	{ STREAM_SET_MIN_SAMPLES, 0, 1, 2 },
	{ STREAM_SET_SHADER_BUFFERS, 0, 2 + 3 * 32, 2 + 3 * 33 },
	{ STREAM_SET_SHADER_BUFFERS, 0, 5, 6 },
	{ STREAM_SET_SHADER_IMAGES, 0, 2 + 5 * 32, 2 + 5 * 33 },
	{ STREAM_MEMORY_BARRIER, 0, 1, 2 },
	{ STREAM_LAUNCH_GRID, 0, 8, 7 },
	{ STREAM_SET_FRAMEBUFFER_STATE_NO_ATTACH, 0, 2, 1 },
	{ STREAM_TEXTURE_BARRIER, 0, 1, 0 },
	{ STREAM_SET_ATOMIC_BUFFERS, 0, 1 + 3 * 32, 1 + 3 * 33 },
	{ STREAM_SET_DEBUG_FLAGS, 0, 2, 0xffffff },
	{ STREAM_GET_QUERY_RESULT_QBO, 0, 6, 5 },
	{ STREAM_TRANSFER3D, 0, 13, 12 },
	{ STREAM_END_TRANSFERS, 0, 400, 0 },
	{ STREAM_COPY_TRANSFER3D, 0, 14, 13 },
	{ STREAM_SET_TWEAKS, 0, 2, 1 },
	{ STREAM_CLEAR_TEXTURE, 0, 12, 11 },
	{ STREAM_PIPE_RESOURCE_CREATE, 0, 11, 10 },
	{ STREAM_PIPE_RESOURCE_SET_TYPE, 0, 8 + 2 * 4, 8 + 2 * 5 },
	{ STREAM_GET_MEMORY_INFO, 0, 1, 0 },
	{ STREAM_SEND_STRING_MARKER, 0, 2, 0 },
	{ STREAM_LINK_SHADER, 0, 6, 5 },
	{ STREAM_CREATE_VIDEO_CODEC, 0, 7, 6 },
	{ STREAM_CREATE_VIDEO_CODEC, 0, 8, 9 },
	{ STREAM_DESTROY_VIDEO_CODEC, 0, 1, 0 },
	{ STREAM_CREATE_VIDEO_BUFFER, 0, 4 + 3, 4 + 4 },
	{ STREAM_DESTROY_VIDEO_BUFFER, 0, 1, 0 },
	{ STREAM_BEGIN_FRAME, 0, 2, 1 },
	{ STREAM_DECODE_MACROBLOCK, 0, 7, 0xffffff },
	{ STREAM_DECODE_BITSTREAM, 0, 5, 4 },
	{ STREAM_ENCODE_BITSTREAM, 0, 5, 4 },
	{ STREAM_END_FRAME, 0, 2, 1 },
	{ STREAM_CLEAR_SURFACE, 0, 10, 9 },
	{ STREAM_GET_PIPE_RESOURCE_LAYOUT, 0, 2, 1 },
};

/*
 * Returns whether no length is wrong. The table above then says 0 for the fillers, and more than a
 * header holds for the others.
 */
static bool is_any_length_right(unsigned i)
{
	return lengths[i].number == STREAM_NOP || lengths[i].number == STREAM_END_TRANSFERS ||
	       lengths[i].wrong > 0xffff;
}

static void test_lengths(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
		g_test_message("command %u, object %u", lengths[i].number, lengths[i].object);
		g_assert_true(takes(lengths[i].number, lengths[i].object, lengths[i].length));
		if (!is_any_length_right(i))
			g_assert_false(
				takes(lengths[i].number, lengths[i].object, lengths[i].wrong));
	}
}

static bool is_tried(const struct stream_shape *shape)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++)
		if (stream_find_shape(lengths[i].number, lengths[i].object) == shape)
			return true;
	return false;
}

/* docs/stream-checks.md names this test for commands that no other test is about. */
static void test_every_commands_length_is_tried(void)
{
	for (uint32_t number = 0; number < STREAM_NUMBERS; number++) {
		for (uint32_t object = 0; object < STREAM_OBJECTS; object++) {
			const struct stream_shape *shape = stream_find_shape(number, object);
			if (shape && !is_tried(shape))
				g_error("no length of %s is tried", shape->name);
		}
	}
}

static void test_a_command_longer_than_the_stream(void)
{
	g_assert_true(decode(STREAM_CLEAR, 0, 8, 9));
	g_assert_false(decode(STREAM_CLEAR, 0, 8, 8));
	g_assert_false(decode(STREAM_CLEAR, 0, 8, 1));
	g_assert_false(decode(STREAM_NOP, 0, 1, 1));
	g_assert_false(decode(STREAM_NOP, 0, 0, 0));
}

static void test_what_is_no_command(void)
{
	g_assert_false(takes(STREAM_NUMBERS, 0, 0));
	g_assert_false(takes(255, 0, 0));
	g_assert_false(takes(STREAM_CREATE_OBJECT, STREAM_OBJECT_NULL, 5));
	g_assert_false(takes(STREAM_CREATE_OBJECT, STREAM_OBJECTS, 5));
	g_assert_false(takes(STREAM_BIND_OBJECT, STREAM_OBJECT_SHADER, 1));
	g_assert_false(takes(STREAM_BIND_OBJECT, 255, 1));
}

static void check_field(const struct stream_command *command, uint32_t index, const char *name,
	enum stream_kind kind)
{
	const struct stream_field *field = stream_field_at(command, index);
	g_assert_cmpstr(field->name, ==, name);
	g_assert_cmpint(field->kind, ==, kind);
}

static void test_fields(void)
{
	uint32_t words[1 + 2 + 6] = { stream_header(STREAM_SET_SHADER_BUFFERS, 0, 8) };
	struct stream_command command;
	struct stream_fault fault;
	g_assert_true(stream_decode(words, G_N_ELEMENTS(words), &command, &fault));
	g_assert_cmpuint(command.length, ==, 8);
	g_assert_cmpuint(command.n_groups, ==, 2);
	check_field(&command, 1, "stage", STREAM_STAGE);
	check_field(&command, 2, "start slot", STREAM_SLOT);
	for (uint32_t i = 3; i < 9; i += 3) {
		check_field(&command, i, "offset", STREAM_OFFSET);
		check_field(&command, i + 1, "length", STREAM_SIZE);
		check_field(&command, i + 2, "resource", STREAM_RESOURCE);
	}
	words[0] = stream_header(STREAM_NOP, 0, 8);
	g_assert_true(stream_decode(words, G_N_ELEMENTS(words), &command, &fault));
	g_assert_cmpuint(command.n_groups, ==, 0);
	check_field(&command, 8, "filler", STREAM_WORD);
}

static uint32_t text_index(uint32_t stage, uint32_t n_outputs)
{
	uint32_t words[1 + 40] = { stream_header(STREAM_CREATE_OBJECT, STREAM_OBJECT_SHADER, 40), 7,
		stage, 100, 200, n_outputs };
	struct stream_command command;
	struct stream_fault fault;
	g_assert_true(stream_decode(words, G_N_ELEMENTS(words), &command, &fault));
	return stream_shader_text_index(&command);
}

static void test_where_a_shaders_text_begins(void)
{
	g_assert_cmpuint(text_index(STREAM_STAGE_VERTEX, 0), ==, 6);
	g_assert_cmpuint(text_index(STREAM_STAGE_VERTEX, 3), ==, 6 + 4 + 6);
	g_assert_cmpuint(text_index(STREAM_STAGE_COMPUTE, 3), ==, 6);
	g_assert_cmpuint(text_index(STREAM_STAGE_VERTEX, 0x80000000), >, 40);
	g_assert_cmpuint(text_index(STREAM_STAGE_VERTEX, 40), >, 40);
}

/* A stream is decoded to its end, and a cut one up to where it was cut. */
static void test_a_stream(void)
{
	uint32_t words[] = { stream_header(STREAM_CREATE_SUB_CTX, 0, 1), 1,
		stream_header(STREAM_SET_SUB_CTX, 0, 1), 1,
		stream_header(STREAM_SET_VERTEX_BUFFERS, 0, 3), 16, 0, 5,
		stream_header(STREAM_END_TRANSFERS, 0, 2), 0xffffffff, 0xffffffff };
	const uint32_t expected[] = { STREAM_CREATE_SUB_CTX, STREAM_SET_SUB_CTX,
		STREAM_SET_VERTEX_BUFFERS, STREAM_END_TRANSFERS };
	for (uint32_t end = 0; end <= G_N_ELEMENTS(words); end++) {
		struct stream_command command;
		struct stream_fault fault;
		uint32_t at = 0, n = 0;
		while (at < end && stream_decode(words + at, end - at, &command, &fault)) {
			g_assert_cmpuint(command.number, ==, expected[n++]);
			at += command.length + 1;
			g_assert_cmpuint(at, <=, end);
		}
		g_assert_cmpuint(n == 4, ==, end == G_N_ELEMENTS(words));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stream/decoder/lengths", test_lengths);
	g_test_add_func(
		"/stream/decoder/every length is tried", test_every_commands_length_is_tried);
	g_test_add_func("/stream/decoder/a command longer than the stream",
		test_a_command_longer_than_the_stream);
	g_test_add_func("/stream/decoder/what is no command", test_what_is_no_command);
	g_test_add_func("/stream/decoder/fields", test_fields);
	g_test_add_func(
		"/stream/decoder/where a shader's text begins", test_where_a_shaders_text_begins);
	g_test_add_func("/stream/decoder/a stream", test_a_stream);
	return g_test_run();
}
