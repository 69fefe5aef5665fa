/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/feed.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

const uint8_t *feed_take(struct feed *feed, size_t size_bytes, size_t *taken_bytes)
{
	const uint8_t *bytes = feed->data;
	*taken_bytes = MIN(size_bytes, feed->left_bytes);
	if (*taken_bytes > 0)
		feed->data += *taken_bytes;
	feed->left_bytes -= *taken_bytes;
	return bytes;
}

size_t feed_copy(struct feed *feed, void *to, size_t size_bytes)
{
	size_t n;
	const uint8_t *bytes = feed_take(feed, size_bytes, &n);
	memset(to, 0, size_bytes);
	if (n > 0)
		memcpy(to, bytes, n);
	return n;
}

uint8_t feed_u8(struct feed *feed)
{
	uint8_t value;
	feed_copy(feed, &value, sizeof(value));
	return value;
}

uint32_t feed_u32(struct feed *feed)
{
	uint32_t value;
	feed_copy(feed, &value, sizeof(value));
	return value;
}

/* This is xorshift32 of Marsaglia, "Xorshift RNGs", 2003. */
uint32_t feed_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static GLogWriterOutput drop(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer user)
{
	if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) {
		g_log_writer_standard_streams(level, fields, n, user);
		abort();
	}
	return G_LOG_WRITER_HANDLED;
}

void feed_drop_log(void)
{
	static bool dropped;
	if (!dropped)
		g_log_set_writer_func(drop, NULL, NULL);
	dropped = true;
}

int feed_next_fd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	g_assert(fd >= 0);
	close(fd);
	return fd;
}
