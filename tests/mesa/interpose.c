/* SPDX-License-Identifier: MIT */
/*
 * interpose: preloaded into virgl_test_server, it puts our checker between what Mesa's virpipe
 * driver sends and virglrenderer, with the bookkeeping that the renderer does
 * (render/commands/checker.c, render/objects/objects.c).
 *
 * Mesa encodes for virpipe with the same code as for a guest's virtio-gpu, so programs of any
 * release can be run here without a guest. The server makes a process for each program, and with it
 * an account of its own. What is refused goes to the file that VITRINE_MESA_LOG names, a line each;
 * figures.h's figures go to VITRINE_MESA_FIGURES, record.h's files to VITRINE_MESA_RECORD if that
 * is set; VITRINE_MESA_QUOTA is what --quota is to a desktop. A program goes on after a refusal as
 * it does in a guest: it hears nothing of it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VIRGL_RENDERER_UNSTABLE_APIS
#include <virglrenderer.h>

#include "render/gl/virgl_bounds.h"
#include "render/quota/quota.h"
#include "render/stream/protocol.h"
#include "render/stream/streams.h"
#include "tests/mesa/figures.h"
#include "tests/mesa/record.h"

/*
 * We tell the checker that a backing comes in pages, since a guest's does, though the server's lies
 * in one piece.
 */
#define PIECE_BYTES 4096u

/* Finds the function of virglrenderer that this one stands before. */
#define REAL(name) ((__typeof__(&name))find_real(#name))

static struct streams *streams;
static struct quota_account guest, context_account;
static GHashTable *resources; /* id -> struct made* */
static char program[64];
static bool draws;

struct made {
	struct ledger_resource description;
	uint64_t backing_bytes;
};

static void *find_real(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found)
		g_error("libvirglrenderer has no %s", name);
	return found;
}

/* ---- what is told ---- */

static void G_GNUC_PRINTF(1, 2) tell(const char *format, ...)
{
	const char *path = g_getenv("VITRINE_MESA_LOG");
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *line = g_strdup_printf("%s: %s\n", program, text);
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
	if (write(fd >= 0 ? fd : STDERR_FILENO, line, strlen(line)) < 0)
		g_warning("%s: %s", path, g_strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void note_refused(const struct stream_fault *fault)
{
	figures_add(FIGURE_REFUSED, 1);
	tell("refused: %s: %s %" G_GUINT64_FORMAT " %s (limit %" G_GUINT64_FORMAT ")",
		fault->command, fault->field, fault->value, fault->why, fault->limit);
}

/* ---- life ---- */

static void add_formats(void)
{
	uint32_t formats[VIRGL_BOUNDS_FORMAT_WORDS] = { 0 };
	for (uint32_t id = 1; id <= 2; id++) {
		uint32_t version, bytes;
		REAL(virgl_renderer_get_cap_set)(id, &version, &bytes);
		g_autofree uint32_t *caps = g_malloc0(bytes + sizeof(*caps));
		REAL(virgl_renderer_fill_caps)(id, version, caps);
		virgl_bounds_add_formats(formats, caps, bytes / sizeof(*caps));
	}
	streams_add_formats(streams, formats);
}

static void start(void)
{
	struct quota_limits limits;
	const char *path = g_getenv("VITRINE_MESA_FIGURES");
	const char *prefix = g_getenv("VITRINE_MESA_RECORD");
	if (path && !figures_open(path))
		g_error("%s: %s", path, g_strerror(errno));
	if (prefix)
		record_open(prefix);
	const char *quota = g_getenv("VITRINE_MESA_QUOTA");
	draws = g_strcmp0(g_getenv("VITRINE_MESA_DRAWS"), "0") != 0;
	quotas_set_initial(&limits);
	g_autofree char *wrong = quota ? quotas_parse(&limits, quota) : NULL;
	if (wrong)
		g_error("VITRINE_MESA_QUOTA: %s", wrong);
	quota_account_init(&guest, &limits);
	resources = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	streams = streams_create();
	add_formats();
}

int virgl_renderer_init(void *cookie, int flags, struct virgl_renderer_callbacks *callbacks)
{
	int result = REAL(virgl_renderer_init)(cookie, flags, callbacks);
	if (result == 0 && !streams)
		start();
	return result;
}

/* ---- contexts ---- */

static void context_made(uint32_t id, uint32_t n_chars, const char *name)
{
	figures_add(FIGURE_CONTEXTS, 1);
	RECORD(RECORD_CONTEXT, id);
	g_strlcpy(program, name, MIN(n_chars + 1, sizeof(program)));
	if (!quota_take(&guest, QUOTA_CONTEXTS, 1))
		tell("refused: a context over the quota");
	quota_account_init_context(&context_account, &guest, id);
	streams_context_made(streams, id, &context_account);
}

/* Is also called by virgl_renderer_context_create(). */
int virgl_renderer_context_create_with_flags(
	uint32_t id, uint32_t flags, uint32_t n_chars, const char *name)
{
	int result = REAL(virgl_renderer_context_create_with_flags)(id, flags, n_chars, name);
	if (result == 0)
		context_made(id, n_chars, name);
	return result;
}

void virgl_renderer_context_destroy(uint32_t id)
{
	if (streams) {
		RECORD(RECORD_CONTEXT_GONE, id);
		streams_context_gone(streams, id);
	}
	REAL(virgl_renderer_context_destroy)(id);
}

/* ---- resources ---- */

static bool is_allowed(const struct ledger_resource *d)
{
	if (!virgl_bounds_is_resource_sane(d)) {
		figures_add(FIGURE_REFUSED, 1);
		tell("refused: resource %u: %ux%ux%u, %u layers, %u levels, %u samples, format %u, "
		     "target %u: not possible",
			d->id, d->width, d->height, d->depth, d->array_size, d->last_level + 1,
			d->nr_samples, d->format, d->target);
		return false;
	}
	uint64_t bytes = virgl_bounds_estimate_bytes(d);
	if (!quota_take(&guest, QUOTA_RESOURCES, 1))
		return false;
	if (quota_take(&guest, QUOTA_TEXTURE_BYTES, bytes))
		return true;
	quota_give(&guest, QUOTA_RESOURCES, 1);
	figures_add(FIGURE_OVER_QUOTA, 1);
	return false;
}

static void resource_made(const struct ledger_resource *d)
{
	struct stream_resource facts = { .id = d->id,
		.target = d->target,
		.format = d->format,
		.bind = d->bind,
		.width = d->width,
		.height = d->height,
		.depth = d->depth,
		.array_size = d->array_size,
		.last_level = d->last_level,
		.pixel_bytes = virgl_bounds_format_bytes(d->format) };
	struct made *made = g_new0(struct made, 1);
	made->description = *d;
	g_hash_table_insert(resources, GUINT_TO_POINTER(d->id), made);
	figures_add(FIGURE_RESOURCES, 1);
	streams_resource_made(streams, &facts);
}

int virgl_renderer_resource_create(
	struct virgl_renderer_resource_create_args *args, struct iovec *pieces, uint32_t n_pieces)
{
	struct ledger_resource d = { .id = args->handle,
		.is_3d = 1,
		.target = args->target,
		.format = args->format,
		.bind = args->bind,
		.width = args->width,
		.height = args->height,
		.depth = args->depth,
		.array_size = args->array_size,
		.last_level = args->last_level,
		.nr_samples = args->nr_samples,
		.flags = args->flags };
	RECORD(RECORD_RESOURCE, d.id, d.target, d.format, d.bind, d.width, d.height, d.depth,
		d.array_size, d.last_level, d.nr_samples, d.flags);
	if (!is_allowed(&d))
		return EINVAL;
	int result = REAL(virgl_renderer_resource_create)(args, pieces, n_pieces);
	if (result == 0)
		resource_made(&d);
	return result;
}

int virgl_renderer_resource_attach_iov(int id, struct iovec *pieces, int n_pieces)
{
	int result = REAL(virgl_renderer_resource_attach_iov)(id, pieces, n_pieces);
	struct made *made = g_hash_table_lookup(resources, GUINT_TO_POINTER(id));
	if (result != 0 || !made)
		return result;
	for (int i = 0; i < n_pieces; i++)
		made->backing_bytes += pieces[i].iov_len;
	RECORD(RECORD_BACKING, (uint32_t)id, (uint32_t)made->backing_bytes);
	streams_backing_changed(
		streams, (uint32_t)id, made->backing_bytes, MIN(made->backing_bytes, PIECE_BYTES));
	return result;
}

static void submit_cut(void *user, uint32_t context, uint32_t *words, uint32_t n_words)
{
	if (REAL(virgl_renderer_submit_cmd)(words, (int)context, (int)n_words) != 0)
		figures_add(FIGURE_FAILED, 1);
}

void virgl_renderer_resource_unref(uint32_t id)
{
	struct made *made = g_hash_table_lookup(resources, GUINT_TO_POINTER(id));
	if (made) {
		RECORD(RECORD_RESOURCE_GONE, id);
		streams_resource_going(streams, id, submit_cut, NULL);
		quota_give(&guest, QUOTA_RESOURCES, 1);
		quota_give(&guest, QUOTA_TEXTURE_BYTES,
			virgl_bounds_estimate_bytes(&made->description));
		g_hash_table_remove(resources, GUINT_TO_POINTER(id));
	}
	REAL(virgl_renderer_resource_unref)(id);
}

void virgl_renderer_ctx_attach_resource(int context, int id)
{
	RECORD(RECORD_ATTACH, (uint32_t)context, (uint32_t)id);
	streams_attach(streams, (uint32_t)context, (uint32_t)id);
	REAL(virgl_renderer_ctx_attach_resource)(context, id);
}

/* ---- transfers that the server is asked for, outside of streams ---- */

static void look_at_transfer(enum record_kind kind, uint32_t id, uint32_t context, uint32_t level,
	uint32_t stride, uint32_t layer_stride, const struct virgl_box *box, uint64_t offset)
{
	const uint32_t *b = (const uint32_t *)box; /* x, y, z, width, height, depth */
	struct virgl_bounds_transfer transfer = { level, stride, layer_stride, b[0], b[1], b[2],
		b[3], b[4], b[5], offset };
	const struct made *made = g_hash_table_lookup(resources, GUINT_TO_POINTER(id));
	RECORD(kind, context, id, level, stride, layer_stride, b[0], b[1], b[2], b[3], b[4], b[5],
		(uint32_t)offset, (uint32_t)(offset >> 32));
	figures_add(FIGURE_TRANSFERS, 1);
	/*
	 * Without a backing of its own the memory comes with the call, which no guest can do, so we
	 * do not check it.
	 */
	if (!made || made->backing_bytes == 0 ||
		virgl_bounds_is_transfer_sane(&made->description, made->backing_bytes, &transfer))
		return;
	figures_add(FIGURE_REFUSED, 1);
	tell("refused: transfer of resource %u (format %u, %ux%u): level %u, box %u,%u,%u "
	     "%ux%ux%u, strides %u and %u, offset %" G_GUINT64_FORMAT " in %" G_GUINT64_FORMAT,
		id, made->description.format, made->description.width, made->description.height,
		level, b[0], b[1], b[2], b[3], b[4], b[5], stride, layer_stride, offset,
		made->backing_bytes);
}

int virgl_renderer_transfer_write_iov(uint32_t id, uint32_t context, int level, uint32_t stride,
	uint32_t layer_stride, struct virgl_box *box, uint64_t offset, struct iovec *pieces,
	unsigned n_pieces)
{
	look_at_transfer(RECORD_TRANSFER_WRITE, id, context, (uint32_t)level, stride, layer_stride,
		box, offset);
	return REAL(virgl_renderer_transfer_write_iov)(
		id, context, level, stride, layer_stride, box, offset, pieces, n_pieces);
}

int virgl_renderer_transfer_read_iov(uint32_t id, uint32_t context, uint32_t level, uint32_t stride,
	uint32_t layer_stride, struct virgl_box *box, uint64_t offset, struct iovec *pieces,
	int n_pieces)
{
	look_at_transfer(
		RECORD_TRANSFER_READ, id, context, level, stride, layer_stride, box, offset);
	return REAL(virgl_renderer_transfer_read_iov)(
		id, context, level, stride, layer_stride, box, offset, pieces, n_pieces);
}

/* ---- streams ---- */

static uint32_t count_nops(const uint32_t *words, uint32_t n_words)
{
	uint32_t count = 0;
	for (uint32_t at = 0; at < n_words; at += 1 + (words[at] >> 16))
		count += (words[at] & 0xff) == STREAM_NOP;
	return count;
}

static void compare(const uint32_t *sent, uint32_t n_sent, const struct stream_passed *passed)
{
	if (passed->n_words == n_sent && !memcmp(passed->words, sent, n_sent * sizeof(*sent)))
		return;
	figures_add(FIGURE_MENDED, 1);
	uint32_t before = count_nops(sent, n_sent);
	uint32_t after = count_nops(passed->words, passed->n_words);
	figures_add(FIGURE_DROPPED, after > before ? after - before : 0);
}

/* Makes drawing NOPs with VITRINE_MESA_DRAWS=0, as it costs most and tells the checker nothing. */
static void leave_out_drawing(const struct stream_passed *passed)
{
	static const uint8_t drawing[] = { STREAM_CLEAR, STREAM_DRAW_VBO, STREAM_BLIT,
		STREAM_LAUNCH_GRID, STREAM_CLEAR_TEXTURE, STREAM_CLEAR_SURFACE,
		STREAM_LINK_SHADER };
	for (uint32_t at = 0; at < passed->n_words; at += 1 + (passed->words[at] >> 16))
		for (unsigned i = 0; i < G_N_ELEMENTS(drawing); i++)
			if ((passed->words[at] & 0xff) == drawing[i])
				passed->words[at] &= ~0xffffu; /* NOP is 0 */
}

int virgl_renderer_submit_cmd(void *buffer, int context, int n_words)
{
	struct stream_passed passed;
	struct stream_fault fault;
	uint32_t id = (uint32_t)context, n = (uint32_t)n_words;
	if (streams_is_lost(streams, id))
		return 0;
	g_autofree uint32_t *sent = g_memdup2(buffer, n * sizeof(*sent));
	record_submit(id, sent, n);
	figures_add(FIGURE_SUBMISSIONS, 1);
	figures_add_commands(sent, n);
	if (streams_check(streams, id, buffer, n, &passed, &fault))
		compare(sent, n, &passed);
	else
		note_refused(&fault);
	if (!draws)
		leave_out_drawing(&passed);
	if (REAL(virgl_renderer_submit_cmd)(passed.words, context, (int)passed.n_words) == 0)
		return 0;
	figures_add(FIGURE_FAILED, 1);
	tell("virglrenderer fails");
	streams_lose(streams, id);
	return 0;
}
