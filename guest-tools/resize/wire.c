/* SPDX-License-Identifier: MIT */
#include "guest-tools/resize/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WIRE_HEADER_BYTES 8

bool wire_connect(struct wire *wire, const char *display)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *folder = getenv("XDG_RUNTIME_DIR");
	int n = display[0] == '/' ?
			snprintf(address.sun_path, sizeof address.sun_path, "%s", display) :
			snprintf(address.sun_path, sizeof address.sun_path, "%s/%s",
				folder ? folder : "/nonexistent", display);
	*wire = (struct wire){ .fd = -1, .next_id = 2 };
	if ((size_t)n >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return false;
	}
	wire->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (wire->fd < 0)
		return false;
	if (connect(wire->fd, (struct sockaddr *)&address, sizeof address) == 0)
		return true;
	int error = errno;
	close(wire->fd);
	wire->fd = -1;
	errno = error;
	return false;
}

/* Numbers are not used again: a server wants them without gaps, and there are enough. */
uint32_t wire_new_id(struct wire *wire)
{
	return wire->next_id++;
}

static void put_bytes(struct wire *wire, const void *bytes, size_t n)
{
	static const uint8_t zeros[4] = { 0 };
	size_t padding = -n & 3;
	if (wire->n_out + n + padding > sizeof wire->out) {
		wire->broken = true;
		return;
	}
	memcpy(wire->out + wire->n_out, bytes, n);
	memcpy(wire->out + wire->n_out + n, zeros, padding);
	wire->n_out += n + padding;
}

void wire_put(struct wire *wire, uint32_t value)
{
	put_bytes(wire, &value, sizeof value);
}

void wire_put_text(struct wire *wire, const char *text)
{
	uint32_t n = (uint32_t)strlen(text) + 1;
	wire_put(wire, n);
	put_bytes(wire, text, n);
}

size_t wire_begin(struct wire *wire, uint32_t object, uint16_t opcode)
{
	size_t begun = wire->n_out;
	wire_put(wire, object);
	wire_put(wire, opcode);
	return begun;
}

void wire_end(struct wire *wire, size_t begun)
{
	uint32_t word;
	if (wire->broken)
		return;
	memcpy(&word, wire->out + begun + 4, sizeof word);
	word |= (uint32_t)(wire->n_out - begun) << 16;
	memcpy(wire->out + begun + 4, &word, sizeof word);
}

bool wire_flush(struct wire *wire)
{
	size_t sent = 0;
	while (!wire->broken && sent < wire->n_out) {
		ssize_t n = send(wire->fd, wire->out + sent, wire->n_out - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			wire->broken = true;
		else
			sent += (size_t)n;
	}
	wire->n_out = 0;
	return !wire->broken;
}

uint32_t wire_get(struct wire_event *event)
{
	uint32_t value;
	if (event->end - event->at < (ptrdiff_t)sizeof value)
		return 0;
	memcpy(&value, event->at, sizeof value);
	event->at += sizeof value;
	return value;
}

const char *wire_get_text(struct wire_event *event)
{
	uint32_t n = wire_get(event);
	const char *text = (const char *)event->at;
	if (n == 0 || n > (size_t)(event->end - event->at) || text[n - 1] != 0)
		return "";
	/* Messages are whole words long, so the padding is there. */
	event->at += (n + 3) & ~3u;
	return text;
}

static size_t take(struct wire *wire, size_t used,
	void (*each)(void *user, struct wire_event *event), void *user)
{
	uint32_t words[2];
	if (wire->n_in - used < WIRE_HEADER_BYTES)
		return 0;
	memcpy(words, wire->in + used, sizeof words);
	size_t size = words[1] >> 16;
	if (size < WIRE_HEADER_BYTES || size % 4 != 0) {
		wire->broken = true;
		return 0;
	}
	if (size > wire->n_in - used)
		return 0;
	struct wire_event event = { words[0], (uint16_t)words[1],
		wire->in + used + WIRE_HEADER_BYTES, wire->in + used + size };
	each(user, &event);
	return size;
}

bool wire_read(struct wire *wire, void (*each)(void *user, struct wire_event *event), void *user)
{
	ssize_t n =
		recv(wire->fd, wire->in + wire->n_in, sizeof wire->in - wire->n_in, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	wire->n_in += (size_t)n;
	size_t used = 0;
	for (size_t size; (size = take(wire, used, each, user)) > 0;)
		used += size;
	wire->n_in -= used;
	memmove(wire->in, wire->in + used, wire->n_in);
	return !wire->broken;
}
