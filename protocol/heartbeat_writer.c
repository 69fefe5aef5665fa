/* SPDX-License-Identifier: MIT */
#include "protocol/heartbeat_writer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "common/shm.h"

static struct heartbeat unread;
static struct heartbeat *page = &unread;

/* This is the loop of this thread that heartbeat_follow() was told; HEARTBEAT_LOOPS: none. */
static __thread enum heartbeat_loop followed = HEARTBEAT_LOOPS;

bool heartbeat_attach(void)
{
	g_assert(page == &unread);
	struct heartbeat *map = shm_map(HEARTBEAT_FD, sizeof(*map), true);
	if (!map && errno == ENOMEM) {
		g_warning("no heartbeat: %s", g_strerror(errno));
		close(HEARTBEAT_FD);
	}
	if (!map)
		return false;
	if (map->magic != HEARTBEAT_MAGIC || map->version != HEARTBEAT_VERSION) {
		shm_unmap(map, sizeof(*map));
		return false;
	}
	page = map;
	close(HEARTBEAT_FD);
	return true;
}

static void store_text(struct heartbeat_beat *beat, const char *text)
{
	uint64_t words[G_N_ELEMENTS(beat->text)] = { 0 };
	memcpy(words, text, strnlen(text, sizeof(words) - 1));
	for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
		__atomic_store_n(&beat->text[i], words[i], __ATOMIC_RELAXED);
}

static uint64_t store(
	enum heartbeat_loop loop, enum heartbeat_state state, const char *what, uint32_t context)
{
	g_assert(loop < HEARTBEAT_LOOPS);
	struct heartbeat_beat *beat = &page->beats[loop];
	store_text(beat, what);
	__atomic_store_n(&beat->context, context, __ATOMIC_RELAXED);
	uint64_t now_ns = monotonic_now_ns();
	__atomic_store_n(&beat->since_ns, now_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&beat->state, state, __ATOMIC_RELEASE);
	return now_ns;
}

/* What was done last stays legible; only the state says that it is over. */
void heartbeat_idle(enum heartbeat_loop loop)
{
	g_assert(loop < HEARTBEAT_LOOPS);
	__atomic_store_n(&page->beats[loop].state, HEARTBEAT_IDLE, __ATOMIC_RELEASE);
}

void heartbeat_start(enum heartbeat_loop loop, const char *what)
{
	store(loop, HEARTBEAT_STARTING, what, 0);
}

uint64_t heartbeat_work(enum heartbeat_loop loop, const char *what, uint32_t context)
{
	return store(loop, HEARTBEAT_WORKING, what, context);
}

void heartbeat_done(enum heartbeat_loop loop)
{
	g_assert(loop < HEARTBEAT_LOOPS);
	__atomic_store_n(&page->beats[loop].context, 0, __ATOMIC_RELAXED);
}

void heartbeat_name_gone(const char *name)
{
	uint64_t words[G_N_ELEMENTS(page->gone_name)] = { 0 };
	memcpy(words, name, strnlen(name, sizeof(words)));
	for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
		__atomic_store_n(&page->gone_name[i], words[i], __ATOMIC_RELAXED);
	__atomic_store_n(&page->is_gone, 1, __ATOMIC_RELEASE);
}

void heartbeat_count_resets(unsigned n)
{
	__atomic_fetch_add(&page->resets, n, __ATOMIC_RELEASE);
}

void heartbeat_note_rebuilt(void)
{
	__atomic_store_n(&page->is_rebuilt, 1, __ATOMIC_RELEASE);
}

void heartbeat_say_own_kib(uint64_t own_kib)
{
	__atomic_store_n(&page->own_kib, own_kib, __ATOMIC_RELAXED);
}

void heartbeat_encoder_begin(unsigned encoder, bool trial)
{
	g_assert(encoder < HEARTBEAT_ENCODERS);
	if (trial)
		__atomic_store_n(&page->encoders.tried, encoder + 1, __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(&page->encoders.n_at_work[encoder], 1, __ATOMIC_RELAXED);
}

void heartbeat_encoder_end(unsigned encoder, bool trial)
{
	g_assert(encoder < HEARTBEAT_ENCODERS);
	uint32_t own = encoder + 1;
	/* One whose trial has been given up may come back during another one's. */
	if (trial)
		__atomic_compare_exchange_n(
			&page->encoders.tried, &own, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	else
		__atomic_fetch_sub(&page->encoders.n_at_work[encoder], 1, __ATOMIC_RELAXED);
}

void heartbeat_encoder_on_gpu(unsigned encoder)
{
	g_assert(encoder < HEARTBEAT_ENCODERS);
	__atomic_fetch_or(&page->encoders.hardware, UINT32_C(1) << encoder, __ATOMIC_RELAXED);
}

bool heartbeat_encoder_is_refused(unsigned encoder)
{
	g_assert(encoder < HEARTBEAT_ENCODERS);
	return __atomic_load_n(&page->encoders.refused, __ATOMIC_RELAXED) >> encoder & 1;
}

static gint poll_between_beats(GPollFD *fds, guint n_fds, gint timeout_ms)
{
	heartbeat_idle(followed);
	gint result = g_poll(fds, n_fds, timeout_ms);
	heartbeat_work(followed, "the loop", 0);
	return result;
}

void heartbeat_follow(GMainContext *context, enum heartbeat_loop loop)
{
	g_assert(followed == HEARTBEAT_LOOPS || followed == loop);
	followed = loop;
	heartbeat_work(loop, "the loop", 0);
	g_main_context_set_poll_func(context, poll_between_beats);
}
