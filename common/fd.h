/* SPDX-License-Identifier: MIT */
/*
 * fd does with descriptors what many places need: it closes one that somebody keeps, fills the
 * places of the standard ones, and wakes a thread that polls.
 *
 * A wake descriptor is an eventfd: any thread may wake, one thread polls and drains. Wakes that
 * come before it drains are one wake.
 */
#pragma once

#include <stdbool.h>

/*
 * Opens /dev/null in the place of each of the descriptors 0, 1 and 2 that is closed, since the next
 * that are opened would else get these numbers, and what is printed would go there. A program calls
 * it before it opens anything. Returns 0 or -errno.
 */
int fd_fill_standard(void);

/* Closes *fd unless it is below 0, and sets it to -1, so that nothing uses the number again. */
void fd_close(int *fd);

/* Makes a wake descriptor, close-on-exec and non-blocking. Returns it or -errno. */
int fd_create_wake(void);

/*
 * Makes the descriptor readable. Safe on an eventfd that a stranger made, too. Returns 0, or -errno
 * when nobody was woken; -EAGAIN says that so many wakes wait that the reader is awake anyway.
 */
int fd_wake(int fd);

/* Takes all wakes that have come. Returns whether there was one. */
bool fd_drain(int fd);
