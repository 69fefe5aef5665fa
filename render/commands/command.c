/* SPDX-License-Identifier: MIT */
#include "render/commands/command.h"

#include <glib.h>
#include <stdarg.h>
#include <string.h>

#include "common/peer_log.h"
#include "protocol/heartbeat_writer.h"
#include "render/commands/answer_queue.h"
#include "render/commands/turn.h"
#include "render/ring/virtqueue.h"
#include "render/scanout/scanouts.h"

struct row {
	uint32_t type;
	const char *name;
	size_t fixed_bytes;
	bool needs_virgl;
	command_handler handle;
	enum answer_haste haste; /* of its answer, if its context paints a head */
	enum turn_kind turn;
};

static const struct row rows[] = {
	{ VIRTIO_GPU_CMD_GET_DISPLAY_INFO, "GET_DISPLAY_INFO", sizeof(struct virtio_gpu_ctrl_hdr),
		false, command_get_display_info },
	{ VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, "RESOURCE_CREATE_2D",
		sizeof(struct virtio_gpu_resource_create_2d), false, command_resource_create_2d,
		ANSWER_IN_ORDER },
	{ VIRTIO_GPU_CMD_RESOURCE_UNREF, "RESOURCE_UNREF", sizeof(struct virtio_gpu_resource_unref),
		false, command_resource_unref, ANSWER_AT_ONCE, TURN_MAKES_FOR_GUEST },
	{ VIRTIO_GPU_CMD_SET_SCANOUT, "SET_SCANOUT", sizeof(struct virtio_gpu_set_scanout), false,
		command_set_scanout },
	{ VIRTIO_GPU_CMD_RESOURCE_FLUSH, "RESOURCE_FLUSH", sizeof(struct virtio_gpu_resource_flush),
		false, command_resource_flush, ANSWER_AT_ONCE, TURN_SHOWS },
	{ VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, "TRANSFER_TO_HOST_2D",
		sizeof(struct virtio_gpu_transfer_to_host_2d), false, command_transfer_to_host_2d },
	{ VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, "RESOURCE_ATTACH_BACKING",
		sizeof(struct virtio_gpu_resource_attach_backing), false, command_attach_backing,
		ANSWER_IN_ORDER },
	{ VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING, "RESOURCE_DETACH_BACKING",
		sizeof(struct virtio_gpu_resource_detach_backing), false, command_detach_backing },
	{ VIRTIO_GPU_CMD_GET_CAPSET_INFO, "GET_CAPSET_INFO",
		sizeof(struct virtio_gpu_get_capset_info), true, command_get_capset_info },
	{ VIRTIO_GPU_CMD_GET_CAPSET, "GET_CAPSET", sizeof(struct virtio_gpu_get_capset), true,
		command_get_capset },
	{ VIRTIO_GPU_CMD_GET_EDID, "GET_EDID", sizeof(struct virtio_gpu_cmd_get_edid), false,
		command_get_edid },
	{ VIRTIO_GPU_CMD_CTX_CREATE, "CTX_CREATE", sizeof(struct virtio_gpu_ctx_create), true,
		command_ctx_create, ANSWER_AT_ONCE, TURN_MAKES_FOR_GUEST },
	{ VIRTIO_GPU_CMD_CTX_DESTROY, "CTX_DESTROY", sizeof(struct virtio_gpu_ctx_destroy), true,
		command_ctx_destroy, ANSWER_AT_ONCE, TURN_MAKES_FOR_GUEST },
	{ VIRTIO_GPU_CMD_CTX_ATTACH_RESOURCE, "CTX_ATTACH_RESOURCE",
		sizeof(struct virtio_gpu_ctx_resource), true, command_ctx_attach_resource,
		ANSWER_AT_ONCE, TURN_ATTACHES },
	{ VIRTIO_GPU_CMD_CTX_DETACH_RESOURCE, "CTX_DETACH_RESOURCE",
		sizeof(struct virtio_gpu_ctx_resource), true, command_ctx_detach_resource },
	{ VIRTIO_GPU_CMD_RESOURCE_CREATE_3D, "RESOURCE_CREATE_3D",
		sizeof(struct virtio_gpu_resource_create_3d), true, command_resource_create_3d,
		ANSWER_IN_ORDER, TURN_MAKES_RESOURCE },
	{ VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, "TRANSFER_TO_HOST_3D",
		sizeof(struct virtio_gpu_transfer_host_3d), true, command_transfer_to_host_3d,
		ANSWER_IN_ORDER, TURN_MAKES_FOR_CONTEXT },
	{ VIRTIO_GPU_CMD_TRANSFER_FROM_HOST_3D, "TRANSFER_FROM_HOST_3D",
		sizeof(struct virtio_gpu_transfer_host_3d), true, command_transfer_from_host_3d,
		ANSWER_AT_ONCE, TURN_MAKES_FOR_CONTEXT },
	{ VIRTIO_GPU_CMD_SUBMIT_3D, "SUBMIT_3D", sizeof(struct virtio_gpu_cmd_submit), true,
		command_submit_3d, ANSWER_HELD, TURN_DRAWS },
};

static const struct row *find_row(uint32_t type)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (rows[i].type == type)
			return &rows[i];
	}
	return NULL;
}

uint32_t command_refuse(const struct command *command, uint32_t type, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	peer_warning(PEER_GUEST, "%s: %s", command->name, text);
	return type;
}

bool command_read_rest(const struct command *command, void *to, size_t size_bytes)
{
	if (chain_read(command->chain, command->fixed_bytes, to, size_bytes) == size_bytes)
		return true;
	peer_warning(PEER_GUEST, "%s: %" G_GUINT64_FORMAT " bytes, expected %zu", command->name,
		command->chain->readable_bytes, command->fixed_bytes + size_bytes);
	return false;
}

static bool read_fixed(struct command *command, size_t size_bytes)
{
	command->fixed_bytes = chain_read(command->chain, 0, command->fixed.bytes, size_bytes);
	return command->fixed_bytes == size_bytes;
}

bool command_read_header(struct command *command)
{
	return read_fixed(command, sizeof(command->fixed.header));
}

static uint32_t handle(struct commands *commands, struct command *command, const struct row *row)
{
	struct turn turn;
	if (row->turn == TURN_IS_NOTHING)
		return row->handle(commands, command);
	turn_begin(&turn, row->turn, commands->objects, &command->fixed.header);
	uint32_t type = row->handle(commands, command);
	turn_end(&turn, commands->objects);
	return type;
}

uint32_t command_run(struct commands *commands, struct command *command)
{
	if (command->chain->fault || !command_read_header(command))
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_UNSPEC, "%s",
			command->chain->fault ? command->chain->fault : "no header");
	const struct row *row = find_row(command->fixed.header.type);
	if (!row || (row->needs_virgl && !commands->virgl))
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_UNSPEC, "type 0x%x unknown",
			command->fixed.header.type);
	command->name = row->name;
	command->begun_ns = heartbeat_work(HEARTBEAT_GPU, row->name, command->fixed.header.ctx_id);
	if (!read_fixed(command, row->fixed_bytes))
		return command_refuse(command, VIRTIO_GPU_RESP_ERR_UNSPEC,
			"%zu bytes, expected %zu", command->fixed_bytes, row->fixed_bytes);
	return handle(commands, command, row);
}

static bool is_fenced(const struct command *command)
{
	return command->fixed.header.flags & VIRTIO_GPU_FLAG_FENCE;
}

/*
 * Returns when an answer may leave. Between two pictures a guest waits for the drawing of the
 * head's painters, so their SUBMIT_3D is what we hold. Linux fences more. A painter's uploads, and
 * the making of resources, which names no context, keep their place behind it. A readback is not
 * held, since the guest needs its result; nor is any command of a context that paints no head.
 */
static struct answer_timing get_timing(
	struct commands *commands, const struct virtio_gpu_ctrl_hdr *request)
{
	struct answer_timing timing = { .haste = ANSWER_AT_ONCE };
	uint32_t heads = painters_get_heads(&commands->painters, request->ctx_id);
	if (!scanouts_are_paced(commands->scanouts) || (request->ctx_id != 0 && heads == 0))
		return timing;
	const struct row *row = find_row(request->type);
	timing.haste = row ? row->haste : ANSWER_AT_ONCE;
	if (timing.haste == ANSWER_HELD)
		timing.not_before_ns = scanouts_draw_ns(commands->scanouts, heads, &timing.head);
	if (timing.haste == ANSWER_HELD && timing.not_before_ns == 0)
		timing.haste = ANSWER_IN_ORDER;
	return timing;
}

/*
 * Returns the bytes of the answer, of which `header` may be all. An answer that does not fit is
 * replaced by an error; without room for that, nothing is written.
 */
static const void *make_answer(const struct command *command, uint32_t type,
	struct virtio_gpu_ctrl_hdr *header, size_t *size_bytes)
{
	const struct virtio_gpu_ctrl_hdr *request = &command->fixed.header;
	uint64_t room = command->chain->writable_bytes;
	g_assert(!command->answer || command->answer_bytes >= sizeof(*header));
	*header = (struct virtio_gpu_ctrl_hdr){ .type = type };
	*size_bytes = MAX(command->answer_bytes, sizeof(*header));
	if (is_fenced(command)) {
		header->flags = VIRTIO_GPU_FLAG_FENCE;
		header->fence_id = request->fence_id;
		header->ctx_id = request->ctx_id;
	}
	if (room < *size_bytes) {
		header->type = command_refuse(command, VIRTIO_GPU_RESP_ERR_UNSPEC,
			"room for %" G_GUINT64_FORMAT " bytes of answer, %zu needed", room,
			*size_bytes);
		*size_bytes = room < sizeof(*header) ? 0 : sizeof(*header);
		return header;
	}
	if (!command->answer)
		return header;
	memcpy(command->answer, header, sizeof(*header));
	return command->answer;
}

void command_answer(struct commands *commands, struct command *command, uint32_t type)
{
	struct virtio_gpu_ctrl_hdr header;
	size_t size_bytes;
	g_assert(type != COMMAND_WAITS && command->chain != commands->parked);
	const void *bytes = make_answer(command, type, &header, &size_bytes);
	if (!is_fenced(command)) {
		virtqueue_return(commands->queue, command->chain, bytes, size_bytes);
		return;
	}
	struct answer_timing timing = get_timing(commands, &command->fixed.header);
	answer_queue_answer(commands->answers, command->chain, bytes, size_bytes, &timing);
}

void command_answer_lost(struct commands *commands, struct command *command)
{
	struct virtio_gpu_ctrl_hdr header;
	size_t size_bytes;
	const void *bytes = make_answer(command, VIRTIO_GPU_RESP_ERR_UNSPEC, &header, &size_bytes);
	virtqueue_return(commands->queue, command->chain, bytes, size_bytes);
}
