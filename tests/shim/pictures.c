/* SPDX-License-Identifier: MIT */
/*
 * shim-pictures: prints in which buffers pictures of some sizes come, for who takes which, a line
 * each. run-shims compares it with what is expected of the chip. Every size is a head's first one.
 */
#include <drm_fourcc.h>

#include "tests/shim/shim_stage.h"

#define DRAWS 4
#define DRAWS_APART_US 5000

static const struct {
	const char *who;
	enum consumer_dmabufs dmabufs;
} takers[] = {
	{ "memory", CONSUMER_NO_DMABUFS },
	{ "linear", CONSUMER_LINEAR_DMABUFS },
	{ "plain", CONSUMER_PLAIN_DMABUFS },
	{ "all", CONSUMER_DMABUFS },
};

static const struct {
	uint32_t width, height;
} sizes[] = { { 1920, 1080 }, { 1366, 768 }, { 33, 17 } };

/* The first frame may come in a buffer that was made for another taker. */
static const struct consumer_state_answer *await_buffer(struct desktop *desktop, uint32_t width)
{
	const struct consumer_state_answer *state = NULL;
	for (unsigned i = 0; i < 1000; i++) {
		state = consumer_link_state(desktop->consumer);
		if (state->width >= width && state->width < width + 64)
			break;
		g_usleep(1000);
	}
	return state;
}

/* The renderer hears of a taker while pictures come, and the first of them are as they were before.
 */
static bool draw(struct desktop *desktop, uint32_t id, uint32_t width, uint32_t height)
{
	for (unsigned i = 0; i < DRAWS; i++) {
		if (!shim_stage_draw(desktop, id, width, height))
			return false;
		g_usleep(DRAWS_APART_US);
	}
	return true;
}

static void print_picture(struct desktop *desktop, const char *who, uint32_t id, unsigned size)
{
	uint32_t width = sizes[size].width, height = sizes[size].height;
	shim_stage_add_picture(desktop, id, width, height);
	if (!draw(desktop, id, width, height)) {
		g_print("%ux%u %s: nothing comes\n", width, height, who);
		return;
	}
	const struct consumer_state_answer *state = await_buffer(desktop, width);
	bool gpu = state->kind == FRAME_BUFFER_DMABUF;
	g_autofree char *modifier =
		!gpu ? g_strdup("") :
		state->modifier == DRM_FORMAT_MOD_INVALID ?
		       g_strdup(" implicit") :
		       g_strdup_printf(" 0x%" G_GINT64_MODIFIER "x", state->modifier);
	g_print("%ux%u %s: %s %.4s%s width %u stride %u\n", width, height, who,
		gpu ? "dma-buf" : "memfd", (const char *)&state->fourcc, modifier, state->width,
		state->stride_bytes);
}

int main(int argc, char **argv)
{
	if (!shim_stage_init(&argc, &argv))
		return 77;
	struct desktop *desktop = shim_stage_create();
	uint32_t id = 100;
	for (unsigned taker = 0; taker < G_N_ELEMENTS(takers); taker++) {
		shim_stage_take(desktop, takers[taker].dmabufs);
		for (unsigned size = 0; size < G_N_ELEMENTS(sizes); size++)
			print_picture(desktop, takers[taker].who, id++, size);
	}
	desktop_destroy(desktop);
	return 0;
}
