/* SPDX-License-Identifier: MIT */
#include "render/commands/commands.h"

#include <glib.h>

#include "protocol/flight_events.h"
#include "protocol/heartbeat_writer.h"
#include "render/commands/answer_queue.h"
#include "render/commands/checker.h"
#include "render/commands/command.h"
#include "render/commands/turn.h"
#include "render/gl/virgl.h"
#include "render/objects/objects.h"
#include "render/ring/virtqueue.h"
#include "render/scanout/scanouts.h"

struct commands *commands_create(struct objects *objects, struct scanouts *scanouts, bool virgl)
{
	struct commands *commands = g_new0(struct commands, 1);
	commands->objects = objects;
	commands->scanouts = scanouts;
	commands->virgl = virgl;
	commands->queue = virtqueue_create("control");
	commands->answers = answer_queue_create(commands->queue, objects_get_account(objects, 0));
	painters_init(&commands->painters);
	commands->checker = checker_create(objects);
	return commands;
}

static void drop_parked(struct commands *commands)
{
	if (commands->parked)
		virtqueue_return(commands->queue, commands->parked, NULL, 0);
	commands->parked = NULL;
}

void commands_destroy(struct commands *commands)
{
	if (!commands)
		return;
	drop_parked(commands);
	answer_queue_destroy(commands->answers);
	painters_finish(&commands->painters);
	checker_destroy(commands->checker);
	virtqueue_destroy(commands->queue);
	g_free(commands);
}

void commands_use_gl(struct commands *commands)
{
	checker_learn_formats(commands->checker);
}

void commands_tell_lost(struct commands *commands, void (*lost)(uint32_t context))
{
	checker_tell_lost(commands->checker, lost);
}

struct virtqueue *commands_get_queue(struct commands *commands)
{
	return commands->queue;
}

/* ---- executing ---- */

static struct chain *take_new(struct commands *commands)
{
	struct chain *chain = virtqueue_try_take(commands->queue);
	if (!chain)
		commands->ran_empty = true;
	return chain;
}

struct chain *commands_take(struct commands *commands)
{
	struct chain *chain = commands->parked;
	commands->parked = NULL;
	if (!chain)
		return take_new(commands);
	return chain->outside ? virtqueue_read_again(commands->queue, chain) : chain;
}

/* What was refused is rare, and is to be found when a thousand others have come after it. */
static void note(const struct command *command, uint32_t answer)
{
	const struct virtio_gpu_ctrl_hdr *header = &command->fixed.header;
	if (answer < VIRTIO_GPU_RESP_ERR_UNSPEC)
		flight_note_often(
			FLIGHT_COMMAND, command->begun_ns, header->type, header->ctx_id, answer);
	else
		flight_note(FLIGHT_COMMAND_REFUSED, header->type, header->ctx_id, answer);
}

bool commands_execute(struct commands *commands, struct chain *chain, bool may_wait)
{
	struct command command = { .name = "command", .chain = chain, .may_wait = may_wait };
	bool waits = may_wait && chain->outside;
	g_assert(!commands->parked);
	uint32_t type = waits ? COMMAND_WAITS : command_run(commands, &command);
	if (type == COMMAND_WAITS) {
		g_assert(may_wait && !command.answer);
		commands_park(commands, chain);
		return false;
	}
	note(&command, type);
	command_answer(commands, &command, type);
	if (command.answer_is_heap)
		g_free(command.answer);
	heartbeat_done(HEARTBEAT_GPU);
	return true;
}

void commands_park(struct commands *commands, struct chain *chain)
{
	g_assert(!commands->parked);
	commands->parked = chain;
}

bool commands_have_parked(const struct commands *commands)
{
	return commands->parked != NULL;
}

static void answer_lost(struct commands *commands, struct chain *chain)
{
	struct command command = { .name = "lost command", .chain = chain };
	if (!chain->fault)
		command_read_header(&command);
	command_answer_lost(commands, &command);
}

void commands_answer_orphans(struct commands *commands)
{
	unsigned n = 0;
	struct chain *chain;
	while ((chain = virtqueue_try_take_orphan(commands->queue))) {
		answer_lost(commands, chain);
		n++;
	}
	if (n > 0)
		g_message("control queue: %u commands of the renderer before answered with an "
			  "error",
			n);
}

void commands_forget_guest(struct commands *commands)
{
	drop_parked(commands);
	answer_queue_clear(commands->answers);
	scanouts_clear(commands->scanouts);
	objects_clear(commands->objects);
	answer_queue_renew(commands->answers);
	painters_clear(&commands->painters);
}

/* ---- answers that wait ---- */

void commands_work_is_done(struct commands *commands, uint32_t sequence)
{
	answer_queue_signal(commands->answers, sequence);
}

bool commands_wait_for_gpu(const struct commands *commands)
{
	return answer_queue_is_waiting(commands->answers);
}

uint64_t commands_get_due_ns(const struct commands *commands)
{
	return answer_queue_get_due_ns(commands->answers);
}

void commands_release(struct commands *commands)
{
	answer_queue_release(commands->answers);
}

/* Lets answers leave that became due meanwhile: whoever waited for one of these, waited. */
static void settle_waits(struct commands *commands)
{
	uint32_t context;
	answer_queue_take_left(commands->answers, &context);
	if (commands->virgl)
		virgl_poll();
	answer_queue_release(commands->answers);
	if (answer_queue_take_left(commands->answers, &context))
		turn_take(commands->objects, context);
}

void commands_settle(struct commands *commands)
{
	struct quota_account *guest = objects_get_account(commands->objects, 0);
	if (guest->making.unwaited_ns >= MAKING_WAIT_MIN_NS)
		settle_waits(commands);
	if (commands->ran_empty)
		making_rest(guest);
	commands->ran_empty = false;
}
