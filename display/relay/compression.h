/* SPDX-License-Identifier: MIT */
/*
 * compression: decides how spice-server should compress the bitmaps that it sends a client without
 * loss. It depends on how fast the client's line is.
 *
 *   quick   LZ4
 *   small   SPICE's "auto_lz": for each bitmap spice-server chooses QUIC (shaded content) or LZ
 *           (drawn content)
 *
 * The table has auto_lz's figures divided by LZ4's, measured in the same run over loopback, for
 * bitmaps from 1920x1080 down to a few letters (bench-lossless):
 *
 *                    bytes         CPU here     at the client   sooner below, Mbit/s
 *   photograph       0.36 to 0.38  1.0 to 1.4   1.4 to 3.8      170 (of more than 50 kB: 1500)
 *   text             0.59 to 0.82  1.0 to 1.5   0.8 to 1.2      190
 *   windows          0.67 to 0.79  1.0 to 1.5   1.0 to 1.3      110 (of a strip of 1.5 kB: 20)
 *   ramps of colour  0.29 to 1.0   1.0 to 2.3   1.1 to 5.4      70 (exact repetition: never)
 *
 * Below the rate in the last column a bitmap arrives sooner with auto_lz, if the times for its
 * bytes and for the CPU simply add. It is the lowest rate that was seen; for small parts the two
 * differ by 0.1 ms.
 *
 * Neither of the other methods serves. QUIC alone makes 2.2 times LZ4's bytes of text, and does not
 * compress bitmaps that are less than three pixels high. GLZ saves at most 7 % of LZ's bytes of
 * text on bitmaps that differ, takes up to 5 times LZ4's CPU, and holds buffers (spice_watches.h).
 *
 * The only state is the last answer, which the caller keeps. Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "display/line/line.h"

/*
 * The answer becomes small when the line carries fewer bits per second than the first, and quick
 * again when it carries at least the second.
 */
#define COMPRESSION_SMALL_BPS 100000000u
#define COMPRESSION_QUICK_BPS 200000000u

/*
 * Returns true when small is better. `small` is the last answer, at first false. How much a line
 * carries is known only once it was full. Until then the answer is quick for a near line; for a far
 * one (LINE_FAR_US) it is small until the line has carried COMPRESSION_QUICK_BPS.
 */
bool compression_small(bool small, const struct line_figures *figures);
