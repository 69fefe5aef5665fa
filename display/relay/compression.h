/* SPDX-License-Identifier: MIT */
/*
 * compression: whether a client's line wants pictures small or quick, of those that are sent
 * without loss.
 *
 *   quick   lz4
 *   small   auto_lz: QUIC for what is shaded, LZ for what is drawn; for each picture spice-server
 * decides
 *
 * Measured over loopback, all of 1920x1080 and parts of it down to a few letters, auto_lz to lz4 in
 * the same run (bench-lossless):
 *
 *                    bytes         CPU here     at the client   sooner below, Mbit/s
 *   photograph       0.36 to 0.38  1.0 to 1.4   1.4 to 3.8      170 (of more than 50 kB: 1500)
 *   text             0.59 to 0.82  1.0 to 1.5   0.8 to 1.2      190
 *   windows          0.67 to 0.79  1.0 to 1.5   1.0 to 1.3      110 (of a strip of 1.5 kB: 20)
 *   ramps of colour  0.29 to 1.0   1.0 to 2.3   1.1 to 5.4      70 (where they repeat exactly:
 * never)
 *
 * The last column is what follows if bytes and CPU times simply add, the lowest that was seen; of
 * small parts it is a matter of 0.1 ms. QUIC by itself makes 2.2 times lz4's bytes of text, and
 * leaves what is less than three pixels high as it is. GLZ, of pictures that differ, saves at most
 * 0.07 of LZ's bytes of text and takes up to 5 times lz4's CPU, and it pins pictures: see
 * spice_watches.h.
 *
 * No state but the last answer. Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "display/line/line.h"

/* Small below the first, quick again from the second on. */
#define COMPRESSION_SMALL_BPS 100000000u
#define COMPRESSION_QUICK_BPS 200000000u

/*
 * `small` is the last answer, at first false. A near line is thought quick until it was full, a far
 * one (LINE_FAR_US) small until it has carried COMPRESSION_QUICK_BPS.
 */
bool compression_small(bool small, const struct line_figures *figures);
