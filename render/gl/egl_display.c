/* SPDX-License-Identifier: MIT */
#include "render/gl/egl_display.h"

#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <fcntl.h>
#include <gbm.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>

#define DEVICES_MAX 64

/* libepoxy 1.5.10 does not know this name of EGL_EXT_device_drm_render_node. */
#ifndef EGL_DRM_RENDER_NODE_FILE_EXT
#define EGL_DRM_RENDER_NODE_FILE_EXT 0x3377
#endif

static struct {
	EGLDisplay display;
	struct gbm_device *gbm;
	int gbm_fd;
	char renderer[128];
	EGLint reset_attribute; /* by which contexts are told of a GPU's reset; EGL_NONE: they are
				   not */
} egl = { .gbm_fd = -1, .reset_attribute = EGL_NONE };

const char *egl_platform_get_name(enum egl_platform platform)
{
	static const char *const names[] = {
		[EGL_ON_GBM] = "GBM",
		[EGL_ON_DEVICE] = "EGL device",
		[EGL_ON_NOTHING] = "EGL surfaceless",
	};
	return names[platform];
}

/* ---- the three ways ---- */

static EGLDisplay get_gbm_display(int node_fd, const char **why)
{
	egl.gbm_fd = fcntl(node_fd, F_DUPFD_CLOEXEC, 0);
	egl.gbm = egl.gbm_fd < 0 ? NULL : gbm_create_device(egl.gbm_fd);
	if (!egl.gbm) {
		*why = "its driver has no GBM";
		return EGL_NO_DISPLAY;
	}
	return eglGetPlatformDisplayEXT(EGL_PLATFORM_GBM_KHR, egl.gbm, NULL);
}

static bool is_device(EGLDeviceEXT device, const drmDevice *drm)
{
	static const struct {
		EGLint name;
		int node;
	} ways[] = {
		{ EGL_DRM_RENDER_NODE_FILE_EXT, DRM_NODE_RENDER },
		{ EGL_DRM_DEVICE_FILE_EXT, DRM_NODE_PRIMARY },
	};
	const char *extensions = eglQueryDeviceStringEXT(device, EGL_EXTENSIONS);
	if (!extensions || !strstr(extensions, "EGL_EXT_device_drm"))
		return false;
	for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
		const char *path = eglQueryDeviceStringEXT(device, ways[i].name);
		if (path && drm->available_nodes & (1 << ways[i].node) &&
			!strcmp(path, drm->nodes[ways[i].node]))
			return true;
	}
	return false;
}

static EGLDeviceEXT find_device(int node_fd)
{
	EGLDeviceEXT devices[DEVICES_MAX], found = EGL_NO_DEVICE_EXT;
	EGLint n_devices = 0;
	drmDevice *drm = NULL;
	if (!epoxy_has_egl_extension(EGL_NO_DISPLAY, "EGL_EXT_device_enumeration") ||
		!epoxy_has_egl_extension(EGL_NO_DISPLAY, "EGL_EXT_device_query") ||
		!eglQueryDevicesEXT(DEVICES_MAX, devices, &n_devices) ||
		drmGetDevice2(node_fd, 0, &drm) != 0)
		return EGL_NO_DEVICE_EXT;
	for (EGLint i = 0; i < n_devices && found == EGL_NO_DEVICE_EXT; i++) {
		if (is_device(devices[i], drm))
			found = devices[i];
	}
	drmFreeDevice(&drm);
	return found;
}

static EGLDisplay get_device_display(int node_fd, const char **why)
{
	EGLDeviceEXT device = find_device(node_fd);
	if (device == EGL_NO_DEVICE_EXT) {
		*why = "no EGL device belongs to it";
		return EGL_NO_DISPLAY;
	}
	return eglGetPlatformDisplayEXT(EGL_PLATFORM_DEVICE_EXT, device, NULL);
}

static EGLDisplay get_surfaceless_display(int node_fd, const char **why)
{
	if (!epoxy_has_egl_extension(EGL_NO_DISPLAY, "EGL_MESA_platform_surfaceless")) {
		*why = "EGL has no surfaceless platform";
		return EGL_NO_DISPLAY;
	}
	return eglGetPlatformDisplayEXT(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
}

/* ---- the display ---- */

/* Those that virglrenderer asks for, in its order (vrend_renderer.c: gl_versions). */
static const struct {
	int major, minor;
} versions[] = { { 4, 6 }, { 4, 5 }, { 4, 4 }, { 4, 3 }, { 4, 2 }, { 4, 1 }, { 4, 0 }, { 3, 3 },
	{ 3, 2 }, { 3, 1 }, { 3, 0 } };

static void *create_newest(void)
{
	void *context = NULL;
	for (unsigned i = 0; i < G_N_ELEMENTS(versions) && !context; i++)
		context = egl_context_create(false, versions[i].major, versions[i].minor);
	return context;
}

/*
 * Makes the first context, and finds out by it whether this display's contexts are told of a reset.
 * The first name is OpenGL's own (EGL 1.5, EGL_KHR_create_context), the second that of
 * EGL_EXT_create_context_robustness. Contexts that share anything must all be alike in this.
 */
static void *create_first_context(void)
{
	static const EGLint attributes[] = { EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY_KHR,
		EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY_EXT, EGL_NONE };
	void *context = NULL;
	for (unsigned i = 0; i < G_N_ELEMENTS(attributes) && !context; i++) {
		egl.reset_attribute = attributes[i];
		context = create_newest();
	}
	return context;
}

/* Says what there is instead of a context that virglrenderer takes: without one it would abort. */
static const char *describe_old(void)
{
	static char text[64];
	void *context = egl_context_create(false, 2, 0);
	if (!context)
		return "no OpenGL context can be made";
	const char *version =
		egl_context_make_current(context) ? (const char *)glGetString(GL_VERSION) : NULL;
	g_snprintf(text, sizeof(text), "OpenGL 3.0 is needed, and it has %.*s",
		version ? (int)strcspn(version, " ") : 4, version ? version : "less");
	egl_context_make_current(NULL);
	egl_context_destroy(context);
	return text;
}

static bool probe_context(const char **why)
{
	void *context = create_first_context();
	if (!context) {
		*why = describe_old();
		return false;
	}
	if (!egl_context_make_current(context)) {
		*why = "no OpenGL context can be used";
		egl_context_destroy(context);
		return false;
	}
	const char *renderer = (const char *)glGetString(GL_RENDERER);
	g_strlcpy(egl.renderer, renderer ? renderer : "unnamed", sizeof(egl.renderer));
	egl_context_make_current(NULL);
	egl_context_destroy(context);
	return true;
}

static bool start_display(const char **why)
{
	if (!eglInitialize(egl.display, NULL, NULL)) {
		*why = "EGL does not start";
		return false;
	}
	if (!egl_display_has("EGL_KHR_surfaceless_context") ||
		!egl_display_has("EGL_KHR_create_context") ||
		!egl_display_has("EGL_KHR_no_config_context")) {
		*why = "EGL is too old";
		return false;
	}
	return probe_context(why);
}

bool egl_display_open(enum egl_platform platform, int node_fd, const char **why)
{
	static EGLDisplay (*const ways[])(int node_fd, const char **why) = {
		[EGL_ON_GBM] = get_gbm_display,
		[EGL_ON_DEVICE] = get_device_display,
		[EGL_ON_NOTHING] = get_surfaceless_display,
	};
	*why = "EGL refuses a display";
	egl.display = EGL_NO_DISPLAY;
	if (epoxy_has_egl_extension(EGL_NO_DISPLAY, "EGL_EXT_platform_base"))
		egl.display = ways[platform](node_fd, why);
	if (egl.display != EGL_NO_DISPLAY && start_display(why))
		return true;
	egl_display_close();
	return false;
}

void egl_display_close(void)
{
	if (egl.display != EGL_NO_DISPLAY)
		eglTerminate(egl.display);
	if (egl.gbm)
		gbm_device_destroy(egl.gbm);
	if (egl.gbm_fd >= 0)
		close(egl.gbm_fd);
	memset(&egl, 0, sizeof(egl));
	egl.gbm_fd = -1;
	egl.reset_attribute = EGL_NONE;
}

void *egl_display_get(void)
{
	return egl.display;
}

struct gbm_device *egl_display_get_gbm(void)
{
	return egl.gbm;
}

bool egl_display_has(const char *extension)
{
	return egl.display != EGL_NO_DISPLAY && epoxy_has_egl_extension(egl.display, extension);
}

bool egl_display_tells_resets(void)
{
	return egl.reset_attribute != EGL_NONE;
}

const char *egl_display_get_renderer(void)
{
	return egl.renderer;
}

bool egl_display_is_software(void)
{
	return g_str_has_prefix(egl.renderer, "llvmpipe") ||
	       g_str_has_prefix(egl.renderer, "softpipe") ||
	       g_str_has_prefix(egl.renderer, "Software");
}

/* ---- contexts ---- */

void *egl_context_create(bool shared, int major, int minor)
{
	/*
	 * The last pair asks to be told, and not for robust access, by which GL would look at each
	 * access of a shader. It begins with EGL_NONE where there is nothing to ask for.
	 */
	const EGLint attributes[] = { EGL_CONTEXT_MAJOR_VERSION_KHR, major,
		EGL_CONTEXT_MINOR_VERSION_KHR, minor, egl.reset_attribute,
		EGL_LOSE_CONTEXT_ON_RESET_KHR, EGL_NONE };
	/* The interface is each thread's choice, and OpenGL ES is what a thread begins with. */
	if (!eglBindAPI(EGL_OPENGL_API))
		return NULL;
	EGLContext share = shared ? eglGetCurrentContext() : EGL_NO_CONTEXT;
	return eglCreateContext(egl.display, EGL_NO_CONFIG_KHR, share, attributes);
}

void egl_context_destroy(void *context)
{
	eglDestroyContext(egl.display, context);
}

bool egl_context_make_current(void *context)
{
	return eglMakeCurrent(egl.display, EGL_NO_SURFACE, EGL_NO_SURFACE, context);
}
