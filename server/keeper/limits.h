/* SPDX-License-Identifier: MIT */
/*
 * limits: bounds on what QEMU and the two workers may send and how long they may take, for this
 * room. Each says its unit, its reason, and what happens past it. The number of memory regions and
 * the sizes of rings and messages are bounds of the protocols: protocol/keeper_link.h,
 * protocol/vhost_user.h.
 */
#pragma once

/* ---- QEMU ---- */

/*
 * Descriptors with one vhost-user message: a memory table has the most, one for each of its 8
 * regions (QEMU docs/interop/vhost-user.rst, VHOST_USER_SET_MEM_TABLE). With more the conversation
 * ends.
 */
#define VHOST_USER_FDS_MAX 8

/*
 * Milliseconds that QEMU may leave an answer unread. It waits for each answer, so its socket is
 * empty; one that does not take it is beyond help, and the conversation ends.
 */
#define REPLY_TIMEOUT_MS 1000

/*
 * Pixels of a side of QEMU's console: a pixman image's coordinates have 16 bits, and so have those
 * of QEMU's pointer. Of a larger desktop QEMU is not told, and its pointer keeps its old bounds.
 */
#define GPU_SOCKET_SIDE_MAX 16383

/* ---- the workers ---- */

/*
 * Milliseconds until READY. It is generous because a worker's start depends on drivers and on how
 * busy the machine is, and one that is killed begins anew. A worker that takes longer is killed,
 * and replaced if one was ready before; the first one's end is ours.
 */
#define WORKER_READY_TIMEOUT_MS 60000

/*
 * Milliseconds that a worker's link may stay full. A worker reads its link between any two things
 * it does, so one that takes longer is stuck: it is killed and replaced. QEMU waits meanwhile.
 */
#define SEND_TIMEOUT_MS 1000

/*
 * Milliseconds until a renderer has stopped a ring. QEMU and with it the guest stand still as long.
 * A renderer that takes longer is killed, and the ledger says where the ring stopped.
 */
#define RENDERER_STOP_TIMEOUT_MS 1000

/*
 * Milliseconds between the end and the next start of a worker that cannot start: the pause doubles
 * up to this, so that a fault that stays costs little processor time and few lines in the log. A
 * worker that had started is replaced without a pause.
 */
#define BACKOFF_MAX_MS 5000

/*
 * Milliseconds after a crash for which a second renderer is kept ready: who crashes one crashes the
 * next one soon (blame.h counts crashes together for the same time). A desktop without crashes has
 * none, since it costs what a renderer takes before its guest has asked for anything.
 */
#define RENDERER_SPARE_MS 60000

/*
 * Milliseconds between two looks at a worker while nobody works. A process that is stopped is
 * recognised up to half of it before or after WATCHDOG_STOPPED_MS.
 */
#define WATCHDOG_PERIOD_MS 3000

/* Milliseconds that a display may be stopped (SIGSTOP). One that stays so is killed and replaced.
 */
#define WATCHDOG_STOPPED_MS 10000

/*
 * Milliseconds that a loop of the display may be at one thing. spice-server's worker waits up to 30
 * s for a client that does not read (COMMON_CLIENT_TIMEOUT), and the main loop for the worker. A
 * display that takes longer is killed and replaced.
 */
#define WATCHDOG_DISPLAY_MS 45000

/*
 * Milliseconds that a renderer may stay at the work of a guest whose driver is gone. It is killed
 * then: the new driver waits for its first answers for 5 s (Linux, virtio_gpu_init), and nothing is
 * lost that the driver had not given up.
 */
#define WATCHDOG_HURRY_MS 1000
