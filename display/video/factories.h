/* SPDX-License-Identifier: MIT */
/*
 * factories: finds elements of this machine by name, in bounded time: the plugins of GPUs' encoders
 * ask the driver what there is when they are loaded.
 *
 * Threads: one, but it starts others.
 */
#pragma once

#include <gst/gst.h>

#include "display/video/candidates.h"

#define FACTORIES_TIMEOUT_MS 5000

/*
 * Returns the element's factory, or NULL when there is none. It is loaded here, since one that is
 * not loads by its name at its first use, and that would find our element. It is never
 * unreferenced, because elements are made of it as long as the process lives.
 *
 * When a plugin has not loaded in FACTORIES_TIMEOUT_MS, which is logged, no others are any more:
 * GStreamer loads one at a time. So what is needed is found before what a driver may hold up.
 */
GstElementFactory *factories_find(const struct candidate *candidate, const char *name);
