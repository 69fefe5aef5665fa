/* SPDX-License-Identifier: MIT */
/*
 * limits of commands: bounds what a guest asks for in one command, and the answers that it makes us
 * hold.
 */
#pragma once

/*
 * One SUBMIT_3D has at most this many bytes. Mesa's virgl driver sends at most 64 Ki words of 4
 * bytes. Past it the command is answered with ERR_INVALID_PARAMETER.
 */
#define SUBMIT_BYTES_MAX (4u * 1024 * 1024)

/*
 * At most this many answers wait for the GPU or for a head's slot. They occupy the guest's ring, so
 * past it a new one is not held: when the GPU is done, it leaves, and so do all those before it.
 */
#define ANSWER_HELD_MAX 64

/*
 * A painter is at most this many steps from a head: a client of a nested compositor shares a
 * resource with that compositor, which shares one with the outer one. A context that is further
 * away is no painter, and is not held to the rate of the head.
 */
#define PAINTERS_DEPTH_MAX 4
