/* SPDX-License-Identifier: MIT */
/*
 * gpu_reset: checks which contexts are asked and when, and who is found guilty. The contexts are
 * those of Mesa's software renderer, and a function in the place of GL's says what a driver would.
 */
#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <glib.h>
#include <setjmp.h>

#include "render/gl/egl_display.h"
#include "render/gl/gpu_reset.h"

enum { OURS, FIRST, SECOND, UNUSED, GONE, CONTEXTS };
/* More than are kept when they are gone. */
#define MANY 40

static void *contexts[CONTEXTS];
static GLenum statuses[CONTEXTS]; /* what each says */
static bool needs_work[CONTEXTS]; /* and only when it was given work since the reset */
static bool has_work[CONTEXTS];
static bool gone_is_at_work, only_last_is;
static unsigned n_asked[CONTEXTS];

static unsigned n_told;
static enum gpu_reset_blame told_blame;
static uint32_t told_context;
static char *told_gone;
static jmp_buf told;

/* ---- a driver ---- */

/* GONE stands for all that are. */
static unsigned find_current(void)
{
	unsigned i = 0;
	while (i < GONE && contexts[i] != eglGetCurrentContext())
		i++;
	return i;
}

static GLenum APIENTRY get_status(void)
{
	unsigned i = find_current();
	n_asked[i]++;
	return needs_work[i] && !has_work[i] ? GL_NO_ERROR : statuses[i];
}

static void APIENTRY copy_nothing(
	GLenum from, GLenum to, GLintptr from_offset, GLintptr to_offset, GLsizeiptr size_bytes)
{
	has_work[find_current()] = true;
}

static GLenum APIENTRY wait_sync(GLsync sync, GLbitfield flags, GLuint64 timeout_ns)
{
	bool last = eglGetCurrentContext() == contexts[GONE];
	return gone_is_at_work && (last || !only_last_is) ? GL_TIMEOUT_EXPIRED :
							    GL_ALREADY_SIGNALED;
}

/* ---- the watch ---- */

static void on_reset(
	void *user, enum gpu_reset_blame blame, uint32_t context, const char *gone_name)
{
	g_free(told_gone);
	told_gone = g_strdup(gone_name);
	n_told++;
	told_blame = blame;
	told_context = context;
	longjmp(told, 1);
}

/* Makes the context current as virglrenderer does when it works for this context of the guest. */
static void enter(unsigned i, uint32_t guest_context)
{
	gpu_reset_serve(guest_context);
	gpu_reset_enter(contexts[i]);
	g_assert_true(egl_context_make_current(contexts[i]));
	gpu_reset_serve(0);
}

static void begin(void)
{
	gpu_reset_watch(on_reset, NULL);
	gone_is_at_work = only_last_is = false;
	memset(statuses, 0, sizeof(statuses));
	memset(needs_work, 0, sizeof(needs_work));
	memset(has_work, 0, sizeof(has_work));
	n_told = 0;
	enter(OURS, 0);
	gpu_reset_own_current();
	enter(UNUSED, 9);
	enter(FIRST, 5);
	enter(SECOND, 6);
	gpu_reset_ask();
	memset(n_asked, 0, sizeof(n_asked));
}

/* Asks, and returns whether a reset was told. */
static bool ask(void)
{
	unsigned before = n_told;
	if (setjmp(told) == 0)
		gpu_reset_ask();
	return n_told > before;
}

static void assert_told(enum gpu_reset_blame blame, uint32_t context)
{
	g_assert_true(ask());
	g_assert_cmpuint(told_blame, ==, blame);
	g_assert_cmpuint(told_context, ==, context);
	g_assert_cmpstr(told_gone, ==, blame == GPU_RESET_GUILTY && context == 7 ? "evil" : NULL);
	gpu_reset_unwatch();
}

/* ---- tests ---- */

/* Asked are the current one and those that were current since the last time; then it is as before.
 */
static void test_asked(void)
{
	begin();
	g_assert_false(ask());
	g_assert_cmpuint(n_asked[SECOND], ==, 1);
	g_assert_cmpuint(n_asked[OURS] + n_asked[FIRST] + n_asked[UNUSED], ==, 0);
	enter(OURS, 0);
	enter(FIRST, 5);
	g_assert_false(ask());
	g_assert_cmpuint(n_asked[OURS], ==, 1);
	g_assert_cmpuint(n_asked[FIRST], ==, 1);
	g_assert_cmpuint(n_asked[SECOND], ==, 2);
	g_assert_cmpuint(n_asked[UNUSED], ==, 0);
	g_assert_cmpuint(find_current(), ==, FIRST);
	gpu_reset_unwatch();
	g_assert_false(ask());
}

static void test_innocent(void)
{
	begin();
	for (unsigned i = 0; i < CONTEXTS; i++)
		statuses[i] = GL_INNOCENT_CONTEXT_RESET;
	assert_told(GPU_RESET_INNOCENT, 0);
}

static void test_guilty(void)
{
	begin();
	statuses[SECOND] = GL_GUILTY_CONTEXT_RESET;
	assert_told(GPU_RESET_GUILTY, 6);
}

/* The one that is asked is innocent, and the guilty one has done nothing of late. */
static void test_another_is_guilty(void)
{
	begin();
	for (unsigned i = 0; i < CONTEXTS; i++)
		statuses[i] = GL_INNOCENT_CONTEXT_RESET;
	statuses[UNUSED] = GL_GUILTY_CONTEXT_RESET;
	assert_told(GPU_RESET_GUILTY, 9);
}

/* The driver tells the guilty one only when that is given work. */
static void test_guilty_at_work(void)
{
	begin();
	statuses[SECOND] = GL_INNOCENT_CONTEXT_RESET;
	statuses[FIRST] = GL_GUILTY_CONTEXT_RESET;
	needs_work[FIRST] = true;
	assert_told(GPU_RESET_GUILTY, 5);
}

/* What serves all of the guest is nobody's, whoever it served last. */
static void test_ours_is_guilty(void)
{
	begin();
	enter(OURS, 5);
	statuses[OURS] = GL_GUILTY_CONTEXT_RESET;
	assert_told(GPU_RESET_UNKNOWN, 0);
}

static void test_unknown(void)
{
	begin();
	for (unsigned i = 0; i < CONTEXTS; i++)
		statuses[i] = GL_UNKNOWN_CONTEXT_RESET;
	assert_told(GPU_RESET_UNKNOWN, 0);
}

/* ---- those that are gone ---- */

/* Works for context 7 of the guest, called "evil", and is gone before the GPU has done it. */
static void work_and_go(void)
{
	enter(OURS, 0);
	contexts[GONE] = egl_context_create(true, 3, 2);
	gpu_reset_name(7, "evil");
	enter(GONE, 7);
	gone_is_at_work = true;
	if (setjmp(told) == 0)
		g_assert_true(gpu_reset_leave(contexts[GONE]));
	gpu_reset_name(7, NULL);
}

/* It is kept until its work is done, given a little then, and asked once more when that is done. */
static void test_gone(void)
{
	begin();
	work_and_go();
	g_assert_cmpuint(n_asked[GONE], ==, 1);
	g_assert_cmpuint(find_current(), ==, GONE);
	enter(FIRST, 5);
	g_assert_false(ask());
	g_assert_cmpuint(n_asked[GONE], ==, 2);
	g_assert_cmpuint(find_current(), ==, FIRST);
	g_assert_false(has_work[GONE]);
	gone_is_at_work = false;
	g_assert_false(ask());
	g_assert_true(has_work[GONE]);
	g_assert_cmpuint(n_asked[GONE], ==, 3);
	g_assert_false(ask());
	g_assert_cmpuint(n_asked[GONE], ==, 4);
	g_assert_false(ask());
	g_assert_cmpuint(n_asked[GONE], ==, 4);
	g_assert_false(gpu_reset_leave(contexts[GONE]));
	gpu_reset_unwatch();
}

/* Another context has its id and its name by then. */
static void test_gone_is_guilty(void)
{
	begin();
	work_and_go();
	gpu_reset_name(7, "innocent");
	enter(SECOND, 7);
	statuses[SECOND] = GL_INNOCENT_CONTEXT_RESET;
	statuses[GONE] = GL_GUILTY_CONTEXT_RESET;
	needs_work[GONE] = true;
	gone_is_at_work = false;
	assert_told(GPU_RESET_GUILTY, 7);
}

static void test_guilty_as_it_goes(void)
{
	begin();
	statuses[GONE] = GL_GUILTY_CONTEXT_RESET;
	work_and_go();
	g_assert_cmpuint(n_told, ==, 1);
	assert_told(GPU_RESET_GUILTY, 7);
}

static void test_gone_is_innocent(void)
{
	begin();
	work_and_go();
	enter(SECOND, 6);
	for (unsigned i = 0; i < CONTEXTS; i++)
		statuses[i] = GL_INNOCENT_CONTEXT_RESET;
	assert_told(GPU_RESET_INNOCENT, 0);
}

/* Not all of them are kept: one of those that are not may be guilty. */
static void test_many_gone(void)
{
	begin();
	for (unsigned i = 0; i < MANY; i++)
		work_and_go();
	enter(SECOND, 6);
	g_assert_false(ask());
	statuses[SECOND] = GL_INNOCENT_CONTEXT_RESET;
	assert_told(GPU_RESET_UNKNOWN, 0);
}

/* All are kept when there are fences in between. */
static void test_many_done(void)
{
	begin();
	only_last_is = true;
	for (unsigned i = 0; i < MANY; i++) {
		work_and_go();
		g_assert_false(ask());
	}
	enter(SECOND, 6);
	g_assert_false(ask());
	statuses[SECOND] = GL_INNOCENT_CONTEXT_RESET;
	assert_told(GPU_RESET_INNOCENT, 0);
}

/* On another thread, as virglrenderer's that waits for fences, nothing is noted. */
static gpointer run_other(gpointer nothing)
{
	gpu_reset_enter(contexts[UNUSED]);
	gpu_reset_ask();
	return NULL;
}

static void test_other_thread(void)
{
	begin();
	statuses[SECOND] = GL_INNOCENT_CONTEXT_RESET;
	g_thread_join(g_thread_new("other", run_other, NULL));
	g_assert_cmpuint(n_told, ==, 0);
	assert_told(GPU_RESET_INNOCENT, 0);
}

int main(int argc, char **argv)
{
	const char *why = NULL;
	g_setenv("LIBGL_ALWAYS_SOFTWARE", "1", TRUE);
	g_test_init(&argc, &argv, NULL);
	if (!egl_display_open(EGL_ON_NOTHING, -1, &why) || !egl_display_tells_resets()) {
		g_printerr("no software renderer that tells resets: %s\n", why ? why : "too old");
		return 77;
	}
	for (unsigned i = 0; i < GONE; i++)
		contexts[i] = egl_context_create(false, 3, 2);
	egl_context_make_current(contexts[OURS]);
	epoxy_glGetGraphicsResetStatus = get_status;
	epoxy_glGetGraphicsResetStatusARB = get_status;
	epoxy_glCopyBufferSubData = copy_nothing;
	epoxy_glClientWaitSync = wait_sync;
	g_test_add_func("/gpu-reset/asked", test_asked);
	g_test_add_func("/gpu-reset/innocent", test_innocent);
	g_test_add_func("/gpu-reset/guilty", test_guilty);
	g_test_add_func("/gpu-reset/another-is-guilty", test_another_is_guilty);
	g_test_add_func("/gpu-reset/guilty-at-work", test_guilty_at_work);
	g_test_add_func("/gpu-reset/ours-is-guilty", test_ours_is_guilty);
	g_test_add_func("/gpu-reset/unknown", test_unknown);
	g_test_add_func("/gpu-reset/gone", test_gone);
	g_test_add_func("/gpu-reset/gone-is-guilty", test_gone_is_guilty);
	g_test_add_func("/gpu-reset/guilty-as-it-goes", test_guilty_as_it_goes);
	g_test_add_func("/gpu-reset/gone-is-innocent", test_gone_is_innocent);
	g_test_add_func("/gpu-reset/many-gone", test_many_gone);
	g_test_add_func("/gpu-reset/many-done", test_many_done);
	g_test_add_func("/gpu-reset/other-thread", test_other_thread);
	return g_test_run();
}
