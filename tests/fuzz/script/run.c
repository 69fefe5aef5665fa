/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/script/run.h"

#include <stdlib.h>
#include <string.h>

#include "render/gl/egl.h"
#include "render/gl/virgl.h"

static GString *complaints;

/* Returns whether virglrenderer says this also when nothing is wrong. */
static bool is_harmless(const char *message)
{
	static const char *const harmless[] = { "core profile violation", "gl_version ",
		"GLSL feature level", "vrend_renderer_fill_caps", "ignoring extra value" };
	for (unsigned i = 0; i < G_N_ELEMENTS(harmless); i++)
		if (strstr(message, harmless[i]))
			return true;
	return false;
}

static GLogWriterOutput collect(
	GLogLevelFlags level, const GLogField *fields, gsize n, gpointer user)
{
	for (gsize i = 0; i < n; i++) {
		if (strcmp(fields[i].key, "MESSAGE"))
			continue;
		const char *message = fields[i].value;
		if (!is_harmless(message) && (level <= G_LOG_LEVEL_WARNING ||
						     g_str_has_prefix(message, "virglrenderer: ")))
			g_string_append_printf(complaints, "%s\n", message);
	}
	return G_LOG_WRITER_HANDLED;
}

static void ignore_fence(void *user, uint32_t sequence)
{
}

/*
 * Asks for the capsets, as every guest does first: virglrenderer learns some of its own limits only
 * then.
 */
static void ask_for_capsets(void)
{
	struct virgl_capset capset;
	for (uint32_t i = 0; virgl_get_capset(i, &capset); i++) {
		g_autofree void *caps = g_malloc(capset.max_size_bytes);
		virgl_fill_capset(&capset, capset.max_version, caps);
	}
}

bool run_start(void)
{
	static struct egl_choice choice;
	complaints = g_string_new(NULL);
	g_log_set_writer_func(collect, NULL, NULL);
	if (!egl_choose(&choice, NULL, true) || !virgl_init(&choice, ignore_fence, NULL))
		return false;
	ask_for_capsets();
	return true;
}

const char *run_complaints(void)
{
	return complaints->str;
}

/* ---- resources ---- */

/*
 * Holds a resource's memory in two pieces, so that both ways through virglrenderer's iovec code are
 * taken.
 */
struct memory {
	uint32_t resource;
	struct iovec pieces[2];
	unsigned n_pieces;
};

static void memory_init(struct memory *memory, const struct script_resource *resource)
{
	uint32_t bytes = resource->backing_bytes, first = bytes > 4096 ? 4096 : bytes;
	memory->resource = resource->id;
	memory->n_pieces = bytes > first ? 2 : 1;
	memory->pieces[0] = (struct iovec){ g_malloc0(first), first };
	if (bytes > first)
		memory->pieces[1] = (struct iovec){ g_malloc0(bytes - first), bytes - first };
}

static void memory_finish(struct memory *memory)
{
	for (unsigned i = 0; i < memory->n_pieces; i++)
		g_free(memory->pieces[i].iov_base);
}

static struct memory *memories;
static unsigned n_memories;

static void make_resource(struct memory *memory, const struct script_resource *resource)
{
	struct ledger_resource description = {
		.id = resource->id,
		.is_3d = 1,
		.target = resource->target,
		.format = resource->format,
		.bind = resource->bind,
		.width = resource->width,
		.height = resource->height,
		.depth = resource->depth,
		.array_size = resource->array_size,
		.last_level = resource->last_level,
		.nr_samples = resource->nr_samples,
		.flags = resource->flags,
	};
	memory_init(memory, resource);
	if (!virgl_create_resource(&description))
		return;
	virgl_attach_backing(resource->id, memory->pieces, memory->n_pieces);
	virgl_attach_to_context(resource->attached ? RUN_CONTEXT : RUN_OTHER_CONTEXT, resource->id);
}

void run_begin(const struct script *script)
{
	g_string_set_size(complaints, 0);
	virgl_create_context(RUN_CONTEXT, "fuzz", 4);
	virgl_create_context(RUN_OTHER_CONTEXT, "other", 5);
	n_memories = script->resources->len;
	memories = g_new0(struct memory, n_memories);
	for (unsigned i = 0; i < n_memories; i++)
		make_resource(
			&memories[i], &g_array_index(script->resources, struct script_resource, i));
}

void run_submit(void *user, uint32_t context, uint32_t *words, uint32_t n_words)
{
	virgl_submit(context, words, n_words);
}

/* Destroys the resource. Its memory stays, as the guest's other pages do. */
void run_unref(uint32_t resource)
{
	for (unsigned i = 0; i < n_memories; i++)
		if (memories[i].resource == resource)
			memories[i].resource = 0;
	virgl_detach_from_context(RUN_CONTEXT, resource);
	virgl_detach_from_context(RUN_OTHER_CONTEXT, resource);
	virgl_destroy_resource(resource);
}

void run_end(void)
{
	virgl_poll();
	virgl_destroy_context(RUN_CONTEXT);
	virgl_destroy_context(RUN_OTHER_CONTEXT);
	for (unsigned i = 0; i < n_memories; i++) {
		if (memories[i].resource)
			virgl_destroy_resource(memories[i].resource);
		memory_finish(&memories[i]);
	}
	g_free(memories);
}

/* ---- a script with nothing between ---- */

static void submit(void *user, uint32_t *words, uint32_t n_words)
{
	virgl_submit(RUN_CONTEXT, words, n_words);
}

static void unref(void *user, uint32_t resource)
{
	run_unref(resource);
}

void run_script(const struct script *script)
{
	static const struct script_walker walker = { submit, unref };
	run_begin(script);
	script_walk(script, &walker, NULL);
	run_end();
}
