/* SPDX-License-Identifier: MIT */
/*
 * limits of buffers: bounds how many buffers of one picture display may hold. A quota bounds what
 * they may cost in memory (protocol/quotas.h).
 */
#pragma once

/*
 * A picture has at most this many buffers. If all 16 heads show the same resource, display has at
 * most 4 buffers of each (FRAME_SENDER_OUTSTANDING_MAX), together 64. One is current besides, and
 * one is being written: that makes 66, rounded up. Past it no frame is made until display gives a
 * buffer back.
 */
#define SWAPCHAIN_BUFFERS_MAX 80

/*
 * A spare renderer waits with so many bytes for the first picture: 1920x1080, what guests begin
 * with. What is larger, or less than half of it, gains nothing by it.
 */
#define PREPARED_BYTES (1920u * 1080u * 4u)
