/* SPDX-License-Identifier: MIT */
/*
 * limits of gl: bounds on the textures and buffers that a guest asks virglrenderer for, which
 * allocates what it is told. A resource past one of them is refused before virglrenderer sees it
 * and answered with ERR_INVALID_PARAMETER.
 */
#pragma once

#include "protocol/frame_link.h"

/* Bytes of a resource that is a buffer and no texture: more than guests' drivers ask for. */
#define VIRGL_BOUNDS_BUFFER_BYTES_MAX (512u * 1024 * 1024)

/*
 * Bytes of a texture with all its levels and layers, and of what one transfer may touch:
 * virglrenderer computes some sizes in 32 bits with a sign. A transfer past it is answered with
 * ERR_INVALID_PARAMETER, too.
 */
#define VIRGL_BOUNDS_TEXTURE_BYTES_MAX 0x7fffffffu

/* Pixels of a texture's width or height: a head may be that large, and GL takes no larger ones. */
#define VIRGL_BOUNDS_TEXTURE_SIZE_MAX FRAME_SIZE_MAX

/* Pixels of a 3D texture's depth, and layers of an array: what GL drivers offer at least. */
#define VIRGL_BOUNDS_DEPTH_MAX 2048
#define VIRGL_BOUNDS_ARRAY_MAX 2048

/* Samples a pixel: no GPU offers more. */
#define VIRGL_BOUNDS_SAMPLES_MAX 16

/* Mip levels below the largest texture's first one: log2(VIRGL_BOUNDS_TEXTURE_SIZE_MAX). */
#define VIRGL_BOUNDS_LEVEL_MAX 14

/*
 * Pictures that a thread waits for where the GPU makes no native fences; each holds a descriptor.
 * There are more than a few only while a guest changes modes faster than pictures are drawn. Past
 * it the gpu thread itself waits until the GPU is done, and the guest with it.
 */
#define EGL_FENCE_WAITS_MAX 64
