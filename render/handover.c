/* SPDX-License-Identifier: MIT */
#include "render/handover.h"

#include <glib.h>

#include "common/fd.h"
#include "protocol/flight_events.h"
#include "protocol/heartbeat_writer.h"
#include "render/commands/commands.h"
#include "render/memory_wait.h"
#include "render/objects/ledger_book.h"
#include "render/objects/objects.h"
#include "render/rebuild.h"
#include "render/ring/memory.h"
#include "render/scanout/scanouts.h"

struct news {
	struct memory *memory;
	struct ledger_book *ledger;
	int frame_link; /* -1: none */
	unsigned resets;
	bool has_first_mode;
	uint32_t first_width, first_height, refresh_mhz;
};

static const struct news nothing = { .frame_link = -1 };

struct handover {
	GMutex lock;
	struct news news; /* under the lock */
	int has_news;     /* atomic, a boolean */
	unsigned asked,
		answered; /* atomic: requests to read the keeper link, and the last one done */
	int wake_fd;      /* the gpu thread sleeps on it */
	int ask_fd;       /* the main thread sleeps on it */
};

struct handover *handover_create(void)
{
	struct handover *handover = g_new0(struct handover, 1);
	g_mutex_init(&handover->lock);
	handover->news = nothing;
	handover->wake_fd = fd_create_wake();
	handover->ask_fd = fd_create_wake();
	if (handover->wake_fd >= 0 && handover->ask_fd >= 0)
		return handover;
	fd_close(&handover->wake_fd);
	fd_close(&handover->ask_fd);
	g_mutex_clear(&handover->lock);
	g_free(handover);
	return NULL;
}

void handover_destroy(struct handover *handover)
{
	if (!handover)
		return;
	memory_unref(handover->news.memory);
	ledger_book_close(handover->news.ledger);
	fd_close(&handover->news.frame_link);
	fd_close(&handover->wake_fd);
	fd_close(&handover->ask_fd);
	g_mutex_clear(&handover->lock);
	g_free(handover);
}

/* ---- main thread ---- */

/* Ends a change of the news: unlocks, and wakes the gpu thread. */
static void announce(struct handover *handover)
{
	__atomic_store_n(&handover->has_news, 1, __ATOMIC_RELEASE);
	g_mutex_unlock(&handover->lock);
	fd_wake(handover->wake_fd);
}

void handover_set_memory(struct handover *handover, struct memory *memory)
{
	g_mutex_lock(&handover->lock);
	memory_unref(handover->news.memory);
	handover->news.memory = memory_ref(memory);
	announce(handover);
}

void handover_set_ledger(struct handover *handover, struct ledger_book *book)
{
	g_assert(book);
	g_mutex_lock(&handover->lock);
	ledger_book_close(handover->news.ledger);
	handover->news.ledger = book;
	announce(handover);
}

void handover_set_frame_link(struct handover *handover, int fd)
{
	g_assert(fd >= 0);
	g_mutex_lock(&handover->lock);
	fd_close(&handover->news.frame_link);
	handover->news.frame_link = fd;
	announce(handover);
}

void handover_set_first_mode(
	struct handover *handover, uint32_t width, uint32_t height, uint32_t refresh_mhz)
{
	g_mutex_lock(&handover->lock);
	handover->news.has_first_mode = true;
	handover->news.first_width = width;
	handover->news.first_height = height;
	handover->news.refresh_mhz = refresh_mhz;
	announce(handover);
}

void handover_set_reset(struct handover *handover)
{
	g_mutex_lock(&handover->lock);
	handover->news.resets++;
	announce(handover);
}

int handover_get_ask_fd(const struct handover *handover)
{
	return handover->ask_fd;
}

unsigned handover_take_request(struct handover *handover)
{
	fd_drain(handover->ask_fd);
	return __atomic_load_n(&handover->asked, __ATOMIC_ACQUIRE);
}

void handover_keeper_read(struct handover *handover, unsigned request)
{
	__atomic_store_n(&handover->answered, request, __ATOMIC_RELEASE);
	fd_wake(handover->wake_fd);
}

void handover_wake(struct handover *handover)
{
	fd_wake(handover->wake_fd);
}

/* ---- gpu thread ---- */

int handover_get_wake_fd(const struct handover *handover)
{
	return handover->wake_fd;
}

void handover_drain_wake(struct handover *handover)
{
	fd_drain(handover->wake_fd);
}

bool handover_has_news(const struct handover *handover)
{
	return __atomic_load_n(&handover->has_news, __ATOMIC_ACQUIRE);
}

static struct news take_news(struct handover *handover)
{
	g_mutex_lock(&handover->lock);
	struct news news = handover->news;
	handover->news = nothing;
	__atomic_store_n(&handover->has_news, 0, __ATOMIC_RELAXED);
	g_mutex_unlock(&handover->lock);
	return news;
}

/*
 * Forgets the guest of before, and with it a command that waits and objects that are to be rebuilt.
 */
static void forget_guest(const struct handover_takers *takers, unsigned resets)
{
	heartbeat_work(HEARTBEAT_GPU, "reset", 0);
	rebuild_drop(takers->rebuild);
	commands_forget_guest(takers->commands);
	memory_wait_finish(takers->wait);
	heartbeat_work(HEARTBEAT_GPU, "the loop", 0);
	heartbeat_count_resets(resets);
	flight_note(FLIGHT_GUEST_RESET, resets, 0, 0);
}

void handover_accept(struct handover *handover, const struct handover_takers *takers)
{
	struct news news = take_news(handover);
	if (news.ledger) {
		objects_set_ledger(takers->objects, news.ledger);
		rebuild_want(takers->rebuild);
	}
	if (news.resets > 0)
		forget_guest(takers, news.resets);
	if (news.has_first_mode)
		scanouts_set_first_mode(
			takers->scanouts, news.first_width, news.first_height, news.refresh_mhz);
	if (news.frame_link >= 0)
		scanouts_use_link(takers->scanouts, news.frame_link);
	if (news.memory) {
		objects_set_memory(takers->objects, news.memory);
		memory_wait_new_table(takers->wait);
	}
}

void handover_ask_keeper(struct handover *handover)
{
	__atomic_fetch_add(&handover->asked, 1, __ATOMIC_RELEASE);
	fd_wake(handover->ask_fd);
}

bool handover_is_keeper_read(const struct handover *handover)
{
	return __atomic_load_n(&handover->answered, __ATOMIC_ACQUIRE) ==
	       __atomic_load_n(&handover->asked, __ATOMIC_RELAXED);
}
