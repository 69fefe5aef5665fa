/* SPDX-License-Identifier: MIT */
/*
 * streams: tests what the checker keeps between commands: what is bound, whose texts go on, who is
 * lost.
 */
#include <glib.h>
#include <string.h>

#include "render/stream/limits.h"
#include "tests/unit/render/stream/desk.h"

struct cut {
	unsigned n;
	uint32_t words[256], n_words;
};

static void note_cut(void *user, uint32_t context, uint32_t *words, uint32_t n_words)
{
	struct cut *cut = user;
	g_assert_cmpuint(context, ==, DESK_CONTEXT);
	g_assert_cmpuint(n_words, <=, G_N_ELEMENTS(cut->words));
	cut->n++;
	cut->n_words = n_words;
	memcpy(cut->words, words, n_words * 4);
}

static bool has(const struct cut *cut, uint32_t number)
{
	for (uint32_t at = 0; at < cut->n_words; at += (cut->words[at] >> 16) + 1) {
		if ((cut->words[at] & 0xff) == number)
			return true;
	}
	return false;
}

static void bind_everywhere(struct desk *d)
{
	DESK_PUT(d, STREAM_CREATE_SUB_CTX, 0, 1);
	DESK_PUT(d, STREAM_SET_UNIFORM_BUFFER, 0, 5, 3, 0, 4096, DESK_BUFFER);
	DESK_PUT(d, STREAM_SET_SHADER_BUFFERS, 0, 5, 1, 0, 4096, DESK_BUFFER);
	DESK_PUT(d, STREAM_CREATE_SUB_CTX, 0, 2);
	DESK_PUT(d, STREAM_SET_SHADER_IMAGES, 0, 1, 0, 28, 3, 0, 4096, DESK_BUFFER);
	DESK_PUT(d, STREAM_SET_ATOMIC_BUFFERS, 0, 4, 0, 4, DESK_BUFFER);
	DESK_PUT(d, STREAM_SET_VERTEX_BUFFERS, 0, 16, 0, DESK_BUFFER);
	DESK_PUT(d, STREAM_SET_INDEX_BUFFER, 0, DESK_BUFFER, 2, 0);
	g_assert_cmpint(desk_send(d), ==, DESK_PASSED);
}

/*
 * When a resource goes, every slot of every sub-context that names it is emptied, and nothing can
 * name it any more.
 */
static void test_a_resource_goes(void)
{
	static const uint32_t numbers[] = { STREAM_SET_UNIFORM_BUFFER, STREAM_SET_SHADER_BUFFERS,
		STREAM_SET_SHADER_IMAGES, STREAM_SET_ATOMIC_BUFFERS, STREAM_SET_VERTEX_BUFFERS,
		STREAM_SET_INDEX_BUFFER, STREAM_SET_SUB_CTX };
	struct cut cut = { 0 };
	struct desk d;
	desk_init(&d);
	bind_everywhere(&d);
	streams_resource_going(d.streams, DESK_BUFFER, note_cut, &cut);
	g_assert_cmpuint(cut.n, ==, 1);
	for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++)
		g_assert_true(has(&cut, numbers[i]));
	/* The sub-context that was current is current again. */
	g_assert_cmpuint(cut.words[cut.n_words - 1], ==, 2);
	streams_resource_going(d.streams, DESK_BUFFER, note_cut, &cut);
	g_assert_cmpuint(cut.n, ==, 1);
	DESK_PUT(&d, STREAM_SET_UNIFORM_BUFFER, 0, 5, 3, 0, 4096, DESK_BUFFER);
	g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
	desk_finish(&d);
}

static void test_a_resource_that_is_bound_no_more(void)
{
	struct cut cut = { 0 };
	struct desk d;
	desk_init(&d);
	bind_everywhere(&d);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 2);
	DESK_PUT(&d, STREAM_DESTROY_SUB_CTX, 0, 1);
	DESK_PUT(&d, STREAM_DESTROY_SUB_CTX, 0, 2);
	/* Setting fewer vertex buffers than before empties the slots behind them. */
	DESK_PUT(&d, STREAM_SET_VERTEX_BUFFERS, 0, 16, 0, 0, 16, 0, DESK_BUFFER);
	DESK_PUT(&d, STREAM_SET_VERTEX_BUFFERS, 0, 16, 0, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	streams_resource_going(d.streams, DESK_BUFFER, note_cut, &cut);
	g_assert_cmpuint(cut.n, ==, 0);
	desk_finish(&d);
}

static void test_a_lost_context(void)
{
	struct desk d;
	desk_init(&d);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 0);
	DESK_PUT(&d, STREAM_BEGIN_QUERY, 0, 5);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
	g_assert_cmpuint(d.passed.n_words, ==, 2);
	g_assert_cmpstr(d.fault.command, ==, "BEGIN_QUERY");
	g_assert_cmpstr(d.fault.field, ==, "query");
	g_assert_cmpuint(d.fault.value, ==, 5);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
	g_assert_cmpuint(d.passed.n_words, ==, 0);
	g_assert_false(streams_is_lost(d.streams, DESK_CONTEXT + 1));
	streams_lose(d.streams, DESK_CONTEXT + 1);
	g_assert_true(streams_is_lost(d.streams, DESK_CONTEXT + 1));
	desk_finish(&d);
}

static void test_detached(void)
{
	struct desk d;
	desk_init(&d);
	streams_detach(d.streams, DESK_CONTEXT, DESK_BUFFER);
	DESK_PUT(&d, STREAM_SET_INDEX_BUFFER, 0, DESK_BUFFER, 2, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
	desk_finish(&d);
}

static void test_a_backing(void)
{
	struct desk d;
	desk_init(&d);
	streams_backing_changed(d.streams, DESK_CUSTOM, 4096, STREAM_MEMORY_INFO_BYTES - 1);
	DESK_PUT(&d, STREAM_GET_MEMORY_INFO, 0, DESK_CUSTOM);
	g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
	desk_finish(&d);
}

static void put_draw(struct desk *d, uint32_t count, uint32_t indexed)
{
	DESK_PUT(d, STREAM_DRAW_VBO, 0, 0, count, 4, indexed, 1, 0, 0, 0, 0, 0, UINT32_MAX, 0);
}

static void test_a_draw_without_its_buffers(void)
{
	struct desk d;
	desk_init(&d);
	desk_bind_shaders(&d);
	DESK_PUT(&d, STREAM_BIND_OBJECT, STREAM_OBJECT_VERTEX_ELEMENTS, DESK_VERTEX_ELEMENTS);
	DESK_PUT(&d, STREAM_SET_VERTEX_BUFFERS, 0, 16, 0, DESK_BUFFER, 0, 0, 0, 16, 0, DESK_BUFFER);
	put_draw(&d, 3, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	DESK_PUT(&d, STREAM_SET_VERTEX_BUFFERS, 0, 16, 0, DESK_BUFFER, 16, 0, DESK_BUFFER);
	put_draw(&d, 3, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_MENDED);
	DESK_PUT(&d, STREAM_DESTROY_OBJECT, STREAM_OBJECT_VERTEX_ELEMENTS, DESK_VERTEX_ELEMENTS);
	put_draw(&d, 3, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	desk_finish(&d);
}

static void test_indices(void)
{
	struct desk d;
	desk_init(&d);
	desk_bind_shaders(&d);
	DESK_PUT(&d, STREAM_SET_INDEX_BUFFER, 0, DESK_BUFFER, 2, 96);
	put_draw(&d, 2000, 1);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	put_draw(&d, 2001, 1);
	g_assert_cmpint(desk_send(&d), ==, DESK_MENDED);
	put_draw(&d, UINT32_MAX, 1);
	g_assert_cmpint(desk_send(&d), ==, DESK_MENDED);
	put_draw(&d, 2001, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	desk_finish(&d);
}

/*
 * Objects are destroyed while they are bound: virglrenderer 0.10.4 keeps pointers to both kinds,
 * and frees them all the same.
 */
static void test_objects_destroyed_while_bound(void)
{
	struct desk d;
	desk_init(&d);
	DESK_PUT(&d, STREAM_BIND_OBJECT, STREAM_OBJECT_DSA, DESK_DSA);
	DESK_PUT(&d, STREAM_BIND_SAMPLER_STATES, 0, 1, 0, DESK_SAMPLER_STATE);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	DESK_PUT(&d, STREAM_DESTROY_OBJECT, STREAM_OBJECT_DSA, DESK_DSA);
	g_assert_cmpint(desk_send(&d), ==, DESK_MENDED);
	DESK_PUT(&d, STREAM_DESTROY_OBJECT, 0, DESK_SAMPLER_STATE);
	g_assert_cmpint(desk_send(&d), ==, DESK_MENDED);
	DESK_PUT(&d, STREAM_CREATE_OBJECT, STREAM_OBJECT_DSA, DESK_DSA, 0, 0, 0, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
	desk_finish(&d);
}

static void test_objects_destroyed_when_no_longer_bound(void)
{
	struct desk d;
	desk_init(&d);
	DESK_PUT(&d, STREAM_BIND_OBJECT, STREAM_OBJECT_DSA, DESK_DSA);
	DESK_PUT(&d, STREAM_BIND_OBJECT, STREAM_OBJECT_DSA, 0);
	DESK_PUT(&d, STREAM_DESTROY_OBJECT, STREAM_OBJECT_DSA, DESK_DSA);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	DESK_PUT(&d, STREAM_BIND_OBJECT, STREAM_OBJECT_DSA, DESK_DSA);
	g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
	desk_finish(&d);
}

/* Each sub-context has objects of its own; one that does not exist is not switched to. */
static void test_sub_contexts(void)
{
	struct desk d;
	desk_init(&d);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 9);
	DESK_PUT(&d, STREAM_BIND_OBJECT, STREAM_OBJECT_DSA, DESK_DSA);
	DESK_PUT(&d, STREAM_CREATE_SUB_CTX, 0, 9);
	DESK_PUT(&d, STREAM_DESTROY_SUB_CTX, 0, 9);
	DESK_PUT(&d, STREAM_DESTROY_SUB_CTX, 0, 0);
	DESK_PUT(&d, STREAM_BIND_OBJECT, STREAM_OBJECT_DSA, DESK_DSA);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	DESK_PUT(&d, STREAM_CREATE_SUB_CTX, 0, 9);
	DESK_PUT(&d, STREAM_BIND_OBJECT, STREAM_OBJECT_DSA, DESK_DSA);
	g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
	desk_finish(&d);
}

static void put_sub(struct desk *d, uint32_t id)
{
	DESK_PUT(d, STREAM_CREATE_SUB_CTX, 0, id);
}

static void expect_named(struct desk *d, bool is_named)
{
	uint32_t own = d->n_words;
	g_assert_cmpint(desk_send(d), ==, is_named ? DESK_PASSED : DESK_MENDED);
	g_assert_cmpuint(d->passed.n_words, ==, own + (is_named ? 0 : 2));
}

/* A stream names its sub-context, itself or by words before the first command that needs it. */
static void test_named_sub_contexts(void)
{
	struct desk d;
	desk_init(&d);
	DESK_PUT(&d, STREAM_BIND_OBJECT, STREAM_OBJECT_DSA, 0);
	expect_named(&d, true); /* There is no other one. */
	put_sub(&d, 9);
	expect_named(&d, true);
	put_sub(&d, 9);
	expect_named(&d, false);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 8);
	expect_named(&d, false);
	desk_put(&d, STREAM_NOP, 0, NULL, 0);
	desk_put(&d, STREAM_END_TRANSFERS, 0, NULL, 0);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 0);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 9);
	expect_named(&d, true);
	desk_put(&d, STREAM_END_TRANSFERS, 0, NULL, 0);
	DESK_PUT(&d, STREAM_BIND_OBJECT, STREAM_OBJECT_DSA, 0);
	expect_named(&d, false);
	g_assert_cmpuint(d.passed.words[1], ==, stream_header(STREAM_SET_SUB_CTX, 0, 1));
	g_assert_cmpuint(d.passed.words[2], ==, 9);
	desk_finish(&d);
}

/* ---- shaders ---- */

/* Sends a part of a text of 64 bytes: words of spaces, and zeros at the end. */
static enum desk_fate send_part_with(
	struct desk *d, uint32_t handle, uint32_t offset, uint32_t n_words, uint32_t tokens)
{
	uint32_t words[DESK_WORDS_MAX] = { handle, STREAM_STAGE_VERTEX, offset, tokens };
	static const char text[] =
		"VERT\nDCL IN[0]\nDCL OUT[0], POSITION\nMOV OUT[0], IN[0]\nEND\n";
	uint32_t at = offset & STREAM_SHADER_CONTINUES ? offset & ~STREAM_SHADER_CONTINUES : 0;
	for (uint32_t i = 0; i < n_words * 4 && at + i < sizeof(text); i++)
		((char *)(words + 5))[i] = text[at + i];
	desk_put(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_SHADER, words, 5 + n_words);
	return desk_send(d);
}

static enum desk_fate send_part(struct desk *d, uint32_t handle, uint32_t offset, uint32_t n_words)
{
	return send_part_with(d, handle, offset, n_words, 100);
}

/* virglrenderer takes memory for as many as the last part says. */
static void test_tokens_of_a_part(void)
{
	struct desk d;
	desk_init(&d);
	g_assert_cmpint(send_part(&d, 1, 64, 4), ==, DESK_PASSED);
	g_assert_cmpint(send_part_with(&d, 1, 16 | STREAM_SHADER_CONTINUES, 8, UINT32_MAX - 15), ==,
		DESK_REFUSED);
	desk_finish(&d);
}

/* What was linked last has no fragment shader any more, for virglrenderer to look at. */
static void test_a_draw_without_a_shader(void)
{
	static const uint32_t stages[] = { STREAM_STAGE_VERTEX, STREAM_STAGE_FRAGMENT };
	for (unsigned i = 0; i < G_N_ELEMENTS(stages); i++) {
		struct desk d;
		desk_init(&d);
		put_draw(&d, 3, 0);
		g_assert_cmpint(desk_send(&d), ==, DESK_MENDED);
		DESK_PUT(&d, STREAM_LAUNCH_GRID, 0, 1, 1, 1, 1, 1, 1, 0, 0);
		g_assert_cmpint(desk_send(&d), ==, DESK_MENDED);
		desk_bind_shaders(&d);
		put_draw(&d, 3, 0);
		g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
		DESK_PUT(&d, STREAM_BIND_SHADER, 0, 0, stages[i]);
		put_draw(&d, 3, 0);
		g_assert_cmpint(desk_send(&d), ==, DESK_MENDED);
		desk_finish(&d);
	}
}

static void test_a_text_in_parts(void)
{
	struct desk d;
	desk_init(&d);
	g_assert_cmpint(send_part(&d, 1, 64, 4), ==, DESK_PASSED);
	g_assert_cmpint(send_part(&d, 1, 16 | STREAM_SHADER_CONTINUES, 8), ==, DESK_PASSED);
	g_assert_cmpint(send_part(&d, 1, 48 | STREAM_SHADER_CONTINUES, 4), ==, DESK_PASSED);
	DESK_PUT(&d, STREAM_BIND_SHADER, 0, 1, STREAM_STAGE_VERTEX);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	desk_finish(&d);
}

static void test_parts_that_do_not_fit(void)
{
	static const struct {
		uint32_t handle, offset, n_words;
	} wrong[] = { { 1, 20 | STREAM_SHADER_CONTINUES, 4 },
		{ 1, 16 | STREAM_SHADER_CONTINUES, 13 }, { 2, 16 | STREAM_SHADER_CONTINUES, 4 },
		{ 2, 64, 4 }, { 1, 64, 16 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
		struct desk d;
		desk_init(&d);
		g_assert_cmpint(send_part(&d, 1, 64, 4), ==, DESK_PASSED);
		g_assert_cmpint(send_part(&d, wrong[i].handle, wrong[i].offset, wrong[i].n_words),
			==, DESK_REFUSED);
		desk_finish(&d);
	}
}

static void test_a_text_that_has_not_ended(void)
{
	for (unsigned use = 0; use < 3; use++) {
		struct desk d;
		desk_init(&d);
		g_assert_cmpint(send_part(&d, 1, 64, 4), ==, DESK_PASSED);
		if (use == 0)
			DESK_PUT(&d, STREAM_BIND_SHADER, 0, 1, STREAM_STAGE_VERTEX);
		else if (use == 1)
			DESK_PUT(&d, STREAM_LINK_SHADER, 0, 1, 0, 0, 0, 0, 0);
		else
			DESK_PUT(&d, STREAM_DESTROY_OBJECT, STREAM_OBJECT_SHADER, 1);
		g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
		desk_finish(&d);
	}
}

static enum desk_fate send_head(
	uint32_t offset, uint32_t tokens, uint32_t n_outputs, uint32_t output)
{
	static const char text[] =
		"VERT\nDCL IN[0]\nDCL OUT[0], POSITION\nMOV OUT[0], IN[0]\nEND\n";
	uint32_t words[DESK_WORDS_MAX] = { 1, STREAM_STAGE_VERTEX, offset, tokens, n_outputs };
	uint32_t at = n_outputs ? 5 + 4 + 2 : 5;
	struct desk d;
	desk_init(&d);
	words[9] = output;
	if (n_outputs == 0)
		words[9] = 0;
	memcpy(words + at, text, sizeof(text));
	desk_put(&d, STREAM_CREATE_OBJECT, STREAM_OBJECT_SHADER, words, at + 16);
	enum desk_fate fate = desk_send(&d);
	desk_finish(&d);
	return fate;
}

static void test_a_shaders_head(void)
{
	g_assert_cmpint(send_head(64, 100, 0, 0), ==, DESK_PASSED);
	g_assert_cmpint(send_head(64, 64 + STREAM_SHADER_TOKENS_SPARE, 0, 0), ==, DESK_PASSED);
	g_assert_cmpint(send_head(64, 65 + STREAM_SHADER_TOKENS_SPARE, 0, 0), ==, DESK_REFUSED);
	g_assert_cmpint(send_head(0, 0, 0, 0), ==, DESK_REFUSED);
	g_assert_cmpint(send_head(60, 100, 0, 0), ==, DESK_REFUSED);
	g_assert_cmpint(send_head(STREAM_SHADER_TEXT_MAX + 1, 100, 0, 0), ==, DESK_REFUSED);
	g_assert_cmpint(send_head(64, 100, 1, 4 << 10), ==, DESK_PASSED);
	g_assert_cmpint(send_head(64, 100, 1, 4 << 10 | 3 << 13), ==, DESK_PASSED);
	g_assert_cmpint(send_head(64, 100, 1, 4 << 10 | 4 << 13), ==, DESK_REFUSED);
	g_assert_cmpint(send_head(64, 100, 1, 4 << 10 | 1 << 8), ==, DESK_REFUSED);
	g_assert_cmpint(send_head(64, 100, 65, 0), ==, DESK_REFUSED);
	g_assert_cmpint(send_head(64, 100, UINT32_MAX, 0), ==, DESK_REFUSED);
}

static void put_rasterizer(struct desk *d, uint32_t handle)
{
	uint32_t words[9] = { handle };
	desk_put(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_RASTERIZER, words, 9);
}

static void put_query(struct desk *d, uint32_t handle)
{
	DESK_PUT(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_QUERY, handle, 0, 0, DESK_CUSTOM);
}

static void put_shader(struct desk *d, uint32_t handle)
{
	desk_put_text(d, handle, STREAM_STAGE_FRAGMENT, "FRAG\nDCL OUT[0], COLOR\nEND\n");
}

/* Says what one more of each takes of its quota. */
static const struct {
	enum quota_name name;
	void (*put)(struct desk *desk, uint32_t handle);
	uint64_t amount;
} counted[] = {
	{ QUOTA_OBJECTS, put_rasterizer, 1 },
	{ QUOTA_QUERIES, put_query, 1 },
	{ QUOTA_SHADERS, put_shader, 1 },
	{ QUOTA_SHADER_BYTES, put_shader, sizeof("FRAG\nDCL OUT[0], COLOR\nEND\n") },
	{ QUOTA_SUB_CONTEXTS, put_sub, 1 },
};

/*
 * Each is made up to the limit and one beyond; then that context is lost, and the other one goes
 * on.
 */
static void test_quotas(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(counted); i++) {
		struct desk d;
		desk_init(&d);
		struct quota *quota = &d.accounts[0].quotas[counted[i].name];
		quota->limit = quota->used + 3 * counted[i].amount;
		for (uint32_t handle = 1000; handle < 1003; handle++) {
			counted[i].put(&d, handle);
			g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
		}
		g_assert_cmpuint(quota->used, ==, quota->limit);
		uint64_t other = d.guest.quotas[QUOTA_OTHER_BYTES].used;
		counted[i].put(&d, 1003);
		g_assert_cmpint(desk_send(&d), ==, DESK_REFUSED);
		g_assert_true(d.fault.over_quota);
		g_assert_true(streams_is_lost(d.streams, DESK_CONTEXT));
		g_assert_false(streams_is_lost(d.streams, DESK_CONTEXT + 1));
		g_assert_cmpuint(d.guest.quotas[QUOTA_OTHER_BYTES].used, ==, other);
		desk_finish(&d);
	}
}

/* What is destroyed, replaced, or goes with its sub-context is given back. */
static void test_given_back(void)
{
	struct desk d;
	desk_init(&d);
	uint64_t before = d.guest.quotas[QUOTA_OTHER_BYTES].used;
	for (uint32_t handle = 1000; handle < 1020; handle++) {
		put_shader(&d, handle);
		put_shader(&d, handle);
		put_query(&d, handle);
		DESK_PUT(&d, STREAM_DESTROY_OBJECT, STREAM_OBJECT_QUERY, handle);
		g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	}
	g_assert_cmpuint(d.guest.quotas[QUOTA_OTHER_BYTES].used, ==, before);
	put_sub(&d, 5);
	put_sub(&d, 5);
	for (uint32_t handle = 1000; handle < 1020; handle++)
		put_shader(&d, handle);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	g_assert_cmpuint(d.accounts[0].quotas[QUOTA_SUB_CONTEXTS].used, ==, 1);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 5);
	DESK_PUT(&d, STREAM_DESTROY_SUB_CTX, 0, 5);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	g_assert_cmpuint(d.guest.quotas[QUOTA_OTHER_BYTES].used, ==, before);
	/* The rest is given back with the account. */
	quota_account_finish_context(&d.accounts[0]);
	streams_context_gone(d.streams, DESK_CONTEXT);
	g_assert_cmpuint(d.guest.quotas[QUOTA_OTHER_BYTES].used, ==, 0);
	desk_finish(&d);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Reaching a quota is a warning, which must not end a test that is about it. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/streams/a resource goes", test_a_resource_goes);
	g_test_add_func(
		"/streams/a resource that is bound no more", test_a_resource_that_is_bound_no_more);
	g_test_add_func("/streams/a lost context", test_a_lost_context);
	g_test_add_func("/streams/detached", test_detached);
	g_test_add_func("/streams/a backing", test_a_backing);
	g_test_add_func("/streams/a draw without its buffers", test_a_draw_without_its_buffers);
	g_test_add_func("/streams/indices", test_indices);
	g_test_add_func(
		"/streams/objects destroyed while bound", test_objects_destroyed_while_bound);
	g_test_add_func("/streams/objects destroyed when no longer bound",
		test_objects_destroyed_when_no_longer_bound);
	g_test_add_func("/streams/sub-contexts", test_sub_contexts);
	g_test_add_func("/streams/named sub-contexts", test_named_sub_contexts);
	g_test_add_func("/streams/tokens of a part", test_tokens_of_a_part);
	g_test_add_func("/streams/a draw without a shader", test_a_draw_without_a_shader);
	g_test_add_func("/streams/a text in parts", test_a_text_in_parts);
	g_test_add_func("/streams/parts that do not fit", test_parts_that_do_not_fit);
	g_test_add_func("/streams/a text that has not ended", test_a_text_that_has_not_ended);
	g_test_add_func("/streams/a shader's head", test_a_shaders_head);
	g_test_add_func("/streams/quotas", test_quotas);
	g_test_add_func("/streams/given back", test_given_back);
	return g_test_run();
}
