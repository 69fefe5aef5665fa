/* SPDX-License-Identifier: MIT */
#include "tests/wire/consumer_gpu.h"

#include <drm_fourcc.h>
#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <errno.h>
#include <fcntl.h>
#include <gbm.h>
#include <glib.h>
#include <unistd.h>

#include "tests/wire/picture.h"

#define MODIFIERS_MAX 16

struct consumer_image {
	EGLImageKHR image;
	GLuint texture, framebuffer;
	uint32_t width, height;
};

static EGLDisplay display = EGL_NO_DISPLAY;
static bool is_blind; /* WIRE_NO_PIXELS: it takes buffers, and looks at none */

void consumer_gpu_open(const char *node)
{
	is_blind = !picture_is_drawn();
	if (is_blind)
		return;
	int fd = open(node, O_RDWR | O_CLOEXEC);
	struct gbm_device *gbm = fd < 0 ? NULL : gbm_create_device(fd);
	if (!gbm)
		g_error("%s: %s", node, g_strerror(errno));
	display = eglGetPlatformDisplayEXT(EGL_PLATFORM_GBM_KHR, gbm, NULL);
	if (!eglInitialize(display, NULL, NULL) || !eglBindAPI(EGL_OPENGL_API))
		g_error("%s: no EGL", node);
	EGLContext context = eglCreateContext(display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, NULL);
	if (!eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context))
		g_error("%s: no context", node);
}

bool consumer_gpu_is_open(void)
{
	return is_blind || display != EGL_NO_DISPLAY;
}

/* WIRE_MODIFIERS is a list of numbers with commas between them, such as 0x0,0x100000000000001. */
static unsigned list_modifiers(EGLuint64KHR modifiers[MODIFIERS_MAX])
{
	const char *list = g_getenv("WIRE_MODIFIERS");
	g_auto(GStrv) texts = g_strsplit(list ? list : "0x0", ",", MODIFIERS_MAX);
	unsigned n = g_strv_length(texts);
	for (unsigned i = 0; i < n; i++)
		modifiers[i] = g_ascii_strtoull(texts[i], NULL, 0);
	return n;
}

static unsigned query_modifiers(uint32_t fourcc, EGLuint64KHR modifiers[MODIFIERS_MAX])
{
	if (is_blind)
		return list_modifiers(modifiers);
	EGLBoolean external_only[MODIFIERS_MAX];
	EGLint n = 0;
	if (!epoxy_has_egl_extension(display, "EGL_EXT_image_dma_buf_import_modifiers") ||
		!eglQueryDmaBufModifiersEXT(
			display, (EGLint)fourcc, MODIFIERS_MAX, modifiers, external_only, &n))
		return 0;
	return (unsigned)n;
}

unsigned consumer_gpu_formats(
	struct frame_format formats[FRAME_FORMATS_MAX], enum consumer_dmabufs takes)
{
	static const uint32_t fourccs[] = { DRM_FORMAT_XRGB8888, DRM_FORMAT_XBGR8888,
		DRM_FORMAT_XRGB2101010, DRM_FORMAT_XBGR2101010 };
	unsigned n = 0;
	for (unsigned i = 0; i < G_N_ELEMENTS(fourccs); i++) {
		EGLuint64KHR modifiers[MODIFIERS_MAX] = { DRM_FORMAT_MOD_LINEAR };
		unsigned n_modifiers = 1;
		if (takes == CONSUMER_DMABUFS)
			n_modifiers = query_modifiers(fourccs[i], modifiers);
		for (unsigned k = 0; k < n_modifiers; k++)
			formats[n++] = (struct frame_format){ fourccs[i], 0, modifiers[k] };
		if (takes != CONSUMER_LINEAR_DMABUFS)
			formats[n++] =
				(struct frame_format){ fourccs[i], 0, DRM_FORMAT_MOD_INVALID };
	}
	return n;
}

static EGLImageKHR import_image(const struct frame_buffer_add *add, int fd)
{
	EGLint attributes[] = { EGL_WIDTH, (EGLint)add->width, EGL_HEIGHT, (EGLint)add->height,
		EGL_LINUX_DRM_FOURCC_EXT, (EGLint)add->fourcc, EGL_DMA_BUF_PLANE0_FD_EXT, fd,
		EGL_DMA_BUF_PLANE0_OFFSET_EXT, (EGLint)add->offset_bytes,
		EGL_DMA_BUF_PLANE0_PITCH_EXT, (EGLint)add->stride_bytes, EGL_NONE,
		(EGLint)(add->modifier & 0xffffffff), EGL_DMA_BUF_PLANE0_MODIFIER_HI_EXT,
		(EGLint)(add->modifier >> 32), EGL_NONE };
	if (add->modifier != DRM_FORMAT_MOD_INVALID)
		attributes[12] = EGL_DMA_BUF_PLANE0_MODIFIER_LO_EXT;
	return eglCreateImageKHR(display, EGL_NO_CONTEXT, EGL_LINUX_DMA_BUF_EXT, NULL, attributes);
}

struct consumer_image *consumer_gpu_import(const struct frame_buffer_add *add, int fd)
{
	struct consumer_image *image = g_new0(struct consumer_image, 1);
	image->width = add->width;
	image->height = add->height;
	if (is_blind)
		return image;
	image->image = import_image(add, fd);
	if (!image->image) {
		g_free(image);
		return NULL;
	}
	glGenTextures(1, &image->texture);
	glBindTexture(GL_TEXTURE_2D, image->texture);
	glEGLImageTargetTexture2DOES(GL_TEXTURE_2D, image->image);
	glGenFramebuffers(1, &image->framebuffer);
	glBindFramebuffer(GL_FRAMEBUFFER, image->framebuffer);
	glFramebufferTexture2D(
		GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, image->texture, 0);
	return image;
}

void consumer_gpu_free(struct consumer_image *image)
{
	if (!image || is_blind) {
		g_free(image);
		return;
	}
	glDeleteFramebuffers(1, &image->framebuffer);
	glDeleteTextures(1, &image->texture);
	eglDestroyImageKHR(display, image->image);
	g_free(image);
}

void consumer_gpu_read(const struct consumer_image *image, uint8_t *pixels)
{
	if (is_blind)
		return;
	glBindFramebuffer(GL_FRAMEBUFFER, image->framebuffer);
	glReadPixels(0, 0, (GLsizei)image->width, (GLsizei)image->height, GL_BGRA,
		GL_UNSIGNED_INT_8_8_8_8_REV, pixels);
}
