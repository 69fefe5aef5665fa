/* SPDX-License-Identifier: MIT */
/*
 * objects: who exists. The guest's resources and contexts, the memory that they may lie in, what
 * they may cost, and the ledger from which a successor makes them anew.
 *
 * Only this room changes any of it. Its calls serve a guest's commands and rebuild.c alike, and
 * check both: a ledger is trusted no more than a guest. Calls that return uint32_t give a
 * VIRTIO_GPU_RESP_* code, and log what they refuse. Whoever keeps pointers to resources must
 * listen, and let go of a resource that is going. gpu thread only.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/ledger.h"
#include "render/objects/limits.h"
#include "render/objects/resource.h"
#include "render/quota/quota.h"

/* Heads, and the checker of commands. */
#define OBJECTS_LISTENERS_MAX 2

/* In place of an answer, none of which is above 16 bits; see objects_attach_backing(). */
#define OBJECTS_WAIT_FOR_MEMORY 0x10000u

struct ledger_book;
struct memory;
struct objects;

/* Each may be NULL. */
struct objects_listener {
	void (*resource_made)(void *user, const struct resource *resource);
	/* The resource is still whole. Its id is free once the call that removes it returns. */
	void (*resource_going)(void *user, struct resource *resource);
	/* resource->backing is what it has from now on; NULL: none. */
	void (*backing_changed)(void *user, const struct resource *resource);
	void (*context_made)(void *user, uint32_t context);
	/* Nothing is said of the resources that it had open. */
	void (*context_gone)(void *user, uint32_t context);
	void (*resource_opened)(void *user, uint32_t context, const struct resource *resource);
	void (*resource_closed)(void *user, uint32_t context, const struct resource *resource);
};

/* The limits are copied. */
struct objects *objects_create(const struct quota_limits *limits);
/* Before there are objects. A user listens once, and there is room for OBJECTS_LISTENERS_MAX. */
void objects_add_listener(
	struct objects *objects, const struct objects_listener *listener, void *user);
void objects_remove_listener(struct objects *objects, const void *user);
void objects_destroy(struct objects *objects);

/* Takes the reference over. Backings keep the table that they were made with. */
void objects_set_memory(struct objects *objects, struct memory *memory);
bool objects_has_memory(const struct objects *objects);
/* Takes the book over; nothing is rebuilt from it. */
void objects_set_ledger(struct objects *objects, struct ledger_book *book);
/* What the ledger says, for rebuild.c; NULL: there is none. */
const struct ledger *objects_peek_ledger(const struct objects *objects);
/* Empties the ledger, so that what it lists can be made anew. */
void objects_clear_ledger(struct objects *objects);
/* Enters into the ledger what a head shows. */
void objects_note_scanout(
	struct objects *objects, unsigned head, const struct ledger_scanout *scanout);
/* The quota that 2D resources and the buffers of heads' pictures are charged to. */
struct quota *objects_get_picture_quota(struct objects *objects);
/* Logs that this quota has no room for so much more, if it has not. */
void objects_tell_pictures(struct objects *objects, uint64_t size_bytes);
/* What the context uses. The guest's own account for 0 and for a context that is not there. */
struct quota_account *objects_get_account(struct objects *objects, uint32_t context);

struct resource *objects_find_resource(const struct objects *objects, uint32_t id);
bool objects_has_context(const struct objects *objects, uint32_t id);
/* The guest's text, which may hold any character; NULL: there is no such context. */
const char *objects_get_context_name(const struct objects *objects, uint32_t id);
/* All resources, in no order: NULL after the last. None may be made or removed meanwhile. */
void objects_iterate(const struct objects *objects, GHashTableIter *iter);
struct resource *objects_next(GHashTableIter *iter);

/*
 * description->is_3d says which kind. When the guest is late (render/quota/making.h) virglrenderer
 * makes a 3D one when it is used for the first time, since only then it is known whose it is.
 */
uint32_t objects_create_resource(
	struct objects *objects, const struct ledger_resource *description);
/*
 * Is to be called before virglrenderer is told of a 3D resource: by a context, or 0. Gives OK, or
 * why it cannot be made.
 */
uint32_t objects_use_resource(struct objects *objects, struct resource *resource, uint32_t context);
void objects_remove_resource(struct objects *objects, struct resource *resource);
/*
 * Memory that is not in the table is refused, or, if the caller may wait, answered with
 * OBJECTS_WAIT_FOR_MEMORY and nothing changed: try again when there is a new table.
 */
uint32_t objects_attach_backing(struct objects *objects, struct resource *resource,
	const struct ledger_backing *entries, uint32_t n_entries, bool may_wait);
uint32_t objects_detach_backing(struct objects *objects, struct resource *resource);
uint32_t objects_create_context(struct objects *objects, uint32_t id, const char name[64]);
/*
 * The same for one that a dead renderer had: virglrenderer makes it when it is used for the first
 * time. So however many contexts a guest has, its next renderer is there at once.
 */
uint32_t objects_enter_context(struct objects *objects, uint32_t id, const char name[64]);
/* Is to be called before virglrenderer is told of it. False: there is none, or none can be made. */
bool objects_use_context(struct objects *objects, uint32_t id);
/* A head shows what the context has attached: the ledger remembers it. */
void objects_note_painted(struct objects *objects, uint32_t id);
/*
 * True when a new context of this name is to be refused, because the program has crashed or hung
 * renderers. Those that a dead renderer had are made again all the same.
 */
bool objects_is_refused(const struct objects *objects, const char name[LEDGER_NAME_BYTES]);
/* The context must exist. All resources are detached from it. */
void objects_destroy_context(struct objects *objects, uint32_t id);
/* The context, which must exist, may use the resource from now on, or no more. */
uint32_t objects_open_resource(
	struct objects *objects, struct resource *resource, uint32_t context);
void objects_close_resource(struct objects *objects, struct resource *resource, uint32_t context);
/* Removes every context and resource, and empties the ledger. */
void objects_clear(struct objects *objects);
