/* SPDX-License-Identifier: MIT */
/*
 * dirty_log: tells QEMU, which saves or migrates the guest, which pages of the guest's memory we
 * have written to (docs/interop/vhost-user.rst, "Migration"). It is memory of QEMU's with a bit for
 * each page of 4 KiB, by guest address, which QEMU reads and clears at any time.
 *
 * What is written is marked afterwards, so that QEMU cannot have read the page between the two. Any
 * thread may mark.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dirty_log;

/*
 * Maps the log behind fd, which stays the caller's. Returns NULL, which is logged, when it cannot
 * be mapped or is no log.
 */
struct dirty_log *dirty_log_open(int fd, uint64_t offset_bytes, uint64_t size_bytes);
struct dirty_log *dirty_log_ref(struct dirty_log *log);
void dirty_log_unref(struct dirty_log *log); /* NULL is allowed */

/* Marks the pages of this part of guest memory, as far as the log reaches. */
void dirty_log_mark(struct dirty_log *log, uint64_t guest_addr, uint64_t size_bytes);
