/* SPDX-License-Identifier: MIT */
/*
 * malformed: sends ten thousand malformed commands, with the real virglrenderer behind. Each is
 * answered, the same renderer lives on, and what is drawn afterwards is exact. WIRE_SEED and
 * WIRE_COUNT change the run.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/wire/malform.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

#define IN_FLIGHT 8

struct tally {
	uint64_t codes[16]; /* 0x1100.. and 0x1200.. */
	uint64_t none;      /* no room for an answer */
	uint64_t handled;   /* had a code that only a handler gives */
	uint64_t sized;
};

static const char *const OK_NAMES[] = { "OK", "OK_DISPLAY_INFO", "OK_CAPSET_INFO", "OK_CAPSET",
	"OK_EDID" };
static const char *const ERROR_NAMES[] = { "ERR_UNSPEC", "ERR_OUT_OF_MEMORY",
	"ERR_INVALID_SCANOUT_ID", "ERR_INVALID_RESOURCE_ID", "ERR_INVALID_CONTEXT_ID",
	"ERR_INVALID_PARAMETER" };

static void count(struct tally *tally, const struct guest_request *request)
{
	struct virtio_gpu_ctrl_hdr answer;
	if (request->used_bytes < sizeof(answer) || request->response_bytes < sizeof(answer)) {
		tally->none++;
		return;
	}
	memcpy(&answer, request->response, sizeof(answer));
	bool error = answer.type >= VIRTIO_GPU_RESP_ERR_UNSPEC;
	uint32_t index =
		answer.type - (error ? VIRTIO_GPU_RESP_ERR_UNSPEC : VIRTIO_GPU_RESP_OK_NODATA);
	if (index >= (error ? G_N_ELEMENTS(ERROR_NAMES) : G_N_ELEMENTS(OK_NAMES)))
		g_error("answer of type %#x", answer.type);
	tally->codes[index + (error ? 8 : 0)]++;
	if (answer.type != VIRTIO_GPU_RESP_ERR_UNSPEC)
		tally->handled++;
}

static void report(const struct tally *tally, uint64_t seed, unsigned n)
{
	g_test_message("seed %" G_GUINT64_FORMAT ": %u commands, %" G_GUINT64_FORMAT
		       " of the right size, %" G_GUINT64_FORMAT " answered by their handlers",
		seed, n, tally->sized, tally->handled);
	for (unsigned i = 0; i < 16; i++) {
		const char *name =
			i < 8 ? (i < G_N_ELEMENTS(OK_NAMES) ? OK_NAMES[i] : NULL) :
				(i - 8 < G_N_ELEMENTS(ERROR_NAMES) ? ERROR_NAMES[i - 8] : NULL);
		if (name)
			g_test_message("%8" G_GUINT64_FORMAT " %s", tally->codes[i], name);
	}
	g_test_message("%8" G_GUINT64_FORMAT " without room for an answer", tally->none);
}

static struct guest_request *send_one(struct malform *m, struct tally *tally)
{
	static uint8_t command[MALFORM_COMMAND_MAX];
	uint32_t dice = malform_random(m, 100);
	if (dice < 6)
		return malform_send_chain(m);
	enum malform_kind kind = dice < 10 ? MALFORM_SHORT :
				 dice < 14 ? MALFORM_UNKNOWN :
					     MALFORM_SIZED;
	size_t bytes = malform_command(m, kind, command);
	size_t room = malform_random(m, 20) ? 2048 : malform_random(m, 64);
	tally->sized += kind == MALFORM_SIZED;
	return guest_queue_send(m->guest->control, command, bytes, room);
}

static void take(
	struct guest *guest, struct guest_request *request, struct tally *tally, unsigned number)
{
	if (!request)
		return;
	if (!guest_queue_wait(guest->control, request, guest->timeout_ms))
		g_error("command %u was never answered", number);
	count(tally, request);
	guest_request_free(request);
}

static void run(uint64_t seed, unsigned n, const struct guest_shape *shape)
{
	struct desktop_options options = {
		.virgl = true,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = *shape,
		.event_idx = true,
		/* We raise this quota because so many commands would be refused as a flood. */
		.quotas = "making-time=1000",
	};
	struct desktop *desktop = desktop_create(&options);
	struct guest *guest = desktop->guest;
	struct guest_request *requests[IN_FLIGHT] = { NULL };
	struct tally tally = { 0 };
	struct malform m;
	guest->timeout_ms = wire_ms(20000);
	malform_init(&m, guest, seed);
	g_assert_true(scene3d_run(guest, 1000, 1));
	pid_t renderer = desktop_renderer(desktop);
	for (unsigned i = 0; i < n; i++) {
		take(guest, requests[i % IN_FLIGHT], &tally, i - IN_FLIGHT);
		requests[i % IN_FLIGHT] = send_one(&m, &tally);
	}
	for (unsigned i = 0; i < IN_FLIGHT; i++)
		take(guest, requests[i], &tally, n - IN_FLIGHT + i);
	report(&tally, seed, n);
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	g_assert_cmpuint(tally.handled, >=, n / 2);
	g_assert_true(scene3d_run(guest, 2000, 2));
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	desktop_destroy(desktop);
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
	const char *text = g_getenv(variable);
	return text ? g_ascii_strtoull(text, NULL, 0) : otherwise;
}

static void test_malformed(void)
{
	run(number_from("WIRE_SEED", 1), (unsigned)number_from("WIRE_COUNT", 10000),
		&GUEST_SHAPE_INDIRECT);
}

static void test_malformed_pieces(void)
{
	run(number_from("WIRE_SEED", 2), (unsigned)number_from("WIRE_COUNT", 2000),
		&GUEST_SHAPE_PIECES);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	g_test_add_func("/malformed/indirect", test_malformed);
	g_test_add_func("/malformed/pieces", test_malformed_pieces);
	return g_test_run();
}
