/* SPDX-License-Identifier: MIT */
/*
 * gpu_reset: notices that the GPU was reset, and whose work it was.
 *
 * A driver takes a GPU that hangs or faults away from all processes and gives it back empty. What
 * GL contexts had drawn may be lost then, and from that moment most drivers ignore what they are
 * given, while fences pass as if it had been done. Contexts that asked for it (egl_display.h) can
 * be asked whether that happened: Mesa's then stay alive, where others have their process ended.
 *
 * Asking is a call of GL, and on some drivers one of the kernel. So it is not done for each command
 * but where a fence has passed, before anybody hears of it: of the context that is current, and of
 * those that were so since the last time, which are made current for it. Where something fails that
 * fails in lost contexts, it is asked, too.
 *
 * When one says yes, all others are asked, since only the guilty one knows that it is. A driver may
 * say it only when it is given something to do, so each is given a little.
 *
 * A program may be gone before the driver finds that its work hangs. So a GL context that is not
 * wanted any more is kept, with its program's name, until the GPU has done what it was given, and
 * is asked at each fence. A few are: with more at once those are destroyed that come last, and a
 * reset soon afterwards of which nobody else is guilty is by nobody knows whom.
 *
 * Only virgl.c tells it which contexts there are. Without a watch nothing is asked. The gpu thread
 * calls it, but gpu_reset_enter() and _leave() are ignored on another thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum gpu_reset_blame {
	GPU_RESET_INNOCENT, /* what ran here is not the reason: another process is */
	GPU_RESET_GUILTY,
	/* The driver does not say, the guilty one could not be asked, or it is one of our own. */
	GPU_RESET_UNKNOWN,
};

/*
 * Is called at a reset, with the guest's guilty context, or 0. If its GL context was not wanted any
 * more, its id may be another one's by now, and `gone_name` is its name; else NULL. It does not
 * return.
 */
typedef void (*gpu_reset_fn)(
	void *user, enum gpu_reset_blame blame, uint32_t context, const char *gone_name);

/* Asks from now on, if the display's contexts can be asked. The calling thread is the gpu thread.
 */
void gpu_reset_watch(gpu_reset_fn on_reset, void *user);
/* Asks no more, since the display does not work and is closed. */
void gpu_reset_unwatch(void);

/* Says what a context of the guest is called; NULL: it is no more. */
void gpu_reset_name(uint32_t guest_context, const char *name);
/* Says for which of the guest's contexts GL is called from now on; 0: for none. */
void gpu_reset_serve(uint32_t guest_context);
/* Says that this GL context is current now. */
void gpu_reset_enter(void *gl_context);
/* Says that the current one serves all of the guest: none of its contexts is to blame for it. */
void gpu_reset_own_current(void);
/*
 * Says that the GL context is not wanted any more. Gives true when it is destroyed from here, now
 * or later, and false when that is left to the caller. The current one may be none afterwards.
 */
bool gpu_reset_leave(void *gl_context);

/* Is called when a fence has passed, or something has failed for no reason that is known. */
void gpu_reset_ask(void);
