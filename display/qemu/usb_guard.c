/* SPDX-License-Identifier: MIT */
#include "display/qemu/usb_guard.h"

#include <glib.h>
#include <string.h>

#include "display/qemu/limits.h"

/* These are usbredirproto.h's, as far as they are of use here. */
enum packet {
	HELLO = 0,
	DEVICE_CONNECT = 1,
	DEVICE_DISCONNECT = 2,
	INTERFACE_INFO = 4,
	EP_INFO = 5,
	CONFIGURATION_STATUS = 8,
	ALT_SETTING_STATUS = 11,
	ISO_STREAM_STATUS = 14,
	INTERRUPT_RECEIVING_STATUS = 17,
	BULK_STREAMS_STATUS = 20,
	FILTER_REJECT = 22,
	FILTER_FILTER = 23,
	BULK_RECEIVING_STATUS = 27,
	CONTROL_PACKET = 100,
	BULK_PACKET = 101,
	ISO_PACKET = 102,
	INTERRUPT_PACKET = 103,
	BUFFERED_BULK_PACKET = 104,
};

enum capability {
	CAP_BULK_STREAMS = 1u << 0,
	CAP_DEVICE_VERSION = 1u << 1,
	CAP_MAX_PACKET_SIZE = 1u << 4,
	CAP_64BIT_IDS = 1u << 5,
	CAP_32BIT_BULK_LENGTH = 1u << 6,
};

/* The first header has a short id, since neither side knows the other one yet. */
#define SHORT_HEADER 12
#define VERSION_BYTES 64
#define HELLO_BYTES_MAX (VERSION_BYTES + 128)

/* What a device's side may say. A few packets have more where both sides can do something. */
static const struct usb_rule {
	uint8_t type;
	uint32_t fixed_bytes;
	uint32_t data_max_bytes;
	struct {
		uint32_t capability;
		uint32_t bytes;
	} more[2];
} rules[] = {
	{ DEVICE_CONNECT, 8, 0, { { CAP_DEVICE_VERSION, 2 } } },
	{ DEVICE_DISCONNECT, 0, 0, { { 0 } } },
	{ INTERFACE_INFO, 132, 0, { { 0 } } },
	{ EP_INFO, 96, 0, { { CAP_MAX_PACKET_SIZE, 64 }, { CAP_BULK_STREAMS, 128 } } },
	{ CONFIGURATION_STATUS, 2, 0, { { 0 } } },
	{ ALT_SETTING_STATUS, 3, 0, { { 0 } } },
	{ ISO_STREAM_STATUS, 2, 0, { { 0 } } },
	{ INTERRUPT_RECEIVING_STATUS, 2, 0, { { 0 } } },
	{ BULK_STREAMS_STATUS, 9, 0, { { 0 } } },
	{ FILTER_REJECT, 0, 0, { { 0 } } },
	{ FILTER_FILTER, 0, USB_FILTER_MAX_BYTES, { { 0 } } },
	{ BULK_RECEIVING_STATUS, 6, 0, { { 0 } } },
	{ CONTROL_PACKET, 10, UINT16_MAX, { { 0 } } },
	{ BULK_PACKET, 8, USB_DATA_MAX_BYTES, { { CAP_32BIT_BULK_LENGTH, 2 } } },
	{ ISO_PACKET, 4, UINT16_MAX, { { 0 } } },
	{ INTERRUPT_PACKET, 4, UINT16_MAX, { { 0 } } },
	{ BUFFERED_BULK_PACKET, 10, USB_DATA_MAX_BYTES, { { 0 } } },
};

static uint32_t read_u32(const uint8_t *bytes)
{
	uint32_t value;
	memcpy(&value, bytes, sizeof(value));
	return GUINT32_FROM_LE(value);
}

/* ---- hello ---- */

/* Returns how many bytes of it are wanted so far; 0: it is none. */
static size_t wanted_bytes(const struct usb_guard_hello *hello)
{
	if (hello->n_bytes < SHORT_HEADER)
		return SHORT_HEADER;
	uint32_t body_bytes = read_u32(hello->bytes + 4);
	if (read_u32(hello->bytes) != HELLO || body_bytes < VERSION_BYTES ||
		body_bytes > HELLO_BYTES_MAX || body_bytes % 4 != 0)
		return 0;
	return SHORT_HEADER + MIN(body_bytes, VERSION_BYTES + 4);
}

/* Takes it from the bytes, of which some may be left. Returns false when it is none. */
static bool take_hello(struct usb_guard_hello *hello, const uint8_t **bytes, size_t *n_bytes)
{
	while (!hello->done) {
		size_t wanted = wanted_bytes(hello);
		if (wanted == 0)
			return false;
		if (wanted == hello->n_bytes) {
			hello->done = true;
			if (wanted == USB_GUARD_HELLO_MAX)
				hello->capabilities =
					read_u32(hello->bytes + SHORT_HEADER + VERSION_BYTES);
			break;
		}
		if (*n_bytes == 0)
			break;
		size_t n = MIN(wanted - hello->n_bytes, *n_bytes);
		memcpy(hello->bytes + hello->n_bytes, *bytes, n);
		hello->n_bytes += n;
		*bytes += n;
		*n_bytes -= n;
	}
	return true;
}

void usb_guard_hear_qemu(struct usb_guard *guard, const uint8_t *bytes, size_t n_bytes)
{
	take_hello(&guard->qemu, &bytes, &n_bytes);
}

/* ---- what follows ---- */

static bool is_allowed(uint32_t type, uint32_t body_bytes, uint32_t capabilities)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(rules); i++) {
		const struct usb_rule *rule = &rules[i];
		uint32_t fixed_bytes = rule->fixed_bytes;
		if (rule->type != type)
			continue;
		for (unsigned j = 0; j < G_N_ELEMENTS(rule->more); j++) {
			if (rule->more[j].capability & capabilities)
				fixed_bytes += rule->more[j].bytes;
		}
		return body_bytes >= fixed_bytes &&
		       body_bytes - fixed_bytes <= rule->data_max_bytes;
	}
	return false;
}

/* Takes what is there of a packet's header. Returns false when it is wrong. */
static bool take_header(struct usb_guard *guard, const uint8_t **bytes, size_t *n_bytes)
{
	uint32_t both = guard->client.capabilities & guard->qemu.capabilities;
	size_t header_bytes = both & CAP_64BIT_IDS ? USB_GUARD_HEADER_MAX : SHORT_HEADER;
	size_t n = MIN(header_bytes - guard->n_header_bytes, *n_bytes);
	memcpy(guard->header + guard->n_header_bytes, *bytes, n);
	guard->n_header_bytes += n;
	*bytes += n;
	*n_bytes -= n;
	if (guard->n_header_bytes < header_bytes)
		return true;
	guard->n_header_bytes = 0;
	guard->left_bytes = read_u32(guard->header + 4);
	return is_allowed(read_u32(guard->header), guard->left_bytes, both);
}

const char *usb_guard_judge(struct usb_guard *guard, const uint8_t *bytes, size_t n_bytes)
{
	bool was_greeted = guard->client.done;
	if (!take_hello(&guard->client, &bytes, &n_bytes))
		return "it does not begin with a hello";
	if (!was_greeted && guard->client.done)
		guard->left_bytes = SHORT_HEADER + read_u32(guard->client.bytes + 4) -
				    (uint32_t)guard->client.n_bytes;
	while (n_bytes > 0) {
		size_t n = MIN(guard->left_bytes, n_bytes);
		guard->left_bytes -= (uint32_t)n;
		bytes += n;
		n_bytes -= n;
		if (n_bytes > 0 && !guard->qemu.done)
			return "it does not wait for QEMU's hello";
		if (n_bytes > 0 && !take_header(guard, &bytes, &n_bytes))
			return "a packet's type or length is wrong";
	}
	return NULL;
}
