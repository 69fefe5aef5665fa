/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what reads along with a client's USB device (usb_guard.h). What it says must not depend on
 * how the bytes are cut, and what it lets pass must be a hello and packets that are of a device's
 * side, none longer than any may be, as read here from the whole.
 *
 * Input: how it is cut, QEMU's capabilities, and the client's bytes.
 */
#include <string.h>

#include "display/qemu/limits.h"
#include "display/qemu/usb_guard.h"
#include "tests/fuzz/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

#define HELLO_HEADER 12
#define VERSION 64
#define LONG_IDS (1u << 5)
#define FIXED_MAX 288 /* no packet's own fields have more */

static uint32_t read32(const uint8_t *bytes)
{
	uint32_t value;
	memcpy(&value, bytes, sizeof(value));
	return GUINT32_FROM_LE(value);
}

static void greet(struct usb_guard *guard, uint32_t capabilities)
{
	uint8_t hello[HELLO_HEADER + VERSION + 4] = { [4] = VERSION + 4 };
	capabilities = GUINT32_TO_LE(capabilities);
	memcpy(hello + HELLO_HEADER + VERSION, &capabilities, sizeof(capabilities));
	usb_guard_hear_qemu(guard, hello, 7);
	usb_guard_hear_qemu(guard, hello + 7, sizeof(hello) - 7);
}

static bool is_devices(uint32_t type)
{
	static const uint8_t types[] = { 1, 2, 4, 5, 8, 11, 14, 17, 20, 22, 23, 27, 100, 101, 102,
		103, 104 };
	return type <= UINT8_MAX && memchr(types, (int)type, sizeof(types));
}

/* Reads what has passed. */
static void check_passed(const uint8_t *bytes, size_t n_bytes, uint32_t qemu)
{
	if (n_bytes < HELLO_HEADER)
		return;
	uint32_t hello_bytes = read32(bytes + 4), client = 0;
	g_assert(read32(bytes) == 0 && hello_bytes >= VERSION && hello_bytes <= 4 * VERSION);
	if (n_bytes >= HELLO_HEADER + VERSION + 4 && hello_bytes > VERSION)
		client = read32(bytes + HELLO_HEADER + VERSION);
	size_t header = client & qemu & LONG_IDS ? 16 : 12;
	size_t at = HELLO_HEADER + hello_bytes;
	while (at < n_bytes && n_bytes - at >= header) {
		uint32_t body_bytes = read32(bytes + at + 4);
		g_assert(is_devices(read32(bytes + at)));
		g_assert(body_bytes <= FIXED_MAX + USB_DATA_MAX_BYTES);
		at += header + body_bytes;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct feed feed = { data, size_bytes };
	struct usb_guard whole = { 0 }, cut = { 0 };
	uint32_t random = 1 + feed_u8(&feed), qemu = feed_u8(&feed);
	uint32_t most = 1 + feed_random(&random) % 32;
	greet(&whole, qemu);
	greet(&cut, qemu);
	const char *fault = usb_guard_judge(&whole, feed.data, feed.left_bytes), *other = NULL;
	for (size_t at = 0; at < feed.left_bytes && !other;) {
		size_t piece = 1 + feed_random(&random) % most;
		size_t n = MIN(piece, feed.left_bytes - at);
		/* A copy of its own size has a fence behind it. */
		g_autofree uint8_t *copy = g_memdup2(feed.data + at, n);
		other = usb_guard_judge(&cut, copy, n);
		at += n;
	}
	g_assert(g_strcmp0(fault, other) == 0);
	if (!fault)
		check_passed(feed.data, feed.left_bytes, qemu);
	return 0;
}
