/* SPDX-License-Identifier: MIT */
#include "render/commands/checker.h"

#include <glib.h>
#include <inttypes.h>
#include <linux/virtio_gpu.h>

#include "common/peer_log.h"
#include "protocol/stats_writer.h"
#include "render/gl/virgl.h"
#include "render/gl/virgl_bounds.h"
#include "render/objects/objects.h"
#include "render/stream/streams.h"

struct checker {
	struct objects *objects;
	struct streams *streams;
};

/* ---- what objects say ---- */

static void resource_made(void *user, const struct resource *resource)
{
	struct checker *checker = user;
	const struct ledger_resource *d = &resource->description;
	struct stream_resource facts = { .id = d->id,
		.target = d->target,
		.format = d->format,
		.bind = d->bind,
		.width = d->width,
		.height = d->height,
		.depth = d->depth,
		.array_size = d->array_size,
		.last_level = d->last_level,
		.samples = d->nr_samples,
		.pixel_bytes = virgl_bounds_format_bytes(d->format) };
	if (d->is_3d)
		streams_resource_made(checker->streams, &facts);
}

/*
 * Notes that the context is lost, since virglrenderer has left off in the middle of a stream. It
 * has said so in the log.
 */
static void lose(struct checker *checker, uint32_t context)
{
	streams_lose(checker->streams, context);
	stats_add_guest(STATS_COMMANDS_FAILED, 1);
}

static void submit_cut(void *user, uint32_t context, uint32_t *words, uint32_t n_words)
{
	struct checker *checker = user;
	if (!virgl_submit(context, words, n_words))
		lose(checker, context);
}

static void resource_going(void *user, struct resource *resource)
{
	struct checker *checker = user;
	streams_resource_going(checker->streams, resource->id, submit_cut, checker);
}

static void backing_changed(void *user, const struct resource *resource)
{
	struct checker *checker = user;
	const struct backing *backing = resource->backing;
	streams_backing_changed(checker->streams, resource->id, backing ? backing->size_bytes : 0,
		backing ? backing->pieces[0].iov_len : 0);
}

static void context_made(void *user, uint32_t context)
{
	struct checker *checker = user;
	streams_context_made(
		checker->streams, context, objects_get_account(checker->objects, context));
}

static void context_gone(void *user, uint32_t context)
{
	struct checker *checker = user;
	streams_context_gone(checker->streams, context);
}

static void resource_opened(void *user, uint32_t context, const struct resource *resource)
{
	struct checker *checker = user;
	streams_attach(checker->streams, context, resource->id);
}

static void resource_closed(void *user, uint32_t context, const struct resource *resource)
{
	struct checker *checker = user;
	streams_detach(checker->streams, context, resource->id);
}

static const struct objects_listener objects_listener = {
	.resource_made = resource_made,
	.resource_going = resource_going,
	.backing_changed = backing_changed,
	.context_made = context_made,
	.context_gone = context_gone,
	.resource_opened = resource_opened,
	.resource_closed = resource_closed,
};

/* ---- life ---- */

struct checker *checker_create(struct objects *objects)
{
	struct checker *checker = g_new0(struct checker, 1);
	checker->objects = objects;
	checker->streams = streams_create();
	objects_add_listener(objects, &objects_listener, checker);
	return checker;
}

void checker_destroy(struct checker *checker)
{
	if (!checker)
		return;
	objects_remove_listener(checker->objects, checker);
	streams_destroy(checker->streams);
	g_free(checker);
}

void checker_learn_formats(struct checker *checker)
{
	uint32_t formats[VIRGL_BOUNDS_FORMAT_WORDS];
	_Static_assert(G_N_ELEMENTS(formats) == STREAM_FORMAT_WORDS, "both are a capset's");
	virgl_fill_formats(formats);
	streams_add_formats(checker->streams, formats);
}

/* ---- streams ---- */

/* Logs the refusal. That happens once for each context, which is lost then. */
static void note_refused(
	const struct checker *checker, uint32_t context, const struct stream_fault *fault)
{
	stats_add_guest(STATS_COMMANDS_REFUSED, 1);
	const char *name = objects_get_context_name(checker->objects, context);
	g_autofree char *escaped = g_strescape(name, NULL);
	peer_warning(PEER_GUEST,
		"context %u (%s) is lost: %s: %s %" PRIu64 " %s (limit %" PRIu64 ")", context,
		escaped, fault->command, fault->field, fault->value, fault->why, fault->limit);
}

uint32_t checker_submit(
	struct checker *checker, uint32_t context, uint32_t *words, uint32_t n_words)
{
	struct stream_passed passed;
	struct stream_fault fault;
	if (streams_is_lost(checker->streams, context))
		return VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID;
	bool is_whole = streams_check(checker->streams, context, words, n_words, &passed, &fault);
	if (!is_whole)
		note_refused(checker, context, &fault);
	bool is_done = virgl_submit(context, passed.words, passed.n_words);
	if (!is_done)
		lose(checker, context);
	if (!is_whole && fault.over_quota)
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	return is_whole && is_done ? VIRTIO_GPU_RESP_OK_NODATA :
				     VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
}
