/* SPDX-License-Identifier: MIT */
/*
 * script: a virgl command stream together with what is known of it: where each command begins, what
 * each of its words means and how far it may go, which resources it needs, and where it is cut into
 * submissions. What breaks it (breakage.h) goes by that.
 *
 * The wire format is that of virglrenderer's src/virgl_protocol.h; names of commands and fields are
 * its own, or those of Mesa's virgl_encode.c where it has none.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum script_field_kind {
	SCRIPT_FIELD_ANY,         /* every value is valid: colours, masks */
	SCRIPT_FIELD_PACKED,      /* several bit fields, some of which are enumerations */
	SCRIPT_FIELD_FLOAT,       /* every number is valid */
	SCRIPT_FIELD_NEW_HANDLE,  /* names an object that is made */
	SCRIPT_FIELD_OBJECT,      /* names an object of one kind, or is 0 */
	SCRIPT_FIELD_RESOURCE,    /* names a resource that the context has, or is 0 */
	SCRIPT_FIELD_SUB_CONTEXT, /* names a sub-context */
	SCRIPT_FIELD_NUMBER,      /* 0 … limit: slots, counts, offsets, sizes, coordinates */
	SCRIPT_FIELD_ENUM,        /* 0 … limit, an enumeration */
	SCRIPT_FIELD_FORMAT,      /* a virgl_formats number */
	SCRIPT_FIELD_TEXT,        /* several words of text */
};

struct script_field {
	const char *name;
	enum script_field_kind kind;
	uint32_t word; /* where, from the stream's beginning */
	uint32_t n_words;
	uint32_t limit; /* the last valid value, where the kind has one */
};

struct script_command {
	const char *name;
	uint8_t code, object;   /* VIRGL_CCMD_*, VIRGL_OBJECT_* */
	uint32_t word, n_words; /* the header included */
	uint32_t first_field, n_fields;
	uint32_t sub_context; /* the one that is current before it */
};

/* Describes a resource as RESOURCE_CREATE_3D does (virtio 1.2, 5.7.6.8). */
struct script_resource {
	uint32_t id, target, format, bind, width, height, depth, array_size, last_level, nr_samples,
		flags;
	uint32_t backing_bytes; /* 0: none is attached */
	bool attached;          /* to the context */
};

struct script_object {
	uint32_t handle;
	uint8_t type; /* VIRGL_OBJECT_* */
	uint32_t sub_context;
	bool alive; /* at the stream's end */
};

enum script_step_kind {
	SCRIPT_STEP_SUBMIT, /* words that go in together */
	SCRIPT_STEP_UNREF,  /* a resource that the guest gives back */
};

struct script_step {
	enum script_step_kind kind;
	uint32_t first_word, n_words, resource;
};

/* Holds the structures above, in order. script_init() makes it empty. */
struct script {
	GArray *words, *commands, *fields, *resources, *objects, *steps;
	uint32_t sub_context;
	bool is_poor; /* its quotas are so small that most are reached */
};

void script_init(struct script *script);
/* Empties the script, as after script_init(). */
void script_clear(struct script *script);
void script_finish(struct script *script);

/* These begin a command, put its words and end it, which writes its length. */
void script_begin(struct script *script, const char *name, uint8_t code, uint8_t object);
void script_put(struct script *script, enum script_field_kind kind, const char *name,
	uint32_t limit, uint32_t value);
/* Puts text or data, filled up with zeroes to whole words. */
void script_put_bytes(struct script *script, enum script_field_kind kind, const char *name,
	const void *bytes, uint32_t n_bytes);
void script_end(struct script *script);
/* Makes what was written since the last cut one submission. */
void script_cut(struct script *script);
/* Cuts, and has the guest give the resource back after that. */
void script_unref(struct script *script, uint32_t resource);

/*
 * Says what to do with a script's steps. `words` are a copy of exactly the submission's size, the
 * callee's until it returns, so that a sanitizer sees who reads past its end.
 */
struct script_walker {
	void (*submit)(void *user, uint32_t *words, uint32_t n_words);
	void (*unref)(void *user, uint32_t resource);
};

/* Walks the script step by step. Each resource is given back once. */
void script_walk(const struct script *script, const struct script_walker *walker, void *user);

void script_put_any(struct script *script, const char *name, uint32_t value);
void script_put_float(struct script *script, const char *name, float value);
void script_put_number(struct script *script, const char *name, uint32_t limit, uint32_t value);
void script_put_enum(struct script *script, const char *name, uint32_t last, uint32_t value);
void script_put_format(struct script *script, const char *name, uint32_t format);
void script_put_new(struct script *script, uint32_t handle);
void script_put_object(struct script *script, const char *name, uint32_t handle);
void script_put_resource(struct script *script, const char *name, uint32_t resource);
/*
 * Returns the bytes that a pixel takes, for the formats that a generated resource has; none is
 * compressed.
 */
uint32_t script_pixel_bytes(uint32_t format);
