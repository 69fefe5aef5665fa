/* SPDX-License-Identifier: MIT */
#include "kms_output.h"

#include <EGL/eglext.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static bool output_fail(const char *what)
{
	fprintf(stderr, "kms_output: %s: %s\n", what, strerror(errno));
	return false;
}

/*
 * Finds an object's property by name, with its value and id. Returns false when it has none of that
 * name.
 */
static bool property_find(
	int fd, uint32_t object, uint32_t type, const char *name, uint32_t *id, uint64_t *value)
{
	drmModeObjectProperties *list = drmModeObjectGetProperties(fd, object, type);
	bool found = false;

	for (uint32_t i = 0; list && i < list->count_props && !found; i++) {
		drmModePropertyRes *property = drmModeGetProperty(fd, list->props[i]);

		found = property && strcmp(property->name, name) == 0;
		if (found) {
			*id = property->prop_id;
			*value = list->prop_values[i];
		}
		drmModeFreeProperty(property);
	}
	drmModeFreeObjectProperties(list);
	return found;
}

static void property_add(drmModeAtomicReq *request, int fd, uint32_t object, uint32_t type,
	const char *name, uint64_t value)
{
	uint64_t old;
	uint32_t id;

	if (property_find(fd, object, type, name, &id, &old))
		drmModeAtomicAddProperty(request, object, id, value);
}

static bool connector_pick(struct kms_output *output)
{
	drmModeRes *resources = drmModeGetResources(output->fd);

	for (int i = 0; resources && i < resources->count_connectors && !output->connector; i++) {
		drmModeConnector *connector =
			drmModeGetConnector(output->fd, resources->connectors[i]);

		if (connector && connector->connection == DRM_MODE_CONNECTED &&
			connector->count_modes > 0) {
			output->connector = connector->connector_id;
			output->mode = connector->modes[0];
			output->crtc = resources->crtcs[i];
		}
		drmModeFreeConnector(connector);
	}
	drmModeFreeResources(resources);
	output->width = output->mode.hdisplay;
	output->height = output->mode.vdisplay;
	return output->connector != 0 || output_fail("no connected screen");
}

static bool plane_pick(struct kms_output *output)
{
	drmModePlaneRes *planes = drmModeGetPlaneResources(output->fd);

	for (uint32_t i = 0; planes && i < planes->count_planes && !output->plane; i++) {
		uint64_t type = 0;
		uint32_t id;

		property_find(
			output->fd, planes->planes[i], DRM_MODE_OBJECT_PLANE, "type", &id, &type);
		if (type == DRM_PLANE_TYPE_PRIMARY)
			output->plane = planes->planes[i];
	}
	drmModeFreePlaneResources(planes);
	return output->plane != 0 || output_fail("no primary plane");
}

static bool gl_start(struct kms_output *output)
{
	static const EGLint context_attributes[] = { EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE };
	EGLConfig configs[64];
	EGLint n_configs = 0, format = 0;

	output->gbm = gbm_create_device(output->fd);
	output->egl = eglGetPlatformDisplay(EGL_PLATFORM_GBM_KHR, output->gbm, NULL);
	if (!eglInitialize(output->egl, NULL, NULL) || !eglBindAPI(EGL_OPENGL_ES_API) ||
		!eglGetConfigs(output->egl, configs, 64, &n_configs))
		return output_fail("no EGL");
	for (int i = 0; i < n_configs && format != GBM_FORMAT_XRGB8888; i++) {
		configs[0] = configs[i];
		eglGetConfigAttrib(output->egl, configs[i], EGL_NATIVE_VISUAL_ID, &format);
	}
	output->surface =
		gbm_surface_create(output->gbm, (uint32_t)output->width, (uint32_t)output->height,
			GBM_FORMAT_XRGB8888, GBM_BO_USE_SCANOUT | GBM_BO_USE_RENDERING);
	EGLContext context =
		eglCreateContext(output->egl, configs[0], EGL_NO_CONTEXT, context_attributes);
	output->egl_surface =
		eglCreatePlatformWindowSurface(output->egl, configs[0], output->surface, NULL);
	return eglMakeCurrent(output->egl, output->egl_surface, output->egl_surface, context) ||
	       output_fail("no GLES");
}

bool kms_output_open(struct kms_output *output)
{
	*output = (struct kms_output){ .fd = open("/dev/dri/card0", O_RDWR | O_CLOEXEC) };
	if (output->fd < 0 || drmSetClientCap(output->fd, DRM_CLIENT_CAP_ATOMIC, 1) < 0)
		return output_fail("/dev/dri/card0");
	return connector_pick(output) && plane_pick(output) && gl_start(output);
}

int kms_output_buffer_age(const struct kms_output *output)
{
	EGLint age = 0;

	eglQuerySurface(output->egl, output->egl_surface, EGL_BUFFER_AGE_EXT, &age);
	return age;
}

static uint32_t framebuffer_of(struct kms_output *output, struct gbm_bo *bo)
{
	uint32_t handles[4] = { gbm_bo_get_handle(bo).u32 }, strides[4] = { gbm_bo_get_stride(bo) },
		 offsets[4] = { 0 };
	uint32_t id = (uint32_t)(uintptr_t)gbm_bo_get_user_data(bo);

	if (id)
		return id;
	if (drmModeAddFB2(output->fd, (uint32_t)output->width, (uint32_t)output->height,
		    GBM_FORMAT_XRGB8888, handles, strides, offsets, &id, 0) < 0)
		return 0;
	gbm_bo_set_user_data(bo, (void *)(uintptr_t)id, NULL);
	return id;
}

static void request_mode(struct kms_output *output, drmModeAtomicReq *request)
{
	const struct {
		const char *name;
		uint64_t value;
	} places[] = {
		{ "CRTC_ID", output->crtc },
		{ "SRC_W", (uint64_t)output->width << 16 },
		{ "SRC_H", (uint64_t)output->height << 16 },
		{ "CRTC_W", (uint64_t)output->width },
		{ "CRTC_H", (uint64_t)output->height },
		{ "SRC_X", 0 },
		{ "SRC_Y", 0 },
		{ "CRTC_X", 0 },
		{ "CRTC_Y", 0 },
	};
	uint32_t blob = 0;

	drmModeCreatePropertyBlob(output->fd, &output->mode, sizeof(output->mode), &blob);
	property_add(request, output->fd, output->connector, DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID",
		output->crtc);
	property_add(request, output->fd, output->crtc, DRM_MODE_OBJECT_CRTC, "MODE_ID", blob);
	property_add(request, output->fd, output->crtc, DRM_MODE_OBJECT_CRTC, "ACTIVE", 1);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		property_add(request, output->fd, output->plane, DRM_MODE_OBJECT_PLANE,
			places[i].name, places[i].value);
}

bool kms_output_flip(struct kms_output *output, const int damage[4])
{
	const uint32_t flags = output->mode_is_set ?
				       DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT :
				       DRM_MODE_ATOMIC_ALLOW_MODESET;
	static uint32_t fb_property, damage_property;
	uint64_t old;
	uint32_t clips = 0;

	eglSwapBuffers(output->egl, output->egl_surface);
	output->next = gbm_surface_lock_front_buffer(output->surface);
	const uint32_t fb = framebuffer_of(output, output->next);
	if (!fb_property) {
		property_find(output->fd, output->plane, DRM_MODE_OBJECT_PLANE, "FB_ID",
			&fb_property, &old);
		property_find(output->fd, output->plane, DRM_MODE_OBJECT_PLANE, "FB_DAMAGE_CLIPS",
			&damage_property, &old);
	}
	drmModeAtomicReq *request = drmModeAtomicAlloc();
	drmModeAtomicAddProperty(request, output->plane, fb_property, fb);
	if (!output->mode_is_set)
		request_mode(output, request);
	if (damage && damage_property &&
		drmModeCreatePropertyBlob(output->fd, damage, 4 * sizeof(damage[0]), &clips) == 0)
		drmModeAtomicAddProperty(request, output->plane, damage_property, clips);
	const int result = drmModeAtomicCommit(output->fd, request, flags, output);
	drmModeAtomicFree(request);
	if (clips)
		drmModeDestroyPropertyBlob(output->fd, clips);
	if (result < 0)
		return output_fail("atomic commit");
	if (output->mode_is_set) {
		output->flip_pending = true;
	} else {
		output->shown = output->next;
		output->mode_is_set = true;
	}
	return true;
}

static void flipped(int fd, unsigned sequence, unsigned seconds, unsigned microseconds, void *user)
{
	struct kms_output *output = user;

	if (output->shown)
		gbm_surface_release_buffer(output->surface, output->shown);
	output->shown = output->next;
	output->flip_pending = false;
}

void kms_output_dispatch(struct kms_output *output)
{
	drmEventContext context = { .version = 2, .page_flip_handler = flipped };

	drmHandleEvent(output->fd, &context);
}
