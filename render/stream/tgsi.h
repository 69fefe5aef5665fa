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
 * It is pure: it allocates nothing and keeps no state between calls. Its time is linear in the
 * length. Any thread may call it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/stream/fault.h"
#include "render/stream/tgsi_limits.h"

/* The protocol numbers stages in this way (PIPE_SHADER_* in virgl_protocol.h). */
enum tgsi_stage {
	TGSI_VERTEX,
	TGSI_FRAGMENT,
	TGSI_GEOMETRY,
	TGSI_TESS_CTRL,
	TGSI_TESS_EVAL,
	TGSI_COMPUTE,
	TGSI_STAGES
};

/* Stages hand values of these kinds to each other by number; a mask has a bit for each number. */
enum tgsi_varying { TGSI_GENERIC, TGSI_PATCH, TGSI_TEXCOORD, TGSI_VARYINGS };

/* Is a declaration of values that are handed over: `count` numbers from `first` on. */
struct tgsi_range {
	uint8_t varying; /* enum tgsi_varying */
	uint8_t first, count;
};

/* Says what a text declares and uses. Bit n of a mask is register, slot or number n. */
struct tgsi_facts {
	enum tgsi_stage stage;
	uint32_t text_bytes; /* without the NUL */
	uint32_t n_instructions, n_immediates;

	uint64_t inputs[2], outputs[2]; /* registers, 128 bits */
	/* Each declaration is an entry of the translator's. */
	uint8_t n_input_declarations, n_output_declarations;
	uint8_t n_output_arrays;
	uint8_t n_color_inputs; /* of a fragment shader: two-sided colours give each one more entry
				 */

	uint64_t varyings_out[TGSI_VARYINGS];
	/* These are in the text's order: of inputs all, and of outputs the arrays. */
	struct tgsi_range input_ranges[TGSI_IO_DECLARATIONS_MAX];
	struct tgsi_range output_ranges[TGSI_OUTPUT_ARRAYS_MAX];
	uint8_t n_input_ranges, n_output_ranges;

	uint32_t samplers, samplers_used;
	uint32_t sampler_views;
	uint32_t images, images_used;
	uint32_t images_of_integers; /* by the format that is declared */
	uint32_t buffers, buffers_used;
	uint32_t atomic_buffers;   /* of HWATOMIC */
	uint32_t constant_buffers; /* bit 0: the one without a resource */
	/*
	 * A draw reads this many vectors of 16 bytes of constant buffer 0, however much of it was
	 * set.
	 */
	uint32_t n_constants;
	uint32_t geometry_bytes; /* that a geometry shader puts out for one primitive at most */

	/*
	 * When one is set, an address register indexes the file, so any slot that is declared may
	 * be meant.
	 */
	bool samplers_indirect, images_indirect, buffers_indirect, constant_buffers_indirect;
	bool uses_shared_memory;
};

/*
 * Returns whether virglrenderer may have this text for a shader of this stage. The text ends at its
 * first NUL, which must be among the `length` bytes. *facts is complete only after true, *fault
 * only after false. The fault's value is the number that passes the limit, or for a fault of
 * grammar the place.
 */
bool tgsi_check(const char *text, size_t length, unsigned stage, struct tgsi_facts *facts,
	struct stream_fault *fault);

/*
 * Returns whether a shader may run behind another one of an earlier stage. What the earlier one
 * puts out and the later one does not declare virglrenderer adds to the later one's 64 inputs,
 * without looking at their end. It does so whenever it translates the later one: when that is made,
 * bound or drawn with while the other is bound. It takes an input that begins in an array of the
 * earlier one's outputs for that array.
 */
bool tgsi_check_link(const struct tgsi_facts *earlier, const struct tgsi_facts *later,
	struct stream_fault *fault);

/*
 * Returns whether `output` of a stream-output list is a register that the text declares, of those
 * that virglrenderer looks up by their number among the declarations.
 */
bool tgsi_has_output(const struct tgsi_facts *facts, unsigned output);
