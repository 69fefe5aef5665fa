/* SPDX-License-Identifier: MIT */
/*
 * objects: knows who exists: the guest's resources and contexts, the memory that they may lie in,
 * what they may cost, and the ledger from which a successor makes them anew.
 *
 * Only this room changes any of it. Its calls serve a guest's commands and rebuild.c alike, and
 * check both: a ledger is trusted no more than a guest. Calls that return uint32_t give a
 * VIRTIO_GPU_RESP_* code, and log what they refuse. Whoever keeps pointers to resources must
 * listen, and let go of a resource that is going. Only the gpu thread calls it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/ledger.h"
#include "render/objects/limits.h"
#include "render/objects/resource.h"
#include "render/quota/quota.h"

/* Two rooms listen: the heads, and the checker of commands. */
#define OBJECTS_LISTENERS_MAX 2

/* objects_attach_backing() returns it in place of an answer. No answer is above 16 bits. */
#define OBJECTS_WAIT_FOR_MEMORY 0x10000u

struct ledger_book;
struct memory;
struct objects;

/* Each function may be NULL: then its event is not listened to. */
struct objects_listener {
	void (*resource_made)(void *user, const struct resource *resource);
	/* The resource is still whole. Its id is free once the call that removes it returns. */
	void (*resource_going)(void *user, struct resource *resource);
	/* resource->backing is its backing from now on; NULL means that there is none. */
	void (*backing_changed)(void *user, const struct resource *resource);
	void (*context_made)(void *user, uint32_t context);
	/* The resources that the context had open are not reported as closed. */
	void (*context_gone)(void *user, uint32_t context);
	void (*resource_opened)(void *user, uint32_t context, const struct resource *resource);
	void (*resource_closed)(void *user, uint32_t context, const struct resource *resource);
};

/* Makes it empty; the caller destroys it. The limits are copied. */
struct objects *objects_create(const struct quota_limits *limits);
/*
 * Is called before there are objects. A user listens once, and there is room for
 * OBJECTS_LISTENERS_MAX. The listener must stay valid.
 */
void objects_add_listener(
	struct objects *objects, const struct objects_listener *listener, void *user);
void objects_remove_listener(struct objects *objects, const void *user);
void objects_destroy(struct objects *objects);

/*
 * Takes the caller's reference on the table over. Backings keep the table that they were made with.
 */
void objects_set_memory(struct objects *objects, struct memory *memory);
bool objects_has_memory(const struct objects *objects);
/* Takes the book over; nothing is rebuilt from it here. */
void objects_set_ledger(struct objects *objects, struct ledger_book *book);
/* Returns what the ledger says, for rebuild.c; NULL when there is none. */
const struct ledger *objects_peek_ledger(const struct objects *objects);
/* Empties the ledger, so that what it lists can be made anew. */
void objects_clear_ledger(struct objects *objects);
/* Enters into the ledger what a head shows. */
void objects_note_scanout(
	struct objects *objects, unsigned head, const struct ledger_scanout *scanout);
/* Returns the quota that 2D resources and the buffers of heads' pictures are charged to. */
struct quota *objects_get_picture_quota(struct objects *objects);
/* Logs that this quota has no room for size_bytes more, if it has not. */
void objects_tell_pictures(struct objects *objects, uint64_t size_bytes);
/*
 * Returns the account of what the context uses, or the guest's own account for 0 and for a context
 * that is not there.
 */
struct quota_account *objects_get_account(struct objects *objects, uint32_t context);

struct resource *objects_find_resource(const struct objects *objects, uint32_t id);
bool objects_has_context(const struct objects *objects, uint32_t id);
/*
 * Returns the context's name, or NULL when there is no such context. The text is the guest's and
 * may hold any character. It stays the context's.
 */
const char *objects_get_context_name(const struct objects *objects, uint32_t id);
/*
 * The two go through all resources, in no order; NULL comes after the last. None may be made or
 * removed meanwhile.
 */
void objects_iterate(const struct objects *objects, GHashTableIter *iter);
struct resource *objects_next(GHashTableIter *iter);

/*
 * Makes a resource, 3D if description->is_3d says so. When the guest is late
 * (render/quota/making.h) virglrenderer makes a 3D one when it is used for the first time, since
 * only then it is known whose it is.
 */
uint32_t objects_create_resource(
	struct objects *objects, const struct ledger_resource *description);
/*
 * Is to be called before virglrenderer is told of a 3D resource, with the context that uses it, or
 * 0. Returns OK, or why the resource cannot be made.
 */
uint32_t objects_use_resource(struct objects *objects, struct resource *resource, uint32_t context);
void objects_remove_resource(struct objects *objects, struct resource *resource);
/*
 * Attaches guest memory to the resource. Memory that is not in the table is refused, or, if the
 * caller may wait, answered with OBJECTS_WAIT_FOR_MEMORY: then nothing has changed, and the caller
 * tries again when there is a new table.
 */
uint32_t objects_attach_backing(struct objects *objects, struct resource *resource,
	const struct ledger_backing *entries, uint32_t n_entries, bool may_wait);
uint32_t objects_detach_backing(struct objects *objects, struct resource *resource);
uint32_t objects_create_context(struct objects *objects, uint32_t id, const char name[64]);
/*
 * Does the same for a context that a dead renderer had, but virglrenderer makes it when it is used
 * for the first time. So however many contexts a guest has, its next renderer is there at once.
 */
uint32_t objects_enter_context(struct objects *objects, uint32_t id, const char name[64]);
/* Says whether a dead renderer had it, with which all that was drawn in it was lost. */
bool objects_is_inherited(const struct objects *objects, uint32_t id);
/*
 * Is to be called before virglrenderer is told of the context. Returns false when there is none, or
 * none can be made.
 */
bool objects_use_context(struct objects *objects, uint32_t id);
/*
 * Notes, in the ledger too, that a head shows what the context has attached. Its program is never
 * late from then on (making.h).
 */
void objects_note_painted(struct objects *objects, uint32_t id);
/* Notes that the context has drawn all that its program asked for last, or not. */
void objects_note_drawn(struct objects *objects, uint32_t id, bool all);
/*
 * Returns whether the resource was made anew in the place of a dead renderer's and nobody can have
 * drawn into it since: no context that has it open has drawn. Who looks had better keep the picture
 * of before.
 */
bool objects_is_blank(const struct objects *objects, struct resource *resource);
/*
 * Returns true when a new context of this name is to be refused, because the program has crashed or
 * hung renderers. Those that a dead renderer had are made again all the same.
 */
bool objects_is_refused(const struct objects *objects, const char name[LEDGER_NAME_BYTES]);
/* Destroys a context, which must exist, and detaches all resources from it. */
void objects_destroy_context(struct objects *objects, uint32_t id);
/* Notes that the context, which must exist, may use the resource from now on, or no more. */
uint32_t objects_open_resource(
	struct objects *objects, struct resource *resource, uint32_t context);
void objects_close_resource(struct objects *objects, struct resource *resource, uint32_t context);
/* Removes every context and resource, and empties the ledger. */
void objects_clear(struct objects *objects);
