/* SPDX-License-Identifier: MIT */
/*
 * sound device: a sound server of its own (PulseAudio with a null sink) for a client under
 * measurement, an ear at its end, and a guest that clicks.
 *
 * Clicks are numbered; a click's strength says its number modulo SOUND_CLICK_NAMES, so that late
 * ones are not taken for others.
 *
 * Threads: two of its own, for the ear and for the guest; read what they noted after
 * sound_device_stop.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tests/client/fake_qemu.h"

#define SOUND_RATE 44100
#define SOUND_BLOCK_MS 10
/* How long a real QEMU has it: display/relay/clock.h. */
#define SOUND_QEMU_MS 40
#define SOUND_CLICK_EVERY_MS 500
#define SOUND_CLICK_NAMES 16
#define SOUND_CLICKS_MAX 1024

struct sound_click {
	gint64 made_us;  /* by the guest: SOUND_QEMU_MS before QEMU writes it; CLOCK_MONOTONIC, as
			    the next */
	gint64 heard_us; /* 0: never */
};

struct sound_device;

/* NULL: no PulseAudio here. */
struct sound_device *sound_device_start(void);
/* What the client needs as PULSE_SERVER. */
const char *sound_device_server(const struct sound_device *device);
/* The guest begins and ends to play. */
void sound_device_play(struct sound_device *device, struct fake_qemu *qemu);
void sound_device_hush(struct sound_device *device);
/* No more is heard. The clicks live as long as the device. */
const struct sound_click *sound_device_stop(struct sound_device *device, unsigned *n);
void sound_device_free(struct sound_device *device);
