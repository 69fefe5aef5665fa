/* SPDX-License-Identifier: MIT */
#include "guest-tools/common/gl.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <EGL/egl.h>
#include <EGL/eglext.h>

#include "guest-tools/common/array.h"
#include "guest-tools/common/descriptor.h"
#include "guest-tools/common/text.h"

struct gbm_device;

#define EGL_FUNCTIONS(X)                                                                           \
	X(GETPROCADDRESS, GetProcAddress)                                                          \
	X(INITIALIZE, Initialize)                                                                  \
	X(BINDAPI, BindAPI)                                                                        \
	X(CHOOSECONFIG, ChooseConfig)                                                              \
	X(CREATECONTEXT, CreateContext)                                                            \
	X(DESTROYCONTEXT, DestroyContext)                                                          \
	X(MAKECURRENT, MakeCurrent)                                                                \
	X(QUERYSTRING, QueryString)                                                                \
	X(GETERROR, GetError)                                                                      \
	X(TERMINATE, Terminate)
#define EGL_MEMBER(type, name) PFNEGL##type##PROC name;

struct gl_private {
	void *egl_library, *gbm_library, *gles_library;
	int fd;
	struct gbm_device *gbm;
	EGLDisplay display;
	EGLContext context;
	EGL_FUNCTIONS(EGL_MEMBER)
	struct gbm_device *(*gbm_create)(int fd);
	void (*gbm_destroy)(struct gbm_device *device);
};

const char *const gl_libraries[] = { "libdrm.so.2", "libgbm.so.1", "libEGL.so.1", "libGLESv2.so.2",
	NULL };

bool gl_library_find(const char *name, char *path, size_t size)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	struct link_map *map;
	if (path)
		text_copy(path, size, name);
	if (!library)
		return false;
	if (path && dlinfo(library, RTLD_DI_LINKMAP, &map) == 0)
		text_copy(path, size, map->l_name);
	return true;
}

static bool fail(struct gl *gl, enum gl_stage stage, const char *what, const char *why)
{
	gl->failed_at = stage;
	snprintf(gl->error, sizeof gl->error, "%s%s%s", what, why ? ": " : "", why ? why : "");
	return false;
}

static const char *egl_error_name(EGLint error)
{
	static const char *const names[] = { "success", "not initialized", "bad access",
		"bad alloc", "bad attribute", "bad config", "bad context", "bad current surface",
		"bad display", "bad match", "bad native pixmap", "bad native window",
		"bad parameter", "bad surface", "context lost" };
	unsigned index = (unsigned)(error - EGL_SUCCESS);
	return index < ARRAY_LENGTH(names) ? names[index] : "unknown";
}

static void *open_library(struct gl *gl, const char *name)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		const char *why = dlerror();
		text_copy(gl->missing, sizeof gl->missing, name);
		fail(gl, GL_STAGE_LIBRARY, why ? why : name, NULL);
	}
	return library;
}

static bool load_libraries(struct gl *gl, bool with_gbm)
{
	struct gl_private *own = gl->own;
	if (with_gbm && !(own->gbm_library = open_library(gl, "libgbm.so.1")))
		return false;
	if (!(own->egl_library = open_library(gl, "libEGL.so.1")) ||
		!(own->gles_library = open_library(gl, "libGLESv2.so.2")))
		return false;
#define EGL_LOAD(type, name)                                                                       \
	own->name = (PFNEGL##type##PROC)dlsym(own->egl_library, "egl" #name);                      \
	if (!own->name) {                                                                          \
		text_copy(gl->missing, sizeof gl->missing, "libEGL.so.1");                         \
		return fail(gl, GL_STAGE_LIBRARY, "libEGL.so.1 lacks egl" #name, NULL);            \
	}
	EGL_FUNCTIONS(EGL_LOAD)
	if (with_gbm) {
		*(void **)&own->gbm_create = dlsym(own->gbm_library, "gbm_create_device");
		*(void **)&own->gbm_destroy = dlsym(own->gbm_library, "gbm_device_destroy");
		if (!own->gbm_create || !own->gbm_destroy)
			return fail(
				gl, GL_STAGE_LIBRARY, "libgbm.so.1 lacks gbm_create_device", NULL);
	}
	return true;
}

static bool open_display(struct gl *gl, const char *node)
{
	struct gl_private *own = gl->own;
	EGLint major, minor;
	if (node) {
		own->fd = open(node, O_RDWR | O_CLOEXEC);
		if (own->fd < 0)
			return fail(gl, GL_STAGE_NODE, node, strerror(errno));
		own->gbm = own->gbm_create(own->fd);
		if (!own->gbm)
			return fail(gl, GL_STAGE_GBM, "gbm_create_device", strerror(errno));
	}
	PFNEGLGETPLATFORMDISPLAYEXTPROC get_display =
		(PFNEGLGETPLATFORMDISPLAYEXTPROC)own->GetProcAddress("eglGetPlatformDisplayEXT");
	if (!get_display)
		return fail(gl, GL_STAGE_EGL_VENDOR, "EGL has no eglGetPlatformDisplayEXT", NULL);
	own->display = get_display(node ? EGL_PLATFORM_GBM_KHR : EGL_PLATFORM_SURFACELESS_MESA,
		node ? (void *)own->gbm : EGL_DEFAULT_DISPLAY, NULL);
	if (own->display == EGL_NO_DISPLAY)
		return fail(gl, GL_STAGE_EGL_VENDOR, "EGL knows no GBM display",
			egl_error_name(own->GetError()));
	if (!own->Initialize(own->display, &major, &minor))
		return fail(gl, GL_STAGE_DISPLAY, "eglInitialize", egl_error_name(own->GetError()));
	const char *vendor = own->QueryString(own->display, EGL_VENDOR);
	text_copy(gl->egl_vendor, sizeof gl->egl_vendor, vendor ? vendor : "?");
	return true;
}

static bool load_functions(struct gl *gl)
{
	struct gl_private *own = gl->own;
#define GL_LOAD(type, name)                                                                        \
	gl->fn.name = (PFNGL##type##PROC)dlsym(own->gles_library, "gl" #name);                     \
	if (!gl->fn.name)                                                                          \
		gl->fn.name = (PFNGL##type##PROC)own->GetProcAddress("gl" #name);                  \
	if (!gl->fn.name)                                                                          \
		return fail(gl, GL_STAGE_CONTEXT, "no function gl" #name, NULL);
	GL_FUNCTIONS(GL_LOAD)
#define GL_LOAD_31(type, name) gl->fn.name = (PFNGL##type##PROC)own->GetProcAddress("gl" #name);
	GL_FUNCTIONS_31(GL_LOAD_31)
	return true;
}

static EGLContext make_context(struct gl_private *own, EGLenum api, const EGLint *attributes)
{
	EGLint renderable = api == EGL_OPENGL_API ? EGL_OPENGL_BIT : EGL_OPENGL_ES2_BIT;
	const EGLint wanted[] = { EGL_SURFACE_TYPE, EGL_DONT_CARE, EGL_RENDERABLE_TYPE, renderable,
		EGL_NONE };
	EGLConfig config = NULL;
	EGLint n_configs = 0;
	if (!own->BindAPI(api) || !own->ChooseConfig(own->display, wanted, &config, 1, &n_configs))
		return EGL_NO_CONTEXT;
	EGLContext context = own->CreateContext(
		own->display, n_configs > 0 ? config : NULL, EGL_NO_CONTEXT, attributes);
	if (context == EGL_NO_CONTEXT)
		return context;
	if (own->MakeCurrent(own->display, EGL_NO_SURFACE, EGL_NO_SURFACE, context))
		return context;
	own->DestroyContext(own->display, context);
	return EGL_NO_CONTEXT;
}

static void take_string(struct gl *gl, GLenum name, char *out, size_t size)
{
	const char *text = (const char *)gl->fn.GetString(name);
	text_copy(out, size, text ? text : "");
}

/*
 * People ask for the desktop GL version first. A core context is tried, then any that the driver
 * gives.
 */
static void ask_desktop_version(struct gl *gl)
{
	struct gl_private *own = gl->own;
	static const EGLint core[] = { EGL_CONTEXT_MAJOR_VERSION, 3, EGL_CONTEXT_MINOR_VERSION, 2,
		EGL_CONTEXT_OPENGL_PROFILE_MASK, EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT, EGL_NONE };
	static const EGLint any[] = { EGL_NONE };
	EGLContext context = make_context(own, EGL_OPENGL_API, core);
	if (context == EGL_NO_CONTEXT)
		context = make_context(own, EGL_OPENGL_API, any);
	if (context == EGL_NO_CONTEXT)
		return;
	take_string(gl, GL_VERSION, gl->desktop_version, sizeof gl->desktop_version);
	own->MakeCurrent(own->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
	own->DestroyContext(own->display, context);
}

static bool open_context(struct gl *gl)
{
	struct gl_private *own = gl->own;
	for (int version = 3; version >= 2 && own->context == EGL_NO_CONTEXT; version--) {
		const EGLint attributes[] = { EGL_CONTEXT_CLIENT_VERSION, version, EGL_NONE };
		own->context = make_context(own, EGL_OPENGL_ES_API, attributes);
	}
	if (own->context == EGL_NO_CONTEXT)
		return fail(gl, GL_STAGE_CONTEXT, "no OpenGL ES context",
			egl_error_name(own->GetError()));
	take_string(gl, GL_RENDERER, gl->renderer, sizeof gl->renderer);
	take_string(gl, GL_VERSION, gl->es_version, sizeof gl->es_version);
	sscanf(gl->es_version, "OpenGL ES %d.%d", &gl->es_major, &gl->es_minor);
	gl->is_31 = gl->es_major * 10 + gl->es_minor >= 31 && gl->fn.DispatchCompute;
	return true;
}

bool gl_open(struct gl *gl, const char *node)
{
	memset(gl, 0, sizeof *gl);
	gl->own = calloc(1, sizeof *gl->own);
	if (!gl->own)
		return false;
	gl->own->fd = -1;
	gl->on_gbm = node != NULL;
	if (!load_libraries(gl, node != NULL) || !open_display(gl, node) || !load_functions(gl))
		return false;
	ask_desktop_version(gl);
	return open_context(gl);
}

void gl_close(struct gl *gl)
{
	struct gl_private *own = gl->own;
	if (!own)
		return;
	if (own->display != EGL_NO_DISPLAY && own->Terminate) {
		own->MakeCurrent(own->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
		if (own->context != EGL_NO_CONTEXT)
			own->DestroyContext(own->display, own->context);
		own->Terminate(own->display);
	}
	if (own->gbm)
		own->gbm_destroy(own->gbm);
	descriptor_close(own->fd);
	/* The libraries stay loaded, since Mesa does not survive being unloaded. */
	free(own);
	gl->own = NULL;
}

static GLuint compile(struct gl *gl, GLenum kind, const char *source)
{
	GLint ok = 0;
	GLuint shader = gl->fn.CreateShader(kind);
	gl->fn.ShaderSource(shader, 1, &source, NULL);
	gl->fn.CompileShader(shader);
	gl->fn.GetShaderiv(shader, GL_COMPILE_STATUS, &ok);
	if (ok)
		return shader;
	text_copy(gl->error, sizeof gl->error, "a shader did not compile");
	gl->fn.DeleteShader(shader);
	return 0;
}

static GLuint link_program(struct gl *gl, const GLuint *shaders, int n_shaders)
{
	GLint ok = 0;
	assert(gl->own); /* gl_open has made it, and gl_close has not freed it yet. */
	GLuint program = gl->fn.CreateProgram();
	for (int i = 0; i < n_shaders; i++) {
		gl->fn.AttachShader(program, shaders[i]);
		gl->fn.DeleteShader(shaders[i]);
	}
	gl->fn.LinkProgram(program);
	gl->fn.GetProgramiv(program, GL_LINK_STATUS, &ok);
	if (ok)
		return program;
	text_copy(gl->error, sizeof gl->error, "a program did not link");
	gl->fn.DeleteProgram(program);
	return 0;
}

GLuint gl_program(struct gl *gl, const char *vertex, const char *fragment)
{
	GLuint shaders[2] = { compile(gl, GL_VERTEX_SHADER, vertex), 0 };
	shaders[1] = shaders[0] ? compile(gl, GL_FRAGMENT_SHADER, fragment) : 0;
	return shaders[1] ? link_program(gl, shaders, 2) : 0;
}

GLuint gl_compute_program(struct gl *gl, const char *compute)
{
	GLuint shader = compile(gl, GL_COMPUTE_SHADER, compute);
	return shader ? link_program(gl, &shader, 1) : 0;
}

bool gl_target_init(struct gl *gl, struct gl_target *target, int width, int height)
{
	const struct gl_functions *fn = &gl->fn;
	assert(width > 0 && height > 0);
	target->width = width;
	target->height = height;
	fn->GenTextures(1, &target->texture);
	fn->BindTexture(GL_TEXTURE_2D, target->texture);
	fn->TexImage2D(
		GL_TEXTURE_2D, 0, GL_RGBA, width, height, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
	fn->TexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
	fn->TexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
	fn->GenRenderbuffers(1, &target->depth);
	fn->BindRenderbuffer(GL_RENDERBUFFER, target->depth);
	fn->RenderbufferStorage(GL_RENDERBUFFER, GL_DEPTH_COMPONENT16, width, height);
	fn->GenFramebuffers(1, &target->framebuffer);
	fn->BindFramebuffer(GL_FRAMEBUFFER, target->framebuffer);
	fn->FramebufferTexture2D(
		GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, target->texture, 0);
	fn->FramebufferRenderbuffer(
		GL_FRAMEBUFFER, GL_DEPTH_ATTACHMENT, GL_RENDERBUFFER, target->depth);
	fn->Viewport(0, 0, width, height);
	fn->PixelStorei(GL_PACK_ALIGNMENT, 4);
	fn->PixelStorei(GL_UNPACK_ALIGNMENT, 4);
	if (fn->CheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE)
		return true;
	text_copy(gl->error, sizeof gl->error, "the framebuffer is not complete");
	return false;
}

void gl_target_finish(struct gl *gl, struct gl_target *target)
{
	gl->fn.BindFramebuffer(GL_FRAMEBUFFER, 0);
	gl->fn.DeleteFramebuffers(1, &target->framebuffer);
	gl->fn.DeleteRenderbuffers(1, &target->depth);
	gl->fn.DeleteTextures(1, &target->texture);
	memset(target, 0, sizeof *target);
}
