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
/* So many GL contexts that are not wanted any more are kept until the GPU has done their work. */
#define GONE_MAX 32
/* A kernel's driver has found within this time that the GPU hangs. */
#define HANG_NS (20 * MONOTONIC_NS_PER_S)

struct watched {
	void *gl_context;
	uint32_t guest_context; /* for which it was used last; 0: for none */
	bool is_ours;           /* it serves all of the guest: no context is to blame for it */
	bool used;              /* since it was asked last: it is in `used` of all */
	GLenum status;          /* what it has said; it may say so once only */
	char *gone_name;  /* NULL: it is wanted. Else its guest context's, and it is ours to destroy
			   */
	GLsync last_work; /* of one that is gone */
	bool was_poked;   /* that is our own, and comes after all of its */
};

static struct {
	gpu_reset_fn on_reset; /* NULL: nobody watches */
	void *user;
	const GThread *thread;
	GLenum (*get_status)(void);
	GPtrArray *contexts; /* struct watched* */
	GPtrArray *used;     /* those of them that are to be asked */
	GHashTable *names;   /* of the guest's contexts */
	struct watched *current;
	uint32_t served;
	unsigned n_gone;
	uint64_t unseen_until_ns; /* until then one may be guilty that can be asked no more */
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

static void free_watched(gpointer data)
{
	struct watched *w = data;
	if (w->gone_name)
		egl_context_destroy(w->gl_context);
	g_free(w->gone_name);
	g_free(w);
}

void gpu_reset_watch(gpu_reset_fn on_reset, void *user)
{
	g_assert(!watch.on_reset && on_reset);
	if (!egl_display_tells_resets())
		return;
	watch.contexts = g_ptr_array_new_with_free_func(free_watched);
	watch.used = g_ptr_array_new();
	watch.names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
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
	g_hash_table_unref(watch.names);
	memset(&watch, 0, sizeof(watch));
}

void gpu_reset_name(uint32_t guest_context, const char *name)
{
	gpointer key = GUINT_TO_POINTER(guest_context);
	if (is_watched_here() && name)
		g_hash_table_replace(watch.names, key, g_strdup(name));
	else if (is_watched_here())
		g_hash_table_remove(watch.names, key);
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

/* ---- asking ---- */

static bool make_current(const struct watched *w)
{
	return egl_context_make_current(w ? w->gl_context : NULL);
}

/* `now` is the one that is current, and changes with it. */
static bool switch_to(const struct watched *w, const struct watched **now)
{
	if (w != *now && !make_current(w))
		return false;
	*now = w;
	return true;
}

static GLenum ask(struct watched *w, const struct watched **now)
{
	if (w->status != GL_NO_ERROR)
		return w->status;
	if (!switch_to(w, now))
		return w->status = GL_UNKNOWN_CONTEXT_RESET;
	if (!watch.get_status)
		watch.get_status = choose_call();
	return w->status = watch.get_status();
}

/*
 * Has the current context give the GPU something to do: copies from one half of a small buffer to
 * the other. Returns what passes when that is done, or NULL where it cannot be.
 */
static GLsync begin_poke(void)
{
	GLuint buffer = 0;
	if (!epoxy_is_desktop_gl() || epoxy_gl_version() < 32)
		return NULL;
	glGenBuffers(1, &buffer);
	glBindBuffer(GL_COPY_WRITE_BUFFER, buffer);
	glBufferData(GL_COPY_WRITE_BUFFER, POKE_BYTES, NULL, GL_STATIC_COPY);
	glCopyBufferSubData(
		GL_COPY_WRITE_BUFFER, GL_COPY_WRITE_BUFFER, 0, POKE_BYTES / 2, POKE_BYTES / 2);
	glDeleteBuffers(1, &buffer);
	return glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
}

/* Waits until the kernel has it, too. */
static void poke(void)
{
	GLsync sync = begin_poke();
	if (sync)
		glClientWaitSync(sync, GL_SYNC_FLUSH_COMMANDS_BIT, POKE_NS);
}

/*
 * Returns a context that says that it is guilty, or NULL. *all_seen becomes false when there was no
 * time to ask all of them.
 */
static const struct watched *find_guilty(const struct watched *now, bool *all_seen)
{
	uint64_t end_ns = monotonic_now_ns() + SEARCH_NS;
	for (unsigned i = 0; i < watch.contexts->len; i++) {
		struct watched *w = g_ptr_array_index(watch.contexts, i);
		if (monotonic_now_ns() >= end_ns) {
			*all_seen = false;
			break;
		}
		if (ask(w, &now) == GL_NO_ERROR) {
			poke();
			ask(w, &now);
		}
		if (w->status == GL_GUILTY_CONTEXT_RESET)
			return w;
	}
	return NULL;
}

/* Of work of our own nobody knows for which of the guest's contexts it was. */
static bool is_somebodys(const struct watched *guilty)
{
	return !guilty->is_ours && (guilty->guest_context != 0 || guilty->gone_name);
}

static void tell(const struct watched *first, const struct watched *now)
{
	GLenum status = first->status;
	bool all_seen = monotonic_now_ns() >= watch.unseen_until_ns;
	const struct watched *guilty =
		status == GL_GUILTY_CONTEXT_RESET ? first : find_guilty(now, &all_seen);
	if (guilty && is_somebodys(guilty))
		watch.on_reset(
			watch.user, GPU_RESET_GUILTY, guilty->guest_context, guilty->gone_name);
	else if (!guilty && status == GL_INNOCENT_CONTEXT_RESET && all_seen)
		watch.on_reset(watch.user, GPU_RESET_INNOCENT, 0, NULL);
	else
		watch.on_reset(watch.user, GPU_RESET_UNKNOWN, 0, NULL);
}

/* ---- those that are not wanted any more ---- */

static void remember_work(struct watched *w, const struct watched **now)
{
	if (!switch_to(w, now) || epoxy_gl_version() < (epoxy_is_desktop_gl() ? 32 : 30))
		return;
	w->last_work = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
	glFlush();
}

static bool is_at_work(const struct watched *w, const struct watched **now)
{
	return w->last_work && switch_to(w, now) &&
	       glClientWaitSync(w->last_work, 0, 0) == GL_TIMEOUT_EXPIRED;
}

static void forget_work(struct watched *w, const struct watched **now)
{
	if (w->last_work && switch_to(w, now))
		glDeleteSync(w->last_work);
	w->last_work = NULL;
}

/*
 * When all is done that it was given, it is given a little, without waiting for that: a driver may
 * find only by this that the context is lost. Returns whether there is something to wait for.
 */
static bool is_to_be_asked(struct watched *w, const struct watched **now)
{
	if (is_at_work(w, now))
		return true;
	forget_work(w, now);
	if (w->was_poked || !switch_to(w, now))
		return false;
	w->was_poked = true;
	w->last_work = begin_poke();
	glFlush();
	return w->last_work != NULL;
}

static void destroy(struct watched *w, const struct watched **now)
{
	forget_work(w, now);
	if (w == watch.current)
		watch.current = NULL;
	if (w == *now)
		*now = NULL;
	g_ptr_array_remove(watch.contexts, w);
}

/*
 * Only the context itself can say that it is guilty. So it is kept while its work may hang the GPU.
 */
bool gpu_reset_leave(void *gl_context)
{
	struct watched *w = is_watched_here() ? find(gl_context) : NULL;
	if (!w)
		return false;
	if (watch.n_gone >= GONE_MAX)
		gpu_reset_ask();
	const struct watched *now = watch.current;
	gpointer name = g_hash_table_lookup(watch.names, GUINT_TO_POINTER(w->guest_context));
	w->gone_name = g_strdup(name ? name : "");
	remember_work(w, &now);
	bool at_work = is_at_work(w, &now), room = watch.n_gone < GONE_MAX;
	bool stays = room && is_to_be_asked(w, &now);
	if (ask(w, &now) != GL_NO_ERROR)
		tell(w, now);
	if (stays) {
		watch.n_gone++;
		note_used(w);
	} else {
		if (at_work)
			watch.unseen_until_ns = monotonic_now_ns() + HANG_NS;
		g_ptr_array_remove(watch.used, w);
		destroy(w, &now);
	}
	if (now != watch.current)
		make_current(watch.current);
	return true;
}

/* ---- at a fence ---- */

/* Asks one that is `used`, and returns whether it stays that, since it is to be asked again. */
static bool ask_used(struct watched *w, const struct watched **now)
{
	/* One whose work ends behind the question may be found guilty behind it, too. */
	w->used = w->gone_name && is_to_be_asked(w, now);
	if (ask(w, now) != GL_NO_ERROR)
		tell(w, *now);
	if (w->gone_name && !w->used) {
		watch.n_gone--;
		destroy(w, now);
		return false;
	}
	return w->used;
}

/* Afterwards the same context is current as before, since virglrenderer knows that it is. */
void gpu_reset_ask(void)
{
	if (!is_watched_here())
		return;
	const struct watched *now = watch.current;
	unsigned n_used = 0;
	for (unsigned i = 0; i < watch.used->len; i++) {
		struct watched *w = g_ptr_array_index(watch.used, i);
		if (ask_used(w, &now))
			watch.used->pdata[n_used++] = w;
	}
	g_ptr_array_set_size(watch.used, (int)n_used);
	if (now != watch.current)
		make_current(watch.current);
	if (watch.current)
		note_used(watch.current);
}
