/* SPDX-License-Identifier: MIT */
/*
 * emit: has one function for each command of the protocol (for CREATE_OBJECT: each kind of object).
 * It writes that command, valid, after whatever the command needs, and leaves a state in which
 * every other one is valid, too.
 */
#pragma once

#include "tests/fuzz/script/model.h"

/* ---- emit_objects.c ---- */

/* Each makes a new object of its kind and returns it by value. */
struct model_object emit_blend(struct model *model);
struct model_object emit_rasterizer(struct model *model);
struct model_object emit_dsa(struct model *model);
struct model_object emit_shader(struct model *model, enum virgl_stage stage);
/* Makes a vertex shader that records its outputs; `stride` is that of its one buffer, in words. */
struct model_object emit_recording_shader(struct model *model, uint32_t stride);
struct model_object emit_vertex_elements(struct model *model);
struct model_object emit_sampler_view(struct model *model);
/* Makes a view of a 2D texture with one sample. */
struct model_object emit_sampler_view_2d(struct model *model);
struct model_object emit_sampler_state(struct model *model);
struct model_object emit_surface(struct model *model, enum model_use use);
struct model_object emit_msaa_surface(struct model *model);
struct model_object emit_query(struct model *model, uint32_t kind);
struct model_object emit_streamout_target(struct model *model);
void emit_destroy(struct model *model, const struct model_object *object);
/* Both return an object of the kind, and make it when there is none. */
struct model_object emit_take(struct model *model, enum virgl_object_type type);
struct model_object emit_take_shader(struct model *model, enum virgl_stage stage);

/* ---- emit_state.c ---- */

void emit_bind(struct model *model, enum virgl_object_type type, uint32_t handle);
void emit_bind_shader(struct model *model, enum virgl_stage stage, uint32_t handle);
/* Sets up something to draw on, with a viewport that fits; returns what CLEAR may clear. */
uint32_t emit_framebuffer(struct model *model);
void emit_vertex_buffers(struct model *model);
void emit_constants(struct model *model, enum virgl_stage stage);
void emit_uniform_buffer(struct model *model, enum virgl_stage stage, uint32_t index);
void emit_sampler_views(struct model *model, enum virgl_stage stage);
void emit_sampler_states(struct model *model, enum virgl_stage stage);
void emit_shader_buffers(struct model *model, enum virgl_stage stage);
void emit_shader_images(struct model *model, enum virgl_stage stage);
void emit_atomic_buffers(struct model *model);
/* Binds what the shader needs. */
void emit_needs(struct model *model, const struct model_object *shader);

/* ---- emit_draw.c ---- */

void emit_any_draw(struct model *model);
/* Emits a shader that streams what it puts out, and a draw with it. */
void emit_recording_draw(struct model *model);
void emit_any_launch(struct model *model);

/* Describes a command of the protocol that can be asked for by name. */
struct emit_command {
	const char *name; /* as in script_command */
	enum virgl_command code;
	enum virgl_object_type object;
	unsigned weight; /* how often it is taken, compared with the others */
	void (*emit)(struct model *model);
};

extern const struct emit_command emit_object_commands[], emit_state_commands[],
	emit_draw_commands[], emit_transfer_commands[], emit_newer_commands[];
extern const unsigned emit_n_object_commands, emit_n_state_commands, emit_n_draw_commands,
	emit_n_transfer_commands, emit_n_newer_commands;
