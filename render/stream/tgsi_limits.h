/* SPDX-License-Identifier: MIT */
/*
 * limits of shader texts: what virglrenderer has room for. A text past one of them is refused.
 *
 * Where two versions differ, the smaller one counts; 0.10.4 and 1.3.0 were read. "Scan" is their
 * tgsi_scan.c, "translator" their vrend_shader.c, and the arrays named here are members of struct
 * tgsi_shader_info and struct dump_ctx there. What is indexed by what a text says:
 *
 *   text                          array and size                                       bound here
 *   DCL IN[r]                     scan input_semantic_name, _index, _interpolate [80]  IO_REGISTERS
 *   DCL OUT[r]                    scan output_semantic_name, _index [80]               IO_REGISTERS
 *   DCL IN, OUT: ARRAY(n)         scan input_array_first, output_array_first [80]      IO_REGISTERS
 *   lines of DCL IN, DCL OUT      translator inputs, outputs [64]                      IO_LINES
 *   outputs of a fragment shader  fs_output_layout [12] FRAGMENT_OUTPUTS outputs with an ARRAY
 * output_arrays.layout [16]                            OUTPUT_ARRAYS semantic's index
 * invariant_outputs [4 * 32 bits], masks of 64 bits,   see front_back_color_emitted_flags [64],
 * tgsi_words.c interpolators [2] (two-sided colour) DCL SV[r], lines of them      scan
 * system_value_semantic_name [80]; [32]           SYSTEM_VALUES DCL CONST[d][r]               scan
 * const_file_max [32], translator ubo_sizes [32]  CONSTANT_BUFFERS DCL SAMP, SVIEW; SAMP[r] scan
 * is_msaa_sampler [32], samplers [32]             SAMPLERS DCL IMAGE; IMAGE[r]           images
 * [32]                                          IMAGES STORE IMAGE, r, COHERENT      images [32],
 * by the register of the coordinate       IMAGES DCL BUFFER; BUFFER, MEMORY[r] masks of 32 bits,
 * ssbo_memory_qualifier [32]         BUFFERS lines of DCL HWATOMIC         abo_idx, abo_sizes,
 * abo_offsets [32]                 ATOMIC_RANGES IMM lines; IMM[r], also as a  imm [1024]
 * IMMEDIATES texture offset, of EMIT, MEMBAR IN[r], INTERP_* IN[r](n)      scan input_usage_mask,
 * input_interpolate [80]        IO_REGISTERS DCL TEMP[a..b]                allocates b - a + 1
 * entries, unsigned                a <= b DCL ranges of any file        tgsi_sanity.c allocates per
 * register                 REGISTERS sources of one instruction    src_bufs [4] in 0.10.4 SOURCES
 *   PROPERTY NUM_CLIPDIST, _CULL  fields of 4 bits, shifts CLIP_DISTANCES
 *
 * tgsi_check_link() holds what a pair of shaders does to inputs [64].
 */
#pragma once

/* A whole text; virglrenderer's tokens, at most one for two bytes, are counted in 24 bits. */
#define TGSI_TEXT_BYTES_MAX (4u << 20)

#define TGSI_IO_REGISTERS_MAX 80
#define TGSI_IO_LINES_MAX 64
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

/* Vertices of a primitive or patch: the first index of IN[vertex][register]. */
#define TGSI_VERTICES_MAX 32

/* The index of a register is a signed number of 16 bits in a token, that of a declaration an
 * unsigned one. */
#define TGSI_INDEX_MIN (-0x8000)
#define TGSI_INDEX_MAX 0x7fff
#define TGSI_DECLARED_INDEX_MAX 0xffff

/* The number of an array has 10 bits in a token. */
#define TGSI_ARRAY_MAX 0x3ff

/* Mesa uses three; their names stand in strings of fixed size. */
#define TGSI_ADDRESSES_MAX 16

/*
 * Registers declared by one text. The largest that GL asks of a guest are 14 uniform blocks of 64
 * KiB or 57344 registers; virglrenderer allocates about 60 bytes for each while it reads the text.
 */
#define TGSI_REGISTERS_MAX (1u << 18)

/*
 * Steps of the searches that virglrenderer makes for each register that an instruction names: all
 * ranges of temporaries for a temporary, all declared registers for an indirect one. 2^31 steps
 * take seconds; a shader of 20000 instructions with 500 temporaries needs 3 * 10^7.
 */
#define TGSI_SEARCH_STEPS_MAX (UINT64_C(1) << 31)

/*
 * IF and BGNLOOP within each other. The host's GLSL compiler recurses for each level: that of Mesa
 * 22.3 takes 1024 with a stack of 8 MiB.
 */
#define TGSI_DEPTH_MAX 512
