/* SPDX-License-Identifier: MIT */
/*
 * limits of objects: how much a guest may make. A ledger that a renderer left behind is held to the
 * same bounds, since what it lists is made by the same calls. What objects may cost in memory is
 * bounded by the quotas (render/buffers/limits.h).
 */
#pragma once

#include "protocol/ledger.h"

/*
 * Resources of one guest. The ledger has room for as many, so that all of them come back. Past it a
 * RESOURCE_CREATE is answered with ERR_OUT_OF_MEMORY.
 */
#define RESOURCES_MAX LEDGER_RESOURCES_MAX

/*
 * Virgl contexts of one guest, which has one for each program that draws. The ledger has room for
 * as many. Past it a CTX_CREATE is answered with ERR_OUT_OF_MEMORY.
 */
#define OBJECTS_CONTEXTS_MAX LEDGER_CONTEXTS_MAX

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
