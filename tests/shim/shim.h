/* SPDX-License-Identifier: MIT */
/*
 * shim: Mesa's real drivers of Intel, AMD and NVIDIA without a GPU. build-shims gets Mesa's
 * drm-shims, which fake a render node by LD_PRELOAD and do nothing with what is drawn. Our own
 * preload (shim-preload.so) goes in front of them and answers what they leave out: PRIME, fences,
 * contexts, resets. It makes failures, too.
 *
 * build/tests/shim/vitrine-render is the renderer that starts so: it executes itself again with
 * what is preloaded. It is the renderer of a desktop when it lies in the folder that --worker-dir
 * names, or when VITRINE_RENDER names it to a wire test. Without VITRINE_SHIM_GPU it is an ordinary
 * one.
 *
 *   VITRINE_SHIM=FOLDER        what build-shims printed
 *   VITRINE_SHIM_GPU=CHIP      one of shim_chips
 *   VITRINE_SHIM_MESA=25.0     the Mesa that is not this machine's; none or this machine's: its own
 *   LD_LIBRARY_PATH            of a desktop must have VITRINE_SHIM and the renderer's folder in it,
 * for the starter lets workers read nothing else of ours; and the folder of log and control file
 * must be that of GST_REGISTRY, for it lets them write there. Wire tests see to both (wire_init()).
 *   VITRINE_SHIM_NODES=N       so many render nodes, from renderD128 on, 1 to 8 (default 1). All
 * are of this chip, and differ by their PCI slot. VITRINE_SHIM_LOG=FILE      a line for each thing
 * of interest is added to it: "PID open PATH", "PID reset SUBMISSION", "PID fault NAME", and "PID
 * blocked THREAD IOCTL MS" VITRINE_SHIM_CONTROL=FILE  a file of struct shim_control, shared with
 * the test VITRINE_SHIM_FAULTS=LIST   failures, with commas between them:
 *
 *   reset=N            The process's submission N (the first is 0) resets the GPU. It fails with
 *                      ETIME (amdgpu), EIO (i915) or ENODEV (nouveau), and its context is told that
 *                      it is guilty. amdgpu cancels what all older contexts submit (ECANCELED), and
 *                      tells them that they are innocent; i915 tells them and goes on.
 *   reset-innocent=N   Somebody else's reset: the same, and nobody here is guilty.
 *   reset-always=N     All submissions from N on, in new contexts, too.
 *   once               With one of the three before and a control file: only in one process.
 *   shared             With a control file: resets of other processes that have the same one are
 *                      seen here, too, and nobody here is guilty of them.
 *   late=MS            What resets the GPU is found so long after it was submitted; until then it
 *                      is work like any other.
 *   stalls             With late= and a control file: until then nobody's work gets done, in no
 *                      process that has the same file, as on a card with one ring.
 *   untold             No context can be had that is told of resets.
 *   busy=MS            The GPU takes so long for what is submitted. Waiting is counted and logged.
 *   endless=N          What is submitted from submission N on never ends.
 *   export=fail        No dma-buf can be exported: the call fails.
 *   export=none        It succeeds, with the descriptor -1.
 *   import=fail        No dma-buf can be imported.
 *   map=null           gbm_bo_map() gives NULL.
 *   pixels=wrong       What is written by gbm_bo_map() is not what glReadPixels() reads. (By
 * default it is, although the shim draws nothing: layouts pass the renderer's check.)
 *   linear=external    EGL says that linear pictures can only be sampled, not drawn to.
 *   no-egl-image       GL_OES_EGL_image is missing.
 *   gl=2.1             OpenGL has this version (any that MESA_GL_VERSION_OVERRIDE takes).
 *   start=crash        The driver crashes when it first asks its kernel driver something,
 *   start=hang         or hangs there, for ever,
 *   start=fail         or is told that there is no such device.
 *   gone=N             From its call N on the kernel driver answers ENODEV: the card was pulled.
 *                      A driver of Mesa's that crashes then is killed by the signal, and makes no
 *                      sanitizer's report. For what else crashes there is a line, SHIM_CRASH.
 *   bug                The renderer's own code crashes once the card was pulled.
 *   rights=none        The node cannot be opened: EACCES.
 *   NAME@MINOR         With several nodes: the failures of start and rights of that node alone,
 *                      such as start=crash@129.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* In the backend's log, of a renderer that crashed where no driver's crash was to be expected. */
#define SHIM_CRASH "that is no card's doing"

/* All members are written by renderers and read by the test, but for resets_wanted and is_gone. */
struct shim_control {
	uint32_t resets_wanted; /* so many submissions from now on reset the GPU */
	uint32_t resets;
	uint32_t submissions;
	uint32_t blocked;    /* waits for the GPU that were not over at once, of the gpu thread */
	uint32_t blocked_ms; /* their time, by busy=MS */
	uint32_t exports;
	uint32_t opens;   /* of any node */
	uint32_t is_gone; /* not 0: from now on, and for all, as with gone=0 */
	int64_t stall_ns; /* of CLOCK_MONOTONIC: until then the GPU stands still; 0: it does not */
};

enum shim_driver { SHIM_NO_DRIVER, SHIM_AMDGPU, SHIM_I915, SHIM_NOUVEAU };

struct shim_chip {
	const char *name;
	enum shim_driver driver;
	const char *variable, *value; /* what Mesa's shim reads */
	const char *library;
};

/* Returns NULL for a name that is none of ours. */
const struct shim_chip *shim_chip_find(const char *name);
