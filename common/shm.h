/* SPDX-License-Identifier: MIT */
/*
 * shm shares memory with peers. A hostile one cannot turn it into a SIGBUS.
 *
 * A memfd is made at its full size and sealed against shrinking. The receiver checks seal and size
 * before it maps.
 *
 * Any thread may call it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes a memfd of size_bytes, all zero and close-on-exec, which can neither shrink nor grow nor
 * get other seals. `name` is what /proc shows. Returns the descriptor or -errno.
 */
int shm_create(const char *name, size_t size_bytes);

/*
 * Copies a regular file into a memfd that nobody can change. The bytes do not pass through the
 * caller's memory. Returns the descriptor, or -errno: -EFBIG when the file has more than max_bytes,
 * -EINVAL when it is no regular one; it does not wait for a FIFO's writer.
 */
int shm_copy_file(const char *name, const char *path, size_t max_bytes);

/*
 * Maps the first size_bytes of fd, shared. Returns NULL with errno set when the descriptor is not
 * sealed against shrinking (EPERM), is shorter (EINVAL) or cannot be mapped.
 */
void *shm_map(int fd, size_t size_bytes, bool writable);
void shm_unmap(void *memory, size_t size_bytes);
