/* SPDX-License-Identifier: MIT */
/*
 * tgsi: reads the text of a shader as far as its consequences in virglrenderer go.
 *
 * A guest sends shaders as text (TGSI, the words of Mesa's tgsi_dump.c). virglrenderer makes tokens
 * of it and GLSL of them, and keeps what a text declares in arrays of fixed size, whose bounds it
 * checks late, or in old versions not at all. tgsi_check() lets a text pass when virglrenderer
 * reads it in the same way and stays within all of them (tgsi_limits.h lists the arrays, and what
 * in a text indexes each). It also refuses what virglrenderer reads, but Mesa never writes: numbers
 * that overflow, constants that break off, registers in places where the translator looks for none.
 *
 * Pure: no allocation, no state between calls; time is linear in the length. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/stream/fault.h"

/* As the protocol numbers them (PIPE_SHADER_* in virgl_protocol.h). */
enum tgsi_stage {
	TGSI_VERTEX,
	TGSI_FRAGMENT,
	TGSI_GEOMETRY,
	TGSI_TESS_CTRL,
	TGSI_TESS_EVAL,
	TGSI_COMPUTE,
	TGSI_STAGES
};

/* What stages hand to each other by number: a bit of a mask for each. */
enum tgsi_varying { TGSI_GENERIC, TGSI_PATCH, TGSI_TEXCOORD, TGSI_VARYINGS };

/* What a text declares and uses. Bit n of a mask is register, slot or number n. */
struct tgsi_facts {
	enum tgsi_stage stage;
	uint32_t text_bytes; /* without the NUL */
	uint32_t n_instructions, n_immediates;

	uint64_t inputs[2], outputs[2]; /* registers, 128 bits */
	/* Each is an entry of the translator's. */
	uint8_t n_input_declarations, n_output_declarations;
	uint8_t n_output_arrays;
	uint8_t n_color_inputs; /* of a fragment shader: two-sided colours give each one more entry
				 */

	uint64_t varyings_in[TGSI_VARYINGS], varyings_out[TGSI_VARYINGS];

	uint32_t samplers, samplers_used;
	uint32_t sampler_views;
	uint32_t images, images_used;
	uint32_t buffers, buffers_used;
	uint32_t atomic_buffers;   /* of HWATOMIC */
	uint32_t constant_buffers; /* bit 0: the one without a resource */
	/* Vectors of 16 bytes that a draw reads of constant buffer 0, however much of it was set.
	 */
	uint32_t n_constants;

	/* Files that an address register indexes: any slot that is declared may be meant. */
	bool samplers_indirect, images_indirect, buffers_indirect, constant_buffers_indirect;
	bool uses_shared_memory;
};

/*
 * Whether virglrenderer may have this text for a shader of this stage. The text ends at its first
 * NUL, which must be among the `length` bytes. *facts is complete only after true, *fault only
 * after false; its value is the number that passes the limit, or for a fault of grammar the place.
 */
bool tgsi_check(const char *text, size_t length, unsigned stage, struct tgsi_facts *facts,
	struct stream_fault *fault);

/*
 * Whether a shader may run behind another one of an earlier stage. What the earlier one puts out
 * and the later one does not declare virglrenderer adds to the later one's 64 inputs, without
 * looking at their end. It does so whenever it translates the later one: when that is made, bound
 * or drawn with while the other is bound.
 */
bool tgsi_check_link(const struct tgsi_facts *earlier, const struct tgsi_facts *later,
	struct stream_fault *fault);

/* Whether `output` of a stream-output list is a register that the text declares. */
bool tgsi_has_output(const struct tgsi_facts *facts, unsigned output);
