/* SPDX-License-Identifier: MIT */
/*
 * dbus audio: takes the guest's sound, as QEMU's dbus audiodev gives it away, or gives the guest
 * what a microphone hears. We register a listener at org.qemu.Display1.Audio, and QEMU writes PCM
 * to it, or reads PCM from it, on a connection of its own (QEMU docs/interop/dbus-display.rst,
 * org.qemu.Display1.AudioOutListener and AudioInListener).
 *
 * A stream is 16-bit stereo of this machine's byte order; its rate is bounded (limits.h). One
 * stream is heard, or records, at a time, the one that was enabled last: QEMU's mixer makes one of
 * all voices.
 * Every other call is refused, and the first refusal of a connection is logged.
 *
 * Threads: main loop. QEMU's reads are answered on GDBus's thread.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dbus_audio;
struct microphone;

struct dbus_audio_ops {
	/* Begins a stream. `rate_hz` is its pairs of samples, left and right, a second. */
	void (*start)(void *user, uint32_t rate_hz);
	/*
	 * Takes the next whole pairs of the stream. `data` is only read, and only during the call.
	 * A microphone has no such calls, and NULL here.
	 */
	void (*write)(void *user, const void *data, size_t size_bytes);
	/* Ends the stream that began. */
	void (*stop)(void *user);
	/* Says which volume the guest wishes for, at the client, each side from 0 to 65535. */
	void (*volume)(void *user, bool mute, uint16_t left, uint16_t right);
};

/*
 * Registers in the background on QEMU's display connection, which stays the caller's. A QEMU that
 * has no sound is noted at level info. Returns NULL when no socket can be made (logged).
 */
struct dbus_audio *dbus_audio_create(
	GDBusConnection *connection, const struct dbus_audio_ops *ops, void *user);
/*
 * The same for what QEMU reads: `start` says that the guest records from now on, and what is in
 * `microphone` then is what it hears. The microphone stays the caller's.
 */
struct dbus_audio *dbus_audio_create_microphone(GDBusConnection *connection,
	struct microphone *microphone, const struct dbus_audio_ops *ops, void *user);
/* Calls `stop` if a stream is on, and nothing more after that. NULL is fine. */
void dbus_audio_destroy(struct dbus_audio *audio);
