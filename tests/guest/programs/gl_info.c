/* SPDX-License-Identifier: MIT */
/*
 * gl-info tells who executes OpenGL in this guest. It uses EGL on GBM on the first DRM device and
 * prints GL_VENDOR, GL_RENDERER, GL_VERSION and GL_READBACK, one a line. A renderer's name is no
 * proof that it draws, so GL_READBACK clears a small buffer to a colour and compares. The exit
 * status is 0 when all of that went well.
 */
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <fcntl.h>
#include <gbm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int device_open(void)
{
	static const char *const paths[] = { "/dev/dri/renderD128", "/dev/dri/card0",
		"/dev/dri/card1" };
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < sizeof(paths) / sizeof(paths[0]); i++)
		fd = open(paths[i], O_RDWR | O_CLOEXEC);
	return fd;
}

static bool context_make(struct gbm_device *gbm)
{
	static const EGLint attributes[] = { EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE };
	EGLDisplay display = eglGetPlatformDisplay(EGL_PLATFORM_GBM_KHR, gbm, NULL);
	EGLContext context;

	if (!eglInitialize(display, NULL, NULL) || !eglBindAPI(EGL_OPENGL_ES_API))
		return false;
	context = eglCreateContext(display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, attributes);
	return context != EGL_NO_CONTEXT &&
	       eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context);
}

/* Clears an off-screen buffer to 0xff8000ff (R, G, B, A bytes ff 80 00 ff) and reads one pixel. */
static bool readback_is_right(void)
{
	static const uint8_t wanted[4] = { 0xff, 0x80, 0x00, 0xff };
	uint8_t pixel[4] = { 0 };
	GLuint texture, framebuffer;

	glGenTextures(1, &texture);
	glBindTexture(GL_TEXTURE_2D, texture);
	glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 64, 64, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
	glGenFramebuffers(1, &framebuffer);
	glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
	glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
	glClearColor(1.0f, 128 / 255.0f, 0.0f, 1.0f);
	glClear(GL_COLOR_BUFFER_BIT);
	glReadPixels(32, 32, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel);
	printf("GL_READBACK: %02x%02x%02x%02x\n", pixel[0], pixel[1], pixel[2], pixel[3]);
	return memcmp(pixel, wanted, sizeof(wanted)) == 0;
}

int main(void)
{
	const int fd = device_open();
	struct gbm_device *gbm = fd >= 0 ? gbm_create_device(fd) : NULL;

	if (!gbm) {
		fputs("gl-info: no usable DRM device\n", stderr);
		return 1;
	}
	if (!context_make(gbm)) {
		fprintf(stderr, "gl-info: no GLES context: EGL error 0x%x\n",
			(unsigned)eglGetError());
		return 1;
	}
	printf("GL_VENDOR: %s\n", (const char *)glGetString(GL_VENDOR));
	printf("GL_RENDERER: %s\n", (const char *)glGetString(GL_RENDERER));
	printf("GL_VERSION: %s\n", (const char *)glGetString(GL_VERSION));
	return readback_is_right() ? 0 : 1;
}
