/* SPDX-License-Identifier: MIT */
/*
 * fake microphone: QEMU's dbus audiodev as a guest that records has it read. Calls go to display's
 * listener and wait for the answer; they return false, or NULL, when it refused. Any thread may
 * call them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct fake_qemu;

/* Waits until display's listener is there. */
bool fake_microphone_wait(struct fake_qemu *qemu, int timeout_ms);
bool fake_microphone_init(struct fake_qemu *qemu, uint64_t id, uint32_t rate_hz);
bool fake_microphone_enable(struct fake_qemu *qemu, uint64_t id, bool enabled);
bool fake_microphone_volume(struct fake_qemu *qemu, uint64_t id, bool mute, uint8_t volume);
/* The bytes that it has, up to `size_bytes`. The caller unrefs them. */
GBytes *fake_microphone_read(struct fake_qemu *qemu, uint64_t id, uint64_t size_bytes);
