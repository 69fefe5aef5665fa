/* SPDX-License-Identifier: MIT */
/*
 * poll set: waits for many descriptors at once, at no cost for those that are silent. GLib's loop
 * hands all of its descriptors to the kernel each time that it sleeps, so that a thousand strangers
 * who say nothing would take more of it than all clients. Here they wait in one epoll(7) set, which
 * is one source of the loop.
 *
 * A source of the set has up to two descriptors and a time, as a connection has. It is called when
 * something came at one of them, when its time has come, or when it was woken: once in each turn of
 * the loop, however much of this is true. Descriptors are level-triggered, and GIOCondition's bits
 * are poll(2)'s.
 *
 * Threads: the one that runs the set's main context; poll_source_wake() any.
 */
#pragma once

#include <glib.h>

#define POLL_SOURCE_ENDS 2

struct poll_set;
struct poll_source;
struct poll_end;

/* `context` is the one whose loop runs the sources; NULL: the default one. */
struct poll_set *poll_set_create(GMainContext *context);
/* All sources must have been destroyed. */
void poll_set_destroy(struct poll_set *set);

struct poll_source *poll_source_create(struct poll_set *set, void (*ready)(void *user), void *user);
/* Has the source called no more. Its descriptors must have been removed. */
void poll_source_stop(struct poll_source *source);
/* May be called whenever the source is not being called itself. NULL changes nothing. */
void poll_source_destroy(struct poll_source *source);

/* Says when the source is called even if nothing comes, on the monotonic clock: 0 is in the loop's
 * next turn, -1 is never. */
void poll_source_plan(struct poll_source *source, gint64 time_us);
/* Has the source called in the loop's next turn. */
void poll_source_wake(struct poll_source *source);

/* `fd` stays the caller's, and must be removed before it is closed. */
struct poll_end *poll_source_add(struct poll_source *source, int fd, GIOCondition wants);
void poll_end_remove(struct poll_end *end);
void poll_end_want(struct poll_end *end, GIOCondition wants);
/* Returns what came at the descriptor for this call of its source; hang-ups and errors come wanted
 * or not. */
GIOCondition poll_end_came(const struct poll_end *end);
