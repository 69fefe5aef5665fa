/* SPDX-License-Identifier: MIT */
/* usb_guard: plays a client's device, honest and lying ones, before a QEMU that says hello. */
#include "display/qemu/usb_guard.h"

#include <glib.h>
#include <string.h>

#include "display/qemu/limits.h"

#define VERSION_BYTES 64
#define IDS_64 (1u << 5)
#define BULK_32 (1u << 6)
#define EVERYTHING 0xffu

static void put32(GByteArray *bytes, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	g_byte_array_append(bytes, (const guint8 *)&value, sizeof(value));
}

static void put_zeroes(GByteArray *bytes, guint n)
{
	guint at = bytes->len;
	g_byte_array_set_size(bytes, at + n);
	memset(bytes->data + at, 0, n);
}

static void put_hello(GByteArray *bytes, unsigned n_words, uint32_t capabilities)
{
	put32(bytes, 0);
	put32(bytes, VERSION_BYTES + 4 * n_words);
	put32(bytes, 0);
	put_zeroes(bytes, VERSION_BYTES);
	for (unsigned i = 0; i < n_words; i++)
		put32(bytes, i == 0 ? capabilities : 0);
}

static void put_packet(GByteArray *bytes, uint32_t type, uint32_t body_bytes, bool long_id)
{
	put32(bytes, type);
	put32(bytes, body_bytes);
	put_zeroes(bytes, long_id ? 8 : 4);
	put_zeroes(bytes, body_bytes);
}

static void greet(struct usb_guard *guard, uint32_t capabilities)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	put_hello(bytes, 1, capabilities);
	put_packet(bytes, 3, 0, true);
	usb_guard_hear_qemu(guard, bytes->data, 10);
	usb_guard_hear_qemu(guard, bytes->data + 10, bytes->len - 10);
}

/* Says it in pieces of that many bytes, of memory of their own so that a sanitizer sees a read
 * behind it. */
static const char *say(struct usb_guard *guard, const GByteArray *bytes, guint piece)
{
	const char *fault = NULL;
	for (guint at = 0; at < bytes->len && !fault; at += piece) {
		guint n = MIN(piece, bytes->len - at);
		g_autofree uint8_t *copy = g_memdup2(bytes->data + at, n);
		fault = usb_guard_judge(guard, copy, n);
	}
	return fault;
}

/* What a device says that is plugged, read from and taken away. */
static void put_device(GByteArray *bytes, uint32_t both)
{
	bool long_id = both & IDS_64;
	put_packet(bytes, 5, both == EVERYTHING ? 288 : both & 1u << 4 ? 160 : 96, long_id);
	put_packet(bytes, 4, 132, long_id);
	put_packet(bytes, 1, both & 1u << 1 ? 10 : 8, long_id);
	put_packet(bytes, 8, 2, long_id);
	put_packet(bytes, 100, 10 + 18, long_id);
	put_packet(bytes, 101, (both & BULK_32 ? 10 : 8) + 122880, long_id);
	put_packet(bytes, 103, 4 + 8, long_id);
	put_packet(bytes, 2, 0, long_id);
	put_packet(bytes, 22, 0, long_id);
	put_packet(bytes, 23, 20, long_id);
}

static void test_honest(void)
{
	static const uint32_t capabilities[] = { 0, IDS_64, BULK_32, 1u << 4 | 1u << 1,
		EVERYTHING };
	static const guint pieces[] = { 1, 3, 16, 4096, G_MAXUINT / 2 };
	for (unsigned i = 0; i < G_N_ELEMENTS(capabilities); i++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		put_hello(bytes, i % 2 + (i > 0), capabilities[i]);
		put_device(bytes, capabilities[i]);
		for (unsigned j = 0; j < G_N_ELEMENTS(pieces); j++) {
			struct usb_guard guard = { 0 };
			greet(&guard, EVERYTHING);
			g_assert_null(say(&guard, bytes, pieces[j]));
		}
	}
}

static void expect_fault(const GByteArray *bytes, const char *expected)
{
	static const guint pieces[] = { 1, 7, G_MAXUINT / 2 };
	for (unsigned i = 0; i < G_N_ELEMENTS(pieces); i++) {
		struct usb_guard guard = { 0 };
		greet(&guard, EVERYTHING);
		g_assert_cmpstr(say(&guard, bytes, pieces[i]), ==, expected);
	}
}

static void test_hello(void)
{
	static const char fault[] = "it does not begin with a hello";
	g_autoptr(GByteArray) other = g_byte_array_new();
	put_packet(other, 1, 8, false);
	expect_fault(other, fault);
	static const uint32_t lengths[] = { 0, VERSION_BYTES - 4, VERSION_BYTES + 1,
		VERSION_BYTES + 132, UINT32_MAX };
	for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		put32(bytes, 0);
		put32(bytes, lengths[i]);
		put32(bytes, 0);
		expect_fault(bytes, fault);
	}
	/* Before QEMU has said what it can do nobody knows how long headers are. */
	struct usb_guard guard = { 0 };
	g_autoptr(GByteArray) hasty = g_byte_array_new();
	put_hello(hasty, 1, EVERYTHING);
	g_assert_null(say(&guard, hasty, 5));
	put_packet(hasty, 1, 10, true);
	guard = (struct usb_guard){ 0 };
	g_assert_cmpstr(say(&guard, hasty, 5), ==, "it does not wait for QEMU's hello");
}

static void test_lies(void)
{
	static const struct {
		uint32_t type, body_bytes;
	} lies[] = {
		{ 0, VERSION_BYTES + 4 }, /* a second hello */
		{ 1, 9 },
		{ 1, 11 },
		{ 2, 1 },
		{ 3, 0 }, /* these are QEMU's to say */
		{ 6, 1 },
		{ 21, 0 },
		{ 24, 0 },
		{ 4, 131 },
		{ 5, 287 },
		{ 5, 289 },
		{ 20, 8 },
		{ 23, USB_FILTER_MAX_BYTES + 1 },
		{ 28, 0 },
		{ 99, 4 },
		{ 100, 9 },
		{ 100, 10 + 65536 },
		{ 101, 9 },
		{ 101, 10 + USB_DATA_MAX_BYTES + 1 },
		{ 102, 3 },
		{ 105, 10 },
		{ 256 + 2, 0 },
		{ UINT32_MAX, UINT32_MAX },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(lies); i++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		put_hello(bytes, 1, EVERYTHING);
		put_packet(bytes, 2, 0, true);
		put32(bytes, lies[i].type);
		put32(bytes, lies[i].body_bytes);
		put_zeroes(bytes, 8);
		expect_fault(bytes, "a packet's type or length is wrong");
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/usb-guard/honest", test_honest);
	g_test_add_func("/usb-guard/hello", test_hello);
	g_test_add_func("/usb-guard/lies", test_lies);
	return g_test_run();
}
