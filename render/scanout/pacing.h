/* SPDX-License-Identifier: MIT */
/*
 * pacing: says when a guest's next picture of a head is due.
 *
 * Nothing paces virtio-gpu's page flips: a guest draws as fast as it can, and most of its pictures
 * are never seen. A program that draws waits for the answer to a fenced command: Mesa, when it
 * swaps buffers, for that of the picture before; newer kernels, before a page flip, for that of the
 * picture itself. So we give these answers no sooner than the slots of the head's refresh rate.
 *
 * Each flush of something drawn moves the head's schedule by one period of its refresh rate, so in
 * the long run there are exactly as many slots as periods. A guest may be one picture ahead of the
 * schedule. So a guest that draws at the head's rate is never held, nor is one that draws after it
 * was idle, however irregularly. A guest that is slower does not save up slots.
 *
 * Nothing says which drawing belongs to which picture, so what is drawn after a flush begins the
 * next one. While a picture is held, guests draw ahead: they have several buffers, and Mesa waits
 * for the fence of the picture before. Of the pictures a guest draws ahead (at most
 * PACING_AHEAD_MAX), the k-th is answered k periods from now. Only the gpu thread calls it, and the
 * caller tells the time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/frame_link.h"

/*
 * At most this many pictures of one head are held at once, since guests have two or three buffers.
 */
#define PACING_AHEAD_MAX 3

struct pacing_head {
	bool active;                         /* it has been drawn to */
	uint64_t end_ns;                     /* of the schedule: all slots before it are used */
	uint64_t period_ns;                  /* 0: it has shown nothing yet */
	uint64_t slot_ns;                    /* of the picture begun last */
	uint64_t ahead_ns[PACING_AHEAD_MAX]; /* slots of the last pictures that were held */
	unsigned next_ahead;
	unsigned n_drawn; /* drawn and not yet flushed; at most PACING_AHEAD_MAX are counted */
	unsigned n_due;   /* flushed, and the next picture has not begun */
};

struct pacing {
	bool off;
	struct pacing_head heads[FRAME_HEADS_MAX];
};

/*
 * Notes that the guest shows on the head what it drew. If it drew nothing, nothing follows from
 * that.
 */
void pacing_flush(struct pacing *pacing, unsigned head, uint32_t refresh_mhz, uint64_t now_ns);
/* Forgets the schedule of a head that is off or shows to another rhythm, so that nothing is due. */
void pacing_forget(struct pacing *pacing, unsigned head);

/*
 * Notes that the guest draws on these heads (bit n: head n). Returns when it may go on: 0 for at
 * once, or a time ahead, at most a period for each picture that is held. Of several heads the first
 * one due counts, and *head says which.
 */
uint64_t pacing_draw_ns(struct pacing *pacing, uint32_t heads, uint64_t now_ns, unsigned *head);
