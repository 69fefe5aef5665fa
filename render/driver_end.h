/* SPDX-License-Identifier: MIT */
/*
 * driver_end: says why, when the GPU's driver ends this process because the GPU was reset.
 *
 * Our contexts ask to be told of a reset instead (render/gl/gpu_reset.h). But there are contexts
 * that are not ours and did not ask, as the one by which Mesa's GBM maps buffers, and for those
 * Mesa's driver for AMD ends the process by exit() or abort() when the kernel refuses their work
 * (amdgpu_cs.c). It does so on the thread that hands work to the kernel, where nothing else
 * happens. To the keeper that would look like a crash by what a guest's program has asked for, so
 * the process ends with a status that says otherwise. We ourselves never call exit().
 */
#pragma once

/* Is called once, before the driver is loaded. */
void driver_end_watch(void);
