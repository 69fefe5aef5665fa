/* SPDX-License-Identifier: MIT */
/*
 * kms_output: the first connected screen of the first DRM device. Atomic commits that name the
 * damaged rectangle drive it, as compositors of today do, with OpenGL ES 2 on a GBM surface. One
 * thread uses it.
 */
#pragma once

#include <EGL/egl.h>
#include <gbm.h>
#include <stdbool.h>
#include <stdint.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

struct kms_output {
	int fd;
	int width, height;
	bool flip_pending; /* the last commit is not on the screen yet */
	uint32_t connector, crtc, plane;
	drmModeModeInfo mode;
	struct gbm_device *gbm;
	struct gbm_surface *surface;
	struct gbm_bo *shown, *next;
	EGLDisplay egl;
	EGLSurface egl_surface;
	bool mode_is_set;
};

/* Returns false, with a line on standard error, when there is no such screen. */
bool kms_output_open(struct kms_output *output);
/* Returns how many frames ago the buffer to draw on was shown; 0 when its content is lost. */
int kms_output_buffer_age(const struct kms_output *output);
/*
 * Shows what was drawn. `damage` holds x1, y1, x2, y2 of what differs from the last frame; NULL
 * means all.
 */
bool kms_output_flip(struct kms_output *output, const int damage[4]);
/* Handles the kernel's events; call it when fd is readable. */
void kms_output_dispatch(struct kms_output *output);
