/* SPDX-License-Identifier: MIT */
/*
 * limits of objects: bounds on what a guest says of one resource. How many there may be, and what
 * they may cost in memory, is bounded by the quotas (protocol/quotas.h). A ledger that a renderer
 * left behind is held to both, since what it lists is made by the same calls.
 */
#pragma once

#include "protocol/ledger.h"

/*
 * Entries of one backing: 512 MiB in scattered pages of 4 KiB. Past it a RESOURCE_ATTACH_BACKING is
 * answered with ERR_INVALID_PARAMETER.
 */
#define BACKING_ENTRIES_MAX 131072

/*
 * Contexts of one resource that are remembered. A window has two: its program's and the
 * compositor's. One more may use the resource, but does not count as a painter of it, and so is not
 * held to the rate of a head for its sake (render/commands/painters.h).
 */
#define RESOURCE_CONTEXTS_MAX 8
