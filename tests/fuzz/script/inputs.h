/* SPDX-License-Identifier: MIT */
/* inputs: a fuzzer's bytes as a script. */
#pragma once

#include "tests/fuzz/script/script.h"

/* Replaces the script (initialised). True: it is valid, so whoever refuses it is wrong. */
bool inputs_read(const uint8_t *data, size_t n_bytes, struct script *script);
