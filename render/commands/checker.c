/* SPDX-License-Identifier: MIT */
#include "render/commands/checker.h"

#include <glib.h>
#include <inttypes.h>
#include <linux/virtio_gpu.h>

#include "common/monotonic.h"
#include "common/peer_log.h"
#include "protocol/flight_events.h"
#include "protocol/stats_writer.h"
#include "render/commands/growth.h"
#include "render/commands/maps.h"
#include "render/gl/virgl.h"
#include "render/gl/virgl_bounds.h"
#include "render/objects/objects.h"
#include "render/quota/heap.h"
#include "render/quota/quota.h"
#include "render/stream/draws.h"
#include "render/stream/streams.h"

/*
 * So many commands are executed at a time, so that memory and time are looked at before a stream
 * has made much more than it may.
 */
#define PIECE_COMMANDS 16
/* Without sanitizers, under which nothing is known to have compiled. */
#define MAPS_FILE "/proc/self/maps"
#define MAPS_MOST_FILE "/proc/sys/vm/max_map_count"
/* A program that has compiled this often has compiled much. */
#define COMPILED_MUCH 32
/*
 * The flight says of so many streams of this process that they compiled, which is what beginning
 * anew costs programs. A program that loads for long is to push nothing out.
 */
#define COMPILED_NOTES_MAX 128

struct checker {
	struct objects *objects;
	struct streams *streams;
	struct growth *growth;
	struct maps *maps;
	unsigned n_compiled_notes;
	void (*lost)(uint32_t context); /* NULL: nobody is told */
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

/* That those of a dead renderer are lost has been said when it died. */
static void tell_lost(const struct checker *checker, uint32_t context)
{
	if (checker->lost && !objects_is_inherited(checker->objects, context))
		checker->lost(context);
}

/*
 * Notes that the context is lost, since virglrenderer has left off in the middle of a stream. It
 * has said so in the log.
 */
static void lose(struct checker *checker, uint32_t context)
{
	flight_note(FLIGHT_CONTEXT_LOST, context, 0, 0);
	tell_lost(checker, context);
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
	growth_trim(checker->growth);
	maps_forget(checker->maps);
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
	checker->growth = growth_create(heap_read);
	checker->maps = maps_create(MAPS_FILE, maps_read_most(MAPS_MOST_FILE));
	objects_add_listener(objects, &objects_listener, checker);
	return checker;
}

void checker_tell_lost(struct checker *checker, void (*lost)(uint32_t context))
{
	checker->lost = lost;
}

void checker_destroy(struct checker *checker)
{
	if (!checker)
		return;
	objects_remove_listener(checker->objects, checker);
	streams_destroy(checker->streams);
	growth_destroy(checker->growth);
	maps_destroy(checker->maps);
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
	tell_lost(checker, context);
}

static uint32_t count_piece_words(const uint32_t *words, uint32_t n_words)
{
	uint32_t n = 0;
	for (unsigned i = 0; i < PIECE_COMMANDS && n < n_words; i++)
		n += (words[n] >> 16) + 1;
	return MIN(n, n_words);
}

/* The desktop's own context, by which all are shown, goes on when others have taken what there is.
 */
static bool is_borne(const struct quota_account *account)
{
	const struct quota *own = &account->quotas[QUOTA_PROGRAM_BYTES];
	return account->making.is_spared && own->used < own->limit / 2;
}

static void lose_for_memory(struct checker *checker, uint32_t context)
{
	const char *name = objects_get_context_name(checker->objects, context);
	g_autofree char *escaped = g_strescape(name, NULL);
	peer_warning(PEER_GUEST, "context %u (%s) is lost: what its draws made has no room",
		context, escaped);
	flight_note(FLIGHT_CONTEXT_LOST, context, 0, 0);
	tell_lost(checker, context);
	streams_lose(checker->streams, context);
	stats_add_guest(STATS_COMMANDS_REFUSED, 1);
}

/* Returns false when the process has no maps left for what this program compiles. */
static bool has_maps(struct checker *checker, struct quota_account *account)
{
	enum maps_state state = maps_note_compiled(checker->maps);
	account->making.n_compiled++;
	if (state == MAPS_FEW || account->making.is_spared)
		return true;
	return state == MAPS_MANY && account->making.n_compiled < COMPILED_MUCH;
}

static void note_compiled(struct checker *checker, uint32_t context, uint64_t ns)
{
	if (ns == 0 || checker->n_compiled_notes == COMPILED_NOTES_MAX)
		return;
	checker->n_compiled_notes++;
	flight_note(FLIGHT_COMPILED, context, ns / 1000, 0);
}

/* What executes one stream. */
struct execution {
	struct checker *checker;
	uint32_t context;
	struct quota_account *account;
	uint64_t allowed_ns, compiled_ns; /* for what is compiled */
	bool left_out;
};

static void tell_left_out(const struct execution *execution)
{
	if (execution->allowed_ns >= MAKING_COMPILE_MAX_NS)
		making_refuse_long(execution->account);
	else
		making_refuse(execution->account);
}

/* Returns what virtio-gpu answers. */
static uint32_t execute_piece(struct execution *execution, uint32_t *words, uint32_t n_words)
{
	struct checker *checker = execution->checker;
	bool leaves_out = execution->compiled_ns >= execution->allowed_ns;
	uint32_t n = leaves_out ? draws_leave_out(words, n_words) : n_words;
	uint64_t began_ns = monotonic_now_ns();
	if (n != n_words && !execution->left_out)
		tell_left_out(execution);
	execution->left_out |= n != n_words;
	if (!virgl_submit(execution->context, words, n)) {
		lose(checker, execution->context);
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	}
	bool has_room = growth_charge(checker->growth, execution->account);
	has_room |= is_borne(execution->account);
	if (growth_has_compiled(checker->growth)) {
		has_room &= has_maps(checker, execution->account);
		execution->compiled_ns += monotonic_now_ns() - began_ns;
	}
	if (has_room)
		return VIRTIO_GPU_RESP_OK_NODATA;
	lose_for_memory(checker, execution->context);
	return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
}

/*
 * Executes what was passed, piece by piece. Gives what virtio-gpu answers: the context is lost when
 * virglrenderer has left off, or when what was compiled is over a quota.
 */
static uint32_t execute(
	struct checker *checker, uint32_t context, const struct stream_passed *passed)
{
	struct quota_account *account = objects_get_account(checker->objects, context);
	struct execution execution = { .checker = checker,
		.context = context,
		.account = account,
		.allowed_ns = making_get_compile_ns(account, monotonic_now_ns()) };
	uint32_t at = 0, result;
	growth_begin(checker->growth, account->guest);
	do {
		uint32_t n = count_piece_words(passed->words + at, passed->n_words - at);
		result = execute_piece(&execution, passed->words + at, n);
		at += n;
	} while (at < passed->n_words && result == VIRTIO_GPU_RESP_OK_NODATA);
	note_compiled(checker, context, execution.compiled_ns);
	if (execution.allowed_ns > 0)
		making_note_compiled(account, execution.compiled_ns);
	return result == VIRTIO_GPU_RESP_OK_NODATA && execution.left_out ?
		       VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY :
		       result;
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
	uint32_t result = execute(checker, context, &passed);
	if (is_whole || result != VIRTIO_GPU_RESP_OK_NODATA)
		return result;
	return fault.over_quota ? VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY :
				  VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
}
