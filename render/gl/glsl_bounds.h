/* SPDX-License-Identifier: MIT */
/*
 * glsl_bounds: keeps what a shader indexes inside of its arrays.
 *
 * GL leaves open what comes of an index past an array's end. GPUs keep such an access inside of the
 * program's own memory. Mesa's software renderer does so for buffers, images, constants and
 * variables, but neither for the shared memory of compute shaders nor for what the stages of
 * tessellation hand each other: there a shader reads and writes wherever it likes. Nor does it
 * clear shared memory, which has what the renderer had there before.
 *
 * It knows the GLSL that virglrenderer makes, where only these are indexed by what is not a
 * constant: "values", which is shared memory, and what an address register ("addr0") indexes.
 */
#pragma once

/*
 * Returns the text, in which each such index is no larger than the array's last, and shared memory
 * is cleared first. The caller frees it.
 */
char *glsl_bounds_apply(const char *text);
