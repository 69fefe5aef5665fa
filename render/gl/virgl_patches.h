/* SPDX-License-Identifier: MIT */
/*
 * virgl_patches: draws few patches at a time where Mesa renders in software.
 *
 * That counts the vertices that tessellation makes of the patches of a draw in 16 bits where it
 * allocates room for them, and writes all of them. One patch becomes 65 x 65 vertices at most, so
 * that no more than 15 patches fit. Behind a geometry shader it is one at a time, since all that
 * this may put out for all triangles of a draw is allocated beforehand. In a shader gl_PrimitiveID
 * counts from 0 for each part.
 */
#pragma once

/* Divides what virglrenderer draws from now on. GL must be current. */
void virgl_patches_divide(void);
