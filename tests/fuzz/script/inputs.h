/* SPDX-License-Identifier: MIT */
/* inputs: reads a fuzzer's bytes as a script. */
#pragma once

#include "tests/fuzz/script/script.h"

/*
 * Replaces the script, which must be initialised. Returns true when it is valid, so that whoever
 * refuses it is wrong.
 */
bool inputs_read(const uint8_t *data, size_t n_bytes, struct script *script);
