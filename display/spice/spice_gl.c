/* SPDX-License-Identifier: MIT */
#include "display/spice/spice_gl.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <spice.h>

/* A draw is known by this cookie when it is done; spice_qxl_monitors_config_async() has 0. */
#define DRAW_COOKIE 0x766974u

#define FORMAT_BOTH_LAYOUTS(fourcc)                                                                \
	{ fourcc, 0, DRM_FORMAT_MOD_INVALID },                                                     \
	{                                                                                          \
		fourcc, 0, DRM_FORMAT_MOD_LINEAR                                                   \
	}
const struct frame_format spice_gl_formats[SPICE_GL_FORMATS] = {
	FORMAT_BOTH_LAYOUTS(DRM_FORMAT_XRGB8888),
	FORMAT_BOTH_LAYOUTS(DRM_FORMAT_ARGB8888),
	FORMAT_BOTH_LAYOUTS(DRM_FORMAT_XBGR8888),
	FORMAT_BOTH_LAYOUTS(DRM_FORMAT_ABGR8888),
	FORMAT_BOTH_LAYOUTS(DRM_FORMAT_XRGB2101010),
	FORMAT_BOTH_LAYOUTS(DRM_FORMAT_XBGR2101010),
};
#undef FORMAT_BOTH_LAYOUTS

struct spice_gl {
	QXLInstance *instance;
	const struct spice_gl_ops *ops;
	void *user;

	struct frame *shown;   /* acknowledged: what the client has on its screen */
	struct frame *drawing; /* given to spice-server, not acknowledged */
	struct frame *next;    /* waits */
	struct rect damage;    /* of next, with all that it replaced */
	bool scanout;          /* spice-server has a dma-buf */
	bool leaving;
	guint timer;   /* of the draw under way, 0: none */
	guint again;   /* an idle source that draws once more, 0: none */
	int completed; /* atomic: on_completed is due */
};

struct spice_gl *spice_gl_create(struct QXLInstance *instance)
{
	struct spice_gl *gl = g_new0(struct spice_gl, 1);
	gl->instance = instance;
	return gl;
}

void spice_gl_set_ops(struct spice_gl *gl, const struct spice_gl_ops *ops, void *user)
{
	gl->ops = ops;
	gl->user = user;
}

static void let_go(struct frame **frame)
{
	frame_unref(g_steal_pointer(frame));
}

void spice_gl_destroy(struct spice_gl *gl)
{
	if (!gl)
		return;
	g_clear_handle_id(&gl->timer, g_source_remove);
	g_clear_handle_id(&gl->again, g_source_remove);
	if (g_atomic_int_get(&gl->completed))
		g_source_remove_by_user_data(gl);
	let_go(&gl->shown);
	let_go(&gl->drawing);
	let_go(&gl->next);
	g_free(gl);
}

bool spice_gl_is_on(const struct spice_gl *gl)
{
	return gl->scanout;
}

static void finish_leaving(struct spice_gl *gl)
{
	g_assert(gl->scanout && !gl->drawing && !gl->next);
	spice_qxl_gl_scanout(gl->instance, -1, 0, 0, 0, 0, FALSE);
	gl->scanout = gl->leaving = false;
	let_go(&gl->shown);
	gl->ops->left(gl->user);
}

static gboolean on_timeout(gpointer user)
{
	struct spice_gl *gl = user;
	gl->timer = 0;
	gl->ops->stalled(gl->user);
	return G_SOURCE_REMOVE;
}

/* Gives spice-server a duplicate of the frame's descriptor. */
static bool set_scanout(struct spice_gl *gl, const struct frame *frame)
{
	const struct frame_dmabuf *dmabuf = frame->dmabuf;
	int fd = fcntl(dmabuf->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		g_warning(
			"head %u: cannot hand over a dma-buf: %s", frame->head, g_strerror(errno));
		return false;
	}
	spice_qxl_gl_scanout(gl->instance, fd, frame->width, frame->height, dmabuf->stride_bytes,
		dmabuf->fourcc, TRUE);
	gl->scanout = true;
	return true;
}

static void draw(struct spice_gl *gl)
{
	g_assert(gl->next && !gl->drawing);
	struct frame *frame = g_steal_pointer(&gl->next);
	struct rect damage = gl->damage;
	gl->damage = (struct rect){ 0 };
	if (!set_scanout(gl, frame)) {
		frame_unref(frame);
		return;
	}
	gl->drawing = frame;
	gl->timer = g_timeout_add(SPICE_GL_TIMEOUT_MS, on_timeout, gl);
	spice_qxl_gl_draw_async(
		gl->instance, damage.x, damage.y, damage.width, damage.height, DRAW_COOKIE);
}

static gboolean on_completed(gpointer user)
{
	struct spice_gl *gl = user;
	g_atomic_int_set(&gl->completed, 0);
	g_clear_handle_id(&gl->timer, g_source_remove);
	let_go(&gl->shown);
	gl->shown = g_steal_pointer(&gl->drawing);
	if (gl->leaving)
		finish_leaving(gl);
	else if (gl->next)
		draw(gl);
	return G_SOURCE_REMOVE;
}

bool spice_gl_completed(struct spice_gl *gl, uint64_t cookie)
{
	if (cookie != DRAW_COOKIE)
		return false;
	g_atomic_int_set(&gl->completed, 1);
	g_idle_add_full(G_PRIORITY_DEFAULT, on_completed, gl, NULL);
	return true;
}

/*
 * The rectangles are render's and may lie anywhere: what of them lies outside the frame is cut off.
 */
static void add_damage(
	struct spice_gl *gl, const struct frame *frame, const struct frame_present *message)
{
	const struct rect all = { 0, 0, frame->width, frame->height };
	for (uint32_t i = 0; i < message->n_rects; i++) {
		struct rect rect;
		if (!rect_intersect(&message->rects[i], &all, &rect))
			continue;
		gl->damage = rect_is_empty(&gl->damage) ? rect : rect_join(&gl->damage, &rect);
	}
	/* What lies outside is damage of predecessors, which may have been of another size. */
	if (!rect_intersect(&gl->damage, &all, &gl->damage))
		gl->damage = all;
}

void spice_gl_show(struct spice_gl *gl, struct frame *frame, const struct frame_present *message)
{
	g_assert(gl->ops && frame->dmabuf);
	gl->leaving = false;
	let_go(&gl->next);
	add_damage(gl, frame, message);
	gl->next = frame;
	if (!gl->drawing)
		draw(gl);
}

static gboolean on_again(gpointer user)
{
	struct spice_gl *gl = user;
	struct frame *frame = gl->drawing ? gl->drawing : gl->shown;
	gl->again = 0;
	if (gl->leaving || gl->next || !frame)
		return G_SOURCE_REMOVE;
	gl->next = frame_ref(frame);
	gl->damage = (struct rect){ 0, 0, frame->width, frame->height };
	if (!gl->drawing)
		draw(gl);
	return G_SOURCE_REMOVE;
}

/* Does not draw at once: spice-server has not told its worker of the client yet. */
void spice_gl_new_viewer(struct spice_gl *gl)
{
	if (gl->scanout && !gl->again)
		gl->again = g_idle_add(on_again, gl);
}

void spice_gl_leave(struct spice_gl *gl)
{
	let_go(&gl->next);
	if (!gl->scanout || gl->leaving)
		return;
	gl->leaving = true;
	if (!gl->drawing)
		finish_leaving(gl);
}
