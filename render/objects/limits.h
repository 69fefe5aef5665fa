/* SPDX-License-Identifier: MIT */
/*
 * limits of objects: bounds what a guest says of one resource. The quotas (protocol/quotas.h) bound
 * how many resources there may be, and what they may cost in memory. A ledger that a renderer left
 * behind is held to both, since what it lists is made by the same calls.
 */
#pragma once

#include "protocol/ledger.h"

/*
 * A backing has at most this many entries: 512 MiB in scattered pages of 4 KiB. Past it a
 * RESOURCE_ATTACH_BACKING is answered with ERR_INVALID_PARAMETER.
 */
#define BACKING_ENTRIES_MAX 131072

/*
 * We remember at most this many contexts of one resource. A window has two: its program's and the
 * compositor's. One more may use the resource, but does not count as a painter of it, and so is not
 * held to the rate of a head for its sake (render/commands/painters.h).
 */
#define RESOURCE_CONTEXTS_MAX 8
