/* SPDX-License-Identifier: MIT */
/* certificate: makes a certificate for 127.0.0.1, signed by itself, anew for each test. */
#pragma once

/* Writes certificate and key as PEM files; asserts that it can. */
void certificate_write(const char *certificate_path, const char *key_path);
/* The same with this subject (RFC 4514) in place of CN=127.0.0.1. */
void certificate_write_for(const char *certificate_path, const char *key_path, const char *subject);
