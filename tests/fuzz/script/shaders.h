/* SPDX-License-Identifier: MIT */
/*
 * shaders: writes TGSI text that virglrenderer takes, as Mesa's tgsi_dump writes it. All stages
 * agree on one interface, so that any vertex shader links with any fragment shader: position and
 * GENERIC[0] … GENERIC[2] go from stage to stage.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tests/fuzz/script/choices.h"
#include "tests/fuzz/script/protocol.h"

#define SHADER_VARYINGS 3u  /* GENERIC[0] … */
#define SHADER_CONSTANTS 4u /* vectors of CONST[0] and of each uniform buffer */
#define SHADER_BUFFER_BYTES                                                                        \
	64u /* what a shader reaches of a buffer; a compute shader per block of 1 */
#define SHADER_IMAGE_SIZE 4u /* what a shader reaches of an image, in both directions */

/* Says what must be bound in slot 0 (uniform buffers: slot 1) before the shader runs. */
struct shader_needs {
	bool constants, uniform_buffer, sampler, buffer, image, atomic;
};

/* Returns a new text, which the caller frees; `needs` says what it declares. */
char *shader_make(struct choices *choices, enum virgl_stage stage, struct shader_needs *needs);
/*
 * Returns a vertex shader whose outputs (position and varyings) streamout may record. It needs
 * nothing bound. The caller frees it.
 */
char *shader_make_plain_vertex(void);
