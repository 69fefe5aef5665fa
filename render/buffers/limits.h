/* SPDX-License-Identifier: MIT */
/*
 * limits of buffers: how many buffers of one picture display may hold. What they may cost in memory
 * is bounded by a quota (protocol/quotas.h).
 */
#pragma once

/*
 * Buffers of one picture. If all 16 heads show the same resource, display has at most 4 buffers of
 * each (FRAME_SENDER_OUTSTANDING_MAX): 64. One is current besides, and one is being written: 66,
 * rounded up. Past it no frame is made until display gives a buffer back.
 */
#define SWAPCHAIN_BUFFERS_MAX 80
