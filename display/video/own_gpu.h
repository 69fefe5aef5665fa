/* SPDX-License-Identifier: MIT */
/*
 * own gpu: says which encoders are of the GPU that draws the desktop. Where a machine has several,
 * GStreamer names the elements of the first one plainly (vah264enc, nvh264enc) and those of others
 * by their render node (varenderD129h264enc) or by CUDA's number (nvh264device1enc).
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "display/video/candidates.h"

struct own_gpu {
	char *node;      /* /dev/dri/renderD129; NULL: it is not known, so any GPU will do */
	int cuda_device; /* by the order of PCI's addresses; -1: it has none */
};

/*
 * Fills it in for a render node, or NULL. `root` is where /proc and /sys are, "" on a real machine.
 * It is called before the process is confined.
 */
void own_gpu_find(struct own_gpu *gpu, const char *root, const char *node);
void own_gpu_finish(struct own_gpu *gpu);

/*
 * Returns the name of the candidate's element that is of this GPU and has a name of its own, or
 * NULL: then the plain name may be this GPU's. The caller frees it.
 */
char *own_gpu_element(const struct own_gpu *gpu, const struct candidate *candidate);
/* Returns whether the plain name is worth a trial, which finds out whose it is (encoder.h). */
bool own_gpu_may_have(const struct own_gpu *gpu, const struct candidate *candidate);
