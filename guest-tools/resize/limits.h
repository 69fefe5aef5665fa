/* SPDX-License-Identifier: MIT */
/* These bounds say how long the helper waits, and how much it takes of others. */
#pragma once

/* More heads, and more modes in all, than a display server has of ours. */
#define HEADS_MAX 32
#define MODES_MAX 1024
/* A wish and a mode are of one rate when they differ by less. */
#define REFRESH_SAME_MHZ 500
/* A compositor reads its connectors some time after the kernel's word. Then it is looked again. */
#define LOOK_FIRST_MS 20
#define LOOK_LAST_MS 2560
/* A desktop on X that follows by itself has this long to do so. */
#define DESKTOP_FOLLOWS_MS 200
/* A socket is there before its compositor listens. */
#define CONNECT_TRIES 50
#define CONNECT_PAUSE_MS 100
