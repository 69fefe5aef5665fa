/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the first message of a SPICE connection (spice_link.h): what is said of it must not depend
 * on how much more there is, and each capability must lie where the message says, inside it.
 */
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

#include "display/door/limits.h"
#include "display/door/spice_link.h"
#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* Reads a capability as spice-server does, one word after the other, but with 64 bits. */
static bool has(const uint8_t *message, uint64_t size_bytes, uint64_t from, uint32_t n_words,
	unsigned capability)
{
	uint32_t word;
	uint64_t at = from + capability / 32 * sizeof(word);
	if (capability / 32 >= n_words)
		return false;
	g_assert(at + sizeof(word) <= size_bytes);
	memcpy(&word, message + at, sizeof(word));
	return word >> capability % 32 & 1;
}

static void check_known(const struct spice_link *link, const uint8_t *data, size_t size_bytes)
{
	SpiceLinkMess mess;
	const uint8_t *message = data + sizeof(SpiceLinkHeader);
	uint64_t message_bytes = link->size_bytes - sizeof(SpiceLinkHeader);
	g_assert(link->size_bytes <= size_bytes && link->size_bytes <= SPICE_LINK_BYTES_MAX);
	g_assert(message_bytes >= sizeof(mess));
	memcpy(&mess, message, sizeof(mess));
	g_assert(link->session == mess.connection_id && link->id == mess.channel_id);
	g_assert((link->channel == SPICE_LINK_CHANNEL_MAIN) ==
		 (mess.channel_type == SPICE_CHANNEL_MAIN));
	g_assert(link->display == (mess.channel_type == SPICE_CHANNEL_DISPLAY));
	uint64_t own = mess.caps_offset + UINT64_C(4) * mess.num_common_caps;
	if (own + UINT64_C(4) * mess.num_channel_caps > message_bytes) {
		g_assert(!link->auth_selection && !link->mini_header && !link->gl_scanout);
		return;
	}
	g_assert(link->auth_selection == has(message, message_bytes, mess.caps_offset,
						 mess.num_common_caps,
						 SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION));
	g_assert(link->mini_header == has(message, message_bytes, mess.caps_offset,
					      mess.num_common_caps, SPICE_COMMON_CAP_MINI_HEADER));
	g_assert(link->gl_scanout ==
		 (link->display && has(message, message_bytes, own, mess.num_channel_caps,
					   SPICE_DISPLAY_CAP_GL_SCANOUT)));
}

static bool is_same(const struct spice_link *a, const struct spice_link *b)
{
	return a->size_bytes == b->size_bytes && a->session == b->session &&
	       a->channel == b->channel && a->id == b->id &&
	       a->auth_selection == b->auth_selection && a->mini_header == b->mini_header &&
	       a->display == b->display && a->gl_scanout == b->gl_scanout;
}

/* A prefix says MORE until the state that it has found is there; then it stays. */
static void check_prefixes(enum spice_link_state state, const struct spice_link *link,
	const uint8_t *data, size_t size_bytes)
{
	struct spice_link some;
	bool found = false;
	for (size_t n = 0; n <= size_bytes; n++) {
		enum spice_link_state early = spice_link_parse(data, n, &some);
		g_assert(early == SPICE_LINK_MORE ? !found : early == state);
		found |= early != SPICE_LINK_MORE;
		if (early == SPICE_LINK_KNOWN)
			g_assert(is_same(&some, link));
	}
	g_assert(found == (state != SPICE_LINK_MORE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct spice_link link;
	size_bytes = MIN(size_bytes, 256);
	/* A copy of its own size has a fence behind it. */
	g_autofree uint8_t *copy = g_memdup2(data, size_bytes);
	enum spice_link_state state = spice_link_parse(copy, size_bytes, &link);
	if (state == SPICE_LINK_KNOWN)
		check_known(&link, data, size_bytes);
	check_prefixes(state, &link, data, size_bytes);
	return 0;
}
