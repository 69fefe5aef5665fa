/* SPDX-License-Identifier: MIT */
#include "render/memory_wait.h"

#include <glib.h>

bool memory_wait_is_allowed(const struct memory_wait *wait)
{
	return !wait->in_vain && wait->n_waits < MEMORY_WAITS_MAX;
}

void memory_wait_begin(struct memory_wait *wait, int64_t now_us)
{
	g_assert(wait->phase == MEMORY_WAIT_NONE && memory_wait_is_allowed(wait));
	wait->phase = MEMORY_WAIT_KEEPER;
	wait->end_us = now_us + MEMORY_WAIT_KEEPER_US;
	wait->n_waits++;
}

static void give_up(struct memory_wait *wait)
{
	wait->phase = MEMORY_WAIT_NONE;
	wait->in_vain = true;
}

void memory_wait_keeper_read(struct memory_wait *wait, int64_t now_us)
{
	if (wait->phase != MEMORY_WAIT_KEEPER)
		return;
	if (wait->last_table_us != 0 &&
		now_us - wait->last_table_us < MEMORY_WAIT_TABLE_INTERVAL_US) {
		give_up(wait);
		return;
	}
	wait->phase = MEMORY_WAIT_TABLE;
	wait->end_us = now_us + MEMORY_WAIT_TABLE_US;
	wait->last_table_us = now_us;
}

void memory_wait_new_table(struct memory_wait *wait)
{
	wait->phase = MEMORY_WAIT_NONE;
}

bool memory_wait_goes_on(struct memory_wait *wait, int64_t now_us)
{
	if (wait->phase == MEMORY_WAIT_KEEPER && now_us >= wait->end_us)
		memory_wait_keeper_read(wait, now_us);
	if (wait->phase == MEMORY_WAIT_TABLE && now_us >= wait->end_us)
		give_up(wait);
	return wait->phase != MEMORY_WAIT_NONE;
}

int64_t memory_wait_left_us(const struct memory_wait *wait, int64_t now_us)
{
	if (wait->phase == MEMORY_WAIT_NONE)
		return -1;
	return MAX(wait->end_us - now_us, 0);
}

void memory_wait_finish(struct memory_wait *wait)
{
	wait->phase = MEMORY_WAIT_NONE;
	wait->n_waits = 0;
	wait->in_vain = false;
}
