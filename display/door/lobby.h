/* SPDX-License-Identifier: MIT */
/*
 * lobby: connections that have not said who they are yet. spice-server waits for them for ever;
 * here they are few and have a deadline, so that nobody uses up the process's descriptors, which
 * the renderer's buffers need too.
 *
 * Threads: the one that makes it, whose main context runs the timer. A timer runs only while
 * somebody is in.
 */
#pragma once

struct lobby;

struct lobby *lobby_create(void);
void lobby_destroy(struct lobby *lobby);

/*
 * A connection came in. `key` names it until lobby_leave, which must be called before the
 * descriptor, which stays the caller's, is closed. Cutting off means shutdown(2): the owner sees
 * the end of file.
 */
void lobby_enter(struct lobby *lobby, const void *key, int fd);

/* It is somebody now, or gone. A key that is not in changes nothing. */
void lobby_leave(struct lobby *lobby, const void *key);
