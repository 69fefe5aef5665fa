/* SPDX-License-Identifier: MIT */
#include "render/stream/draws.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "render/stream/protocol.h"

static bool is_draw(uint32_t header)
{
	uint32_t number = header & 0xff;
	return number == STREAM_DRAW_VBO || number == STREAM_LAUNCH_GRID ||
	       number == STREAM_LINK_SHADER;
}

uint32_t draws_leave_out(uint32_t *words, uint32_t n_words)
{
	uint32_t n_left = 0;
	for (uint32_t at = 0, n; at < n_words; at += n) {
		n = (words[at] >> 16) + 1;
		g_assert(n <= n_words - at);
		if (is_draw(words[at]))
			continue;
		memmove(words + n_left, words + at, n * sizeof(*words));
		n_left += n;
	}
	return n_left;
}
