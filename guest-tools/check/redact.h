/* SPDX-License-Identifier: MIT */
/* redact takes out of a text what a stranger should not read. */
#pragma once

#include <stdio.h>

/*
 * Writes `text`, but replaces the values after words such as password= or token: or serial, the
 * names of this machine and of its user, and addresses of IPv4, IPv6 and Ethernet.
 */
void redact_write(FILE *file, const char *text);
