/* SPDX-License-Identifier: MIT */
/*
 * spice head: feeds one QXL device of spice-server from one head. The client sees a monitor.
 *
 * The device has one primary surface of the head's size, in memory of ours. spice-server draws into
 * it whenever it must know the whole picture: when a client connects, and when it has no room for
 * more drawables. Addresses in QXL commands are plain pointers: one memory slot spans the address
 * space.
 *
 * Threads: the functions below are the main loop's. spice-server calls the device's callbacks on
 * the head's worker (ARCHITECTURE.md, "Threads"), except two: client_monitors_config on the main
 * loop, and async_complete on either. The relay's thread says when a line has drained.
 *
 * From the main loop the worker gets struct head and struct spice_cursor, each under its own lock,
 * and spice_qxl_wakeup(). From the worker the main loop gets frames that are released, and an idle
 * source that asks for a wakeup. The main loop blocks on the worker while a primary surface is made
 * or destroyed. So the worker never calls spice_qxl_wakeup() or spice_qxl_oom(), which would send a
 * message to itself, and the main loop holds no lock then that a callback takes.
 */
#pragma once

#include <stdbool.h>

#include "display/heads/head.h"
#include "display/line/line.h"
#include "display/spice/spice_cursor.h"

struct RedsState;
struct spice_gl;
struct spice_head;

/* Says which monitors a client wishes for: `heads` is a list by head number, and only read. */
typedef void (*spice_head_wanted)(
	void *user, const struct frame_head_mode *heads, unsigned n_heads);

/*
 * Is called by a head's worker thread while it neither reads nor writes the head's channels,
 * whenever spice-server asks for a picture. There is one for all heads of the process; NULL: nobody
 * is told.
 */
typedef void (*spice_head_quiet)(unsigned head);
void spice_head_set_quiet(spice_head_quiet quiet);

/*
 * The head and the line (NULL: none) stay the caller's and must outlive this. It shows nothing
 * until the first resize. `wanted` (NULL: for those who only look on) is called by head 0 alone,
 * since a client's wish concerns all heads. Returns NULL when spice-server takes no more devices
 * (logged).
 */
struct spice_head *spice_head_create(struct RedsState *server, struct head *head, struct line *line,
	spice_head_wanted wanted, void *user);
/* Must be called after the server was destroyed, and with it the worker. NULL is fine. */
void spice_head_destroy(struct spice_head *head);

/*
 * Gives the head a new mode: clients lose the old surface and get one of this size in pixels. It
 * begins as `frame`, which has that size and is only read; without one (NULL) it begins dark grey,
 * or black when it is large. Returns false, without a surface, when there is no memory for it
 * (logged). This may wait for a client that is slow to read: 30 s at most, then
 * spice-server cuts it off.
 */
bool spice_head_resize(
	struct spice_head *head, uint32_t width, uint32_t height, const struct frame *frame);

/* Takes the monitor from clients until the next resize. */
void spice_head_unplug(struct spice_head *head);

/*
 * Makes the worker look for what is new in the head or the cursor. Without a surface it does
 * nothing.
 */
void spice_head_wake(struct spice_head *head);

/* Tells a client that has opened the head's cursor channel what spice-server does not tell it. */
void spice_head_new_viewer(struct spice_head *head);

/* Says something to a client that is opening the head's display channel, if nobody else does. */
void spice_head_new_display(struct spice_head *head);

/* These return what the head owns: its way to show dma-bufs, and its cursor. */
struct spice_gl *spice_head_gl(struct spice_head *head);
struct spice_cursor *spice_head_cursor(struct spice_head *head);
