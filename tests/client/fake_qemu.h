/* SPDX-License-Identifier: MIT */
/*
 * fake_qemu: the peer-to-peer D-Bus display of QEMU (ui/dbus-display1.xml), played by a test. It
 * records what a guest would get.
 *
 * Record lines are "key press 30", "key release 30" (QEMU key numbers), "button press 0", "button
 * release 0", "abs X Y" (console pixels), "rel DX DY", "ui W H" for head 0 and "console N ui W H at
 * X Y" for others, "vga refuses". A position that QEMU would refuse is "invalid abs X Y".
 *
 * Threads: it lives on the main context it is made on; a mutex protects record and sizes.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/client/fake_ports.h"

struct fake_qemu {
	GMutex lock;
	GCond changed;
	GDBusConnection *connection; /* NULL until the peer has authenticated */
	GDBusNodeInfo *node;
	GPtrArray *record; /* char * */
	/* These count from the next connection on (fake_desktop_renew_dbus). */
	unsigned n_heads;         /* that our device has */
	bool has_vga;             /* console 0 is another device's */
	const char *label;        /* of our device */
	struct fake_ports *ports; /* the caller's; NULL: it has no character devices */

	uint32_t width, height; /* of the console as QEMU believes */
	uint32_t modifiers;
	bool absolute;
	int answer_delay_ms;         /* of every method; FAKE_QEMU_SILENT: answers never */
	GDBusConnection *sound;      /* to display's listener; NULL: none has registered */
	GDBusConnection *microphone; /* the same (fake_microphone.h) */
};

#define FAKE_QEMU_SILENT (-1)

/* Begins with QEMU's placeholder console of 640x480 and an absolute pointer. */
void fake_qemu_init(struct fake_qemu *qemu);
void fake_qemu_finish(struct fake_qemu *qemu);

/*
 * Serves the peer on this connected stream socket, which it takes over. Must run on the context's
 * thread.
 */
void fake_qemu_serve(struct fake_qemu *qemu, int fd);
/* Closes the peer connection, as QEMU does when it ends. Must run on the context's thread. */
void fake_qemu_hang_up(struct fake_qemu *qemu);

/* Both change a property as QEMU would and tell the peer. They must run on the context's thread. */
void fake_qemu_set_size(struct fake_qemu *qemu, uint32_t width, uint32_t height);
void fake_qemu_set_absolute(struct fake_qemu *qemu, bool absolute);
void fake_qemu_set_modifiers(struct fake_qemu *qemu, uint32_t modifiers);

/* Waits until display listens to sound; the record then says "sound". Any thread may call it. */
bool fake_qemu_wait_sound(struct fake_qemu *qemu, int timeout_ms);
/*
 * Call the listener as QEMU's audiodev does and wait for the answer: Init of a stream of 16-bit
 * `n_channels` at `rate`, SetEnabled, SetVolume of both channels, Write, Fini. They return false
 * when the listener refused. Any thread may call them.
 */
bool fake_qemu_sound_init(struct fake_qemu *qemu, uint64_t id, uint32_t rate, unsigned n_channels);
bool fake_qemu_sound_enable(struct fake_qemu *qemu, uint64_t id, bool enabled);
bool fake_qemu_sound_volume(struct fake_qemu *qemu, uint64_t id, bool mute, uint8_t volume);
bool fake_qemu_sound_write(
	struct fake_qemu *qemu, uint64_t id, const void *data, size_t size_bytes);
bool fake_qemu_sound_fini(struct fake_qemu *qemu, uint64_t id);

/* Waits until the record's last line is `line`. Any thread may call it. */
bool fake_qemu_wait_line(struct fake_qemu *qemu, const char *line, int timeout_ms);
/* Waits until the record has n lines. Any thread may call it. */
bool fake_qemu_wait_count(struct fake_qemu *qemu, unsigned n, int timeout_ms);
/*
 * Returns the record so far, one line each, and empties it. Free it with g_free(). Any thread may
 * call it.
 */
char *fake_qemu_take_record(struct fake_qemu *qemu);

/*
 * Returns which of `pixels` the guest's pointer is on after SetAbsPosition(value) on a console of
 * `console`.
 */
uint32_t fake_qemu_guest_pixel(uint32_t value, uint32_t console, uint32_t pixels);
