/* SPDX-License-Identifier: MIT */
/*
 * limits of stream: bounds what a command stream names, makes and says. A command past one of the
 * bounds is refused, and its context is lost (checker.h).
 */
#pragma once

/*
 * virglrenderer's arrays have this many slots, in 0.10.4 and in 1.3 (PIPE_MAX_* of its copy of
 * p_state.h). It checks some of them only later, and some not at all.
 */
#define STREAM_ATTRIBS_MAX 32
#define STREAM_COLOR_BUFFERS_MAX 8
#define STREAM_VIEWPORTS_MAX 16
#define STREAM_CONSTANT_BUFFERS_MAX 32
#define STREAM_SHADER_BUFFERS_MAX 32
#define STREAM_SHADER_IMAGES_MAX 32
#define STREAM_ATOMIC_BUFFERS_MAX 32
/*
 * virglrenderer has places for this many shader buffers of all stages together from 1.0 on
 * (VREND_MAX_COMBINED_SSBO_BINDING_POINTS), and capsets of then say so.
 */
#define STREAM_BUFFER_PLACES_MAX 32
#define STREAM_SAMPLERS_MAX 32
#define STREAM_SAMPLER_VIEWS_MAX 128
/*
 * GL offers this many, and so does Gallium. virglrenderer has room for 16, of which GL would refuse
 * 12.
 */
#define STREAM_STREAMOUT_TARGETS_MAX 4
/*
 * virglrenderer keeps each set of targets that was set in a sub-context, until one of the targets
 * is destroyed, and goes through all of them at each SET_STREAMOUT_TARGETS. A program has as many
 * as it has objects of transform feedback; Mesa destroys the targets with these. This many take
 * virglrenderer some ten microseconds a command. Past it the command is refused.
 */
#define STREAM_STREAMOUT_SETS_MAX 1024
#define STREAM_STREAMOUT_OUTPUTS_MAX 64
/*
 * virglrenderer lists what a vertex has in the streamed buffers in an array of this many names on
 * its stack (varyings[] of set_stream_out_varyings()), and looks at its end nowhere: a name for
 * each output, for each further buffer, and for each four components that nothing is put into.
 * GL streams at most 64 components, of which no more than that many names come.
 */
#define STREAM_STREAMOUT_NAMES_MAX 160

/*
 * SET_SHADER_IMAGES is the longest command that names objects or resources. It has this many words.
 */
#define STREAM_NAMING_WORDS_MAX (2 + 5 * STREAM_SHADER_IMAGES_MAX)

/* A capset has a bit for each of this many formats (struct virgl_supported_format_mask). */
#define STREAM_FORMATS 512
#define STREAM_FORMAT_WORDS (STREAM_FORMATS / 32)
/*
 * virglrenderer 0.10.4 has numbers for this many formats (VIRGL_FORMAT_MAX), and for not all of
 * them a description: see streams.c.
 */
#define STREAM_FORMATS_OLD 322

/*
 * A shader has at most one token for each byte of its text, and this many more. No token takes less
 * than a character, so a driver that counts them stays far below; others say a round number.
 * virglrenderer allocates 4 bytes for each, until it has read the text.
 */
#define STREAM_SHADER_TOKENS_SPARE 4096

/*
 * One shader's text has at most this many bytes. Mesa gives up on a shader that does not fit into
 * 32 MiB.
 */
#define STREAM_SHADER_TEXT_MAX (32u * 1024 * 1024)

/*
 * One transfer touches at most this many bytes, since virglrenderer computes some sizes in 32 bits
 * with a sign.
 */
#define STREAM_TRANSFER_BYTES_MAX 0x7fffffffu

/*
 * virglrenderer writes this many bytes into a resource: virgl_host_query_state, virgl_memory_info
 * and virgl_resource_layout of virgl_protocol.h.
 */
#define STREAM_QUERY_RESULT_BYTES 16
#define STREAM_MEMORY_INFO_BYTES 24
#define STREAM_LAYOUT_BYTES 80

/*
 * One SET_CONSTANT_BUFFER sets at most this many words of constants, which are whole vectors: its
 * length has 16 bits and counts two words more. virglrenderer hands GL as many as the bound shader
 * declares, whether or not the guest has set that many, so it is made to have room for all of them.
 */
#define STREAM_CONSTANTS_MAX 65532

/*
 * Room for this many words is made at least, which are 64 KiB. Few shaders declare more: Mesa lets
 * one declare 256 KiB where the host's GL does.
 */
#define STREAM_CONSTANTS_USUAL 16384

/*
 * One stream makes room for at most this many words, since a few words make it for a whole stage. A
 * driver needs it once or twice for each stage of a sub-context, and its streams are each of one
 * sub-context; making and destroying them in turn would need 14 GiB for one stream.
 */
#define STREAM_CONSTANT_ROOMS_MAX (64 * STREAM_CONSTANTS_USUAL)
