/* SPDX-License-Identifier: MIT */
#include "render/stream/streams.h"

#include "render/stream/state.h"

static void destroy_context(gpointer context)
{
	context_destroy(context);
}

/*
 * virglrenderer 0.10.4 describes these formats (u_format_table.c), and so does each newer one. It
 * looks the others up as well, some without asking whether there was an answer
 * (util_format_has_alpha() of a sampler view or a surface), and that of a shader image in a table
 * without asking whether it is so long.
 */
static const struct {
	uint32_t first, last;
} described[] = { { 0, 72 }, { 74, 77 }, { 82, 85 }, { 87, 306 }, { 308, 308 }, { 311, 313 } };

static void add_described(struct streams *streams)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(described); i++) {
		for (uint32_t n = described[i].first; n <= described[i].last; n++)
			streams->formats[n / 32] |= 1u << n % 32;
	}
}

struct streams *streams_create(void)
{
	struct streams *streams = g_new0(struct streams, 1);
	streams->resources = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	streams->contexts = g_hash_table_new_full(NULL, NULL, NULL, destroy_context);
	add_described(streams);
	streams->copy = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	return streams;
}

void streams_destroy(struct streams *streams)
{
	if (!streams)
		return;
	g_hash_table_unref(streams->contexts);
	g_hash_table_unref(streams->resources);
	g_array_unref(streams->copy);
	g_free(streams);
}

void streams_add_formats(struct streams *streams, const uint32_t formats[STREAM_FORMAT_WORDS])
{
	for (unsigned i = 0; i < STREAM_FORMAT_WORDS; i++)
		streams->formats[i] |= formats[i];
}

static struct stream_resource *find_resource(const struct streams *streams, uint32_t id)
{
	return g_hash_table_lookup(streams->resources, GUINT_TO_POINTER(id));
}

static struct context *find_context(const struct streams *streams, uint32_t id)
{
	return g_hash_table_lookup(streams->contexts, GUINT_TO_POINTER(id));
}

/* ---- resources ---- */

void streams_resource_made(struct streams *streams, const struct stream_resource *facts)
{
	struct stream_resource *resource = g_memdup2(facts, sizeof(*facts));
	resource->was_bound = false;
	bool is_new =
		g_hash_table_insert(streams->resources, GUINT_TO_POINTER(facts->id), resource);
	g_assert(facts->id != 0 && is_new);
}

void streams_backing_changed(
	struct streams *streams, uint32_t id, uint64_t backing_bytes, uint64_t first_piece_bytes)
{
	struct stream_resource *resource = find_resource(streams, id);
	if (!resource)
		return;
	resource->backing_bytes = backing_bytes;
	resource->first_piece_bytes = first_piece_bytes;
}

/* Empties the slots of all contexts that name the resource, here and in virglrenderer. */
static void cut(struct streams *streams, uint32_t id, stream_submit submit, void *user)
{
	g_autoptr(GArray) words = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	GHashTableIter iter;
	gpointer context;
	g_hash_table_iter_init(&iter, streams->contexts);
	while (g_hash_table_iter_next(&iter, NULL, &context)) {
		struct context *c = context;
		g_array_set_size(words, 0);
		context_cut(c, id, words);
		if (words->len > 0)
			submit(user, c->id, (uint32_t *)words->data, words->len);
	}
}

void streams_resource_going(struct streams *streams, uint32_t id, stream_submit submit, void *user)
{
	struct stream_resource *resource = find_resource(streams, id);
	GHashTableIter iter;
	gpointer context;
	if (!resource)
		return;
	g_hash_table_iter_init(&iter, streams->contexts);
	while (g_hash_table_iter_next(&iter, NULL, &context))
		g_hash_table_remove(((struct context *)context)->attached, GUINT_TO_POINTER(id));
	if (resource->was_bound)
		cut(streams, id, submit, user);
	g_hash_table_remove(streams->resources, GUINT_TO_POINTER(id));
}

/* ---- contexts ---- */

void streams_context_made(struct streams *streams, uint32_t id, struct quota_account *account)
{
	g_assert(!find_context(streams, id));
	g_hash_table_insert(streams->contexts, GUINT_TO_POINTER(id), context_create(id, account));
}

void streams_context_gone(struct streams *streams, uint32_t id)
{
	g_hash_table_remove(streams->contexts, GUINT_TO_POINTER(id));
}

void streams_attach(struct streams *streams, uint32_t context_id, uint32_t id)
{
	struct context *context = find_context(streams, context_id);
	struct stream_resource *resource = find_resource(streams, id);
	if (context && resource)
		g_hash_table_insert(context->attached, GUINT_TO_POINTER(id), resource);
}

void streams_detach(struct streams *streams, uint32_t context_id, uint32_t id)
{
	struct context *context = find_context(streams, context_id);
	if (context)
		g_hash_table_remove(context->attached, GUINT_TO_POINTER(id));
}

void streams_lose(struct streams *streams, uint32_t id)
{
	struct context *context = find_context(streams, id);
	if (context)
		context->lost = true;
}

bool streams_is_lost(const struct streams *streams, uint32_t id)
{
	struct context *context = find_context(streams, id);
	return context && context->lost;
}
