/* SPDX-License-Identifier: MIT */
/*
 * wire: what all wire tests share. It says where the programs are and how long to wait, and starts
 * one of our desktops with the frame consumer in the place of vitrine-display.
 *
 * Meson sets the environment: VITRINE_GPU, VITRINE_RENDER and WIRE_CONSUMER (programs), WIRE_STOCK
 * (the distribution's backend; a default is tried) and WIRE_SLOW (a factor on every time limit, for
 * sanitizers).
 */
#pragma once

#include <glib.h>

#include "tests/wire/consumer_link.h"
#include "tests/wire/guest.h"
#include "tests/wire/guest_gpu.h"
#include "tests/wire/picture.h"

void wire_init(int *argc, char ***argv);
/* Tells TAP that the whole program is skipped, with a reason. Returns the exit status. */
int wire_skip_all(const char *reason);

/*
 * Where the GPU is a faked one, which draws nothing and is never busy, skips the test and returns
 * true.
 */
bool wire_skip_undrawn(void);

/* Returns a time limit, multiplied by WIRE_SLOW. */
int wire_ms(int ms);
/*
 * Bounds how long a backend may take to end, in ms, to be passed to wire_ms(). The backend waits
 * for its renderer, and the last thread of that to end is Mesa's disk cache, which runs at nice 19
 * and then gives the memory of the whole process back: on a busy machine this took more than three
 * seconds.
 */
#define WIRE_END_MS 20000
/* Returns the distribution's backend, or NULL when there is none. */
const char *wire_stock(void);

/*
 * Returns pixels that compress badly and are the same for the same seed, with alpha 255. The caller
 * frees them.
 */
uint32_t *wire_noise(uint32_t seed, size_t n);

/* Removes a folder of the test with all that is in it; links are not followed. */
void wire_remove_directory(const char *path);

#define wire_check(call, type) g_assert_cmphex((call), ==, (type))
#define wire_ok(call) wire_check(call, VIRTIO_GPU_RESP_OK_NODATA)

/* Where nothing is drawn the pixel is read all the same, and not compared. */
#define wire_pixel(read, pixel)                                                                    \
	do {                                                                                       \
		uint32_t wire_pixel_read = (read);                                                 \
		if (picture_is_drawn())                                                            \
			g_assert_cmphex(wire_pixel_read, ==, (pixel));                             \
	} while (0)

struct desktop {
	struct guest *guest;
	struct consumer_link *consumer;
	bool virgl;
};

/* A desktop without a name keeps no shaders, and each would compile them. */
#define WIRE_NAME "wire"

struct desktop_options {
	bool virgl;
	struct guest_shape shape; /* name NULL: direct */
	bool event_idx;
	enum guest_memory_layout layout;
	uint64_t memory_bytes;
	uint64_t protocol_features;
	bool no_pacing;
	unsigned submit_limit_s; /* 0: as by default */
	bool machine_only;       /* do not load the driver */
	bool unconfined;         /* without walls */
	const char *quotas;      /* as --quota takes them; NULL: none */
	const char *name;        /* the desktop's; NULL: WIRE_NAME */
	const char *spare;       /* as --spare takes it; NULL: none */
};

/* Starts our backend with a consumer; by default it wants pictures at 1000 Hz on head 0. */
struct desktop *desktop_create(const struct desktop_options *options);
void desktop_destroy(struct desktop *desktop);
/* Returns the process id of the renderer; aborts the test when there is none. */
pid_t desktop_renderer(struct desktop *desktop);
/* Waits for a renderer other than `old` and returns its process id. */
pid_t desktop_wait_new_renderer(struct desktop *desktop, pid_t old);
/* Waits until the head shows exactly these pixels; alpha is not compared. */
bool desktop_shows(struct desktop *desktop, unsigned head, const uint32_t *pixels, uint32_t width,
	uint32_t height);
