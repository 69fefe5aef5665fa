/* SPDX-License-Identifier: MIT */
/*
 * flight_page is the keeper's side of a worker's flight recorder (common/flight.h): the keeper
 * makes the memory, empties it before each process, and keeps its bytes when that is dead. It looks
 * at nothing in it but for how long to wait for stacks. Everything happens on the main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "common/flight.h"

struct flight_page {
	int fd; /* -1: none */
	struct flight_memory *memory;
};

#define FLIGHT_PAGE_NONE ((struct flight_page){ .fd = -1 })

bool flight_page_init(struct flight_page *page, GError **error);
void flight_page_finish(struct flight_page *page);
/* Is called while no process has it. */
void flight_page_clear(struct flight_page *page);
/* Gives whether the process has said that it could be asked where its threads are. */
bool flight_page_can_be_asked(const struct flight_page *page);
/* Waits a moment, at most, until the process has written where its threads are. */
void flight_page_wait_stacks(const struct flight_page *page);
