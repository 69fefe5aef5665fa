/* SPDX-License-Identifier: MIT */
/*
 * buffer_gbm: checks which layout is chosen for whom, by drivers that are a table here. The linker
 * puts them in the place of render/gl/egl_gbm.c.
 */
#include "render/buffers/buffer.h"

#include <drm_fourcc.h>
#include <glib.h>

#include "common/fd.h"
#include "render/gl/egl_gbm.h"
#include "render/gl/virgl.h"

#define INVALID DRM_FORMAT_MOD_INVALID
#define LINEAR DRM_FORMAT_MOD_LINEAR
#define TILES I915_FORMAT_MOD_X_TILED
#define NONE UINT64_C(0x1234)

/* A consumer that is told no modifiers takes what it finds out by itself, or linear. */
#define STRANGER                                                                                   \
	{                                                                                          \
		INVALID, LINEAR                                                                    \
	}
#define KNOWS_TILES                                                                                \
	{                                                                                          \
		INVALID, LINEAR, TILES                                                             \
	}

static const struct driver {
	const char *name;
	uint64_t takes[3]; /* of the consumer */
	unsigned n_takes;
	bool knows_tiles;  /* EGL names them */
	bool draws_linear; /* or does not name it as something to draw to */
	bool makes_linear;
	uint64_t implicit; /* what GBM says of a buffer that was left to the driver */
	const char *check; /* what is wrong with all buffers */
	uint64_t wanted;   /* NONE: the CPU */
	const char *tried; /* l: linear, i: implicit, t: tiles */
} drivers[] = {
	{ "no-modifiers", STRANGER, 2, false, true, true, INVALID, NULL, LINEAR, "l" },
	{ "no-linear", STRANGER, 2, false, true, false, INVALID, NULL, INVALID, "li" },
	{ "no-linear-tiles", STRANGER, 2, false, true, false, TILES, NULL, NONE, "li" },
	{ "linear-sampled", STRANGER, 2, true, false, true, INVALID, NULL, INVALID, "i" },
	{ "linear-sampled-tiles", STRANGER, 2, true, false, true, TILES, NULL, NONE, "i" },
	{ "implicit-is-linear", STRANGER, 2, true, false, true, LINEAR, NULL, INVALID, "i" },
	{ "no-map", STRANGER, 2, false, true, true, INVALID, "cannot be seen", NONE, "li" },
	{ "knows-tiles", KNOWS_TILES, 3, true, true, true, TILES, NULL, TILES, "t" },
	{ "tiles-unknown-here", KNOWS_TILES, 3, false, true, true, TILES, NULL, LINEAR, "l" },
	{ "implicit-known-tiles", KNOWS_TILES, 3, false, false, true, TILES, NULL, INVALID, "i" },
	{ "linear-only", { LINEAR }, 1, true, false, true, INVALID, NULL, NONE, "" },
};

/* Reads rows wrong that are longer than the picture, as virtio-gpu's does. */
static const struct driver no_padding = { "no-padding", STRANGER, 2, false, true, true, INVALID,
	NULL, LINEAR, "" };

static const struct driver *driver;
static char tried[8];
static unsigned n_tried, n_alive;

/* ---- the driver ---- */

void __wrap_virgl_enter_gl(void);
void __wrap_virgl_enter_gl(void)
{
}

unsigned __wrap_egl_gbm_query_modifiers(uint32_t fourcc, uint64_t modifiers[EGL_GBM_MODIFIERS_MAX]);
unsigned __wrap_egl_gbm_query_modifiers(uint32_t fourcc, uint64_t modifiers[EGL_GBM_MODIFIERS_MAX])
{
	modifiers[0] = TILES;
	return driver->knows_tiles ? 1 : 0;
}

bool __wrap_egl_gbm_draws_linear(uint32_t fourcc);
bool __wrap_egl_gbm_draws_linear(uint32_t fourcc)
{
	return driver->draws_linear;
}

static void note(char what)
{
	g_assert_cmpuint(n_tried, <, sizeof(tried) - 1);
	tried[n_tried++] = what;
	tried[n_tried] = '\0';
}

struct egl_gbm_buffer *__wrap_egl_gbm_buffer_create(uint32_t width, uint32_t height,
	uint32_t fourcc, const uint64_t *modifiers, unsigned n_modifiers, const char **why);
struct egl_gbm_buffer *__wrap_egl_gbm_buffer_create(uint32_t width, uint32_t height,
	uint32_t fourcc, const uint64_t *modifiers, unsigned n_modifiers, const char **why)
{
	bool linear = modifiers[0] == LINEAR, implicit = modifiers[0] == INVALID;
	g_assert_cmpuint(n_modifiers, ==, 1);
	note(linear ? 'l' : implicit ? 'i' : 't');
	*why = "there is none";
	if (linear && !driver->makes_linear)
		return NULL;
	struct egl_gbm_buffer *buffer = g_new0(struct egl_gbm_buffer, 1);
	*buffer = (struct egl_gbm_buffer){ .fd = fd_create_wake(),
		.width = width,
		.height = height,
		.stride_bytes = egl_gbm_pad(width) * 4,
		.fourcc = fourcc,
		.modifier = modifiers[0],
		.layout = implicit ? driver->implicit : modifiers[0] };
	n_alive++;
	return buffer;
}

void __wrap_egl_gbm_buffer_destroy(struct egl_gbm_buffer *buffer);
void __wrap_egl_gbm_buffer_destroy(struct egl_gbm_buffer *buffer)
{
	fd_close(&buffer->fd);
	g_free(buffer);
	n_alive--;
}

const char *__wrap_egl_gbm_buffer_check(struct egl_gbm_buffer *buffer);
const char *__wrap_egl_gbm_buffer_check(struct egl_gbm_buffer *buffer)
{
	bool padded = buffer->stride_bytes != buffer->width * 4;
	if (driver == &no_padding && buffer->modifier == LINEAR && padded)
		return "rows are wrong";
	return driver->check;
}

/* ---- tests ---- */

/* What is found out of a layout is kept for its format, so each driver has a format of its own. */
static struct buffer_wish make_wish(uint32_t fourcc)
{
	struct buffer_wish wish = { .fourcc = fourcc, .n_formats = driver->n_takes };
	for (unsigned i = 0; i < driver->n_takes; i++)
		wish.formats[i] = (struct frame_format){ fourcc, 0, driver->takes[i] };
	return wish;
}

static void test_choice(gconstpointer data)
{
	driver = data;
	const struct buffer_wish wish = make_wish((uint32_t)(driver - drivers) + 1);
	for (unsigned round = 0; round < 2; round++) {
		n_tried = 0;
		tried[0] = '\0';
		struct buffer *buffer = buffer_create(&buffer_gbm, 1366, 768, &wish);
		g_assert_cmphex(buffer ? buffer->modifier : NONE, ==, driver->wanted);
		if (round == 0)
			g_assert_cmpstr(tried, ==, driver->tried);
		buffer_unref(buffer);
		g_assert_cmpuint(n_alive, ==, 0);
	}
	/* What is not right was found out once. */
	if (driver->check)
		g_assert_cmpstr(tried, ==, "");
}

static void test_padding(void)
{
	static const struct {
		uint32_t width;
		uint64_t wanted;
	} steps[] = { { 1280, LINEAR }, { 1366, INVALID }, { 1920, LINEAR }, { 1366, INVALID } };
	driver = &no_padding;
	const struct buffer_wish wish = make_wish(1000);
	for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
		n_tried = 0;
		struct buffer *buffer = buffer_create(&buffer_gbm, steps[i].width, 768, &wish);
		g_assert_cmphex(buffer ? buffer->modifier : NONE, ==, steps[i].wanted);
		buffer_unref(buffer);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(drivers); i++) {
		g_autofree char *name = g_strdup_printf("/buffer-gbm/%s", drivers[i].name);
		g_test_add_data_func(name, &drivers[i], test_choice);
	}
	g_test_add_func("/buffer-gbm/padding", test_padding);
	return g_test_run();
}
