/* SPDX-License-Identifier: MIT */
/*
 * certificate: one for 127.0.0.1, signed by itself, made anew for each test.
 */
#pragma once

/* Writes both as PEM files; asserts that it can. */
void certificate_write(const char *certificate_path, const char *key_path);
