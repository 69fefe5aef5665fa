/* SPDX-License-Identifier: MIT */
/*
 * limits of shader texts: bounds what a text says by what virglrenderer has room for. A text past
 * one of the bounds is refused.
 *
 * Where two versions differ, the smaller one counts; 0.10.4 and 1.3.0 were read. "Scan" is their
 * tgsi_scan.c, "translator" their vrend_shader.c, and the arrays named here are members of struct
 * tgsi_shader_info and struct dump_ctx there. What is indexed by what a text says:
 *
 *   in the text           array and its size, and the bound below
 *   IN[r] declared        scan input_semantic_name and more [80]: IO_REGISTERS
 *   IN[r] used            scan input_usage_mask [80]: IO_REGISTERS
 *   INTERP_* IN[r](n)     scan input_interpolate [80], input_array_first [80]: the same
 *   OUT[r] declared       scan output_semantic_name and more [80]: IO_REGISTERS
 *   ARRAY(n) of IN, OUT   scan input_array_first, output_array_first [80]: the same
 *   declarations of IN    translator inputs [64], outputs [64] of OUT: IO_DECLARATIONS
 *   those of FRAG's OUT   fs_output_layout [12]: FRAGMENT_OUTPUTS
 *   OUT with an ARRAY     output_arrays.layout [16]: OUTPUT_ARRAYS
 *   OUT[r] streamed       translator outputs [64], by the register: IO_DECLARATIONS
 *   index of a semantic   invariant_outputs [4 * 32 bits], masks of 64 bits,
 *                         front_back_color_emitted_flags [64], and for two-sided
 *                         colours interpolators [2]: see tgsi_words.c
 *   SV[r], and declared   scan system_value_semantic_name [80], system_values [32]
 *   CONST[d] declared     scan const_file_max [32], ubo_sizes [32]: CONSTANT_BUFFERS
 *   SAMP[r], SVIEW[r]     scan is_msaa_sampler [32], samplers [32]: SAMPLERS
 *   IMAGE[r]              images [32]: IMAGES
 *   STORE .., COHERENT    images [32], by the number of the coordinate's register
 *   BUFFER, MEMORY[r]     ssbo_memory_qualifier [32], masks: BUFFERS
 *   HWATOMIC declared     abo_idx, abo_sizes, abo_offsets [32]: ATOMIC_RANGES
 *   IMM[r], and numbered  imm [1024]; EMIT, ENDPRIM, MEMBAR and offsets index it, too
 *   TEMP[a..b] declared   b - a + 1 entries are allocated: a <= b
 *   any range             tgsi_sanity.c allocates per register: REGISTERS
 *   sources of an opcode  src_bufs [4] in 0.10.4: SOURCES
 *   NUM_CLIPDIST_ENABLED  fields of 4 bits: CLIP_DISTANCES
 *
 * tgsi_check_link() holds what a pair of shaders does to inputs [64].
 *
 * What a draw adds (two-sided colours, what stands before) must not make a shader that was bound
 * fail: the next one reads a null pointer then. So 64 inputs with two-sided colours are too many,
 * inputs and outputs that are not declared are refused, which may be found all the same among those
 * of the stage before, and check_shader.c holds the buffers of all stages.
 *
 * Three things are not bounded. Where a stage without arrays indexes inputs or outputs by an
 * address, the translator joins neighbours into arrays and may go on for ever when their numbers do
 * not rise with their registers (collapse_vars_to_arrays(), both versions); that takes time, not
 * memory. Of an input that is declared with a mask and read as |IN[r]|, it writes one byte behind a
 * string of six; Mesa writes such texts. 0.10.4 writes one bool too many for a fourth source, into
 * padding.
 */
#pragma once

/*
 * A whole text has at most this many bytes, since virglrenderer counts its tokens, at most one for
 * two bytes, in 24 bits.
 */
#define TGSI_TEXT_BYTES_MAX (4u << 20)

#define TGSI_IO_REGISTERS_MAX 80
#define TGSI_IO_DECLARATIONS_MAX 64
#define TGSI_FRAGMENT_OUTPUTS_MAX 12
#define TGSI_OUTPUT_ARRAYS_MAX 16
#define TGSI_SYSTEM_VALUES_MAX 32
#define TGSI_CONSTANT_BUFFERS_MAX 32
#define TGSI_SAMPLERS_MAX 32
#define TGSI_IMAGES_MAX 32
#define TGSI_BUFFERS_MAX 32
#define TGSI_ATOMIC_RANGES_MAX 32
#define TGSI_IMMEDIATES_MAX 1024
#define TGSI_SOURCES_MAX 4
#define TGSI_CLIP_DISTANCES_MAX 8

/* A primitive or patch has at most this many vertices: the first index of IN[vertex][register]. */
#define TGSI_VERTICES_MAX 32

/*
 * A draw is left out when its geometry shader may put out more bytes for one primitive, in all its
 * invocations and to all its streams. GL lets a shader put out as many components as it says, which
 * Mesa does not look at: its software renderer allocates that for up to 4096 primitives, and
 * computes the product in 32 bits. GL lets a draw fail for want of memory.
 */
#define TGSI_GEOMETRY_BYTES_MAX (512u << 10)
/*
 * Behind tessellation it is less: there it allocates for all primitives of the patches that are
 * drawn at once. That is one patch then (render/gl/virgl_patches.h), of 8192 triangles.
 */
#define TGSI_GEOMETRY_BYTES_TESSELLATED_MAX (256u << 10)
/*
 * A vertex has a head of 20 bytes and 16 for each register. There are up to six registers more than
 * are declared: virglrenderer adds eight clip distances and the size of points, and Mesa what it
 * needs to smooth points and lines, and to fill triangles by lines.
 */
#define TGSI_VERTEX_BYTES (32 + 6 * TGSI_REGISTER_BYTES)
/* So many streams may have vertices, each with room for all of them. */
#define TGSI_VERTEX_STREAMS 4
#define TGSI_REGISTER_BYTES 16

/*
 * The index of a register is a signed number of 16 bits in a token, and that of a declaration is an
 * unsigned one.
 */
#define TGSI_INDEX_MIN (-0x8000)
#define TGSI_INDEX_MAX 0x7fff
#define TGSI_DECLARED_INDEX_MAX 0xffff

/* The number of an array has 10 bits in a token. */
#define TGSI_ARRAY_MAX 0x3ff

/*
 * Mesa uses three address registers. More are bounded because their names stand in strings of fixed
 * size.
 */
#define TGSI_ADDRESSES_MAX 16

/*
 * One text declares at most this many registers. The largest that GL asks of a guest are 14 uniform
 * blocks of 64 KiB or 57344 registers; virglrenderer allocates about 60 bytes for each while it
 * reads the text.
 */
#define TGSI_REGISTERS_MAX (1u << 18)

/*
 * virglrenderer may take this many steps in the searches that it makes for each register that an
 * instruction names: through all ranges of temporaries for a temporary, and through all declared
 * registers for an indirect one. 2^31 steps take seconds; a shader of 20000 instructions with 500
 * temporaries needs 3 * 10^7.
 */
#define TGSI_SEARCH_STEPS_MAX (UINT64_C(1) << 31)

/*
 * IF, BGNLOOP and the like stand at most this deep within each other. The host's GLSL compiler
 * recurses for each level: that of Mesa 22.3 takes 1024 with a stack of 8 MiB.
 */
#define TGSI_DEPTH_MAX 512
