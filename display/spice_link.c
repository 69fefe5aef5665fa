/* SPDX-License-Identifier: MIT */
#include "display/spice_link.h"

#include <errno.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* Longer than any that clients send; spice-server takes at most 4096. */
#define LINK_MAX 1024

static bool has_capability(const uint32_t *words, uint32_t n_words, unsigned capability)
{
	uint32_t word;
	if (capability / 32 >= n_words)
		return false;
	memcpy(&word, words + capability / 32, sizeof(word));
	return word & 1u << capability % 32;
}

/* Offsets are the client's: each is checked against what was received. */
static bool takes_dmabufs(const uint8_t *message, size_t size_bytes, const SpiceLinkMess *mess)
{
	uint64_t first = (uint64_t)mess->caps_offset + (uint64_t)mess->num_common_caps * 4;
	uint64_t end = first + (uint64_t)mess->num_channel_caps * 4;
	if (end > size_bytes)
		return false;
	return has_capability((const uint32_t *)(message + first), mess->num_channel_caps,
			SPICE_DISPLAY_CAP_GL_SCANOUT);
}

enum spice_link_state spice_link_peek(int fd, struct spice_link *link)
{
	uint8_t bytes[LINK_MAX];
	SpiceLinkHeader header;
	SpiceLinkMess mess;
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	*link = (struct spice_link){ 0 };
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return SPICE_LINK_MORE;
	if (n <= 0)
		return SPICE_LINK_OTHER;
	memcpy(&header, bytes, sizeof(header));
	if (n < 4)
		return SPICE_LINK_MORE;
	if (header.magic != SPICE_MAGIC)
		return SPICE_LINK_OTHER;
	if ((size_t)n < sizeof(header))
		return SPICE_LINK_MORE;
	if (header.size < sizeof(mess) || header.size > sizeof(bytes) - sizeof(header))
		return SPICE_LINK_OTHER;
	if ((size_t)n - sizeof(header) < header.size)
		return SPICE_LINK_MORE;
	memcpy(&mess, bytes + sizeof(header), sizeof(mess));
	link->display = mess.channel_type == SPICE_CHANNEL_DISPLAY;
	link->gl_scanout = link->display && takes_dmabufs(bytes + sizeof(header), header.size, &mess);
	return SPICE_LINK_KNOWN;
}
