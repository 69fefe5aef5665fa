/* SPDX-License-Identifier: MIT */
/*
 * limits of gl: bounds the textures and buffers that a guest asks virglrenderer for, which
 * allocates what it is told. A resource past one of the bounds is refused before virglrenderer sees
 * it and is answered with ERR_INVALID_PARAMETER.
 */
#pragma once

#include "protocol/frame_link.h"

/*
 * A resource that is a buffer and no texture has at most this many bytes, which is more than
 * guests' drivers ask for.
 */
#define VIRGL_BOUNDS_BUFFER_BYTES_MAX (512u * 1024 * 1024)

/*
 * A texture has at most this many bytes with all its levels and layers, and so has what one
 * transfer may touch, because virglrenderer computes some sizes in 32 bits with a sign. A transfer
 * past it is answered with ERR_INVALID_PARAMETER, too.
 */
#define VIRGL_BOUNDS_TEXTURE_BYTES_MAX 0x7fffffffu

/*
 * A texture is at most this many pixels wide or high: a head may be that large, and GL takes no
 * larger ones.
 */
#define VIRGL_BOUNDS_TEXTURE_SIZE_MAX FRAME_SIZE_MAX

/*
 * A 3D texture is at most this many pixels deep, and an array has at most this many layers. GL
 * drivers offer at least that.
 */
#define VIRGL_BOUNDS_DEPTH_MAX 2048
#define VIRGL_BOUNDS_ARRAY_MAX 2048

/* A pixel has at most this many samples, since no GPU offers more. */
#define VIRGL_BOUNDS_SAMPLES_MAX 16

/*
 * A texture has at most this many mip levels below its first: log2(VIRGL_BOUNDS_TEXTURE_SIZE_MAX).
 */
#define VIRGL_BOUNDS_LEVEL_MAX 14

/*
 * A thread waits for at most this many pictures that it fetches from the GPU, or that go to display
 * where the GPU makes no native fences; each holds a descriptor. There are more than a few only
 * while a guest changes modes faster than pictures are drawn. Past it the gpu thread itself waits
 * until the GPU is done, and the guest with it.
 */
#define EGL_FENCE_WAITS_MAX 64
