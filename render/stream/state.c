/* SPDX-License-Identifier: MIT */
#include "render/stream/state.h"

#include <string.h>

struct shader *shader_ref(struct shader *shader)
{
	if (shader)
		shader->n_refs++;
	return shader;
}

void shader_unref(struct shader *shader)
{
	if (!shader || --shader->n_refs > 0)
		return;
	g_clear_pointer(&shader->text, g_byte_array_unref);
	g_free(shader);
}

/* ---- sets of streamout targets ---- */

static bool has_streamout(const GArray *sets, const struct streamout_set *set)
{
	for (guint i = 0; i < sets->len; i++) {
		if (memcmp(&g_array_index(sets, struct streamout_set, i), set, sizeof(*set)) == 0)
			return true;
	}
	return false;
}

bool sub_enter_streamout(struct context *context, const struct streamout_set *set)
{
	GArray *sets = context->current->streamout_sets;
	if (has_streamout(sets, set))
		return true;
	if (!quota_take(context->account, QUOTA_OBJECTS, 1))
		return false;
	g_array_append_vals(sets, set, 1);
	return true;
}

static bool sets_target(const struct streamout_set *set, uint32_t handle)
{
	for (uint32_t i = 0; i < set->n; i++) {
		if (set->handles[i] == handle)
			return true;
	}
	return false;
}

static void forget_streamout(struct context *context, uint32_t handle)
{
	GArray *sets = context->current->streamout_sets;
	for (guint i = sets->len; i-- > 0;) {
		if (!sets_target(&g_array_index(sets, struct streamout_set, i), handle))
			continue;
		g_array_remove_index_fast(sets, i);
		quota_give(context->account, QUOTA_OBJECTS, 1);
	}
}

/* ---- objects ---- */

static void object_destroy(gpointer data)
{
	struct object *object = data;
	shader_unref(object->shader);
	g_free(object);
}

struct object *sub_find(const struct sub_context *sub, uint32_t handle)
{
	return g_hash_table_lookup(sub->objects, GUINT_TO_POINTER(handle));
}

static void forget_pointers(struct sub_context *sub, const struct object *object)
{
	if (sub->vertex_elements == object)
		sub->vertex_elements = NULL;
	for (unsigned stage = 0; stage < STREAM_STAGES; stage++) {
		if (sub->shader_in_progress[stage] == object)
			sub->shader_in_progress[stage] = NULL;
	}
}

/*
 * Lists the quotas that an object is counted by, besides that of objects, and the amounts. Returns
 * how many they are.
 */
static unsigned list_quotas(
	enum stream_object kind, uint32_t text_bytes, enum quota_name names[2], uint64_t amounts[2])
{
	amounts[0] = 1;
	names[0] = kind == STREAM_OBJECT_SHADER ? QUOTA_SHADERS : QUOTA_QUERIES;
	names[1] = QUOTA_SHADER_BYTES;
	amounts[1] = text_bytes;
	return kind == STREAM_OBJECT_SHADER ? 2 : kind == STREAM_OBJECT_QUERY;
}

static bool take_object(struct quota_account *account, enum stream_object kind, uint32_t text_bytes)
{
	enum quota_name names[2];
	uint64_t amounts[2];
	unsigned n = list_quotas(kind, text_bytes, names, amounts), n_taken = 0;
	if (!quota_take(account, QUOTA_OBJECTS, 1))
		return false;
	while (n_taken < n && quota_take(account, names[n_taken], amounts[n_taken]))
		n_taken++;
	if (n_taken == n)
		return true;
	while (n_taken-- > 0)
		quota_give(account, names[n_taken], amounts[n_taken]);
	quota_give(account, QUOTA_OBJECTS, 1);
	return false;
}

static void give_object(struct quota_account *account, const struct object *object)
{
	enum quota_name names[2];
	uint64_t amounts[2];
	unsigned n = list_quotas(object->kind, object->text_bytes, names, amounts);
	for (unsigned i = 0; i < n; i++)
		quota_give(account, names[i], amounts[i]);
	quota_give(account, QUOTA_OBJECTS, 1);
}

void sub_remove(struct context *context, struct object *object)
{
	g_assert(!object_is_in_use(object));
	if (object->kind == STREAM_OBJECT_STREAMOUT_TARGET)
		forget_streamout(context, object->handle);
	forget_pointers(context->current, object);
	give_object(context->account, object);
	g_hash_table_remove(context->current->objects, GUINT_TO_POINTER(object->handle));
}

struct object *sub_insert(
	struct context *context, uint32_t handle, enum stream_object kind, uint32_t text_bytes)
{
	struct object *before = sub_find(context->current, handle);
	if (before)
		sub_remove(context, before);
	if (!take_object(context->account, kind, text_bytes))
		return NULL;
	struct object *object = g_new0(struct object, 1);
	object->handle = handle;
	object->kind = kind;
	object->text_bytes = text_bytes;
	g_hash_table_insert(context->current->objects, GUINT_TO_POINTER(handle), object);
	return object;
}

bool object_is_in_use(const struct object *object)
{
	return object->n_bound > 0;
}

/* ---- sub-contexts ---- */

static void sub_destroy(gpointer data)
{
	struct sub_context *sub = data;
	g_hash_table_unref(sub->objects);
	g_array_unref(sub->streamout_sets);
	for (unsigned stage = 0; stage < STREAM_STAGES; stage++)
		shader_unref(sub->shaders[stage]);
	g_free(sub);
}

static struct sub_context *find_sub(const struct context *context, uint32_t id)
{
	return g_hash_table_lookup(context->subs, GUINT_TO_POINTER(id));
}

bool context_has_sub(const struct context *context, uint32_t id)
{
	return find_sub(context, id) != NULL;
}

static void add_sub(struct context *context, uint32_t id)
{
	struct sub_context *sub = g_new0(struct sub_context, 1);
	sub->id = id;
	sub->objects = g_hash_table_new_full(NULL, NULL, NULL, object_destroy);
	sub->streamout_sets = g_array_new(FALSE, FALSE, sizeof(struct streamout_set));
	g_hash_table_insert(context->subs, GUINT_TO_POINTER(id), sub);
	context->current = sub;
}

bool context_make_sub(struct context *context, uint32_t id)
{
	if (find_sub(context, id))
		return true;
	if (!quota_take(context->account, QUOTA_SUB_CONTEXTS, 1))
		return false;
	add_sub(context, id);
	return true;
}

void context_switch_sub(struct context *context, uint32_t id)
{
	struct sub_context *sub = find_sub(context, id);
	if (sub)
		context->current = sub;
}

void context_destroy_sub(struct context *context, uint32_t id)
{
	struct sub_context *sub = find_sub(context, id);
	if (!sub || id == 0)
		return;
	if (context->current == sub)
		context->current = find_sub(context, 0);
	GHashTableIter iter;
	gpointer object;
	g_hash_table_iter_init(&iter, sub->objects);
	while (g_hash_table_iter_next(&iter, NULL, &object))
		give_object(context->account, object);
	quota_give(context->account, QUOTA_OBJECTS, sub->streamout_sets->len);
	g_hash_table_remove(context->subs, GUINT_TO_POINTER(id));
	quota_give(context->account, QUOTA_SUB_CONTEXTS, 1);
}

/* ---- contexts ---- */

/*
 * Takes nothing of the quotas, since what a context has from the start is what the context itself
 * costs.
 */
struct context *context_create(uint32_t id, struct quota_account *account)
{
	struct context *context = g_new0(struct context, 1);
	context->id = id;
	context->attached = g_hash_table_new(NULL, NULL);
	context->subs = g_hash_table_new_full(NULL, NULL, NULL, sub_destroy);
	context->account = account;
	add_sub(context, 0);
	return context;
}

void context_destroy(struct context *context)
{
	g_hash_table_unref(context->attached);
	g_hash_table_unref(context->subs);
	g_free(context);
}

/* ---- cutting ---- */

static void put(GArray *words, enum stream_number number, uint32_t length, const uint32_t *payload)
{
	uint32_t header = stream_header(number, STREAM_OBJECT_NULL, length);
	g_array_append_val(words, header);
	g_array_append_vals(words, payload, length);
}

static bool names(uint32_t *slot, uint32_t resource)
{
	if (*slot != resource)
		return false;
	*slot = 0;
	return true;
}

static void cut_stage(struct slots *slots, uint32_t stage, uint32_t resource, GArray *words)
{
	for (uint32_t i = 0; i < STREAM_CONSTANT_BUFFERS_MAX; i++) {
		if (names(&slots->uniforms[stage][i], resource))
			put(words, STREAM_SET_UNIFORM_BUFFER, 5, (uint32_t[]){ stage, i, 0, 0, 0 });
	}
	for (uint32_t i = 0; i < STREAM_SHADER_BUFFERS_MAX; i++) {
		if (names(&slots->buffers[stage][i], resource))
			put(words, STREAM_SET_SHADER_BUFFERS, 5, (uint32_t[]){ stage, i, 0, 0, 0 });
	}
	for (uint32_t i = 0; i < STREAM_SHADER_IMAGES_MAX; i++) {
		if (names(&slots->images[stage][i], resource))
			put(words, STREAM_SET_SHADER_IMAGES, 7,
				(uint32_t[]){ stage, i, 0, 0, 0, 0, 0 });
	}
}

/*
 * Empties vertex slots. They are set from the first on, so all of them go: a driver that lets go of
 * one sets them anew before it draws.
 */
static void cut_vertices(struct sub_context *sub, uint32_t resource, GArray *words)
{
	bool found = false;
	for (uint32_t i = 0; i < STREAM_ATTRIBS_MAX; i++)
		found |= sub->slots.vertices[i] == resource;
	if (found) {
		memset(sub->slots.vertices, 0, sizeof(sub->slots.vertices));
		sub->vertex_mask = 0;
		put(words, STREAM_SET_VERTEX_BUFFERS, 0, NULL);
	}
	if (names(&sub->slots.index, resource)) {
		sub->index_room = 0;
		put(words, STREAM_SET_INDEX_BUFFER, 1, (uint32_t[]){ 0 });
	}
}

static void cut_sub(struct sub_context *sub, uint32_t resource, GArray *words)
{
	guint before = words->len;
	put(words, STREAM_SET_SUB_CTX, 1, &sub->id);
	guint begin = words->len;
	for (uint32_t stage = 0; stage < STREAM_STAGES; stage++)
		cut_stage(&sub->slots, stage, resource, words);
	for (uint32_t i = 0; i < STREAM_ATOMIC_BUFFERS_MAX; i++) {
		if (names(&sub->slots.atomics[i], resource))
			put(words, STREAM_SET_ATOMIC_BUFFERS, 4, (uint32_t[]){ i, 0, 0, 0 });
	}
	cut_vertices(sub, resource, words);
	if (words->len == begin)
		g_array_set_size(words, before);
}

void context_cut(struct context *context, uint32_t resource, GArray *words)
{
	GHashTableIter iter;
	gpointer sub;
	g_hash_table_iter_init(&iter, context->subs);
	while (g_hash_table_iter_next(&iter, NULL, &sub))
		cut_sub(sub, resource, words);
	if (words->len > 0)
		put(words, STREAM_SET_SUB_CTX, 1, &context->current->id);
}
