/* SPDX-License-Identifier: MIT */
/*
 * pass: display channels of clients on the unix socket. Such a client comes through the relay only
 * until spice-server has gone on after its INIT (spice_talk.h); then everything passes as it is,
 * descriptors of dma-bufs included, until the worker thread of its head puts the client's own
 * socket in the place of ours. That needs a moment in which spice-server neither reads nor writes
 * it: the head's worker is the thread that does, so it is when spice-server asks the head for a
 * picture. From then on no picture of a local client is copied here. A head that shows nothing new
 * never asks, and then there is little to pass.
 *
 * Threads: the relay's; pass_step_aside the worker of a head.
 */
#pragma once

/* spice-server reads and writes none of this head's channels now. It never waits. */
void pass_step_aside(unsigned head);
