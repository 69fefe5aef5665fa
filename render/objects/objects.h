/* SPDX-License-Identifier: MIT */
/*
 * objects: making resources and contexts, with every check that they need.
 *
 * Used by the commands of a guest and by rebuild.c alike: a ledger is trusted no more than a guest.
 * Each call answers with a VIRTIO_GPU_RESP_* code; what was refused has been logged. gpu thread
 * only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/ledger.h"

struct gpu;
struct resource;

/* No answer of virtio-gpu's. */
#define OBJECTS_WAIT_FOR_MEMORY 0

/* description->is_3d says which kind. */
uint32_t objects_create_resource(struct gpu *gpu, const struct ledger_resource *description);
/*
 * Memory that is not in the table is refused, or, if the caller may wait, answered with
 * OBJECTS_WAIT_FOR_MEMORY and nothing changed: try again when there is a new table.
 */
uint32_t objects_attach_backing(struct gpu *gpu, struct resource *resource,
	const struct ledger_backing *entries, uint32_t n_entries, bool may_wait);
uint32_t objects_detach_backing(struct gpu *gpu, struct resource *resource);
uint32_t objects_create_context(struct gpu *gpu, uint32_t id, const char name[64]);
