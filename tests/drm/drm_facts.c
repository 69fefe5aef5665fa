/* SPDX-License-Identifier: MIT */
/*
 * drm_facts NODE proves what a DRM device gives before anything of ours relies on it.
 *
 * It has two processes, each with its own EGL display on NODE. The producer allocates a GBM buffer,
 * draws two halves into it through an EGLImage, makes a native fence where there is one and hands
 * the dma-buf and the fence over; the consumer imports both, reads the pixels back through GL and
 * compares each. It prints one line per fact. The exit status is 0 when the pixels are right, 1
 * when they are not, 77 when there is no NODE.
 */
#include <drm_fourcc.h>
#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <errno.h>
#include <fcntl.h>
#include <gbm.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>

#include "common/link.h"

enum { WIDTH = 320, HEIGHT = 200, MESSAGE_BUFFER = 1 };

/* These are the colours of the two halves, top and bottom, as XRGB8888. */
static const uint32_t colours[2] = { 0xff2040c0, 0xff80ff10 };

struct device {
	int node;
	struct gbm_device *gbm;
	EGLDisplay display;
};

struct buffer_message {
	struct link_header header;
	uint32_t stride_bytes;
	uint32_t fences;
	uint64_t modifier;
};

struct consumer {
	struct device *device;
	bool exact;
};

static void device_open(struct device *device, const char *path, const char *who)
{
	device->node = open(path, O_RDWR | O_CLOEXEC);
	if (device->node < 0) {
		fprintf(stderr, "%s: %s: %s\n", who, path, strerror(errno));
		exit(77);
	}
	device->gbm = gbm_create_device(device->node);
	if (!device->gbm) {
		fprintf(stderr, "%s: %s: no GBM device\n", who, path);
		exit(1);
	}
	device->display = eglGetPlatformDisplayEXT(EGL_PLATFORM_GBM_KHR, device->gbm, NULL);
	EGLint major, minor;
	if (!eglInitialize(device->display, &major, &minor) || !eglBindAPI(EGL_OPENGL_API)) {
		fprintf(stderr, "%s: no EGL: 0x%x\n", who, eglGetError());
		exit(1);
	}
	EGLContext context =
		eglCreateContext(device->display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, NULL);
	if (!context || !eglMakeCurrent(device->display, EGL_NO_SURFACE, EGL_NO_SURFACE, context)) {
		fprintf(stderr, "%s: no context: 0x%x\n", who, eglGetError());
		exit(1);
	}
	drmVersion *version = drmGetVersion(device->node);
	printf("%s: EGL %d.%d, GBM backend %s, kernel driver %s, renderer %s\n", who, major, minor,
		gbm_device_get_backend_name(device->gbm), version ? version->name : "?",
		(const char *)glGetString(GL_RENDERER));
	drmFreeVersion(version);
}

static bool device_has(const struct device *device, const char *extension)
{
	return epoxy_has_egl_extension(device->display, extension);
}

static void report_modifiers(const struct device *device, const char *who)
{
	EGLuint64KHR modifiers[32];
	EGLBoolean external[32];
	EGLint n = 0;
	if (!device_has(device, "EGL_EXT_image_dma_buf_import_modifiers") ||
		!eglQueryDmaBufModifiersEXT(
			device->display, DRM_FORMAT_XRGB8888, 32, modifiers, external, &n)) {
		printf("%s: XR24 modifiers: cannot be asked\n", who);
		return;
	}
	printf("%s: XR24 modifiers: %d:", who, n);
	for (EGLint i = 0; i < n && i < 32; i++) {
		printf(" 0x%llx", (unsigned long long)modifiers[i]);
	}
	printf("\n");
}

static EGLImageKHR image_from_dmabuf(
	const struct device *device, int fd, uint32_t stride_bytes, uint64_t modifier)
{
	EGLint attributes[32] = {
		EGL_WIDTH,
		WIDTH,
		EGL_HEIGHT,
		HEIGHT,
		EGL_LINUX_DRM_FOURCC_EXT,
		DRM_FORMAT_XRGB8888,
		EGL_DMA_BUF_PLANE0_FD_EXT,
		fd,
		EGL_DMA_BUF_PLANE0_OFFSET_EXT,
		0,
		EGL_DMA_BUF_PLANE0_PITCH_EXT,
		stride_bytes,
	};
	int n = 12;
	if (modifier != DRM_FORMAT_MOD_INVALID) {
		attributes[n++] = EGL_DMA_BUF_PLANE0_MODIFIER_LO_EXT;
		attributes[n++] = (EGLint)(modifier & 0xffffffff);
		attributes[n++] = EGL_DMA_BUF_PLANE0_MODIFIER_HI_EXT;
		attributes[n++] = (EGLint)(modifier >> 32);
	}
	attributes[n] = EGL_NONE;
	return eglCreateImageKHR(
		device->display, EGL_NO_CONTEXT, EGL_LINUX_DMA_BUF_EXT, NULL, attributes);
}

/* Makes the image what the current framebuffer draws to and reads from. */
static bool image_bind(EGLImageKHR image)
{
	GLuint texture, framebuffer;
	glGenTextures(1, &texture);
	glBindTexture(GL_TEXTURE_2D, texture);
	glEGLImageTargetTexture2DOES(GL_TEXTURE_2D, image);
	glGenFramebuffers(1, &framebuffer);
	glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
	glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
	return glCheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE;
}

static void draw_halves(void)
{
	glEnable(GL_SCISSOR_TEST);
	for (int half = 0; half < 2; half++) {
		uint32_t colour = colours[half];
		glScissor(0, half * HEIGHT / 2, WIDTH, HEIGHT / 2);
		glClearColor((colour >> 16 & 0xff) / 255.0f, (colour >> 8 & 0xff) / 255.0f,
			(colour & 0xff) / 255.0f, 1);
		glClear(GL_COLOR_BUFFER_BIT);
	}
}

/* Returns a sync file for what was drawn, or -1; in that case everything is finished on return. */
static int make_fence(const struct device *device)
{
	int fd = -1;
	if (device_has(device, "EGL_ANDROID_native_fence_sync")) {
		EGLSyncKHR sync =
			eglCreateSyncKHR(device->display, EGL_SYNC_NATIVE_FENCE_ANDROID, NULL);
		glFlush();
		fd = sync ? eglDupNativeFenceFDANDROID(device->display, sync) : -1;
		if (sync) {
			eglDestroySyncKHR(device->display, sync);
		}
	}
	printf("producer: native fence: %s\n", fd >= 0 ? "yes" : "none");
	if (fd < 0) {
		glFinish();
	}
	return fd;
}

static void report_access(int fd, size_t size_bytes)
{
	void *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	printf("producer: mmap for writing: %s\n", memory == MAP_FAILED ? strerror(errno) : "yes");
	if (memory != MAP_FAILED) {
		munmap(memory, size_bytes);
	}
}

static int produce(const char *path, int link)
{
	struct device device;
	device_open(&device, path, "producer");
	report_modifiers(&device, "producer");
	struct gbm_bo *bo =
		gbm_bo_create(device.gbm, WIDTH, HEIGHT, GBM_FORMAT_XRGB8888, GBM_BO_USE_RENDERING);
	if (!bo) {
		printf("producer: no GBM buffer: %s\n", strerror(errno));
		return 1;
	}
	struct buffer_message message = {
		.header.type = MESSAGE_BUFFER,
		.stride_bytes = gbm_bo_get_stride(bo),
		.modifier = gbm_bo_get_modifier(bo),
	};
	int fds[2] = { -1, -1 };
	/*
	 * We export it for writing ourselves, as the first export decides for all: after a
	 * read-only gbm_bo_get_fd() this one could not be written.
	 */
	if (drmPrimeHandleToFD(
		    device.node, gbm_bo_get_handle(bo).u32, DRM_CLOEXEC | DRM_RDWR, &fds[0]) ||
		fds[0] < 0) {
		printf("producer: no dma-buf: %s\n", strerror(errno));
		return 1;
	}
	printf("producer: buffer stride %u, modifier 0x%llx, %ld bytes\n", message.stride_bytes,
		(unsigned long long)message.modifier, (long)lseek(fds[0], 0, SEEK_END));
	report_access(fds[0], message.stride_bytes * HEIGHT);
	EGLImageKHR image =
		image_from_dmabuf(&device, fds[0], message.stride_bytes, message.modifier);
	if (!image || !image_bind(image)) {
		printf("producer: cannot draw to its own buffer: 0x%x\n", eglGetError());
		return 1;
	}
	draw_halves();
	fds[1] = make_fence(&device);
	message.fences = fds[1] >= 0;
	int error = link_send(link, &message, sizeof message, fds, 1 + message.fences);
	if (error) {
		printf("producer: cannot hand over: %s\n", strerror(-error));
		return 1;
	}
	/* We keep the buffer until the consumer is done with it and closes the link. */
	link_wait_readable(link, -1);
	return 0;
}

static bool pixels_exact(void)
{
	uint32_t *pixels = malloc(WIDTH * HEIGHT * sizeof *pixels);
	bool exact = true;
	glReadPixels(0, 0, WIDTH, HEIGHT, GL_BGRA, GL_UNSIGNED_INT_8_8_8_8_REV, pixels);
	for (int i = 0; i < WIDTH * HEIGHT && exact; i++) {
		uint32_t want = colours[i / WIDTH >= HEIGHT / 2];
		if ((pixels[i] ^ want) & 0xffffff) {
			printf("consumer: pixel %d,%d is 0x%08x, not 0x%08x\n", i % WIDTH,
				i / WIDTH, pixels[i], want);
			exact = false;
		}
	}
	free(pixels);
	return exact;
}

static bool handle_buffer(void *user, const void *data, int *fds, unsigned n_fds)
{
	struct consumer *consumer = user;
	const struct buffer_message *message = data;
	if (n_fds > 1) {
		struct pollfd fence = { .fd = fds[1], .events = POLLIN };
		printf("consumer: fence signals: %s\n",
			poll(&fence, 1, 10000) == 1 ? "yes" : "not in 10 s");
	}
	EGLImageKHR image = image_from_dmabuf(
		consumer->device, fds[0], message->stride_bytes, message->modifier);
	if (!image || !image_bind(image)) {
		printf("consumer: cannot import: 0x%x\n", eglGetError());
		return true;
	}
	consumer->exact = pixels_exact();
	printf("consumer: pixels exact: %s\n", consumer->exact ? "yes" : "no");
	return true;
}

static int consume(const char *path, int link)
{
	struct device device;
	device_open(&device, path, "consumer");
	struct consumer consumer = { .device = &device };
	const struct link_handler table[] = {
		{ MESSAGE_BUFFER, "buffer", sizeof(struct buffer_message), 1, 2, handle_buffer },
	};
	return link_wait_readable(link, 60000) &&
			       link_dispatch(link, "producer", table, 1, &consumer) == 1 &&
			       consumer.exact ?
		       0 :
		       1;
}

/* Forks before anything else, as GL after a fork crashes. */
int main(int argc, char **argv)
{
	int fds[2], status = 1;
	if (argc != 2 || link_pair(fds)) {
		fprintf(stderr, "usage: drm_facts NODE\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	pid_t consumer = fork();
	if (consumer == 0) {
		close(fds[0]);
		return consume(argv[1], fds[1]);
	}
	close(fds[1]);
	int produced = produce(argv[1], fds[0]);
	close(fds[0]);
	waitpid(consumer, &status, 0);
	if (!WIFEXITED(status)) {
		return 1;
	}
	return produced ? produced : WEXITSTATUS(status);
}
