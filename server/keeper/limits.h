/* SPDX-License-Identifier: MIT */
/*
 * These are this room's bounds on what QEMU and the two workers may send and how long they may
 * take. Each says its unit, its reason, and what happens past it. The number of memory regions and
 * the sizes of rings and messages are bounds of the protocols: protocol/keeper_link.h,
 * protocol/vhost_user.h.
 */
#pragma once

/* ---- QEMU ---- */

/*
 * At most this many descriptors come with one vhost-user message: a memory table has the most, one
 * for each of its 8 regions (QEMU docs/interop/vhost-user.rst, VHOST_USER_SET_MEM_TABLE). With more
 * the conversation ends.
 */
#define VHOST_USER_FDS_MAX 8

/*
 * QEMU may leave an answer unread for this many milliseconds. It waits for each answer, so its
 * socket is empty; one that does not take it is beyond help, and the conversation ends.
 */
#define REPLY_TIMEOUT_MS 1000

/*
 * A side of QEMU's console has at most this many pixels, because a pixman image's coordinates have
 * 16 bits, and so have those of QEMU's pointer. Of a larger desktop QEMU is not told, and its
 * pointer keeps its old bounds.
 */
#define GPU_SOCKET_SIDE_MAX 16383

/*
 * When QEMU has hung up the keeper hears for so many milliseconds what it said of that on its
 * monitor, if it has not yet.
 */
#define QEMU_LAST_WORD_MS 50

/*
 * QEMU may take so many milliseconds to start the guest's GPU from when the guest's driver has read
 * the device's configuration, which it does right before. Past it clients, and whoever runs the
 * desktop, are told (late_device.h); it goes on.
 */
#define DEVICE_LATE_MS 5000

/* ---- who asks for tickets ---- */

/*
 * So many may be connected who have not said yet what they want, each for so many milliseconds: a
 * command does so at once. One more is hung up on, and so is one who takes longer.
 */
#define TICKET_ASKERS_MAX 8
#define TICKET_ASKER_TIMEOUT_MS 2000

/* So many may stay connected to be told of what clients lose their connections by. */
#define TICKET_FOLLOWERS_MAX 32

/*
 * So many tickets are known whose time is not over. Display has room for more (TICKETS_MAX in
 * display/tickets/limits.h). One more is refused.
 */
#define VIEWER_GIVEN_MAX 200

/*
 * When display ends, a ticket that somebody was in session with lets that session in again within
 * this many seconds. Programs that come again by themselves do so at once; a person who must start
 * one has time for it.
 */
#define VIEWER_FOLLOW_ON_S 60

/*
 * A display that was told that another one takes its place may take this many milliseconds to
 * leave: its clients read where they are to go, for which it gives them 150. One that takes longer
 * is ended.
 */
#define VIEWER_LEAVE_MS 1000

/* ---- the workers ---- */

/*
 * A worker may take this many milliseconds until READY. It is generous because a worker's start
 * depends on drivers and on how busy the machine is, and one that is killed begins anew. A worker
 * that takes longer is killed, and replaced if one was ready before; the first one's end is ours.
 */
#define WORKER_READY_TIMEOUT_MS 60000

/*
 * A step of a renderer's start on a GPU that we look for may take this many milliseconds: the
 * program's, EGL's and virglrenderer's. Drivers take 0.1 s, and NVIDIA's whose card sleeps 1 to 2
 * s. The guest's start waits for it. Past it the driver is said to hang, and the next GPU is tried,
 * or the CPU. A GPU that is named has WORKER_READY_TIMEOUT_MS at the desktop's start.
 */
#define GPU_STEP_TIMEOUT_MS 3000

/*
 * The same of those behind a GPU whose driver hung: it may be their driver, too, and with eight of
 * them somebody waits.
 */
#define GPU_STEP_HURRY_MS 1000

/*
 * A step of the start on a GPU that has drawn for the desktop may take this many milliseconds. One
 * that is being reset keeps whoever begins waiting for the seconds that takes. Past it the desktop
 * goes on without it.
 */
#define GPU_STEP_AGAIN_MS 20000

/*
 * A renderer on a GPU may be at one thing for this many milliseconds beyond --submit-limit. A GPU's
 * hang holds up all desktops on it until the kernel's driver resets it. amdgpu begins that after 10
 * s (lockup_timeout), as long as --submit-limit is by default, and takes up to some seconds; i915,
 * xe and nouveau are sooner. One that is killed before could not say who was guilty.
 */
#define GPU_RESET_GRACE_MS 5000

/*
 * So many messages of a worker are heard at a time, before QEMU, the other worker and whoever else
 * is there have their turn. It says more only when it was taken over, or after a long pause of
 * ours.
 */
#define WORKER_HEARD_MAX 64

/*
 * A worker's link may stay full for this many milliseconds in all of SEND_WINDOW_MS. A worker reads
 * its link between any two things it does, so one that takes longer is stuck, or reads slowly on
 * purpose: it is killed and replaced. QEMU waits meanwhile.
 */
#define SEND_TIMEOUT_MS 1000
#define SEND_WINDOW_MS 30000

/*
 * A renderer may take this many milliseconds to stop a ring. QEMU and with it the guest stand still
 * as long. A renderer that takes longer is killed, and the ledger says where the ring stopped.
 */
#define RENDERER_STOP_TIMEOUT_MS 1000

/*
 * A process that was killed may take this many milliseconds until it is gone: the kernel frees its
 * memory, on a busy machine. One that takes longer hangs in a driver, where no signal reaches it.
 * It executes nothing of its own any more. It is left behind: another one starts beside it, and it
 * is reaped when it ends after all. The starter has eight at a time (STARTER_LIVE_MAX), these
 * among them; past that a worker is tried again every BACKOFF_MAX_MS.
 */
#define WORKER_END_MS 1000

/*
 * A worker that cannot start is started again after at most this many milliseconds: the pause
 * doubles up to this, so that a fault that stays costs little processor time and few lines in the
 * log. A worker that had started is replaced without a pause.
 */
#define BACKOFF_MAX_MS 5000
/* The second failed start in a row is followed by this pause, the first by none. */
#define BACKOFF_FIRST_MS 50

/*
 * A guest is told of so many contexts in so many seconds whose commands were refused. It may make
 * more, and what it is told costs a line of the log each.
 */
#define REFUSED_TOLD_MAX 8
#define REFUSED_TOLD_S 10

/*
 * A second renderer is kept ready for this many milliseconds after a crash, whatever --spare says:
 * who crashes one crashes the next one soon (blame.h counts crashes together for the same time).
 */
#define RENDERER_SPARE_MS 60000

/*
 * The same of a second display, after any end. Clients that were cut off all come again at once,
 * and what starts a display is then what they wait for. It takes 7 MB of its own.
 */
#define VIEWER_SPARE_MS 60000

/*
 * A spare process is started this many milliseconds after the worker is at work, so that it does
 * not take the processor from the first picture.
 */
#define SPARE_DELAY_MS 200

/*
 * A spare process that takes over, and is ready, is asked to work at once. If it has begun nothing
 * of that so many milliseconds later it hangs, and is killed; a fresh one starts. Where the machine
 * is busy beyond measure another process would be no sooner.
 */
#define SPARE_ANSWER_MS 1000

/*
 * A spare that was told to begin may take this many milliseconds until it waits. Nobody waits for
 * it, but one that hangs in its driver would be taken for one that works. It is killed, and another
 * one follows later. It is looked at every WATCHDOG_PERIOD_MS.
 */
#define SPARE_START_MS 60000

/*
 * A spare that ends by itself is followed by another one after this many milliseconds, and after
 * twice the pause each time, up to the second number. One that had waited for as long as that
 * begins the count anew.
 */
#define SPARE_BACKOFF_MIN_MS 1000
#define SPARE_BACKOFF_MAX_MS 60000

/*
 * So many renderers in a row find what a dead one had, if each ends before it has rebuilt that. The
 * next one finds what the last one had made: what ended them may be among the rest.
 */
#define LEDGER_RESTORES_MAX 3

/*
 * Of an upgrade (upgrade.h): workers of another build may take this many milliseconds until they
 * are ready, and the second number from the old ones' end until they work. Past either the old
 * build goes on. A moment at which nothing is under way is waited for as long as the third one. New
 * workers must then live for as long as the last one: what ends them at once ends them by then,
 * such as the trial of a driver's encoder, and the old build goes on.
 */
#define UPGRADE_START_MS 20000
#define UPGRADE_TAKING_MS 10000
#define UPGRADE_BORDER_MS 200
#define UPGRADE_TRY_MS 500

/*
 * Two looks at a worker are this many milliseconds apart while nobody works. A process that is
 * stopped is recognised up to half of it before or after WATCHDOG_STOPPED_MS.
 */
#define WATCHDOG_PERIOD_MS 3000

/*
 * A driver of the guest waits so many milliseconds for its first answers (Linux,
 * virtio_gpu_init()), and does without OpenGL then until the guest's next start. For as long a
 * renderer may be stopped for the second number only.
 */
#define WATCHDOG_DRIVER_MS 5000
#define WATCHDOG_DRIVER_STOPPED_MS 500

/*
 * A display may be stopped (SIGSTOP) for this many milliseconds. One that stays so is killed and
 * replaced.
 */
#define WATCHDOG_STOPPED_MS 10000

/*
 * A loop of the display may be at one thing for this many milliseconds. spice-server's worker waits
 * up to 30 s for a client that does not read (COMMON_CLIENT_TIMEOUT), and the main loop for the
 * worker. A display that takes longer is killed and replaced.
 */
#define WATCHDOG_DISPLAY_MS 45000

/*
 * A renderer may stay for this many milliseconds at the work of a guest whose driver is gone. It is
 * killed then: the new driver waits for its first answers for 5 s (Linux, virtio_gpu_init), and
 * nothing is lost that the driver had not given up.
 */
#define WATCHDOG_HURRY_MS 1000
