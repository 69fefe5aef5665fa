/* SPDX-License-Identifier: MIT */
/*
 * shm: shared memory that a hostile peer cannot turn into a SIGBUS.
 *
 * A memfd is made at its full size and sealed against shrinking; the receiver checks seal and size
 * before it maps.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Makes a zeroed, close-on-exec memfd of size_bytes, sealed against shrinking, growing and further
 * seals. `name` is for /proc. Returns the descriptor or -errno. */
int shm_create(const char *name, size_t size_bytes);

/* Maps the first size_bytes of fd, shared; writable as asked. NULL with errno set when the
 * descriptor is not sealed against shrinking (EPERM), is shorter (EINVAL) or cannot be mapped. */
void *shm_map(int fd, size_t size_bytes, bool writable);
void shm_unmap(void *memory, size_t size_bytes);
