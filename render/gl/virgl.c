/* SPDX-License-Identifier: MIT */
#include "render/gl/virgl.h"

#include <epoxy/gl.h>
#include <errno.h>
#include <glib.h>
#include <linux/virtio_gpu.h>
#include <string.h>

/*
 * Without this the header has no version 4 of the callbacks, by which the display is ours
 * (egl_display.h).
 */
#define VIRGL_RENDERER_UNSTABLE_APIS
#include <virglrenderer.h>

#include "render/gl/egl_display.h"
#include "render/gl/gpu_reset.h"
#include "common/peer_log.h"
#include "render/gl/virgl_nodes.h"
#include "render/gl/virgl_quirks.h"
#include "render/gl/virgl_bounds.h"

static void (*fence_callback)(void *user, uint32_t sequence);
static void *fence_user;
static struct virgl_capset capsets[VIRGL_CAPSETS_MAX];
static unsigned n_capsets;
static bool has_asked; /* whether the GPU was reset, since virgl_poll() was called */

static void write_fence(void *cookie, uint32_t sequence)
{
	if (!has_asked)
		gpu_reset_ask();
	has_asked = true;
	fence_callback(fence_user, sequence);
}

static virgl_renderer_gl_context create_context(
	void *cookie, int scanout, struct virgl_renderer_gl_ctx_param *wanted)
{
	return egl_context_create(wanted->shared, wanted->major_ver, wanted->minor_ver);
}

static void destroy_context(void *cookie, virgl_renderer_gl_context context)
{
	if (!gpu_reset_leave(context))
		egl_context_destroy(context);
}

static int make_current(void *cookie, int scanout, virgl_renderer_gl_context context)
{
	gpu_reset_enter(context);
	return egl_context_make_current(context) ? 0 : -1;
}

static void *get_display(void *cookie)
{
	return egl_display_get();
}

static struct virgl_renderer_callbacks callbacks = {
	.version = 4,
	.write_fence = write_fence,
	.create_gl_context = create_context,
	.destroy_gl_context = destroy_context,
	.make_current = make_current,
	.get_egl_display = get_display,
};

/*
 * Logs all that virglrenderer says as information, since it reports and complains alike, mostly
 * because of what guests do. Whoever asked for what it refuses writes a warning.
 */
static void log_message(const char *format, va_list args)
{
	g_autofree char *text = g_strdup_vprintf(format, args);
	g_info("virglrenderer: %s", g_strchomp(text));
}

static void find_capsets(void)
{
	/* The ids are VIRTIO_GPU_CAPSET_VIRGL and _VIRGL2 (virtio 1.2, 5.7.6.8). */
	for (uint32_t id = 1; id <= VIRGL_CAPSETS_MAX; id++) {
		struct virgl_capset capset = { .id = id };
		virgl_renderer_get_cap_set(id, &capset.max_version, &capset.max_size_bytes);
		if (capset.max_size_bytes > 0)
			capsets[n_capsets++] = capset;
	}
}

bool virgl_init(const struct egl_choice *choice, void (*on_fence)(void *user, uint32_t sequence),
	void *user)
{
	fence_callback = on_fence;
	fence_user = user;
	virgl_set_debug_callback(log_message);
	virgl_nodes_hide();
	int result = virgl_renderer_init(&callbacks, VIRGL_RENDERER_THREAD_SYNC, &callbacks);
	virgl_nodes_show();
	if (result != 0) {
		g_warning("virglrenderer does not start (%d) on %s", result, choice->description);
		return false;
	}
	find_capsets();
	virgl_renderer_force_ctx_0();
	gpu_reset_own_current();
	virgl_quirks_apply();
	return true;
}

int virgl_get_poll_fd(void)
{
	return virgl_renderer_get_poll_fd();
}

void virgl_poll(void)
{
	has_asked = false;
	virgl_renderer_poll();
}

void virgl_enter_gl(void)
{
	virgl_renderer_force_ctx_0();
}

bool virgl_get_capset(uint32_t index, struct virgl_capset *capset)
{
	if (index >= n_capsets)
		return false;
	*capset = capsets[index];
	return true;
}

void virgl_fill_capset(const struct virgl_capset *capset, uint32_t version, void *to)
{
	memset(to, 0, capset->max_size_bytes);
	virgl_renderer_fill_caps(capset->id, version, to);
}

void virgl_fill_formats(uint32_t formats[VIRGL_BOUNDS_FORMAT_WORDS])
{
	memset(formats, 0, VIRGL_BOUNDS_FORMAT_WORDS * sizeof(*formats));
	for (unsigned i = 0; i < n_capsets; i++) {
		g_autofree uint32_t *caps = g_malloc0(capsets[i].max_size_bytes + sizeof(*caps));
		virgl_fill_capset(&capsets[i], capsets[i].max_version, caps);
		virgl_bounds_add_formats(formats, caps, capsets[i].max_size_bytes / sizeof(*caps));
	}
}

/* What fails may do so because the GPU was reset: then this does not return. */
static bool succeeded(int result, const char *what, uint32_t id)
{
	gpu_reset_serve(0);
	if (result == 0)
		return true;
	gpu_reset_ask();
	peer_warning(PEER_GUEST, "%s %u: virglrenderer refuses (%d)", what, id, result);
	return false;
}

/*
 * Making or destroying a context leaves its GL context current, while virglrenderer believes that
 * the one used before still is: the next commands of that one would go to the wrong GL context.
 */
bool virgl_create_context(uint32_t context, const char *name, uint32_t name_bytes)
{
	gpu_reset_name(context, name);
	gpu_reset_serve(context);
	int result = virgl_renderer_context_create(context, name_bytes, name);
	virgl_renderer_force_ctx_0();
	return succeeded(result, "context", context);
}

void virgl_destroy_context(uint32_t context)
{
	virgl_renderer_context_destroy(context);
	gpu_reset_name(context, NULL);
	virgl_renderer_force_ctx_0();
}

void virgl_enter_context(uint32_t context)
{
	uint32_t nothing = 0;
	gpu_reset_serve(context);
	virgl_renderer_submit_cmd(&nothing, (int)context, 0);
	gpu_reset_serve(0);
}

bool virgl_create_resource(const struct ledger_resource *d)
{
	struct virgl_renderer_resource_create_args args = { .handle = d->id,
		.target = d->target,
		.format = virgl_bounds_get_format(d),
		.bind = d->bind,
		.width = d->width,
		.height = d->height,
		.depth = d->depth,
		.array_size = d->array_size,
		.last_level = d->last_level,
		.nr_samples = d->nr_samples,
		.flags = d->flags };
	return succeeded(virgl_renderer_resource_create(&args, NULL, 0), "resource", d->id);
}

void virgl_destroy_resource(uint32_t resource)
{
	virgl_detach_backing(resource);
	virgl_renderer_resource_unref(resource);
}

bool virgl_attach_backing(uint32_t resource, const struct iovec *pieces, unsigned n_pieces)
{
	return succeeded(virgl_renderer_resource_attach_iov(
				 (int)resource, (struct iovec *)pieces, (int)n_pieces),
		"backing of resource", resource);
}

void virgl_detach_backing(uint32_t resource)
{
	struct iovec *pieces = NULL;
	int n_pieces = 0;
	virgl_renderer_resource_detach_iov((int)resource, &pieces, &n_pieces);
}

void virgl_attach_to_context(uint32_t context, uint32_t resource)
{
	virgl_renderer_ctx_attach_resource((int)context, (int)resource);
}

void virgl_detach_from_context(uint32_t context, uint32_t resource)
{
	virgl_renderer_ctx_detach_resource((int)context, (int)resource);
}

/* Gallium's box has this layout, which the public header leaves undefined. */
struct virgl_box {
	uint32_t x, y, z;
	uint32_t width, height, depth;
};

bool virgl_transfer_to_host(const struct virgl_transfer *t)
{
	struct virgl_box box = { t->x, t->y, t->z, t->width, t->height, t->depth };
	gpu_reset_serve(t->context);
	int result = virgl_renderer_transfer_write_iov(t->resource, t->context, (int)t->level,
		t->stride, t->layer_stride, &box, t->offset_bytes, NULL, 0);
	return succeeded(result, "transfer to resource", t->resource);
}

bool virgl_transfer_from_host(const struct virgl_transfer *t)
{
	struct virgl_box box = { t->x, t->y, t->z, t->width, t->height, t->depth };
	gpu_reset_serve(t->context);
	int result = virgl_renderer_transfer_read_iov(t->resource, t->context, t->level, t->stride,
		t->layer_stride, &box, t->offset_bytes, NULL, 0);
	return succeeded(result, "transfer from resource", t->resource);
}

bool virgl_submit(uint32_t context, void *commands, uint32_t n_dwords)
{
	gpu_reset_serve(context);
	int result = virgl_renderer_submit_cmd(commands, (int)context, (int)n_dwords);
	return succeeded(result, "commands of context", context);
}

bool virgl_fence_create(uint32_t sequence)
{
	if (virgl_renderer_create_fence((int)sequence, 0) == 0)
		return true;
	gpu_reset_ask();
	return false;
}

/*
 * The call also asks EGL to export the texture, and fails where that is not possible. What we want
 * is filled in before that, so we look at it and not at the result.
 */
bool virgl_resource_get_texture(const struct ledger_resource *resource, struct texture *texture)
{
	struct virgl_renderer_resource_info info = { 0 };
	if (resource->target != VIRGL_BOUNDS_TARGET_2D &&
		resource->target != VIRGL_BOUNDS_TARGET_RECT)
		return false;
	if (resource->nr_samples > 0)
		return false;
	virgl_renderer_force_ctx_0();
	virgl_renderer_resource_get_info((int)resource->id, &info);
	if (info.tex_id == 0)
		return false;
	*texture = (struct texture){ .gl_id = info.tex_id,
		.gl_target = GL_TEXTURE_2D,
		.width = info.width,
		.height = info.height,
		.bottom_up = info.flags & VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP };
	return true;
}
