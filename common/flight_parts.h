/* SPDX-License-Identifier: MIT */
/* What the two files of flight (flight.h) share. */
#pragma once

#include "common/flight.h"

/* The memory that notes go to; it is always there. */
extern struct flight_memory *flight_memory;
/* The calling thread's place in its table; 0: it has no name. */
extern __thread unsigned flight_thread_number;
