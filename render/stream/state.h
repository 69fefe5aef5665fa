/* SPDX-License-Identifier: MIT */
/*
 * state: keeps what the checker knows of a context. It is for this room only.
 *
 * It mirrors what virglrenderer's struct vrend_context and vrend_sub_context keep, command by
 * command, as far as the next commands depend on it.
 */
#pragma once

#include <glib.h>

#include "render/quota/quota.h"
#include "render/stream/limits.h"
#include "render/stream/protocol.h"
#include "render/stream/streams.h"
#include "render/stream/tgsi.h"

/*
 * A shader outlives its object while it is bound, as in virglrenderer. Until all of its text has
 * come, `text` holds the part that has; then `facts` are what the text says.
 */
struct shader {
	unsigned n_refs;
	uint8_t stage;
	GByteArray *text;                               /* NULL: it is whole */
	uint32_t total_bytes;                           /* of the text with its NUL, as announced */
	uint32_t n_outputs;                             /* that it streams */
	uint32_t outputs[STREAM_STREAMOUT_OUTPUTS_MAX]; /* packed, as in the command */
	/*
	 * The shader behind it may find so many places of buffers taken, by this one and those
	 * before, that have stood there whenever it was translated.
	 */
	uint32_t buffers_end;
	struct tgsi_facts facts;
};

struct object {
	uint32_t handle;
	uint8_t kind; /* enum stream_object */
	/*
	 * Its destruction was left out, since virglrenderer would free it while a slot names it.
	 * Guests' commands no longer find it.
	 */
	bool doomed;
	bool has_result;  /* a query: it has ended, and has not begun anew */
	uint32_t n_bound; /* slots that name it: only of dsa and sampler states and queries */
	uint32_t vertex_buffers; /* vertex elements: bit n: slot n is read */
	uint32_t text_bytes;     /* a shader: that were taken of the quota */
	struct shader *shader;
};

/* Slots hold ids of resources; 0 is an empty slot. */
struct slots {
	uint32_t uniforms[STREAM_STAGES][STREAM_CONSTANT_BUFFERS_MAX];
	uint32_t buffers[STREAM_STAGES][STREAM_SHADER_BUFFERS_MAX];
	uint32_t images[STREAM_STAGES][STREAM_SHADER_IMAGES_MAX];
	uint32_t atomics[STREAM_ATOMIC_BUFFERS_MAX];
	uint32_t vertices[STREAM_ATTRIBS_MAX];
	uint32_t index;
};

/* These targets were set together. What is behind the last of them is 0. */
struct streamout_set {
	uint32_t n;
	uint32_t handles[STREAM_STREAMOUT_TARGETS_MAX]; /* 0: none */
};

struct sub_context {
	uint32_t id;
	GHashTable *objects; /* handle -> struct object* */
	struct slots slots;
	uint32_t n_vertices;  /* vertex slots from this one on are empty */
	uint32_t vertex_mask; /* bit n: vertex slot n has a buffer that GL can read */
	uint32_t index_size, index_offset, index_room; /* bytes of the index buffer */
	struct object *dsa, *vertex_elements;
	struct object
		*condition; /* a query, on whose result it depends whether anything is drawn */
	struct object *sampler_states[STREAM_STAGES][STREAM_SAMPLERS_MAX];
	struct object *shader_in_progress[STREAM_STAGES];
	struct shader *shaders[STREAM_STAGES]; /* bound */
	GArray *streamout_sets;                /* of struct streamout_set: that virglrenderer has */
	bool shaders_changed;                  /* since `buffers_fit` was found */
	bool buffers_fit;                      /* the bound shaders' buffers, all together */
	uint32_t other_images[STREAM_STAGES];  /* bit n: slot n has a view of other than integers */
	uint32_t other_units;                  /* bit n: slot n of some stage once had one */
	uint32_t constants_room[STREAM_STAGES]; /* words that virglrenderer has room for */
};

struct context {
	uint32_t id;
	bool lost;
	GHashTable *attached; /* id -> struct stream_resource* */
	GHashTable *subs;     /* id -> struct sub_context* */
	struct sub_context *current;
	struct quota_account *account; /* of what it makes */
};

struct streams {
	GHashTable *resources;                 /* id -> struct stream_resource* */
	GHashTable *contexts;                  /* id -> struct context* */
	uint32_t formats[STREAM_FORMAT_WORDS]; /* bit n % 32 of word n / 32: n is one */
	/*
	 * What the words of the command that is being checked name, by the word's index. Only words
	 * that are names have been written to.
	 */
	struct object *named_objects[STREAM_NAMING_WORDS_MAX + 1];
	struct stream_resource *named_resources[STREAM_NAMING_WORDS_MAX + 1];
	GArray *copy; /* of uint32_t: a stream with more in it than the guest wrote */
};

struct context *context_create(uint32_t id, struct quota_account *account);
/* Frees the context. Its account may be gone by then, with all that was taken of it. */
void context_destroy(struct context *context);

/*
 * These do what virglrenderer does: a sub-context that exists is left alone, one that does not is
 * not switched to, and sub-context 0 stays. Making one makes it current. context_make_sub() returns
 * false when that is over the quota.
 */
bool context_make_sub(struct context *context, uint32_t id);
void context_switch_sub(struct context *context, uint32_t id);
bool context_has_sub(const struct context *context, uint32_t id);
void context_destroy_sub(struct context *context, uint32_t id);

struct object *sub_find(const struct sub_context *sub, uint32_t handle);
/*
 * Makes an object in the current sub-context, which owns it. An object that has the handle already
 * goes, as in virglrenderer. `text_bytes` are a shader's. Returns NULL when it is over one of the
 * quotas.
 */
struct object *sub_insert(
	struct context *context, uint32_t handle, enum stream_object kind, uint32_t text_bytes);
/*
 * Enters a set of streamout targets into the current sub-context, which counts as an object, if
 * virglrenderer has not got it. It goes with the first of its targets. Returns false when that is
 * over the quota; the caller looks whether there are too many.
 */
bool sub_enter_streamout(struct context *context, const struct streamout_set *set);
void sub_remove(struct context *context, struct object *object);
/* Returns true while virglrenderer holds pointers to it that it would not clear. */
bool object_is_in_use(const struct object *object);

/* Both take NULL. */
struct shader *shader_ref(struct shader *shader);
void shader_unref(struct shader *shader);

/* Empties the slots that name the resource, and appends the words that do so in virglrenderer. */
void context_cut(struct context *context, uint32_t resource, GArray *words);
