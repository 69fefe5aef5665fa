/* SPDX-License-Identifier: MIT */
/* seeds: saves seeds for make-seeds, and makes those of each target. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Saves a seed as a file; asserts that it can. */
void seeds_save(const char *directory, const char *name, const GByteArray *bytes);

void seeds_relay(const char *directory);
void seeds_link(const char *directory);
void seeds_websocket(const char *directory);
void seeds_agent(const char *directory);
void seeds_usb(const char *directory);
void seeds_heads(const char *directory);
void seeds_vhost(const char *directory);
void seeds_keeper(const char *directory);
void seeds_config(const char *directory);
void seeds_image(const char *directory);
void seeds_flight(const char *directory);
void seeds_dbus(const char *directory);
/* Writes the seeds of fuzz_stream and fuzz_virgl. */
void seeds_stream(const char *directory);
