/* SPDX-License-Identifier: MIT */
/* limits of clipboard: bound what the compositor, programs and the daemon say. */
#pragma once

/* One copy may have so many bytes, as vitrine's --clipboard-max may at most. Past it: it is none.
 */
#define COPY_MAX_BYTES (2047u << 20)
/* So many pastes and copies may be under way. Past it: the next one gets nothing. */
#define TRANSFERS_MAX 32
/* A program that takes or gives nothing of a copy for so long is left. */
#define TRANSFER_PATIENCE_MS 30000
/* So many offers of programs are known; the compositor ends the older ones. Past it: the oldest
 * goes. */
#define OFFERS_MAX 16
/* So many files may be on their way at once; spice-vdagentd allows 128. Past it: refused. */
#define FILES_MAX 16
