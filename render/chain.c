/* SPDX-License-Identifier: MIT */
#include "render/chain.h"

#include <glib.h>
#include <string.h>

size_t chain_read(const struct chain *chain, uint64_t offset_bytes, void *to, size_t size_bytes)
{
	size_t done = 0;
	for (unsigned i = 0; i < chain->n_readable && done < size_bytes; i++) {
		const struct iovec *piece = &chain->readable[i];
		if (offset_bytes >= piece->iov_len) {
			offset_bytes -= piece->iov_len;
			continue;
		}
		size_t part = MIN(piece->iov_len - offset_bytes, size_bytes - done);
		memcpy((uint8_t *)to + done, (const uint8_t *)piece->iov_base + offset_bytes, part);
		done += part;
		offset_bytes = 0;
	}
	return done;
}

size_t chain_write(const struct chain *chain, const void *from, size_t size_bytes)
{
	size_t done = 0;
	for (unsigned i = 0; i < chain->n_writable && done < size_bytes; i++) {
		const struct iovec *piece = &chain->writable[i];
		size_t part = MIN(piece->iov_len, size_bytes - done);
		memcpy(piece->iov_base, (const uint8_t *)from + done, part);
		done += part;
	}
	return done;
}

void chain_free(struct chain *chain)
{
	if (!chain)
		return;
	memory_unref(chain->memory);
	g_free(chain);
}
