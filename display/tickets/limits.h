/* SPDX-License-Identifier: MIT */
/*
 * limits of tickets: bound what passwords may be, and what guessing them costs. Each says its unit,
 * why it is as large as it is, and what happens past it.
 */
#pragma once

/*
 * A password has at most this many bytes: what a stock client can send (SPICE_MAX_PASSWORD_LENGTH,
 * 60, its NUL included). A longer one is refused where it is given.
 */
#define TICKETS_SECRET_MAX 59
/* A user's name has at most this many bytes. A longer one is refused where it is given. */
#define TICKETS_USER_MAX 63
/* So many passwords and tickets are known at once. One more is refused where it is given. */
#define TICKETS_MAX 256
/*
 * So many sessions are remembered while they last. A desktop shows one client, so there are as many
 * only while strangers with a password come and go. One more is asked to come later.
 */
#define TICKETS_VISITS_MAX 64

/* So many tries of one network cost no time: a person mistypes a password twice. */
#define DELAYS_FREE_TRIES 3
/* What the next try has to wait, in microseconds; it doubles with each try up to the longest. */
#define DELAYS_FIRST_US 100000
#define DELAYS_LONGEST_US 2000000
/* After this many microseconds a network's try is forgotten; no more than DELAYS_TRIES_MAX of them
 * are remembered, so that ten quiet minutes forgive whatever was tried. */
#define DELAYS_FORGET_US 60000000
#define DELAYS_TRIES_MAX 10
/* Whoever would have to wait longer than this many microseconds is asked to come later. */
#define DELAYS_WAIT_MAX_US 5000000
/* All networks together may try so often: a burst, then one try in so many microseconds. */
#define DELAYS_ALL_BURST 40
#define DELAYS_ALL_EVERY_US 100000
/* So many networks are remembered; the one with the fewest tries makes room for another. */
#define DELAYS_NETWORKS_MAX 1024
