/* SPDX-License-Identifier: MIT */
/* seeds: what make-seeds is made of. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Asserts that it can. */
void seeds_save(const char *directory, const char *name, const GByteArray *bytes);

void seeds_relay(const char *directory);
/* For fuzz_stream and fuzz_virgl. */
void seeds_stream(const char *directory);
