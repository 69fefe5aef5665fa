/* SPDX-License-Identifier: MIT */
/*
 * spice head: one QXL device of spice-server, fed from one head. The client sees a monitor.
 *
 * The device has one primary surface of the head's size, in memory of ours that spice-server draws
 * into whenever it must know the whole picture (a client connects, bounds are met). Addresses in
 * QXL commands are plain pointers: one memory slot spans the address space.
 *
 * Threads of vitrine-display, and what crosses:
 *
 * | thread           | runs                                                | made by      |
 * |------------------|-----------------------------------------------------|--------------|
 * | main loop        | both links, D-Bus replies, accept; spice-server's   | main         |
 * |                  | core, inputs and main channel                       |              |
 * | SPICE Worker (N) | one per head: get_command, get_cursor_command,      | spice-server |
 * |                  | release_resource, compression, sending              |              |
 * | gdbus, pool      | GDBus's own: socket of the D-Bus connection         | GLib         |
 * | GStreamer's      | video encoders while a stream runs                  | spice-server |
 *
 * main -> worker: struct head and struct spice_cursor, each with its lock; spice_qxl_wakeup.
 * worker -> main: frame_unref (a release to send), an idle source that asks for a wakeup.
 * The main loop blocks on the worker while a primary surface is made or destroyed: so the worker
 * never sends itself a message (spice_qxl_wakeup, spice_qxl_oom) and the main loop holds no lock
 * that the callbacks take.
 */
#pragma once

#include <stdbool.h>

#include "display/heads/head.h"
#include "display/line/line.h"
#include "display/spice/spice_cursor.h"

struct RedsState;
struct spice_gl;
struct spice_head;

/* A client wants its monitors to be like this; main loop. The list is only read. */
typedef void (*spice_head_wanted)(
	void *user, const struct frame_head_mode *heads, unsigned n_heads);

/*
 * The head and the line (NULL: none) stay the caller's and outlive this. It shows nothing until the
 * first resize. Clients' wishes, which concern all heads, are told by head 0 alone.
 */
struct spice_head *spice_head_create(struct RedsState *server, struct head *head, struct line *line,
	spice_head_wanted wanted, void *user);
/* After the server was destroyed, and with it the worker. */
void spice_head_destroy(struct spice_head *head);

/*
 * A new mode: takes the old surface from the client and gives it one of this size, which begins as
 * `frame` (of this size, only read), or without one in a dark grey (black when it is large). May
 * wait for a client that is slow to read: 30 s at most, then spice-server cuts it off.
 */
void spice_head_resize(
	struct spice_head *head, uint32_t width, uint32_t height, const struct frame *frame);

/* No monitor any more, until the next resize. */
void spice_head_unplug(struct spice_head *head);

/* There is something new in the head or the cursor. */
void spice_head_wake(struct spice_head *head);

/* A client has opened this head's cursor channel: spice-server tells it a shape but no position. */
void spice_head_new_viewer(struct spice_head *head);

/* For pictures that clients get as dma-bufs. */
struct spice_gl *spice_head_gl(struct spice_head *head);
struct spice_cursor *spice_head_cursor(struct spice_head *head);
