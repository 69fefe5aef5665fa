/* SPDX-License-Identifier: MIT */
/*
 * The host tells a guest which of its OpenGL contexts were lost, because the guest's kernel tells
 * no program: what a context had drawn with is gone, and all that its program still sends is
 * refused.
 *
 * It goes over a virtio-serial port of this name, from the host to the guest only. What the guest
 * writes there nobody reads. Each message is one line of text, ended by a newline:
 *
 *   vitrine-lost 1 SERIAL CAUSE N_LOST N_UNTOLD CONTEXT...
 *
 * SERIAL counts the messages of this desktop, from 1. CAUSE is a word of GUEST_LOST_CAUSES. N_LOST
 * says how many contexts were lost, and N_UNTOLD how many messages before this one could not be
 * given, as nobody listened, or not fast enough. A CONTEXT is ID,FLAGS,NAME: the number that the
 * kernel gave it, letters of GUEST_LOST_FLAGS or "-", and the name that the kernel gave with it,
 * most often that of the thread that made it. Bytes of a name other than letters, digits and
 * "._+:/-" are %XX. Where not all contexts have room those that have painted a head come first.
 *
 *   vitrine-lost 1 3 crash 2 0 1,p,Xorg 7,bg,some%20game
 *
 * On the same port the host says when nobody is there any more who uses the desktop, where its
 * owner has so ordered (--lock-on-leave), for the guest's sessions to be locked:
 *
 *   vitrine-lock 1
 *
 * A guest listens while it has the port open; what happens before that it is not told. It takes a
 * line that does not read like this for none, and one of a later version, too. Words may be added.
 */
#pragma once

#define GUEST_LOST_PORT "org.vitrine.lost.0"
#define GUEST_LOST_VERSION 1
#define GUEST_LOST_WORD "vitrine-lost"
#define GUEST_LOST_LOCK_LINE "vitrine-lock 1"
/* A line has at most this many bytes, with its newline. */
#define GUEST_LOST_TEXT_LINE_MAX 4096
/* A name has at most this many bytes before they are written as above (virtio 1.2, 5.7.6.8). */
#define GUEST_LOST_NAME_BYTES 64
/* A guest has at most this many contexts. */
#define GUEST_LOST_CONTEXTS_MAX 1024

/*
 * The renderer crashed; hung; the GPU was reset under it; it was ended from outside, which may be
 * an administrator, or the kernel for want of memory; or another one was to take its place. With
 * the last one the renderer goes on: it has refused what was drawn in this one context.
 */
#define GUEST_LOST_CAUSES "crash", "hang", "gpu-reset", "killed", "replaced", "refused"

#define GUEST_LOST_PAINTED 'p' /* a head has shown what it drew */
#define GUEST_LOST_BLAMED 'b'  /* the renderer ended in its work */
#define GUEST_LOST_REFUSED 'r' /* it is not made again, not even empty */
#define GUEST_LOST_FLAGS "pbr"
