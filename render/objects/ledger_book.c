/* SPDX-License-Identifier: MIT */
#include "render/objects/ledger_book.h"

#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "common/shm.h"

/*
 * Slots are found by hash tables of our own, which lead from an id to its slot + 1, so that a full
 * ledger costs no search. The search for a free slot begins at `resource_hint` and `context_hint`.
 */
struct ledger_book {
	struct ledger *ledger;
	GHashTable *resources, *contexts;
	unsigned resource_hint, context_hint;
	uint32_t n_freed; /* of the arena's entries, since it was compacted */
};

/*
 * The arena is compacted again only after this many entries have been freed, so that a guest which
 * keeps it full pays for each time with as many. What does not fit until then is left out.
 */
#define COMPACT_FROM (LEDGER_BACKING_MAX / 16)

static void initialise(struct ledger *ledger)
{
	memset(ledger, 0, offsetof(struct ledger, backing));
	for (unsigned i = 0; i < KEEPER_RINGS; i++)
		ledger->rings[i].returning = LEDGER_NO_CHAIN;
	ledger->version = LEDGER_VERSION;
	ledger->magic = LEDGER_MAGIC;
}

static void index_slots(struct ledger_book *book)
{
	const struct ledger *l = book->ledger;
	for (unsigned i = 0; i < LEDGER_RESOURCES_MAX; i++) {
		if (l->resources[i].id != 0)
			g_hash_table_insert(book->resources, GUINT_TO_POINTER(l->resources[i].id),
				GUINT_TO_POINTER(i + 1));
	}
	for (unsigned i = 0; i < LEDGER_CONTEXTS_MAX; i++) {
		if (l->contexts[i].id != 0)
			g_hash_table_insert(book->contexts, GUINT_TO_POINTER(l->contexts[i].id),
				GUINT_TO_POINTER(i + 1));
	}
}

struct ledger_book *ledger_book_open(int fd)
{
	struct ledger *ledger = shm_map(fd, sizeof(*ledger), true);
	if (!ledger) {
		g_warning("ledger: cannot be mapped: %s", g_strerror(errno));
		return NULL;
	}
	if (ledger->magic != LEDGER_MAGIC || ledger->version != LEDGER_VERSION)
		initialise(ledger);
	struct ledger_book *book = g_new0(struct ledger_book, 1);
	book->ledger = ledger;
	book->resources = g_hash_table_new(NULL, NULL);
	book->contexts = g_hash_table_new(NULL, NULL);
	index_slots(book);
	return book;
}

void ledger_book_close(struct ledger_book *book)
{
	if (!book)
		return;
	shm_unmap(book->ledger, sizeof(*book->ledger));
	g_hash_table_unref(book->resources);
	g_hash_table_unref(book->contexts);
	g_free(book);
}

struct ledger_ring *ledger_book_get_ring(struct ledger_book *book, unsigned ring)
{
	g_assert(ring < KEEPER_RINGS);
	return book ? &book->ledger->rings[ring] : NULL;
}

const struct ledger *ledger_book_peek(const struct ledger_book *book)
{
	return book ? book->ledger : NULL;
}

void ledger_book_clear_objects(struct ledger_book *book)
{
	if (!book)
		return;
	struct ledger *l = book->ledger;
	memset(l->scanouts, 0, sizeof(l->scanouts));
	/* Pages that have only free slots are not written to. */
	for (unsigned i = 0; i < LEDGER_CONTEXTS_MAX; i++) {
		if (l->contexts[i].id != 0)
			l->contexts[i] = (struct ledger_context){ 0 };
	}
	for (unsigned i = 0; i < LEDGER_RESOURCES_MAX; i++) {
		if (l->resources[i].id != 0)
			l->resources[i] = (struct ledger_resource){ 0 };
	}
	l->backing_used = 0;
	l->overflowed = 0;
	g_hash_table_remove_all(book->resources);
	g_hash_table_remove_all(book->contexts);
	book->resource_hint = book->context_hint = 0;
	book->n_freed = 0;
}

static struct ledger_resource *find_resource(struct ledger_book *book, uint32_t id)
{
	unsigned slot =
		GPOINTER_TO_UINT(g_hash_table_lookup(book->resources, GUINT_TO_POINTER(id)));
	return slot ? &book->ledger->resources[slot - 1] : NULL;
}

/* Stores an id, which is what makes an entry valid: it goes in last and comes out first. */
static void store_id(uint32_t *id, uint32_t value)
{
	__atomic_store_n(id, value, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void ledger_book_add_resource(struct ledger_book *book, const struct ledger_resource *resource)
{
	if (!book)
		return;
	struct ledger *l = book->ledger;
	for (unsigned n = 0; n < LEDGER_RESOURCES_MAX; n++) {
		unsigned slot = (book->resource_hint + n) % LEDGER_RESOURCES_MAX;
		struct ledger_resource *entry = &l->resources[slot];
		if (entry->id != 0)
			continue;
		struct ledger_resource copy = *resource;
		copy.id = 0;
		*entry = copy;
		store_id(&entry->id, resource->id);
		g_hash_table_insert(book->resources, GUINT_TO_POINTER(resource->id),
			GUINT_TO_POINTER(slot + 1));
		book->resource_hint = slot + 1;
		return;
	}
	l->overflowed = 1;
}

void ledger_book_remove_resource(struct ledger_book *book, uint32_t id)
{
	struct ledger_resource *entry = book ? find_resource(book, id) : NULL;
	if (!entry)
		return;
	store_id(&entry->id, 0);
	book->n_freed += entry->backing_count;
	book->resource_hint = (unsigned)(entry - book->ledger->resources);
	g_hash_table_remove(book->resources, GUINT_TO_POINTER(id));
}

static gint by_first(gconstpointer a, gconstpointer b)
{
	const struct ledger_resource *ra = *(struct ledger_resource *const *)a;
	const struct ledger_resource *rb = *(struct ledger_resource *const *)b;
	return ra->backing_first < rb->backing_first ? -1 : ra->backing_first > rb->backing_first;
}

/*
 * Moves the entries in use to the front of the arena, in their order, so that none is overwritten
 * before it was moved.
 */
static void compact(struct ledger_book *book)
{
	struct ledger *l = book->ledger;
	g_autoptr(GPtrArray) used = g_ptr_array_new();
	for (unsigned i = 0; i < LEDGER_RESOURCES_MAX; i++) {
		if (l->resources[i].id != 0 && l->resources[i].backing_count > 0)
			g_ptr_array_add(used, &l->resources[i]);
	}
	g_ptr_array_sort(used, by_first);
	uint32_t next = 0;
	for (unsigned i = 0; i < used->len; i++) {
		struct ledger_resource *r = used->pdata[i];
		if (r->backing_first > LEDGER_BACKING_MAX ||
			r->backing_count > LEDGER_BACKING_MAX - r->backing_first ||
			r->backing_first < next) {
			r->backing_count = 0;
			l->overflowed = 1;
			continue;
		}
		memmove(&l->backing[next], &l->backing[r->backing_first],
			r->backing_count * sizeof(l->backing[0]));
		r->backing_first = next;
		next += r->backing_count;
	}
	l->backing_used = next;
	book->n_freed = 0;
}

static bool is_full(const struct ledger *l, uint32_t n_entries)
{
	return l->backing_used > LEDGER_BACKING_MAX ||
	       n_entries > LEDGER_BACKING_MAX - l->backing_used;
}

void ledger_book_set_backing(struct ledger_book *book, uint32_t id,
	const struct ledger_backing *entries, uint32_t n_entries)
{
	struct ledger_resource *entry = book ? find_resource(book, id) : NULL;
	if (!entry)
		return;
	struct ledger *l = book->ledger;
	book->n_freed += entry->backing_count;
	entry->backing_count = 0;
	if (n_entries == 0)
		return;
	bool worth = book->n_freed >= COMPACT_FROM || l->backing_used > LEDGER_BACKING_MAX;
	if (is_full(l, n_entries) && worth)
		compact(book);
	if (is_full(l, n_entries)) {
		l->overflowed = 1;
		return;
	}
	memcpy(&l->backing[l->backing_used], entries, n_entries * sizeof(*entries));
	entry->backing_first = l->backing_used;
	l->backing_used += n_entries;
	store_id(&entry->backing_count, n_entries);
}

void ledger_book_add_context(struct ledger_book *book, uint32_t id, const char name[64])
{
	if (!book)
		return;
	for (unsigned n = 0; n < LEDGER_CONTEXTS_MAX; n++) {
		unsigned slot = (book->context_hint + n) % LEDGER_CONTEXTS_MAX;
		struct ledger_context *entry = &book->ledger->contexts[slot];
		if (entry->id != 0)
			continue;
		memcpy(entry->name, name, sizeof(entry->name));
		entry->has_painted = 0;
		store_id(&entry->id, id);
		g_hash_table_insert(
			book->contexts, GUINT_TO_POINTER(id), GUINT_TO_POINTER(slot + 1));
		book->context_hint = slot + 1;
		return;
	}
	book->ledger->overflowed = 1;
}

static unsigned find_context_slot(struct ledger_book *book, uint32_t id)
{
	return book ? GPOINTER_TO_UINT(g_hash_table_lookup(book->contexts, GUINT_TO_POINTER(id))) :
		      0;
}

void ledger_book_note_painted(struct ledger_book *book, uint32_t id)
{
	unsigned slot = find_context_slot(book, id);
	if (slot > 0)
		book->ledger->contexts[slot - 1].has_painted = 1;
}

void ledger_book_remove_context(struct ledger_book *book, uint32_t id)
{
	unsigned slot = find_context_slot(book, id);
	if (slot == 0)
		return;
	store_id(&book->ledger->contexts[slot - 1].id, 0);
	book->context_hint = slot - 1;
	g_hash_table_remove(book->contexts, GUINT_TO_POINTER(id));
}

bool ledger_book_is_refused(
	const struct ledger_book *book, const char name[LEDGER_NAME_BYTES], uint64_t now_ns)
{
	for (unsigned i = 0; book && i < LEDGER_REFUSALS_MAX; i++) {
		const struct ledger_refusal *r = &book->ledger->refusals[i];
		if (r->until_ns > now_ns &&
			(r->any_name || strncmp(r->name, name, LEDGER_NAME_BYTES) == 0))
			return true;
	}
	return false;
}

void ledger_book_clear_refusals(struct ledger_book *book)
{
	if (book)
		memset(book->ledger->refusals, 0, sizeof(book->ledger->refusals));
}

void ledger_book_set_scanout(
	struct ledger_book *book, unsigned head, const struct ledger_scanout *scanout)
{
	g_assert(head < LEDGER_SCANOUTS_MAX);
	if (!book)
		return;
	struct ledger_scanout *entry = &book->ledger->scanouts[head];
	store_id(&entry->resource, 0);
	struct ledger_scanout copy = *scanout;
	copy.resource = 0;
	*entry = copy;
	store_id(&entry->resource, scanout->resource);
}
