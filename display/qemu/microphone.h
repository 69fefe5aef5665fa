/* SPDX-License-Identifier: MIT */
/*
 * A microphone is what a client records, on its way to QEMU. The main loop writes what the client
 * sent, and GDBus's thread reads when QEMU asks: QEMU holds its machine up until it is answered
 * (audio/dbusaudio.c, dbus_read()), and so it must not wait for our main loop.
 *
 * QEMU takes all that it is given, as often as it asks, so here is what keeps the pace. A client's
 * sound has its own pace, the one of its sound card, and is given as it comes. While none comes it
 * is silence, by this machine's clock: a guest that records goes on.
 *
 * A sample pair has two samples, left and right, of 16 bits each.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MICROPHONE_PAIR_BYTES sizeof(uint32_t)
/* Clients send 10 to 20 ms at a time, by networks. After more than this without any it is silence.
 */
#define MICROPHONE_STARVED_MS 60
/*
 * So much is stored, and then the oldest is dropped. QEMU asks each 5 to 10 ms; if it is held up
 * for longer than this, what was said meanwhile is lost rather than heard late from then on.
 */
#define MICROPHONE_STORED_MS 200

struct microphone;

struct microphone *microphone_create(void);
struct microphone *microphone_ref(struct microphone *microphone);
void microphone_unref(struct microphone *microphone);

/* Begins with nothing stored, at `rate_hz` pairs a second (limits.h has their bounds). */
void microphone_start(struct microphone *microphone, uint32_t rate_hz, int64_t now_us);
/* From now on nothing is stored and nothing is read. */
void microphone_stop(struct microphone *microphone);
void microphone_write(
	struct microphone *microphone, const uint32_t *pairs, size_t n_pairs, int64_t now_us);
/* Returns how many pairs there are now, `n_pairs` at most. */
size_t microphone_read(
	struct microphone *microphone, uint32_t *pairs, size_t n_pairs, int64_t now_us);
