/* SPDX-License-Identifier: MIT */
/*
 * model: what the guest whose stream is generated knows: its resources, its sub-contexts and the
 * objects in each. emit_*.c write the commands, and take what these need from here or make it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/fuzz/script/choices.h"
#include "tests/fuzz/script/shaders.h"
#include "tests/fuzz/script/script.h"

#define MODEL_SUB_CONTEXTS 4u
#define MODEL_BUFFER_BYTES 8192u /* the largest buffer */
#define MODEL_TEXTURE_SIZE 64u
#define MODEL_LEVELS_MAX 3u

/* Says what a resource is for, and so how it looks. */
enum model_use {
	MODEL_VERTICES,
	MODEL_INDICES,
	MODEL_UNIFORMS,
	MODEL_SHADER_BUFFER,
	MODEL_INDIRECT,
	MODEL_STREAMOUT,
	MODEL_QUERY,        /* where query results go: no GL buffer */
	MODEL_QUERY_BUFFER, /* where the GPU writes them */
	MODEL_STAGING,
	MODEL_TEXELS, /* a buffer that is sampled */
	MODEL_COLOR,  /* 2D, to draw on */
	MODEL_DEPTH,
	MODEL_MULTISAMPLED,
	MODEL_IMAGE,   /* 2D, R32_UINT: shaders write it */
	MODEL_TEXTURE, /* any target, to sample */
	MODEL_USES,
};

struct model_object {
	uint32_t handle;
	uint8_t type;
	uint32_t sub_context;
	bool alive;
	struct script_resource resource; /* of views, surfaces, queries and targets */
	enum virgl_stage stage;          /* of shaders */
	struct shader_needs needs;       /* of shaders */
	uint32_t kind; /* of queries: their type; of surfaces: the level; of vertex elements: how
			  many */
};

struct model {
	struct choices *choices;
	struct script *script;
	GArray *uses;    /* enum model_use of each resource of the script, in order */
	GArray *objects; /* struct model_object */
	uint32_t next_handle, next_resource, next_blob, next_sub_context;
	uint32_t sub_contexts[MODEL_SUB_CONTEXTS]; /* ids; 0 beyond n_sub_contexts */
	unsigned n_sub_contexts, sub_context;      /* the current one, an index */
};

void model_init(struct model *model, struct choices *choices, struct script *script);
void model_finish(struct model *model);

/* The first returns a resource that there is, or makes one; the second always makes one. */
struct script_resource model_take(struct model *model, enum model_use use);
struct script_resource model_make(struct model *model, enum model_use use);
/* Notes that the guest gives the resource back and does not use it again. */
void model_release(struct model *model, uint32_t resource);
/* Returns any resource with a texture of one sample. */
struct script_resource model_take_texture(struct model *model);
uint32_t model_width(const struct script_resource *resource, uint32_t level);
uint32_t model_height(const struct script_resource *resource, uint32_t level);
/* Returns the slices of a 3D texture, the layers of all others. */
uint32_t model_layers(const struct script_resource *resource, uint32_t level);

/* Adds an object of the current sub-context to the model and to the script. */
struct model_object *model_add(struct model *model, enum virgl_object_type type);
/* Both return a random object, or NULL when there is none. */
struct model_object *model_find(struct model *model, enum virgl_object_type type);
struct model_object *model_find_shader(struct model *model, enum virgl_stage stage);
void model_forget(struct model *model, uint32_t handle);
/* Forgets all objects of the current sub-context. */
void model_forget_all(struct model *model);
