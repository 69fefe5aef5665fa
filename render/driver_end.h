/* SPDX-License-Identifier: MIT */
/*
 * driver_end: says why, when the GPU's driver ends this process because the GPU was reset.
 *
 * Our contexts ask to be told of a reset instead (render/gl/gpu_reset.h). But a driver may have
 * contexts of its own that did not, as Mesa's for AMD has one before version 23, and end the
 * process by exit() or abort() when the kernel refuses their work. It does so on the thread that
 * hands work to the kernel, where nothing else happens. To the keeper that would look like a crash
 * by what a guest's program has asked for, so the process ends with a status that says otherwise.
 * We ourselves never call exit().
 */
#pragma once

/* Is called once, before the driver is loaded. */
void driver_end_watch(void);
