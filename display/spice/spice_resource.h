/* SPDX-License-Identifier: MIT */
/*
 * spice resource: says who owns a QXL command.
 *
 * spice-server gives a command back by the number in its release_info.id. Ours is the address of a
 * struct spice_resource, the first member of the object that owns the command.
 *
 * Threads: commands are released on the head's SPICE worker.
 */
#pragma once

struct spice_resource {
	/* Frees the object that the resource is part of. */
	void (*release)(struct spice_resource *resource);
};
