/* SPDX-License-Identifier: MIT */
/*
 * spice sasl: reads and writes what both sides say when a client logs in by SASL, as spice-server
 * and spice-gtk do; no header of theirs has it:
 *
 *   server: length, names of mechanisms with a comma before, between and after them
 *   client: length, the name that it chooses; then a datum
 *   server: a datum; a byte, 1 when it is done
 *   client: a datum, and the server again, until it is done
 *   server: 0 when that is accepted; then, or in its place, the result that all clients hear
 *
 * A length has 32 bits. A datum is its length, which counts a NUL behind it, and the bytes; a
 * length of 0 says that there is none, which is not the same as one without bytes.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "display/relay/limits.h"

struct spice_sasl_datum {
	const uint8_t *bytes; /* inside what was read; NULL: there is none */
	size_t size_bytes;    /* without the NUL */
};

struct spice_sasl_start {
	char mechanism[SPICE_SASL_NAME_MAX + 1];
	struct spice_sasl_datum datum;
};

/* Each returns the size of what was read, 0 when it is not whole, or -EPROTO. */
ssize_t spice_sasl_read_start(
	const uint8_t *bytes, size_t size_bytes, struct spice_sasl_start *start);
ssize_t spice_sasl_read_datum(
	const uint8_t *bytes, size_t size_bytes, struct spice_sasl_datum *datum);

/* What the server says is shorter than this, whatever it is. */
#define SPICE_SASL_ANSWER_BYTES_MAX (4 + SPICE_SASL_DATUM_MAX + 1 + 1)

/* Returns the size of what was written. The text has at most SPICE_SASL_DATUM_MAX bytes. */
size_t spice_sasl_make_list(const char *mechanisms, uint8_t bytes[SPICE_SASL_ANSWER_BYTES_MAX]);
/* Returns the same, or 0 when the datum is longer than SPICE_SASL_DATUM_MAX. */
size_t spice_sasl_make_answer(const struct spice_sasl_datum *datum, bool done,
	uint8_t bytes[SPICE_SASL_ANSWER_BYTES_MAX]);
