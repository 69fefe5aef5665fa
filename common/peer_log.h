/* SPDX-License-Identifier: MIT */
/*
 * guest_log: warnings that a guest can cause at will.
 *
 * A guest can send thousands of bad commands a second. The first few are logged as they come; then
 * one every few seconds, which says how many were left out. Any thread.
 */
#pragma once

#include <glib.h>

void guest_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
