/* SPDX-License-Identifier: MIT */
/*
 * driver_end: says why, when the GPU's driver ends this process because the GPU was reset.
 *
 * Our own contexts ask to be told of a reset instead (render/gl/gpu_reset.h). But there are
 * contexts that are not ours and did not ask, as the one by which Mesa's GBM maps buffers, or those
 * of VA-API's encoders, and for those Mesa's driver for AMD ends the process by exit() or abort()
 * when the kernel refuses their work (amdgpu_cs.c). It does so on the thread that hands work to the
 * kernel, where nothing else happens. To the keeper that would look like a crash, by what a guest's
 * program has asked for or in an encoder, so the process ends with KEEPER_EXIT_GPU_LOST. We
 * ourselves never call exit() on such a thread.
 */
#pragma once

/*
 * Is called once, before the driver is loaded. `before_end`, or NULL, is called before such an end,
 * where a signal's handler may be.
 */
void driver_end_watch(void (*before_end)(void));
