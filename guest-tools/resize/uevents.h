/* SPDX-License-Identifier: MIT */
/* uevents hears from the kernel that a display was plugged, or wants another mode. */
#pragma once

#include <stdbool.h>

/* Gives a descriptor to poll, or -1. It needs no rights. */
int uevents_open(void);
/* Takes all that has come. Was there one of a display? */
bool uevents_take(int fd);
