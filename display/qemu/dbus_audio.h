/* SPDX-License-Identifier: MIT */
/*
 * dbus audio: the guest's sound, as QEMU's dbus audiodev gives it away: we register a listener at
 * org.qemu.Display1.Audio and QEMU writes PCM to it on a connection of its own (QEMU
 * docs/interop/dbus-display.rst, org.qemu.Display1.AudioOutListener).
 *
 * Taken is 16-bit stereo of this machine's byte order at 8 to 96 kHz, and one stream at a time, the
 * last one enabled: QEMU's mixer makes one of all. Anything else is refused with one line.
 *
 * Threads: main loop.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one write: 340 ms at 48 kHz; QEMU writes 10 ms. */
#define DBUS_AUDIO_WRITE_MAX 65536

struct dbus_audio;

struct dbus_audio_ops {
	/* A stream of this rate begins. */
	void (*start)(void *user, uint32_t rate);
	void (*write)(void *user, const void *data, size_t size_bytes);
	void (*stop)(void *user);
	void (*volume)(void *user, bool mute, uint16_t left, uint16_t right);
};

/* Registers in the background; a QEMU without sound is fine. */
struct dbus_audio *dbus_audio_create(
	GDBusConnection *connection, const struct dbus_audio_ops *ops, void *user);
/* Stops calling back; `stop` is called first if a stream is on. NULL is fine. */
void dbus_audio_destroy(struct dbus_audio *audio);
