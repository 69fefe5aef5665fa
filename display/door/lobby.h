/* SPDX-License-Identifier: MIT */
/*
 * lobby: keeps the connections that have not said yet which channel they are for. spice-server
 * waits for them for ever. Here their number and their time are bounded (limits.h), so that no
 * stranger can use up the process's descriptors, which the renderer's buffers need, too.
 *
 * Threads: the one that makes it, whose main context runs the timer. The timer runs only while a
 * connection is in the lobby.
 */
#pragma once

struct lobby;

struct lobby *lobby_create(void);
void lobby_destroy(struct lobby *lobby);

/*
 * Takes a connection in. `key` names it until lobby_leave, which must be called before the
 * descriptor, which stays the caller's, is closed. Cutting off means shutdown(2): the owner sees
 * the end of file.
 */
void lobby_enter(struct lobby *lobby, const void *key, int fd);

/*
 * Lets a connection out that has said what it is for, or has ended. An unknown key changes nothing.
 */
void lobby_leave(struct lobby *lobby, const void *key);
