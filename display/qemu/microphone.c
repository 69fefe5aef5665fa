/* SPDX-License-Identifier: MIT */
#include "display/qemu/microphone.h"

#include <glib.h>
#include <string.h>

#include "display/qemu/limits.h"

#define STORE_PAIRS_MAX (DBUS_AUDIO_RATE_MAX_HZ * MICROPHONE_STORED_MS / 1000)

struct microphone {
	int refs;
	GMutex lock;
	uint32_t rate_hz; /* 0: nobody records */
	size_t first, n;  /* of the ring, in pairs */
	int64_t heard_us; /* when the client last sent something, or it began */
	int64_t silent_since_us;
	uint64_t n_silent; /* pairs of silence that were given since then */
	uint32_t ring[STORE_PAIRS_MAX];
};

struct microphone *microphone_create(void)
{
	struct microphone *microphone = g_new0(struct microphone, 1);
	microphone->refs = 1;
	g_mutex_init(&microphone->lock);
	return microphone;
}

struct microphone *microphone_ref(struct microphone *microphone)
{
	g_atomic_int_inc(&microphone->refs);
	return microphone;
}

void microphone_unref(struct microphone *microphone)
{
	if (!g_atomic_int_dec_and_test(&microphone->refs))
		return;
	g_mutex_clear(&microphone->lock);
	g_free(microphone);
}

void microphone_start(struct microphone *microphone, uint32_t rate_hz, int64_t now_us)
{
	g_assert(rate_hz <= DBUS_AUDIO_RATE_MAX_HZ);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&microphone->lock);
	microphone->rate_hz = rate_hz;
	microphone->first = microphone->n = 0;
	microphone->heard_us = microphone->silent_since_us = now_us;
	microphone->n_silent = 0;
}

void microphone_stop(struct microphone *microphone)
{
	microphone_start(microphone, 0, 0);
}

static size_t capacity(const struct microphone *microphone)
{
	return (size_t)microphone->rate_hz * MICROPHONE_STORED_MS / 1000;
}

/* ---- what the client says ---- */

static void store(struct microphone *microphone, const uint32_t *pairs, size_t n)
{
	size_t at = (microphone->first + microphone->n) % STORE_PAIRS_MAX;
	size_t before_end = MIN(n, STORE_PAIRS_MAX - at);
	memcpy(microphone->ring + at, pairs, before_end * MICROPHONE_PAIR_BYTES);
	memcpy(microphone->ring, pairs + before_end, (n - before_end) * MICROPHONE_PAIR_BYTES);
	microphone->n += n;
}

static void drop(struct microphone *microphone, size_t n)
{
	microphone->first = (microphone->first + n) % STORE_PAIRS_MAX;
	microphone->n -= n;
}

void microphone_write(
	struct microphone *microphone, const uint32_t *pairs, size_t n_pairs, int64_t now_us)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&microphone->lock);
	size_t most = capacity(microphone);
	if (n_pairs == 0 || most == 0)
		return;
	size_t n = MIN(n_pairs, most);
	if (microphone->n + n > most)
		drop(microphone, microphone->n + n - most);
	store(microphone, pairs + (n_pairs - n), n);
	microphone->heard_us = now_us;
}

/* ---- what QEMU takes ---- */

static size_t take(struct microphone *microphone, uint32_t *pairs, size_t n_pairs)
{
	size_t n = MIN(n_pairs, microphone->n);
	size_t before_end = MIN(n, STORE_PAIRS_MAX - microphone->first);
	memcpy(pairs, microphone->ring + microphone->first, before_end * MICROPHONE_PAIR_BYTES);
	memcpy(pairs + before_end, microphone->ring, (n - before_end) * MICROPHONE_PAIR_BYTES);
	drop(microphone, n);
	return n;
}

static void begin_silence(struct microphone *microphone, int64_t now_us)
{
	microphone->silent_since_us = now_us;
	microphone->n_silent = 0;
}

/* Gives the silence of the time that has passed. What was not fetched in time is left out. */
static size_t be_silent(
	struct microphone *microphone, uint32_t *pairs, size_t n_pairs, int64_t now_us)
{
	uint64_t due = (uint64_t)(now_us - microphone->silent_since_us) * microphone->rate_hz /
		       G_USEC_PER_SEC;
	size_t n = (size_t)(due - microphone->n_silent);
	if (n > capacity(microphone)) {
		begin_silence(microphone, now_us);
		n = 0;
	}
	n = MIN(n, n_pairs);
	memset(pairs, 0, n * MICROPHONE_PAIR_BYTES);
	microphone->n_silent += n;
	return n;
}

size_t microphone_read(
	struct microphone *microphone, uint32_t *pairs, size_t n_pairs, int64_t now_us)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&microphone->lock);
	if (microphone->rate_hz == 0 || n_pairs == 0)
		return 0;
	if (microphone->n > 0) {
		begin_silence(microphone, now_us);
		return take(microphone, pairs, n_pairs);
	}
	if (now_us - microphone->heard_us < MICROPHONE_STARVED_MS * 1000)
		return 0;
	return be_silent(microphone, pairs, n_pairs, now_us);
}
