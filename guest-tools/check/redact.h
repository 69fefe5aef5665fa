/* SPDX-License-Identifier: MIT */
/* redact: takes out of a text what a stranger should not read. */
#pragma once

#include <stdio.h>

/*
 * Writes `text` with these replaced: the value after words such as password= or token:, this
 * machine's name, this user's name and home, addresses of IPv4, IPv6 and Ethernet, and serial
 * numbers.
 */
void redact_write(FILE *file, const char *text);
