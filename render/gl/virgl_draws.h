/* SPDX-License-Identifier: MIT */
/*
 * virgl_draws: holds the draws whose numbers stand in a buffer of GL's to the indices that there
 * are. The checker of streams does not know such numbers, since the GPU may have written them.
 */
#pragma once

#include <stdint.h>

/*
 * Looks at each such draw from now on where Mesa renders in software. That reads on behind the
 * index buffer when primitives may restart; GPUs keep to it. A draw that names an index past the
 * end is left out, which GL leaves open. GL must be current.
 */
void virgl_draws_bound(void);

/* Returns how many bytes an index of this type of GL's has. */
uint32_t virgl_draws_index_bytes(uint32_t gl_type);
