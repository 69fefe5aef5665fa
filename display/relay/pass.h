/* SPDX-License-Identifier: MIT */
/*
 * pass: moves the display channels of clients on the unix socket. They go through the relay only
 * while they begin, until spice-server has gone on after the client's INIT (spice_talk.h). After
 * that the relay passes everything on unread, descriptors of dma-bufs included, until it can step
 * aside: it puts the client's own socket in the place of the one that spice-server has. From then
 * on nothing of a local client is copied here.
 *
 * Stepping aside needs a moment in which spice-server neither reads nor writes that socket. The
 * head's worker thread is the one that does, so a good moment is when it asks the head for a
 * drawable. A head that shows nothing new is never asked, but then there is little to pass.
 *
 * Threads: the relay's, except pass_step_aside, which a head's worker calls.
 */
#pragma once

/* Steps aside for all channels of this head that are ready for it. The caller makes sure that
 * spice-server neither reads nor writes them meanwhile. It never waits. */
void pass_step_aside(unsigned head);
