/* SPDX-License-Identifier: MIT */
/*
 * guest devices: reads what people choose of the devices that clients bring: which USB devices a
 * guest may have, and which ports clients find.
 */
#pragma once

#include <glib.h>

/* A rule each; more are refused. */
#define GUEST_USB_RULES_MAX 32
/* More are refused: each is a channel of every client's. */
#define GUEST_NAMED_PORTS_MAX 8
#define GUEST_PORT_NAME_MAX_BYTES 64

/*
 * Reads rules with commas between them: a class (by its name, or two hexadecimal digits), or
 * VENDOR:PRODUCT, four hexadecimal digits each or "*" for the product. Gives NULL with `*filter` as
 * usbredir's filter string, which allows what one of the rules does and nothing else, or why not.
 * The caller frees both. A NULL `filter` only checks.
 */
char *guest_devices_read_usb(const char *text, char **filter);

/* Reads names of ports with commas between them, in the same way; `*names` is for g_strfreev(). */
char *guest_devices_read_ports(const char *text, char ***names);
