/* SPDX-License-Identifier: MIT */
/*
 * egl_fence: makes a descriptor that becomes readable when what was drawn so far is done.
 *
 * Where EGL makes native fences it is a sync file, which may be given to another process. Where it
 * does not, a thread of ours waits in GL, and the descriptor is an eventfd, which is of use to this
 * process only.
 */
#pragma once

#include <stdbool.h>

/*
 * Returns such a descriptor, which the caller closes; or -1 when no fence can be made, and then the
 * drawing is finished on return. The gpu thread calls it, with the context current that drew.
 */
int egl_fence_create(void);
/*
 * Returns true when the descriptors are sync files. When they are not, it says so in the log, once.
 */
bool egl_fence_is_native(void);
