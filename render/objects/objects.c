/* SPDX-License-Identifier: MIT */
#include "render/objects/objects.h"

#include <linux/virtio_gpu.h>
#include <string.h>

#include "common/monotonic.h"
#include "common/peer_log.h"
#include "render/buffers/format.h"
#include "render/gl/virgl.h"
#include "render/gl/virgl_bounds.h"
#include "render/objects/ledger_book.h"

struct listening {
	const struct objects_listener *listener; /* NULL: nobody */
	void *user;
};

struct named_context {
	char *name;   /* the guest's */
	bool is_made; /* virglrenderer knows it; else it is made when it is first used */
	bool has_drawn;
	bool is_inherited; /* a dead renderer had it */
	struct quota_account account;
};

struct objects {
	struct listening listening[OBJECTS_LISTENERS_MAX];
	GHashTable *resources;        /* id -> struct resource* */
	GHashTable *contexts;         /* id -> struct named_context* */
	struct quota_account account; /* the guest's own */
	struct ledger_book *ledger;
	struct memory *memory; /* the table in force; NULL before the first */
};

static void context_free(gpointer data)
{
	struct named_context *context = data;
	quota_account_finish_context(&context->account);
	g_free(context->name);
	g_free(context);
}

struct objects *objects_create(const struct quota_limits *limits)
{
	struct objects *objects = g_new0(struct objects, 1);
	objects->resources = g_hash_table_new(NULL, NULL);
	objects->contexts = g_hash_table_new_full(NULL, NULL, NULL, context_free);
	quota_account_init(&objects->account, limits);
	return objects;
}

/* ---- listeners ---- */

static struct listening *find_listening(struct objects *objects, const void *user)
{
	for (unsigned i = 0; i < OBJECTS_LISTENERS_MAX; i++) {
		if (objects->listening[i].user == user)
			return &objects->listening[i];
	}
	return NULL;
}

void objects_add_listener(
	struct objects *objects, const struct objects_listener *listener, void *user)
{
	struct listening *free = find_listening(objects, NULL);
	g_assert(user && free && !find_listening(objects, user));
	*free = (struct listening){ listener, user };
}

void objects_remove_listener(struct objects *objects, const void *user)
{
	struct listening *listening = find_listening(objects, user);
	g_assert(listening && user);
	*listening = (struct listening){ 0 };
}

/* Calls `event` of all who listen to it. */
#define TELL(objects, event, ...)                                                                  \
	do {                                                                                       \
		for (unsigned i = 0; i < OBJECTS_LISTENERS_MAX; i++) {                             \
			const struct listening *l = &(objects)->listening[i];                      \
			if (l->listener && l->listener->event)                                     \
				l->listener->event(l->user, __VA_ARGS__);                          \
		}                                                                                  \
	} while (0)

void objects_destroy(struct objects *objects)
{
	if (!objects)
		return;
	objects_clear(objects);
	ledger_book_close(objects->ledger);
	memory_unref(objects->memory);
	g_hash_table_unref(objects->resources);
	g_hash_table_unref(objects->contexts);
	g_free(objects);
}

/* ---- memory and ledger ---- */

void objects_set_memory(struct objects *objects, struct memory *memory)
{
	memory_unref(objects->memory);
	objects->memory = memory;
}

bool objects_has_memory(const struct objects *objects)
{
	return objects->memory != NULL;
}

void objects_set_ledger(struct objects *objects, struct ledger_book *book)
{
	ledger_book_close(objects->ledger);
	objects->ledger = book;
}

const struct ledger *objects_peek_ledger(const struct objects *objects)
{
	return ledger_book_peek(objects->ledger);
}

void objects_clear_ledger(struct objects *objects)
{
	ledger_book_clear_objects(objects->ledger);
}

void objects_note_scanout(
	struct objects *objects, unsigned head, const struct ledger_scanout *scanout)
{
	ledger_book_set_scanout(objects->ledger, head, scanout);
}

/* ---- quotas ---- */

struct quota *objects_get_picture_quota(struct objects *objects)
{
	return &objects->account.quotas[QUOTA_PICTURE_BYTES];
}

void objects_tell_pictures(struct objects *objects, uint64_t size_bytes)
{
	if (size_bytes > quota_get_room(objects_get_picture_quota(objects)))
		quota_tell(&objects->account, QUOTA_PICTURE_BYTES, size_bytes);
}

struct quota_account *objects_get_account(struct objects *objects, uint32_t context)
{
	struct named_context *found =
		g_hash_table_lookup(objects->contexts, GUINT_TO_POINTER(context));
	return found ? &found->account : &objects->account;
}

/* ---- resources ---- */

struct resource *objects_find_resource(const struct objects *objects, uint32_t id)
{
	return g_hash_table_lookup(objects->resources, GUINT_TO_POINTER(id));
}

void objects_iterate(const struct objects *objects, GHashTableIter *iter)
{
	g_hash_table_iter_init(iter, objects->resources);
}

struct resource *objects_next(GHashTableIter *iter)
{
	gpointer resource;
	return g_hash_table_iter_next(iter, NULL, &resource) ? resource : NULL;
}

static bool is_size(uint32_t pixels)
{
	return pixels >= 1 && pixels <= FRAME_SIZE_MAX;
}

static bool is_valid_2d(const struct ledger_resource *d)
{
	return format_is_known(d->format) && is_size(d->width) && is_size(d->height);
}

static uint32_t make_resource(
	struct objects *objects, const struct ledger_resource *d, struct resource **made)
{
	enum quota_name name = d->is_3d ? QUOTA_TEXTURE_BYTES : QUOTA_PICTURE_BYTES;
	struct quota *quota = &objects->account.quotas[name];
	uint64_t size_bytes = d->is_3d ? virgl_bounds_estimate_bytes(d) : resource_size_2d(d);
	*made = d->is_3d ? resource_create_3d(quota, d, size_bytes) : resource_create_2d(quota, d);
	if (!*made) {
		quota_tell(&objects->account, name, size_bytes);
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	if (!d->is_3d || objects->account.making.is_late)
		return VIRTIO_GPU_RESP_OK_NODATA;
	if (!virgl_create_resource(d)) {
		resource_destroy(*made);
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	}
	(*made)->is_made = true;
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t objects_use_resource(struct objects *objects, struct resource *resource, uint32_t context)
{
	const struct backing *backing = resource->backing;
	if (!resource->description.is_3d || resource->is_made)
		return VIRTIO_GPU_RESP_OK_NODATA;
	if (!making_allows(objects_get_account(objects, context)))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	if (!virgl_create_resource(&resource->description))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	resource->is_made = true;
	if (backing && !virgl_attach_backing(resource->id, backing->pieces, backing->n_pieces))
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t check_resource(const struct objects *objects, const struct ledger_resource *d)
{
	if (d->id == 0 || objects_find_resource(objects, d->id)) {
		peer_warning(PEER_GUEST, "resource %u: not a new id", d->id);
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (d->is_3d ? virgl_bounds_is_resource_sane(d) : is_valid_2d(d))
		return VIRTIO_GPU_RESP_OK_NODATA;
	peer_warning(PEER_GUEST, "resource %u: %ux%ux%u, format %u, target %u: not possible", d->id,
		d->width, d->height, d->depth, d->format, d->target);
	return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
}

uint32_t objects_create_resource(struct objects *objects, const struct ledger_resource *d)
{
	struct resource *resource;
	uint32_t result = check_resource(objects, d);
	if (result != VIRTIO_GPU_RESP_OK_NODATA)
		return result;
	if (!quota_take(&objects->account, QUOTA_RESOURCES, 1))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	result = make_resource(objects, d, &resource);
	if (result != VIRTIO_GPU_RESP_OK_NODATA) {
		quota_give(&objects->account, QUOTA_RESOURCES, 1);
		return result;
	}
	g_hash_table_insert(objects->resources, GUINT_TO_POINTER(d->id), resource);
	ledger_book_add_resource(objects->ledger, d);
	TELL(objects, resource_made, resource);
	return result;
}

static void give_backing(struct objects *objects, const struct backing *backing)
{
	quota_give(&objects->account, QUOTA_BACKING_ENTRIES, backing->n_entries);
	quota_give(&objects->account, QUOTA_BACKING_BYTES, backing->size_bytes);
}

void objects_remove_resource(struct objects *objects, struct resource *resource)
{
	uint32_t id = resource->id;
	g_assert(objects_find_resource(objects, id) == resource);
	TELL(objects, resource_going, resource);
	g_assert(resource->scanouts == 0);
	ledger_book_remove_resource(objects->ledger, id);
	g_hash_table_remove(objects->resources, GUINT_TO_POINTER(id));
	if (resource->is_made)
		virgl_destroy_resource(id);
	if (resource->backing)
		give_backing(objects, resource->backing);
	resource_destroy(resource);
	quota_give(&objects->account, QUOTA_RESOURCES, 1);
}

/* ---- backings ---- */

static struct backing *make_backing(
	struct objects *objects, const struct ledger_backing *entries, uint32_t n_entries)
{
	return objects->memory ? backing_create(objects->memory, entries, n_entries) : NULL;
}

/*
 * Charges the backing's bytes, which are known once it is made, and gives it to the resource. That
 * it is made first costs nothing: its bytes are memory that the guest has anyway.
 */
static uint32_t take_backing(
	struct objects *objects, struct resource *resource, struct backing *backing)
{
	if (!quota_take(&objects->account, QUOTA_BACKING_BYTES, backing->size_bytes))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	if (!resource->is_made ||
		virgl_attach_backing(resource->id, backing->pieces, backing->n_pieces)) {
		resource->backing = backing;
		return VIRTIO_GPU_RESP_OK_NODATA;
	}
	quota_give(&objects->account, QUOTA_BACKING_BYTES, backing->size_bytes);
	return VIRTIO_GPU_RESP_ERR_UNSPEC;
}

static uint32_t attach(struct objects *objects, struct resource *resource,
	const struct ledger_backing *entries, uint32_t n_entries, bool may_wait)
{
	struct backing *backing = make_backing(objects, entries, n_entries);
	if (!backing && may_wait)
		return OBJECTS_WAIT_FOR_MEMORY;
	if (!backing) {
		peer_warning(PEER_GUEST,
			"resource %u: backing of %u entries reaches outside guest memory",
			resource->id, n_entries);
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	uint32_t result = take_backing(objects, resource, backing);
	if (result != VIRTIO_GPU_RESP_OK_NODATA)
		backing_destroy(backing);
	return result;
}

uint32_t objects_attach_backing(struct objects *objects, struct resource *resource,
	const struct ledger_backing *entries, uint32_t n_entries, bool may_wait)
{
	if (resource->backing) {
		peer_warning(PEER_GUEST, "resource %u: has a backing already", resource->id);
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	if (!quota_take(&objects->account, QUOTA_BACKING_ENTRIES, n_entries))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	uint32_t result = attach(objects, resource, entries, n_entries, may_wait);
	if (result != VIRTIO_GPU_RESP_OK_NODATA) {
		quota_give(&objects->account, QUOTA_BACKING_ENTRIES, n_entries);
		return result;
	}
	ledger_book_set_backing(objects->ledger, resource->id, entries, n_entries);
	TELL(objects, backing_changed, resource);
	return result;
}

uint32_t objects_detach_backing(struct objects *objects, struct resource *resource)
{
	if (!resource->backing) {
		peer_warning(PEER_GUEST, "resource %u: has no backing", resource->id);
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	if (resource->is_made)
		virgl_detach_backing(resource->id);
	give_backing(objects, resource->backing);
	backing_destroy(resource->backing);
	resource->backing = NULL;
	ledger_book_set_backing(objects->ledger, resource->id, NULL, 0);
	TELL(objects, backing_changed, resource);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/* ---- contexts ---- */

bool objects_has_context(const struct objects *objects, uint32_t id)
{
	return g_hash_table_contains(objects->contexts, GUINT_TO_POINTER(id));
}

const char *objects_get_context_name(const struct objects *objects, uint32_t id)
{
	const struct named_context *context =
		g_hash_table_lookup(objects->contexts, GUINT_TO_POINTER(id));
	return context ? context->name : NULL;
}

static struct named_context *find_context(const struct objects *objects, uint32_t id)
{
	return g_hash_table_lookup(objects->contexts, GUINT_TO_POINTER(id));
}

static uint32_t enter_context(
	struct objects *objects, uint32_t id, const char name[64], bool is_inherited)
{
	if (id == 0 || objects_has_context(objects, id)) {
		peer_warning(PEER_GUEST, "context %u: not a new id", id);
		return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
	}
	if (!quota_take(&objects->account, QUOTA_CONTEXTS, 1))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	struct named_context *context = g_new0(struct named_context, 1);
	context->name = g_strndup(name, LEDGER_NAME_BYTES);
	context->is_inherited = is_inherited;
	quota_account_init_context(&context->account, &objects->account, id);
	g_hash_table_insert(objects->contexts, GUINT_TO_POINTER(id), context);
	ledger_book_add_context(objects->ledger, id, name);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t objects_enter_context(struct objects *objects, uint32_t id, const char name[64])
{
	return enter_context(objects, id, name, true);
}

static void leave_context(struct objects *objects, uint32_t id)
{
	ledger_book_remove_context(objects->ledger, id);
	g_hash_table_remove(objects->contexts, GUINT_TO_POINTER(id));
	quota_give(&objects->account, QUOTA_CONTEXTS, 1);
}

bool objects_use_context(struct objects *objects, uint32_t id)
{
	struct named_context *context = find_context(objects, id);
	if (!context || context->is_made)
		return context != NULL;
	if (!virgl_create_context(id, context->name, (uint32_t)strlen(context->name))) {
		leave_context(objects, id);
		return false;
	}
	context->is_made = true;
	TELL(objects, context_made, id);
	return true;
}

uint32_t objects_create_context(struct objects *objects, uint32_t id, const char name[64])
{
	uint32_t result = enter_context(objects, id, name, false);
	if (result != VIRTIO_GPU_RESP_OK_NODATA || objects_use_context(objects, id))
		return result;
	return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
}

bool objects_is_inherited(const struct objects *objects, uint32_t id)
{
	const struct named_context *context = find_context(objects, id);
	return context && context->is_inherited;
}

void objects_note_painted(struct objects *objects, uint32_t id)
{
	struct named_context *context = find_context(objects, id);
	if (context)
		context->account.making.is_spared = true;
	ledger_book_note_painted(objects->ledger, id);
}

void objects_note_drawn(struct objects *objects, uint32_t id, bool all)
{
	struct named_context *context = find_context(objects, id);
	if (context)
		context->has_drawn = all;
}

bool objects_is_blank(const struct objects *objects, struct resource *resource)
{
	for (unsigned i = 0; resource->is_blank && i < resource->n_contexts; i++) {
		const struct named_context *context = find_context(objects, resource->contexts[i]);
		resource->is_blank = !context || !context->has_drawn;
	}
	return resource->is_blank;
}

bool objects_is_refused(const struct objects *objects, const char name[LEDGER_NAME_BYTES])
{
	return ledger_book_is_refused(objects->ledger, name, monotonic_now_ns());
}

void objects_destroy_context(struct objects *objects, uint32_t id)
{
	GHashTableIter iter;
	struct resource *resource;
	g_assert(objects_has_context(objects, id));
	bool was_made = find_context(objects, id)->is_made;
	leave_context(objects, id);
	if (!was_made)
		return;
	virgl_destroy_context(id);
	TELL(objects, context_gone, id);
	objects_iterate(objects, &iter);
	while ((resource = objects_next(&iter)))
		resource_detach_context(resource, id);
}

/*
 * Linux opens every buffer that a program does, 2D ones too. virglrenderer does not know those, so
 * it is not told of them.
 */
uint32_t objects_open_resource(struct objects *objects, struct resource *resource, uint32_t context)
{
	g_assert(objects_has_context(objects, context));
	uint32_t result = objects_use_resource(objects, resource, context);
	if (result != VIRTIO_GPU_RESP_OK_NODATA)
		return result;
	resource_attach_context(resource, context);
	if (resource->description.is_3d)
		virgl_attach_to_context(context, resource->id);
	TELL(objects, resource_opened, context, resource);
	return result;
}

void objects_close_resource(struct objects *objects, struct resource *resource, uint32_t context)
{
	g_assert(objects_has_context(objects, context));
	resource_detach_context(resource, context);
	if (resource->is_made)
		virgl_detach_from_context(context, resource->id);
	TELL(objects, resource_closed, context, resource);
}

/* ---- all of them ---- */

void objects_clear(struct objects *objects)
{
	GHashTableIter iter;
	gpointer key, value;
	g_hash_table_iter_init(&iter, objects->contexts);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		if (!((struct named_context *)value)->is_made)
			continue;
		virgl_destroy_context(GPOINTER_TO_UINT(key));
		TELL(objects, context_gone, GPOINTER_TO_UINT(key));
	}
	quota_give(&objects->account, QUOTA_CONTEXTS, g_hash_table_size(objects->contexts));
	g_hash_table_remove_all(objects->contexts);
	g_autoptr(GList) resources = g_hash_table_get_values(objects->resources);
	for (GList *l = resources; l; l = l->next)
		objects_remove_resource(objects, l->data);
	quota_account_forget_told(&objects->account);
	making_init(&objects->account);
	ledger_book_clear_objects(objects->ledger);
	ledger_book_clear_refusals(objects->ledger);
}
