/* SPDX-License-Identifier: MIT */
/*
 * prime: buffers' handles and dma-bufs. A dma-buf is a memfd here, of the buffer's size and empty;
 * who imports it into another open file of the node gets a buffer of that size.
 */
#pragma once

#include <stdint.h>

/* Notes how large a new buffer is. */
void prime_note(int fd, uint32_t handle, uint64_t size_bytes);
