/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the first message of a SPICE connection (spice_link.h), and the ticket or the words of
 * SASL that follow: what is said of it must not depend on how much more there is, and each
 * capability must lie where the message says, inside it. (The relay's target has the other side of
 * the log-in.)
 */
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

#include "display/door/limits.h"
#include "display/door/spice_link.h"
#include "display/relay/link_key.h"
#include "display/relay/spice_login.h"
#include "display/relay/spice_sasl.h"
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

static void check_capabilities(
	const struct spice_link *link, const uint8_t *message, uint64_t message_bytes)
{
	SpiceLinkMess mess;
	memcpy(&mess, message, sizeof(mess));
	uint64_t common = mess.caps_offset, own = common + UINT64_C(4) * mess.num_common_caps;
	uint32_t n_common = mess.num_common_caps, n_own = mess.num_channel_caps;
	bool any = n_common > 0 || n_own > 0;
	if (any && (common < sizeof(mess) || own + UINT64_C(4) * n_own > message_bytes)) {
		g_assert(link->fault != SPICE_LINK_SOUND && link->n_words == 0);
		n_common = n_own = 0;
	} else {
		g_assert(link->fault != SPICE_LINK_BAD_CAPABILITIES && link->n_words == n_own);
		g_assert(n_own == 0 || link->words_at == sizeof(SpiceLinkHeader) + own);
	}
	g_assert(link->auth_selection == has(message, message_bytes, common, n_common,
						 SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION));
	g_assert(link->mini_header ==
		 has(message, message_bytes, common, n_common, SPICE_COMMON_CAP_MINI_HEADER));
	g_assert(link->gl_scanout == (link->display && has(message, message_bytes, own, n_own,
							       SPICE_DISPLAY_CAP_GL_SCANOUT)));
}

static void check_known(const struct spice_link *link, const uint8_t *data, size_t size_bytes)
{
	SpiceLinkHeader header;
	SpiceLinkMess mess;
	g_assert(link->size_bytes <= size_bytes && link->size_bytes <= SPICE_LINK_BYTES_MAX);
	g_assert(link->size_bytes >= sizeof(header) + sizeof(mess));
	memcpy(&header, data, sizeof(header));
	memcpy(&mess, data + sizeof(header), sizeof(mess));
	g_assert((link->fault == SPICE_LINK_BAD_VERSION) ==
		 (header.major_version != SPICE_VERSION_MAJOR));
	g_assert(link->session == mess.connection_id && link->type == mess.channel_type &&
		 link->id == mess.channel_id);
	g_assert((link->channel == SPICE_LINK_CHANNEL_MAIN) ==
		 (mess.channel_type == SPICE_CHANNEL_MAIN));
	g_assert(link->display == (mess.channel_type == SPICE_CHANNEL_DISPLAY));
	check_capabilities(link, data + sizeof(header), link->size_bytes - sizeof(header));
}

static bool is_same(const struct spice_link *a, const struct spice_link *b)
{
	return a->size_bytes == b->size_bytes && a->fault == b->fault && a->session == b->session &&
	       a->channel == b->channel && a->type == b->type && a->id == b->id &&
	       a->words_at == b->words_at && a->n_words == b->n_words &&
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

/* ---- the ticket ---- */

/*
 * Decrypts what stands where a ticket does. A key is the minute's and never the input's, so nothing
 * decrypts but by chance.
 */
static void check_ticket(const struct spice_link *link, const uint8_t *data, size_t size_bytes)
{
	static struct link_key *key;
	const uint8_t *encrypted = NULL;
	char password[LINK_KEY_PASSWORD_BYTES_MAX + 1];
	ssize_t n = spice_login_read_ticket(link, data, size_bytes, &encrypted);
	size_t wanted_bytes =
		LINK_KEY_ENCRYPTED_BYTES + (link->auth_selection ? sizeof(uint32_t) : 0);
	g_assert(n <= 0 || ((size_t)n == wanted_bytes && wanted_bytes <= size_bytes));
	g_assert(n != 0 || size_bytes < wanted_bytes);
	if (n <= 0)
		return;
	g_assert(encrypted == data + n - LINK_KEY_ENCRYPTED_BYTES);
	if (!key)
		key = link_key_create();
	bool ok = link_key_decrypt(key, encrypted, password);
	g_assert(password[LINK_KEY_PASSWORD_BYTES_MAX] == '\0' && (ok || password[0] == '\0'));
}

/* ---- SASL ---- */

/* Returns how many bytes the datum had; 0: the rest cannot be read. */
static size_t check_datum(const uint8_t *data, size_t size_bytes)
{
	struct spice_sasl_datum datum, early;
	ssize_t n = spice_sasl_read_datum(data, size_bytes, &datum);
	g_assert(n < 0 || (size_t)n <= size_bytes);
	if (n <= 0)
		return 0;
	g_assert(!datum.bytes == (n == sizeof(uint32_t)));
	g_assert(datum.size_bytes < SPICE_SASL_DATUM_MAX);
	g_assert(!datum.bytes || datum.bytes + datum.size_bytes + 1 == data + n);
	g_assert(spice_sasl_read_datum(data, (size_t)n - 1, &early) == 0);
	return (size_t)n;
}

static void check_sasl(const struct spice_link *link, const uint8_t *data, size_t size_bytes)
{
	struct spice_sasl_start start, early;
	size_t chosen_bytes = spice_login_chooses_sasl(link, data, size_bytes);
	g_assert(chosen_bytes <= size_bytes && (chosen_bytes == 0 || link->auth_selection));
	if (chosen_bytes == 0)
		return;
	data += chosen_bytes;
	size_bytes -= chosen_bytes;
	ssize_t n = spice_sasl_read_start(data, size_bytes, &start);
	g_assert(n < 0 || (size_t)n <= size_bytes);
	if (n <= 0)
		return;
	size_t name_bytes = strlen(start.mechanism);
	g_assert(name_bytes > 0 && name_bytes <= SPICE_SASL_NAME_MAX);
	g_assert(memcmp(data + sizeof(uint32_t), start.mechanism, name_bytes) == 0);
	g_assert(spice_sasl_read_start(data, (size_t)n - 1, &early) == 0);
	size_t at = sizeof(uint32_t) + name_bytes;
	for (size_t more; at < size_bytes && (more = check_datum(data + at, size_bytes - at)) > 0;)
		at += more;
	g_assert(at >= (size_t)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct spice_link link;
	size_bytes = MIN(size_bytes, 512);
	/* A copy of its own size has a fence behind it. */
	g_autofree uint8_t *copy = g_memdup2(data, size_bytes);
	enum spice_link_state state = spice_link_parse(copy, size_bytes, &link);
	if (state == SPICE_LINK_KNOWN)
		check_known(&link, data, size_bytes);
	if (state == SPICE_LINK_KNOWN && link.fault == SPICE_LINK_SOUND) {
		check_ticket(&link, copy + link.size_bytes, size_bytes - link.size_bytes);
		check_sasl(&link, copy + link.size_bytes, size_bytes - link.size_bytes);
	}
	check_prefixes(state, &link, data, size_bytes);
	return 0;
}
