/* SPDX-License-Identifier: MIT */
/* sound: what QEMU calls for sound, for fuzz_dbus. */
#pragma once

#include <gio/gio.h>

struct sound;

/* They are the types of the methods' arguments, that of Init first. */
extern const char *const sound_types[];
extern const unsigned sound_n_methods;

struct sound *sound_create(void);
/* Calls a method with arguments of its type, and checks what comes of it. */
void sound_call(struct sound *sound, unsigned method, GVariant *arguments);
void sound_destroy(struct sound *sound);
