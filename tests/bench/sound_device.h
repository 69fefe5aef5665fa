/* SPDX-License-Identifier: MIT */
/*
 * sound device: gives a client under measurement a sound server of its own (PulseAudio with a null
 * sink), with an ear at its end, and plays a guest that clicks.
 *
 * Clicks are numbered; a click's strength says its number modulo SOUND_CLICK_NAMES, so that late
 * ones are not taken for others.
 *
 * Threads: it has two of its own, for the ear and for the guest. Read what they noted after
 * sound_device_stop().
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tests/client/fake_qemu.h"

#define SOUND_RATE 44100
#define SOUND_BLOCK_MS 10
/* A real QEMU holds the sound this long; see display/relay/clock.h. */
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

/* Returns NULL when there is no PulseAudio here. */
struct sound_device *sound_device_start(void);
/* Returns what the client needs as PULSE_SERVER. The device owns it. */
const char *sound_device_server(const struct sound_device *device);
/* Make the guest begin and end to play. */
void sound_device_play(struct sound_device *device, struct fake_qemu *qemu);
void sound_device_hush(struct sound_device *device);
/* Stops the ear. The clicks live as long as the device. */
const struct sound_click *sound_device_stop(struct sound_device *device, unsigned *n);
void sound_device_free(struct sound_device *device);
