/* SPDX-License-Identifier: MIT */
/*
 * egl_gbm: checks what becomes of what EGL and GBM say, by an EGL and a GBM that are made up here:
 * libepoxy's pointers are set, and the linker puts the rest in libgbm's place.
 */
#include "render/gl/egl_gbm.h"

#include <drm_fourcc.h>
#include <epoxy/egl.h>
#include <gbm.h>
#include <glib.h>
#include <string.h>

#define FOURCC DRM_FORMAT_XRGB8888
#define LINEAR DRM_FORMAT_MOD_LINEAR
#define INVALID DRM_FORMAT_MOD_INVALID
#define X_TILED I915_FORMAT_MOD_X_TILED
#define Y_TILED I915_FORMAT_MOD_Y_TILED
/* Has a plane of its own for compression. */
#define TWO_PLANES I915_FORMAT_MOD_Y_TILED_CCS

static struct {
	unsigned n;
	EGLuint64KHR modifiers[4];
	EGLBoolean sampled[4]; /* external only, as EGL calls it */
	const char *lacks;     /* an extension of EGL */
} egl;

static struct {
	uint32_t width, flags; /* of the buffer made last */
	int planes;
	bool unmapped;
} made;

static struct gbm_bo *const the_bo = (struct gbm_bo *)&made;

/* ---- EGL ---- */

static EGLBoolean query_modifiers(EGLDisplay display, EGLint format, EGLint max,
	EGLuint64KHR *modifiers, EGLBoolean *sampled, EGLint *n)
{
	g_assert_cmpint(format, ==, FOURCC);
	memcpy(modifiers, egl.modifiers, sizeof(egl.modifiers));
	memcpy(sampled, egl.sampled, sizeof(egl.sampled));
	*n = (EGLint)egl.n;
	return EGL_TRUE;
}

bool __wrap_egl_display_has(const char *extension);
bool __wrap_egl_display_has(const char *extension)
{
	return g_strcmp0(extension, egl.lacks) != 0;
}

struct gbm_device *__wrap_egl_display_get_gbm(void);
struct gbm_device *__wrap_egl_display_get_gbm(void)
{
	return (struct gbm_device *)&egl;
}

/* ---- GBM ---- */

int __wrap_gbm_device_get_format_modifier_plane_count(
	struct gbm_device *gbm, uint32_t format, uint64_t modifier);
int __wrap_gbm_device_get_format_modifier_plane_count(
	struct gbm_device *gbm, uint32_t format, uint64_t modifier)
{
	return modifier == TWO_PLANES ? 2 : 1;
}

struct gbm_bo *__wrap_gbm_bo_create(
	struct gbm_device *gbm, uint32_t width, uint32_t height, uint32_t format, uint32_t flags);
struct gbm_bo *__wrap_gbm_bo_create(
	struct gbm_device *gbm, uint32_t width, uint32_t height, uint32_t format, uint32_t flags)
{
	made.width = width;
	made.flags = flags;
	return the_bo;
}

int __wrap_gbm_bo_get_plane_count(struct gbm_bo *bo);
int __wrap_gbm_bo_get_plane_count(struct gbm_bo *bo)
{
	return made.planes;
}

int __wrap_gbm_bo_get_fd(struct gbm_bo *bo);
int __wrap_gbm_bo_get_fd(struct gbm_bo *bo)
{
	return -1;
}

void *__wrap_gbm_bo_map(struct gbm_bo *bo, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
	uint32_t flags, uint32_t *stride_bytes, void **data);
void *__wrap_gbm_bo_map(struct gbm_bo *bo, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
	uint32_t flags, uint32_t *stride_bytes, void **data)
{
	return NULL;
}

void __wrap_gbm_bo_destroy(struct gbm_bo *bo);
void __wrap_gbm_bo_destroy(struct gbm_bo *bo)
{
	g_assert_true(bo == the_bo);
}

/* ---- tests ---- */

static void say(unsigned n, const EGLuint64KHR *modifiers, const EGLBoolean *sampled)
{
	memset(&egl, 0, sizeof(egl));
	egl.n = n;
	for (unsigned i = 0; i < n; i++) {
		egl.modifiers[i] = modifiers[i];
		egl.sampled[i] = sampled[i];
	}
}

static void test_linear(void)
{
	static const struct {
		unsigned n;
		EGLuint64KHR modifiers[2];
		EGLBoolean sampled[2];
		bool draws;
	} cases[] = {
		{ 0, { 0 }, { 0 }, true }, /* such as AMD's before gfx9: no modifiers at all */
		{ 1, { LINEAR }, { EGL_FALSE }, true },
		{ 2, { X_TILED, LINEAR }, { EGL_FALSE, EGL_FALSE }, true },
		{ 1, { LINEAR }, { EGL_TRUE }, false },
		{ 2, { X_TILED, LINEAR }, { EGL_FALSE, EGL_TRUE }, false },
		{ 1, { X_TILED }, { EGL_FALSE }, false },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		say(cases[i].n, cases[i].modifiers, cases[i].sampled);
		g_assert_cmpint(egl_gbm_draws_linear(FOURCC), ==, cases[i].draws);
	}
	egl.lacks = "EGL_EXT_image_dma_buf_import_modifiers";
	g_assert_true(egl_gbm_draws_linear(FOURCC));
}

static void test_modifiers(void)
{
	static const EGLuint64KHR said[] = { LINEAR, X_TILED, TWO_PLANES, Y_TILED };
	static const EGLBoolean sampled[] = { EGL_FALSE, EGL_TRUE, EGL_FALSE, EGL_FALSE };
	uint64_t modifiers[EGL_GBM_MODIFIERS_MAX];
	say(4, said, sampled);
	g_assert_cmpuint(egl_gbm_query_modifiers(FOURCC, modifiers), ==, 1);
	g_assert_cmphex(modifiers[0], ==, Y_TILED);
}

static const char *make(uint32_t width, uint64_t modifier)
{
	const char *why = NULL;
	g_assert_null(egl_gbm_buffer_create(width, 768, FOURCC, &modifier, 1, &why));
	return why;
}

static void test_width(void)
{
	made.planes = 2; /* so that the rest is not made */
	make(1366, LINEAR);
	g_assert_cmpuint(made.width, ==, 1408);
	g_assert_true(made.flags & GBM_BO_USE_LINEAR);
	make(1920, LINEAR);
	g_assert_cmpuint(made.width, ==, 1920);
	make(1, LINEAR);
	g_assert_cmpuint(made.width, ==, 64);
	make(1366, INVALID);
	g_assert_cmpuint(made.width, ==, 1366);
	g_assert_false(made.flags & GBM_BO_USE_LINEAR);
}

static void test_export(void)
{
	made.planes = 1;
	g_assert_cmpstr(make(64, LINEAR), ==, "it cannot be exported");
}

static void test_no_map(void)
{
	struct egl_gbm_buffer buffer = { .width = 64, .height = 64, .fourcc = FOURCC };
	g_assert_nonnull(egl_gbm_buffer_check(&buffer));
	buffer.fourcc = DRM_FORMAT_XRGB2101010;
	g_assert_nonnull(egl_gbm_buffer_check(&buffer));
	buffer.width = buffer.height = 1;
	g_assert_nonnull(egl_gbm_buffer_check(&buffer));
}

static void test_usable(void)
{
	static const char *const needed[] = { "EGL_KHR_image_base",
		"EGL_EXT_image_dma_buf_import" };
	for (unsigned i = 0; i < G_N_ELEMENTS(needed); i++) {
		const char *why = NULL;
		egl.lacks = needed[i];
		g_assert_false(egl_gbm_is_usable(&why));
		g_assert_cmpstr(why, ==, "EGL imports no dma-bufs");
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	epoxy_eglQueryDmaBufModifiersEXT = query_modifiers;
	g_test_add_func("/egl-gbm/linear", test_linear);
	g_test_add_func("/egl-gbm/modifiers", test_modifiers);
	g_test_add_func("/egl-gbm/width", test_width);
	g_test_add_func("/egl-gbm/export", test_export);
	g_test_add_func("/egl-gbm/no-map", test_no_map);
	g_test_add_func("/egl-gbm/usable", test_usable);
	return g_test_run();
}
