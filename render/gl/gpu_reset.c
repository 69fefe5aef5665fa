/* SPDX-License-Identifier: MIT */
#include "render/gl/gpu_reset.h"

#include <epoxy/gl.h>
#include <glib.h>
#include <string.h>

#include "common/monotonic.h"
#include "render/gl/egl_display.h"

/*
 * Looking for the guilty context ends after this time; a guest may have many contexts, and its
 * next renderer is to be there soon.
 */
#define SEARCH_NS (100 * MONOTONIC_NS_PER_MS)
/* A context that was given a little is not waited for longer than this. */
#define POKE_NS (20 * MONOTONIC_NS_PER_MS)
#define POKE_BYTES 4096

struct watched {
	void *gl_context;
	uint32_t guest_context; /* for which it was used last; 0: for none */
	bool is_ours;           /* it serves all of the guest: no context is to blame for it */
	bool used;              /* since it was asked last: it is in `used` of all */
	GLenum status;          /* what it has said; it may say so once only */
};

static struct {
	gpu_reset_fn on_reset; /* NULL: nobody watches */
	void *user;
	const GThread *thread;
	GLenum (*get_status)(void);
	GPtrArray *contexts; /* struct watched* */
	GPtrArray *used;     /* those of them that are to be asked */
	struct watched *current;
	uint32_t served;
} watch;

/* ---- the call ---- */

static GLenum get_core_status(void)
{
	return glGetGraphicsResetStatus();
}

static GLenum get_arb_status(void)
{
	return glGetGraphicsResetStatusARB();
}

static GLenum get_ext_status(void)
{
	return glGetGraphicsResetStatusEXT();
}

static GLenum get_nothing(void)
{
	return GL_NO_ERROR;
}

/* Chooses by what the current context has. libepoxy ends the process at a call that GL lacks. */
static GLenum (*choose_call(void))(void)
{
	bool desktop = epoxy_is_desktop_gl();
	if ((desktop && epoxy_gl_version() >= 45) || epoxy_has_gl_extension("GL_KHR_robustness"))
		return get_core_status;
	if (desktop && epoxy_has_gl_extension("GL_ARB_robustness"))
		return get_arb_status;
	if (!desktop && epoxy_has_gl_extension("GL_EXT_robustness"))
		return get_ext_status;
	return get_nothing;
}

/* ---- who is to be asked ---- */

static bool is_watched_here(void)
{
	return watch.on_reset && g_thread_self() == watch.thread;
}

static struct watched *find(const void *gl_context)
{
	for (unsigned i = 0; i < watch.contexts->len; i++) {
		struct watched *w = g_ptr_array_index(watch.contexts, i);
		if (w->gl_context == gl_context)
			return w;
	}
	return NULL;
}

static struct watched *find_or_add(void *gl_context)
{
	struct watched *w = find(gl_context);
	if (w)
		return w;
	w = g_new0(struct watched, 1);
	w->gl_context = gl_context;
	g_ptr_array_add(watch.contexts, w);
	return w;
}

static void note_used(struct watched *w)
{
	if (!w->used)
		g_ptr_array_add(watch.used, w);
	w->used = true;
}

void gpu_reset_watch(gpu_reset_fn on_reset, void *user)
{
	g_assert(!watch.on_reset && on_reset);
	if (!egl_display_tells_resets())
		return;
	watch.contexts = g_ptr_array_new_with_free_func(g_free);
	watch.used = g_ptr_array_new();
	watch.thread = g_thread_self();
	watch.user = user;
	watch.on_reset = on_reset;
}

void gpu_reset_unwatch(void)
{
	if (!watch.on_reset)
		return;
	g_ptr_array_unref(watch.used);
	g_ptr_array_unref(watch.contexts);
	memset(&watch, 0, sizeof(watch));
}

void gpu_reset_serve(uint32_t guest_context)
{
	watch.served = guest_context;
}

void gpu_reset_enter(void *gl_context)
{
	if (!is_watched_here())
		return;
	watch.current = gl_context ? find_or_add(gl_context) : NULL;
	if (!watch.current)
		return;
	if (watch.served)
		watch.current->guest_context = watch.served;
	note_used(watch.current);
}

void gpu_reset_own_current(void)
{
	if (is_watched_here() && watch.current)
		watch.current->is_ours = true;
}

void gpu_reset_leave(void *gl_context)
{
	struct watched *w = is_watched_here() ? find(gl_context) : NULL;
	if (!w)
		return;
	if (w == watch.current)
		watch.current = NULL;
	g_ptr_array_remove(watch.used, w);
	g_ptr_array_remove(watch.contexts, w);
}

/* ---- asking ---- */

static bool make_current(const struct watched *w)
{
	return egl_context_make_current(w ? w->gl_context : NULL);
}

/* `now` is the one that is current, and changes with it. */
static GLenum ask(struct watched *w, const struct watched **now)
{
	if (w->status != GL_NO_ERROR)
		return w->status;
	if (w != *now && !make_current(w))
		return w->status = GL_UNKNOWN_CONTEXT_RESET;
	*now = w;
	if (!watch.get_status)
		watch.get_status = choose_call();
	return w->status = watch.get_status();
}

/*
 * Has the current context give the GPU something to do, and waits until the kernel has it: copies
 * from one half of a small buffer to the other.
 */
static void poke(void)
{
	GLuint buffer = 0;
	if (!epoxy_is_desktop_gl() || epoxy_gl_version() < 32)
		return;
	glGenBuffers(1, &buffer);
	glBindBuffer(GL_COPY_WRITE_BUFFER, buffer);
	glBufferData(GL_COPY_WRITE_BUFFER, POKE_BYTES, NULL, GL_STATIC_COPY);
	glCopyBufferSubData(
		GL_COPY_WRITE_BUFFER, GL_COPY_WRITE_BUFFER, 0, POKE_BYTES / 2, POKE_BYTES / 2);
	GLsync sync = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
	if (sync)
		glClientWaitSync(sync, GL_SYNC_FLUSH_COMMANDS_BIT, POKE_NS);
}

/* Returns a context that says that it is guilty, or NULL. */
static const struct watched *find_guilty(const struct watched *now)
{
	uint64_t end_ns = monotonic_now_ns() + SEARCH_NS;
	for (unsigned i = 0; i < watch.contexts->len && monotonic_now_ns() < end_ns; i++) {
		struct watched *w = g_ptr_array_index(watch.contexts, i);
		if (ask(w, &now) == GL_NO_ERROR) {
			poke();
			ask(w, &now);
		}
		if (w->status == GL_GUILTY_CONTEXT_RESET)
			return w;
	}
	return NULL;
}

static void tell(const struct watched *first, const struct watched *now)
{
	GLenum status = first->status;
	const struct watched *guilty = status == GL_GUILTY_CONTEXT_RESET ? first : find_guilty(now);
	if (guilty)
		watch.on_reset(
			watch.user, GPU_RESET_GUILTY, guilty->is_ours ? 0 : guilty->guest_context);
	else if (status == GL_INNOCENT_CONTEXT_RESET)
		watch.on_reset(watch.user, GPU_RESET_INNOCENT, 0);
	else
		watch.on_reset(watch.user, GPU_RESET_UNKNOWN, 0);
}

/* Afterwards the same context is current as before, since virglrenderer knows that it is. */
void gpu_reset_ask(void)
{
	if (!is_watched_here())
		return;
	const struct watched *now = watch.current;
	for (unsigned i = 0; i < watch.used->len; i++) {
		struct watched *w = g_ptr_array_index(watch.used, i);
		w->used = false;
		if (ask(w, &now) != GL_NO_ERROR)
			tell(w, now);
	}
	g_ptr_array_set_size(watch.used, 0);
	if (now != watch.current)
		make_current(watch.current);
	if (watch.current)
		note_used(watch.current);
}
