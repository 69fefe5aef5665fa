/* SPDX-License-Identifier: MIT */
/*
 * usb guard: reads along what a client says to QEMU's usb-redir, and finds what is no usbredir
 * (usbredir's docs/usb-redirection-protocol.md): QEMU's own parser would skip it and go on. It
 * knows the packets' types and lengths, and which of them a device's side may say. What is in them
 * is between the device and the guest's driver.
 *
 * It allocates nothing. Threads: any, one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USB_GUARD_HEADER_MAX 16
#define USB_GUARD_HELLO_MAX 80

/* A side's first packet, as far as it has come. */
struct usb_guard_hello {
	uint8_t bytes[USB_GUARD_HELLO_MAX];
	size_t n_bytes;
	bool done;
	uint32_t capabilities;
};

/* Zeroes: nothing was said. */
struct usb_guard {
	struct usb_guard_hello client, qemu;
	uint8_t header[USB_GUARD_HEADER_MAX]; /* of the client's next packet */
	size_t n_header_bytes;
	uint32_t left_bytes; /* of the client's packet that passes */
};

/* Reads what QEMU says: how long headers are depends on what both sides can do. */
void usb_guard_hear_qemu(struct usb_guard *guard, const uint8_t *bytes, size_t n_bytes);
/* Returns NULL, or what is wrong with what the client says. Nothing more may be given to it then.
 */
const char *usb_guard_judge(struct usb_guard *guard, const uint8_t *bytes, size_t n_bytes);
