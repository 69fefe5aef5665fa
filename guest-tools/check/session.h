/* SPDX-License-Identifier: MIT */
/*
 * session is the one GL context that the checks of the GL room share.
 *
 * The first use opens it, in the child process of that room. It is on the render node when this
 * user can open it, and otherwise on no device, so that the software renderer that is left can be
 * named. What was learnt is written to guest->gl.
 */
#pragma once

#include "guest-tools/check/guest.h"
#include "guest-tools/common/gl.h"

/* Never gives NULL; guest->gl.context says whether there is a context. */
struct gl *session_gl(struct guest *guest);
