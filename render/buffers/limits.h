/* SPDX-License-Identifier: MIT */
/*
 * limits of buffers: how much host memory one guest may make the renderer use, and how many buffers
 * of one picture display may hold.
 */
#pragma once

/*
 * Bytes of 2D resources and of the buffers of all heads' pictures together, unless
 * --max-pictures-mib says otherwise: 16 pictures of 4096x4096. Past it a RESOURCE_CREATE_2D or
 * SET_SCANOUT is answered with ERR_OUT_OF_MEMORY; a picture that needs one more buffer waits until
 * display gives one back.
 */
#define QUOTA_2D_BYTES (1024ull * 1024 * 1024)

/*
 * Bytes of virgl's textures and buffers, estimated from their size, since drivers do not say what
 * they use. Past it a RESOURCE_CREATE_3D is answered with ERR_OUT_OF_MEMORY.
 */
#define QUOTA_3D_BYTES (4ull * 1024 * 1024 * 1024)

/*
 * Buffers of one picture. If all 16 heads show the same resource, display has at most 4 buffers of
 * each (FRAME_SENDER_OUTSTANDING_MAX): 64. One is current besides, and one is being written: 66,
 * rounded up. Past it no frame is made until display gives a buffer back.
 */
#define SWAPCHAIN_BUFFERS_MAX 80
