/* SPDX-License-Identifier: MIT */
/*
 * record_render: linked into a vitrine-render (record-render), it stands before those functions by
 * which a guest's wishes reach the checker and virglrenderer, and writes down what is asked for
 * (record.h) to the file that VITRINE_MESA_RECORD names. Streams are written as they came from the
 * guest: the checker has not seen them.
 *
 * The linker puts __wrap_NAME wherever another file calls NAME (--wrap), so this is the renderer
 * that is shipped but for these calls. It must run with --confine=off, since its walls let it open
 * no file for writing.
 */
#include <glib.h>
#include <sys/uio.h>

#include "render/commands/checker.h"
#include "render/gl/virgl.h"
#include "tests/mesa/record.h"

/*
 * The file is opened by the first context, since a renderer that is only tried, or waits as a
 * spare, has none. A guest makes 3D resources only for a context.
 */
static void begin(void)
{
	static bool has_begun;
	const char *prefix = g_getenv("VITRINE_MESA_RECORD");
	if (prefix && !has_begun)
		record_open(prefix);
	has_begun = true;
}

/* ---- contexts ---- */

bool __real_virgl_create_context(uint32_t context, const char *name, uint32_t name_bytes);
bool __wrap_virgl_create_context(uint32_t context, const char *name, uint32_t name_bytes);
bool __wrap_virgl_create_context(uint32_t context, const char *name, uint32_t name_bytes)
{
	begin();
	RECORD(RECORD_CONTEXT, context);
	return __real_virgl_create_context(context, name, name_bytes);
}

void __real_virgl_destroy_context(uint32_t context);
void __wrap_virgl_destroy_context(uint32_t context);
void __wrap_virgl_destroy_context(uint32_t context)
{
	RECORD(RECORD_CONTEXT_GONE, context);
	__real_virgl_destroy_context(context);
}

/* ---- resources ---- */

bool __real_virgl_create_resource(const struct ledger_resource *d);
bool __wrap_virgl_create_resource(const struct ledger_resource *d);
bool __wrap_virgl_create_resource(const struct ledger_resource *d)
{
	RECORD(RECORD_RESOURCE, d->id, d->target, d->format, d->bind, d->width, d->height, d->depth,
		d->array_size, d->last_level, d->nr_samples, d->flags);
	return __real_virgl_create_resource(d);
}

void __real_virgl_destroy_resource(uint32_t resource);
void __wrap_virgl_destroy_resource(uint32_t resource);
void __wrap_virgl_destroy_resource(uint32_t resource)
{
	RECORD(RECORD_RESOURCE_GONE, resource);
	__real_virgl_destroy_resource(resource);
}

bool __real_virgl_attach_backing(uint32_t resource, const struct iovec *pieces, unsigned n_pieces);
bool __wrap_virgl_attach_backing(uint32_t resource, const struct iovec *pieces, unsigned n_pieces);
bool __wrap_virgl_attach_backing(uint32_t resource, const struct iovec *pieces, unsigned n_pieces)
{
	size_t n_bytes = 0;
	for (unsigned i = 0; i < n_pieces; i++)
		n_bytes += pieces[i].iov_len;
	RECORD(RECORD_BACKING, resource, (uint32_t)n_bytes);
	return __real_virgl_attach_backing(resource, pieces, n_pieces);
}

void __real_virgl_attach_to_context(uint32_t context, uint32_t resource);
void __wrap_virgl_attach_to_context(uint32_t context, uint32_t resource);
void __wrap_virgl_attach_to_context(uint32_t context, uint32_t resource)
{
	RECORD(RECORD_ATTACH, context, resource);
	__real_virgl_attach_to_context(context, resource);
}

/* ---- what they hold ---- */

static void record_transfer(enum record_kind kind, const struct virgl_transfer *t)
{
	RECORD(kind, t->context, t->resource, t->level, t->stride, t->layer_stride, t->x, t->y,
		t->z, t->width, t->height, t->depth, (uint32_t)t->offset_bytes,
		(uint32_t)(t->offset_bytes >> 32));
}

bool __real_virgl_transfer_to_host(const struct virgl_transfer *transfer);
bool __wrap_virgl_transfer_to_host(const struct virgl_transfer *transfer);
bool __wrap_virgl_transfer_to_host(const struct virgl_transfer *transfer)
{
	record_transfer(RECORD_TRANSFER_WRITE, transfer);
	return __real_virgl_transfer_to_host(transfer);
}

bool __real_virgl_transfer_from_host(const struct virgl_transfer *transfer);
bool __wrap_virgl_transfer_from_host(const struct virgl_transfer *transfer);
bool __wrap_virgl_transfer_from_host(const struct virgl_transfer *transfer)
{
	record_transfer(RECORD_TRANSFER_READ, transfer);
	return __real_virgl_transfer_from_host(transfer);
}

uint32_t __real_checker_submit(
	struct checker *checker, uint32_t context, uint32_t *words, uint32_t n_words);
uint32_t __wrap_checker_submit(
	struct checker *checker, uint32_t context, uint32_t *words, uint32_t n_words);
uint32_t __wrap_checker_submit(
	struct checker *checker, uint32_t context, uint32_t *words, uint32_t n_words)
{
	record_submit(context, words, n_words);
	return __real_checker_submit(checker, context, words, n_words);
}
