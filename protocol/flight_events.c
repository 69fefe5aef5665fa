/* SPDX-License-Identifier: MIT */
#include "protocol/flight_events.h"

#include <linux/virtio_gpu.h>
#include <string.h>
#include <sys/wait.h>

#include "protocol/flight_file.h"

const struct flight_row flight_rows[] = {
	{ FLIGHT_STARTED, "started", { { "pid", FLIGHT_NUMBER }, { "spare", FLIGHT_NUMBER } } },
	{ FLIGHT_READY, "ready", { { NULL } } },
	{ FLIGHT_ENDING, "ending", { { "status", FLIGHT_NUMBER } } },

	{ FLIGHT_COMMAND, "command",
		{ { "type", FLIGHT_COMMAND_TYPE }, { "context", FLIGHT_NUMBER },
			{ "answer", FLIGHT_ANSWER_TYPE } } },
	{ FLIGHT_CONTEXT_MADE, "context-made",
		{ { "context", FLIGHT_NUMBER }, { "name", FLIGHT_NAME } } },
	{ FLIGHT_CONTEXT_GONE, "context-gone", { { "context", FLIGHT_NUMBER } } },
	{ FLIGHT_CONTEXT_LOST, "context-lost",
		{ { "context", FLIGHT_NUMBER }, { "dword", FLIGHT_NUMBER } } },
	{ FLIGHT_COMMAND_REFUSED, "refused",
		{ { "type", FLIGHT_COMMAND_TYPE }, { "context", FLIGHT_NUMBER },
			{ "answer", FLIGHT_ANSWER_TYPE } } },
	{ FLIGHT_GUEST_RESET, "guest-reset", { { "resets", FLIGHT_NUMBER } } },
	{ FLIGHT_RING_STARTED, "ring-started",
		{ { "ring", FLIGHT_NUMBER }, { "size", FLIGHT_NUMBER },
			{ "next", FLIGHT_NUMBER } } },
	{ FLIGHT_RING_STOPPED, "ring-stopped",
		{ { "ring", FLIGHT_NUMBER }, { "next", FLIGHT_NUMBER } } },
	{ FLIGHT_MEMORY_TABLE, "memory-table", { { "regions", FLIGHT_NUMBER } } },
	{ FLIGHT_SCANOUT, "scanout",
		{ { "head", FLIGHT_NUMBER }, { "resource", FLIGHT_NUMBER },
			{ "size", FLIGHT_SIZE } } },
	{ FLIGHT_FRAME_LINK, "frame-link", { { NULL } } },
	{ FLIGHT_GPU_RESET, "gpu-reset",
		{ { "verdict", FLIGHT_NUMBER }, { "context", FLIGHT_NUMBER } } },
	{ FLIGHT_REBUILD, "rebuild", { { NULL } } },
	{ FLIGHT_REBUILT, "rebuilt", { { NULL } } },
	{ FLIGHT_PICTURES_BACK, "pictures-back", { { NULL } } },
	{ FLIGHT_COMPILED, "compiled", { { "context", FLIGHT_NUMBER }, { "us", FLIGHT_NUMBER } } },

	{ FLIGHT_CHANNEL_OPENED, "channel-opened",
		{ { "type", FLIGHT_NUMBER }, { "id", FLIGHT_NUMBER },
			{ "let-in", FLIGHT_NUMBER } } },
	{ FLIGHT_CHANNEL_CLOSED, "channel-closed",
		{ { "type", FLIGHT_NUMBER }, { "id", FLIGHT_NUMBER } } },
	{ FLIGHT_ENCODER_BEGUN, "encoder-begun",
		{ { "encoder", FLIGHT_NUMBER }, { "trial", FLIGHT_NUMBER } } },
	{ FLIGHT_ENCODER_LEFT, "encoder-left-behind", { { "encoder", FLIGHT_NUMBER } } },
	{ FLIGHT_LISTENER, "listener", { { "kind", FLIGHT_NUMBER } } },
	{ FLIGHT_DBUS, "qemu-display", { { "connected", FLIGHT_NUMBER } } },

	{ FLIGHT_WORKER_STARTED, "worker-started",
		{ { "process", FLIGHT_WORKER }, { "pid", FLIGHT_NUMBER },
			{ "start", FLIGHT_NUMBER } } },
	{ FLIGHT_WORKER_READY, "worker-ready",
		{ { "process", FLIGHT_WORKER }, { "pid", FLIGHT_NUMBER },
			{ "after", FLIGHT_MILLISECONDS } } },
	{ FLIGHT_WORKER_ENDED, "worker-ended",
		{ { "process", FLIGHT_WORKER }, { "pid", FLIGHT_NUMBER },
			{ "end", FLIGHT_WAIT_STATUS } } },
	{ FLIGHT_WORKER_KILLED, "worker-killed",
		{ { "process", FLIGHT_WORKER }, { "pid", FLIGHT_NUMBER },
			{ "cause", FLIGHT_CAUSE } } },
	{ FLIGHT_WORKER_JUDGED, "judged",
		{ { "context", FLIGHT_NUMBER }, { "crashes", FLIGHT_NUMBER },
			{ "refused", FLIGHT_SECONDS } } },
	{ FLIGHT_WORKER_RETRY, "worker-retry",
		{ { "process", FLIGHT_WORKER }, { "in", FLIGHT_MILLISECONDS } } },
	{ FLIGHT_SPARE_STARTED, "spare-started", { { "pid", FLIGHT_NUMBER } } },
	{ FLIGHT_SPARE_TAKEN, "spare-taken",
		{ { "process", FLIGHT_WORKER }, { "pid", FLIGHT_NUMBER } } },
	{ FLIGHT_QEMU_CAME, "qemu-came", { { "pid", FLIGHT_NUMBER } } },
	{ FLIGHT_QEMU_LEFT, "qemu-left", { { "refused", FLIGHT_NUMBER } } },
	{ FLIGHT_QEMU_ASKED, "qemu-asked", { { "request", FLIGHT_NUMBER } } },
	{ FLIGHT_DRIVER_NEW, "driver-new", { { NULL } } },
	{ FLIGHT_GPU_CHOSEN, "gpu-chosen", { { "candidate", FLIGHT_NUMBER } } },
	{ FLIGHT_SERVANT_GONE, "servant-gone", { { "end", FLIGHT_WAIT_STATUS } } },
	{ FLIGHT_DEATH_KEPT, "death-kept",
		{ { "process", FLIGHT_WORKER }, { "slot", FLIGHT_NUMBER },
			{ "errno", FLIGHT_NUMBER } } },
	{ FLIGHT_WORKER_LEFT, "worker-left-behind", { { "pid", FLIGHT_NUMBER } } },
	{ FLIGHT_DEVICE_LATE, "device-late", { { "after", FLIGHT_MILLISECONDS } } },
	{ FLIGHT_DIRTY_LOG, "dirty-log", { { "on", FLIGHT_NUMBER } } },
	{ FLIGHT_TROUBLE, "trouble", { { "kind", FLIGHT_NUMBER } } },
	{ FLIGHT_QUITS, "quits", { { "cause", FLIGHT_CAUSE }, { "status", FLIGHT_NUMBER } } },

	{ FLIGHT_CHILD_STARTED, "child-started",
		{ { "process", FLIGHT_WORKER }, { "pid", FLIGHT_NUMBER } } },
	{ FLIGHT_CHILD_ENDED, "child-ended",
		{ { "process", FLIGHT_WORKER }, { "pid", FLIGHT_NUMBER },
			{ "end", FLIGHT_WAIT_STATUS } } },
	{ FLIGHT_MACHINE, "machine", { { "of", FLIGHT_NUMBER }, { "says", FLIGHT_NAME } } },
};
const unsigned flight_n_rows = G_N_ELEMENTS(flight_rows);

const struct flight_row *flight_find_row(unsigned event)
{
	for (unsigned i = 0; i < flight_n_rows; i++) {
		if ((unsigned)flight_rows[i].event == event)
			return &flight_rows[i];
	}
	return NULL;
}

/* ---- words for numbers ---- */

struct number_name {
	uint64_t number;
	const char *text;
};

#define COMMAND(name)                                                                              \
	{                                                                                          \
		VIRTIO_GPU_CMD_##name, #name                                                       \
	}
static const struct number_name commands[] = { COMMAND(GET_DISPLAY_INFO),
	COMMAND(RESOURCE_CREATE_2D), COMMAND(RESOURCE_UNREF), COMMAND(SET_SCANOUT),
	COMMAND(RESOURCE_FLUSH), COMMAND(TRANSFER_TO_HOST_2D), COMMAND(RESOURCE_ATTACH_BACKING),
	COMMAND(RESOURCE_DETACH_BACKING), COMMAND(GET_CAPSET_INFO), COMMAND(GET_CAPSET),
	COMMAND(GET_EDID), COMMAND(CTX_CREATE), COMMAND(CTX_DESTROY), COMMAND(CTX_ATTACH_RESOURCE),
	COMMAND(CTX_DETACH_RESOURCE), COMMAND(RESOURCE_CREATE_3D), COMMAND(TRANSFER_TO_HOST_3D),
	COMMAND(TRANSFER_FROM_HOST_3D), COMMAND(SUBMIT_3D), COMMAND(UPDATE_CURSOR),
	COMMAND(MOVE_CURSOR) };

static const struct number_name answers[] = { { 0, "WAITS" }, { VIRTIO_GPU_RESP_OK_NODATA, "OK" },
	{ VIRTIO_GPU_RESP_OK_DISPLAY_INFO, "OK" }, { VIRTIO_GPU_RESP_OK_CAPSET_INFO, "OK" },
	{ VIRTIO_GPU_RESP_OK_CAPSET, "OK" }, { VIRTIO_GPU_RESP_OK_EDID, "OK" },
	{ VIRTIO_GPU_RESP_ERR_UNSPEC, "ERR_UNSPEC" },
	{ VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY, "ERR_OUT_OF_MEMORY" },
	{ VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID, "ERR_INVALID_SCANOUT_ID" },
	{ VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID, "ERR_INVALID_RESOURCE_ID" },
	{ VIRTIO_GPU_RESP_ERR_INVALID_CONTEXT_ID, "ERR_INVALID_CONTEXT_ID" },
	{ VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER, "ERR_INVALID_PARAMETER" } };

static void add_word(GString *text, const struct number_name *words, unsigned n, uint64_t number)
{
	for (unsigned i = 0; i < n; i++) {
		if (words[i].number == number) {
			g_string_append(text, words[i].text);
			return;
		}
	}
	g_string_append_printf(text, "0x%" G_GINT64_MODIFIER "x", number);
}

static void add_status(GString *text, uint64_t number)
{
	int status = (int)(uint32_t)number;
	if (WIFSIGNALED(status))
		g_string_append_printf(text, "signal:%d", WTERMSIG(status));
	else
		g_string_append_printf(text, "exit:%d", WEXITSTATUS(status));
}

/* The bytes come from a file that anybody may have written. */
static void add_name(GString *text, const uint64_t *words)
{
	char bytes[2 * sizeof(*words) + 1] = { 0 };
	memcpy(bytes, words, 2 * sizeof(*words));
	for (char *c = bytes; *c; c++)
		g_string_append_c(text, g_ascii_isprint(*c) ? *c : '?');
}

void flight_format_field(
	GString *text, enum flight_field_kind kind, const uint64_t *args, unsigned field)
{
	uint64_t value = args[field];
	switch (kind) {
	case FLIGHT_COMMAND_TYPE:
		add_word(text, commands, G_N_ELEMENTS(commands), value);
		return;
	case FLIGHT_ANSWER_TYPE:
		add_word(text, answers, G_N_ELEMENTS(answers), value);
		return;
	case FLIGHT_MILLISECONDS:
		g_string_append_printf(text, "%" G_GUINT64_FORMAT "ms", value);
		return;
	case FLIGHT_SECONDS:
		g_string_append_printf(text, "%" G_GUINT64_FORMAT "s", value);
		return;
	case FLIGHT_SIZE:
		g_string_append_printf(text, "%ux%u", (unsigned)(value >> 32), (unsigned)value);
		return;
	case FLIGHT_WAIT_STATUS:
		add_status(text, value);
		return;
	case FLIGHT_WORKER:
		g_string_append(text, flight_process_name((unsigned)MIN(value, G_MAXUINT)));
		return;
	case FLIGHT_CAUSE:
		g_string_append(text, flight_cause_name((unsigned)MIN(value, G_MAXUINT)));
		return;
	case FLIGHT_NAME:
		g_assert(field + 2 <= FLIGHT_ARGS);
		add_name(text, &args[field]);
		return;
	case FLIGHT_HEX:
		g_string_append_printf(text, "0x%" G_GINT64_MODIFIER "x", value);
		return;
	default:
		g_string_append_printf(text, "%" G_GUINT64_FORMAT, value);
		return;
	}
}
