/* SPDX-License-Identifier: MIT */
/*
 * kms lights one connector for a moment, through the kernel's mode-setting ioctls.
 *
 * The caller must become DRM master, so the display must be free. kms_close puts back what the
 * console showed. All functions give 0 or -errno unless they say otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <drm.h>

#define KMS_BUFFERS 2

struct kms_buffer {
	uint32_t handle, framebuffer, stride_bytes;
	size_t size_bytes;
	uint32_t *pixels;
};

struct kms {
	int fd;
	bool atomic; /* The driver takes atomic commits. */
	bool lit;    /* kms_light has lit the connector. */
	uint32_t connector, crtc, primary_plane, cursor_plane; /* Each is 0 when there is none. */
	uint64_t cursor_width, cursor_height;
	struct drm_mode_modeinfo mode;
	struct drm_mode_crtc saved;
	struct kms_buffer buffers[KMS_BUFFERS];
};

/*
 * Finds the first connected connector of a card with a CRTC for it. Gives -ENODEV when there is
 * none.
 */
int kms_open(struct kms *kms, const char *card_path);
void kms_close(struct kms *kms);
/* Gives 0 when this process is or became master, and -EACCES or -EBUSY when another one is. */
int kms_become_master(struct kms *kms);
int kms_make_buffers(struct kms *kms);
/* Shows buffer 0 in the preferred mode. kms_make_buffers must have made it. */
int kms_light(struct kms *kms);
/* Asks whether the driver would take the mode by an atomic commit. Changes nothing. */
int kms_atomic_test(struct kms *kms);
/*
 * Asks for a flip to a buffer and waits for its event. The connector must be lit. The kernel's time
 * of the event goes to event_ms.
 */
int kms_flip(struct kms *kms, unsigned buffer, int timeout_ms, double *event_ms);

int kms_dumb_create(int fd, uint32_t width, uint32_t height, struct kms_buffer *buffer);
void kms_dumb_destroy(int fd, struct kms_buffer *buffer);
/* These turn a GEM handle into a dma-buf descriptor, and back. */
int kms_export(int fd, uint32_t handle, int *dmabuf);
int kms_import(int fd, int dmabuf, uint32_t *handle);
