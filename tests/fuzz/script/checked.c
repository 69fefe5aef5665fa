/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/script/checked.h"

#include <stdio.h>
#include <stdlib.h>

#include "render/quota/quota.h"
#include "tests/fuzz/script/run.h"

#define FIRST_PIECE_BYTES 4096u /* as run.c cuts memory */

struct checked {
	struct streams *streams, *again; /* `again` sees what has passed */
	const struct checked_options *options;
	struct stream_fault *fault;
	bool refused;
};

void checked_fail(const char *what, const struct stream_fault *fault)
{
	fprintf(stderr, "SUMMARY: %s: %s, %s (0x%" G_GINT64_MODIFIER "x): %s\n", what,
		fault->command, fault->field, fault->value, fault->why);
	abort();
}

static void make_resource(struct streams *streams, const struct script_resource *r)
{
	struct stream_resource facts = {
		.id = r->id,
		.target = r->target,
		.format = r->format,
		.bind = r->bind,
		.width = r->width,
		.height = r->height,
		.depth = r->depth,
		.array_size = r->array_size,
		.last_level = r->last_level,
		.samples = r->nr_samples,
		.pixel_bytes = script_pixel_bytes(r->format),
		.backing_bytes = r->backing_bytes,
		.first_piece_bytes = MIN(r->backing_bytes, FIRST_PIECE_BYTES),
	};
	streams_resource_made(streams, &facts);
	streams_attach(streams, r->attached ? RUN_CONTEXT : RUN_OTHER_CONTEXT, r->id);
}

/* Holds the quotas' accounts of one checker's contexts. */
struct accounts {
	struct quota_account guest, context, other;
};

static void set_limits(struct quota_limits *limits, bool is_poor)
{
	quotas_set_initial(limits);
	if (!is_poor)
		return;
	limits->max[QUOTA_SUB_CONTEXTS] = 2;
	limits->max[QUOTA_OBJECTS] = 12;
	limits->max[QUOTA_SHADERS] = 3;
	limits->max[QUOTA_SHADER_BYTES] = 2000;
	limits->max[QUOTA_QUERIES] = 1;
}

static void begin(struct streams *streams, const struct script *script, struct accounts *accounts)
{
	struct quota_limits limits;
	set_limits(&limits, script->is_poor);
	quota_account_init(&accounts->guest, &limits);
	quota_account_init_context(&accounts->context, &accounts->guest, RUN_CONTEXT);
	quota_account_init_context(&accounts->other, &accounts->guest, RUN_OTHER_CONTEXT);
	streams_context_made(streams, RUN_CONTEXT, &accounts->context);
	streams_context_made(streams, RUN_OTHER_CONTEXT, &accounts->other);
	for (unsigned i = 0; i < script->resources->len; i++)
		make_resource(
			streams, &g_array_index(script->resources, struct script_resource, i));
}

static void ignore_cut(void *user, uint32_t context, uint32_t *words, uint32_t n_words)
{
}

/* Ends contexts and resources, so that the checker is as it was when it was made. */
static void end(struct streams *streams, const struct script *script)
{
	streams_context_gone(streams, RUN_CONTEXT);
	streams_context_gone(streams, RUN_OTHER_CONTEXT);
	for (unsigned i = 0; i < script->resources->len; i++)
		streams_resource_going(streams,
			g_array_index(script->resources, struct script_resource, i).id, ignore_cut,
			NULL);
}

static void pass_on(struct checked *checked, uint32_t context, uint32_t *words, uint32_t n_words)
{
	if (n_words > 0 && checked->options->submit)
		checked->options->submit(checked->options->user, context, words, n_words);
}

/*
 * Checks what passed a second time: a checker that refuses what it has mended itself would lose
 * contexts after a restart.
 */
static void pass_again(
	struct checked *checked, uint32_t context, const uint32_t *words, uint32_t n_words)
{
	struct stream_passed passed;
	struct stream_fault fault;
	g_autofree uint32_t *copy = g_memdup2(words, n_words * sizeof(*words));
	bool passes = streams_check(checked->again, context, copy, n_words, &passed, &fault);
	if (!passes)
		checked_fail("passed once, refused the second time", &fault);
}

static void submit(void *user, uint32_t *words, uint32_t n_words)
{
	struct checked *checked = user;
	struct stream_passed passed = { 0 };
	struct stream_fault fault;
	if (!streams_check(checked->streams, RUN_CONTEXT, words, n_words, &passed, &fault) &&
		!checked->refused) {
		checked->refused = true;
		*checked->fault = fault;
	}
	if (passed.n_words == 0)
		return;
	pass_again(checked, RUN_CONTEXT, passed.words, passed.n_words);
	pass_on(checked, RUN_CONTEXT, passed.words, passed.n_words);
}

static void cut(void *user, uint32_t context, uint32_t *words, uint32_t n_words)
{
	struct checked *checked = user;
	pass_again(checked, context, words, n_words);
	pass_on(checked, context, words, n_words);
}

static void unref(void *user, uint32_t resource)
{
	struct checked *checked = user;
	streams_resource_going(checked->streams, resource, cut, checked);
	streams_resource_going(checked->again, resource, ignore_cut, NULL);
	if (checked->options->on_unref)
		checked->options->on_unref(checked->options->user, resource);
}

/*
 * Keeps the checkers from one script to the next, as the renderer keeps its own while guests come
 * and go: making them, with the room that they need for long streams, would take longer than most
 * scripts.
 */
bool checked_run(const struct script *script, const struct checked_options *options,
	struct stream_fault *fault)
{
	static const struct script_walker walker = { submit, unref };
	static struct streams *streams, *again;
	struct accounts accounts, accounts_again;
	if (!streams) {
		streams = streams_create();
		again = streams_create();
	}
	struct checked checked = {
		.streams = streams, .again = again, .options = options, .fault = fault
	};
	begin(streams, script, &accounts);
	begin(again, script, &accounts_again);
	script_walk(script, &walker, &checked);
	end(streams, script);
	end(again, script);
	return !checked.refused;
}
