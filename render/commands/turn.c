/* SPDX-License-Identifier: MIT */
#include "render/commands/turn.h"

#include <linux/virtio_gpu.h>

#include "common/monotonic.h"
#include "protocol/stats_writer.h"
#include "render/objects/objects.h"

static uint32_t read_resource(enum turn_kind kind, const struct virtio_gpu_ctrl_hdr *header)
{
	switch (kind) {
	case TURN_MAKES_RESOURCE:
		return ((const struct virtio_gpu_resource_create_3d *)header)->resource_id;
	case TURN_ATTACHES:
		return ((const struct virtio_gpu_ctx_resource *)header)->resource_id;
	case TURN_SHOWS:
		return ((const struct virtio_gpu_resource_flush *)header)->resource_id;
	default:
		return 0;
	}
}

static struct quota_account *find_account(const struct turn *turn, struct objects *objects)
{
	bool is_contexts = turn->kind == TURN_MAKES_FOR_CONTEXT || turn->kind == TURN_ATTACHES ||
			   turn->kind == TURN_DRAWS;
	return objects_get_account(objects, is_contexts ? turn->context : 0);
}

/*
 * Returns the account that a shown picture belongs to, as that program has drawn it. Of a 2D one
 * nobody knows.
 */
static const struct quota_account *find_painter(struct objects *objects, uint32_t resource_id)
{
	const struct resource *resource = objects_find_resource(objects, resource_id);
	bool is_known = resource && resource->n_contexts > 0;
	return is_known ? objects_get_account(objects, resource->contexts[0]) : NULL;
}

static void charge(struct objects *objects, const struct quota_account *waiter, uint64_t now_ns)
{
	struct quota_account *guest = objects_get_account(objects, 0);
	uint64_t before_ns = guest->making.waited_ns;
	making_take_turn(guest, waiter, now_ns);
	if (guest->making.waited_ns != before_ns)
		stats_add_guest(
			STATS_MAKING_WAITED_US, (guest->making.waited_ns - before_ns) / 1000);
}

static void take_turn(const struct turn *turn, struct objects *objects)
{
	if (turn->kind == TURN_DRAWS)
		charge(objects, objects_get_account(objects, turn->context), turn->began_ns);
	if (turn->kind == TURN_SHOWS)
		charge(objects, find_painter(objects, turn->resource), turn->began_ns);
}

void turn_take(struct objects *objects, uint32_t context)
{
	charge(objects, objects_get_account(objects, context), monotonic_now_ns());
}

void turn_begin(struct turn *turn, enum turn_kind kind, struct objects *objects,
	const struct virtio_gpu_ctrl_hdr *header)
{
	*turn = (struct turn){ .kind = kind,
		.context = header->ctx_id,
		.resource = read_resource(kind, header),
		.began_ns = monotonic_now_ns() };
	struct quota_account *account = find_account(turn, objects);
	take_turn(turn, objects);
	making_look(account, turn->began_ns);
	if (kind == TURN_DRAWS && account != account->guest)
		making_note_drawn(account, turn->began_ns);
	turn->n_made = account->making.n_made;
	turn->compiled_ns = account->making.compiled_ns;
	turn->n_refused = account->guest->making.n_refused;
}

/*
 * Returns for how long the command has made things. Drawing alone makes nothing but what is
 * compiled for it.
 */
static uint64_t get_made_ns(
	const struct turn *turn, const struct quota_account *account, uint64_t now_ns)
{
	if (turn->kind == TURN_SHOWS)
		return 0;
	if (turn->kind == TURN_DRAWS && account->making.n_made == turn->n_made)
		return account->making.compiled_ns - turn->compiled_ns;
	return now_ns - turn->began_ns;
}

static void note(const struct turn *turn, struct objects *objects, struct quota_account *account)
{
	struct resource *resource = objects_find_resource(objects, turn->resource);
	uint64_t now_ns = monotonic_now_ns(), ns = get_made_ns(turn, account, now_ns);
	if (ns == 0)
		return;
	making_note(account, ns, now_ns);
	if (turn->kind == TURN_MAKES_RESOURCE && resource)
		resource->making_ns = ns;
	if (turn->kind != TURN_ATTACHES || !resource || account == account->guest)
		return;
	making_move(account, resource->making_ns, now_ns);
	resource->making_ns = 0;
}

void turn_end(const struct turn *turn, struct objects *objects)
{
	struct quota_account *account = find_account(turn, objects);
	uint64_t n_refused = account->guest->making.n_refused - turn->n_refused;
	note(turn, objects, account);
	if (n_refused > 0)
		stats_add_guest(STATS_MAKING_REFUSED, n_refused);
}
