/* SPDX-License-Identifier: MIT */
/*
 * clients: where people arrive. Accepts on the listening sockets that the keeper handed over and
 * gives each connection to the owner, set up for small and timely messages.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>

#include "protocol/keeper_link.h"

/* Listening sockets of one desktop. */
#define CLIENTS_LISTENERS_MAX 8

struct clients;

/* `fd` is the callee's: a connected stream socket, non-blocking, close-on-exec. */
typedef void (*clients_accepted)(void *user, int fd, enum keeper_listener_kind kind);

struct clients *clients_create(clients_accepted accepted, void *user);
void clients_destroy(struct clients *clients);

/* Takes the descriptor over. False when it is not a listening socket, or one too many (logged). */
bool clients_listen(struct clients *clients, enum keeper_listener_kind kind, int fd);
