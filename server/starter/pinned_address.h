/* SPDX-License-Identifier: MIT */
/*
 * pinned_address is the address of a unix socket in memory that stays as it is. A filter of system
 * calls sees where the address lies that connect() is given, and not what it says: so it can let
 * pass this one and no other, as long as nobody can write to the memory or put another in its
 * place. That nobody can is for the filter, too (fetcher_walls.c).
 *
 * It lives as long as its process.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pinned_address {
	const void *memory; /* a struct sockaddr_un; NULL: there is none */
	uint32_t size_bytes;
};

/* Returns 0 or errno: ENAMETOOLONG also when the kernel knows no address as long. */
int pinned_address_init(struct pinned_address *address, const char *path);

/* Makes a non-blocking stream and connects it. Returns 0 or errno, and -1 in *fd with that. */
int pinned_address_connect(const struct pinned_address *address, int *fd);
