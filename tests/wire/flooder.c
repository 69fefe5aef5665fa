/* SPDX-License-Identifier: MIT */
#include "tests/wire/flooder.h"

#include <string.h>

#include "tests/wire/wire.h"

/* Bounds how many objects are given back at a time, and with it how many commands lie unsent. */
#define GIVE_AT_ONCE 256

struct flood_command {
	void *bytes;
	size_t size_bytes;
	uint32_t asked_id; /* 0: its answer does not matter */
	unsigned epoch;
	struct guest_request *request;
};

static struct guest_queue *queue_of(const struct flooder *flooder)
{
	return flooder->flood->on_cursor ? flooder->guest->cursor : flooder->guest->control;
}

void flooder_put(struct flooder *flooder, const void *bytes, size_t size_bytes)
{
	struct flood_command *command = g_new0(struct flood_command, 1);
	command->bytes = g_memdup2(bytes, size_bytes);
	command->size_bytes = size_bytes;
	g_queue_push_tail(&flooder->unsent, command);
}

void flooder_put_stream(struct flooder *flooder, struct virgl_stream *stream)
{
	size_t bytes;
	g_autofree void *submit = guest_gpu_make_submit(
		flooder->context, stream->words, virgl_stream_bytes(stream), &bytes);
	flooder_put(flooder, submit, bytes);
	virgl_stream_finish(stream);
}

void flooder_put_context(struct flooder *flooder)
{
	const struct virtio_gpu_ctx_create create = { .hdr = { .type = VIRTIO_GPU_CMD_CTX_CREATE,
							      .ctx_id = FLOODER_CONTEXT },
		.nlen = 5,
		.debug_name = "flood" };
	flooder_put(flooder, &create, sizeof(create));
}

void flooder_put_no_context(struct flooder *flooder)
{
	const struct virtio_gpu_ctx_destroy destroy = { .hdr = { .type = VIRTIO_GPU_CMD_CTX_DESTROY,
								.ctx_id = FLOODER_CONTEXT } };
	flooder_put(flooder, &destroy, sizeof(destroy));
}

void flood_set_environment(const struct flood *flood)
{
	static const char variable[] = "MESA_SHADER_CACHE_DISABLE";
	if (flood->uncached)
		g_setenv(variable, "1", TRUE);
	else
		g_unsetenv(variable);
}

void flooder_init(struct flooder *flooder, struct guest *guest, const struct flood *flood,
	bool anew, unsigned window)
{
	*flooder = (struct flooder){ .guest = guest,
		.flood = flood,
		.anew = anew && !flood->is_rate,
		.window = window,
		.context = FLOODER_CONTEXT,
		.next_id = FLOODER_BASE };
	g_queue_init(&flooder->unsent);
	g_queue_init(&flooder->sent);
	flooder->granted = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	if (flood->on_cursor)
		flooder->window = MIN(window, GUEST_CURSOR_SIZE);
	else
		wire_ok(guest_gpu_ctx_create(guest, FLOODER_CONTEXT, "flood"));
	if (flood->prepare)
		flood->prepare(flooder);
}

/* ---- answers ---- */

static void command_free(struct flood_command *command)
{
	guest_request_free(command->request);
	g_free(command->bytes);
	g_free(command);
}

static void give_some(struct flooder *flooder)
{
	GArray *granted = flooder->granted;
	for (unsigned i = 0; i < GIVE_AT_ONCE && granted->len > 0; i++) {
		flooder->flood->give(flooder, g_array_index(granted, uint32_t, granted->len - 1));
		g_array_set_size(granted, granted->len - 1);
	}
}

static void begin_anew(struct flooder *flooder)
{
	flooder->epoch++;
	if (flooder->flood->give)
		return;
	flooder_put_no_context(flooder);
	flooder_put_context(flooder);
	flooder->next_id = FLOODER_BASE;
}

static void take_answer(struct flooder *flooder, const struct flood_command *command)
{
	struct virtio_gpu_ctrl_hdr answer = { 0 };
	g_assert_cmpuint(command->request->used_bytes, >=, sizeof(answer));
	memcpy(&answer, command->request->response, sizeof(answer));
	bool granted = answer.type >= VIRTIO_GPU_RESP_OK_NODATA &&
		       answer.type < VIRTIO_GPU_RESP_ERR_UNSPEC;
	if (command->asked_id == 0)
		return;
	flooder->n_granted += granted;
	flooder->n_refused += !granted;
	if ((granted || flooder->flood->leaves) && flooder->flood->give)
		g_array_append_val(flooder->granted, command->asked_id);
	if (!granted && flooder->anew && command->epoch == flooder->epoch)
		begin_anew(flooder);
}

static void take_answers(struct flooder *flooder)
{
	struct flood_command *command;
	guest_queue_collect(queue_of(flooder));
	while ((command = g_queue_peek_head(&flooder->sent)) && command->request->done) {
		g_queue_pop_head(&flooder->sent);
		take_answer(flooder, command);
		command_free(command);
	}
}

/* ---- asking ---- */

static bool is_giving_back(const struct flooder *flooder)
{
	return flooder->anew && flooder->flood->give && flooder->epoch % 2 == 1;
}

/*
 * Puts the next commands. What was still on its way at a refusal is given back with the next lot.
 */
static void plan(struct flooder *flooder)
{
	if (is_giving_back(flooder)) {
		give_some(flooder);
		flooder->epoch += flooder->granted->len == 0;
	}
	if (!g_queue_is_empty(&flooder->unsent))
		return;
	uint32_t id = flooder->next_id++;
	flooder->flood->ask(flooder, id);
	struct flood_command *last = g_queue_peek_tail(&flooder->unsent);
	last->asked_id = id;
	last->epoch = flooder->epoch;
}

bool flooder_step(struct flooder *flooder)
{
	bool any = false;
	take_answers(flooder);
	while (flooder->sent.length < flooder->window) {
		if (g_queue_is_empty(&flooder->unsent))
			plan(flooder);
		struct flood_command *command = g_queue_peek_head(&flooder->unsent);
		command->request = guest_queue_add(queue_of(flooder), command->bytes,
			command->size_bytes, GUEST_GPU_RESPONSE_MAX);
		if (!command->request)
			break;
		g_queue_push_tail(&flooder->sent, g_queue_pop_head(&flooder->unsent));
		flooder->n_sent++;
		any = true;
	}
	if (any && flooder->flood->on_cursor)
		guest_queue_kick(queue_of(flooder));
	return any;
}

void flooder_finish(struct flooder *flooder)
{
	struct flood_command *command;
	while ((command = g_queue_pop_head(&flooder->sent))) {
		g_assert_true(guest_queue_wait(
			queue_of(flooder), command->request, flooder->guest->timeout_ms));
		command_free(command);
	}
	while ((command = g_queue_pop_head(&flooder->unsent)))
		command_free(command);
	g_array_unref(flooder->granted);
	if (flooder->memory)
		guest_backing_free(flooder->memory);
}
