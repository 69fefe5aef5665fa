/* SPDX-License-Identifier: MIT */
/*
 * order: says what comes before what in the renderer. This header is read, not used: it states the
 * order that gpu_thread.c, keeper_end.c and scanout/scanouts.c keep, message by message. "Before"
 * means: whatever the gpu thread is busy with when the message comes.
 *
 * Two peers say things that a guest's question depends on. Both speak first and only then let the
 * guest know, so the answer must be that of after the message. The guest's questions are the
 * commands in its rings. The last column names the test: cases of tests/unit/render/test_order.c,
 * which asks while the renderer is busy or waits, and of commands/test_commands.c beside it.
 *
 * From the keeper (keeper_link.h). The main thread never waits for the gpu thread. It hands over
 * what it reads (handover.h), in order; the loop takes a command, then looks for news, then
 * executes the command: so what was handed over before the ring started comes before its first
 * command. No news comes in the middle of a command or of a rebuild.
 *
 *   LEDGER          before any command: it names objects that the rebuild makes    rebuild
 *   MEMORY_COMMIT   before RING_START finds the ring in it, and before a command
 *                   whose chain or ATTACH_BACKING names the memory: one that comes
 *                   sooner is parked, and those behind it wait (memory_wait.h)     memory, parked
 *   RESET           before the new driver's first command; a command of the old one
 *                   that is under way is finished among the old objects, and its
 *                   answer is dropped by the generation of its ring                reset
 *   FEATURES        before RING_START. Main thread                                 (no question)
 *   RING_START      the first command is taken after all of the above              ring
 *   FIRST_MODE      before GET_DISPLAY_INFO, GET_EDID                              first-mode
 *   RING_CALL       before the next answer's interrupt. Main thread, under the
 *                   ring's lock                                                    (no question)
 *   RING_STOP       answered at once, busy or not: the index of the next command is
 *                   final. What is answered later is kept for the next start       ring
 *   FRAME_LINK      before the next command; what display says on it counts from
 *                   then on                                                        link
 *   STATS           no question depends on it
 *
 * From display (frame_link.h). The gpu thread reads it between commands, and once more for the
 * questions that depend on it: scanouts_hear_display() reads all that lies on the link and only
 * takes note; what follows from it (frames, other buffers) is done between commands.
 *
 *   HEADS_WANTED    before GET_DISPLAY_INFO, GET_EDID                              link; modes;
 *                                                                  test_renderer.c: display-info
 *   RELEASE         before TRANSFER_TO_HOST_2D fails for want of a buffer          release
 *   RATE_WANTED     no question depends on it: a frame follows
 *   FORMATS_WANTED  no question depends on it: other buffers follow
 *   HELLO           no question depends on it
 *
 * The cursor queue asks nothing that the gpu thread answers: the main thread works it. But what it
 * shows may have been drawn by commands of the control queue that came before, so a picture in a
 * texture is fetched when these are executed (scanout/cursor.h).
 */
#pragma once
