/* SPDX-License-Identifier: MIT */
#include "display/relay/spice_sasl.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* Reads a length of so many bytes at most. Returns its own size, or like the other readers. */
static ssize_t read_length(
	const uint8_t *bytes, size_t size_bytes, uint32_t min, uint32_t max, uint32_t *length)
{
	if (size_bytes < sizeof(*length))
		return 0;
	memcpy(length, bytes, sizeof(*length));
	*length = GUINT32_FROM_LE(*length);
	return *length < min || *length > max ? -EPROTO : (ssize_t)sizeof(*length);
}

/* spice-server overwrites the last byte by the NUL that it should be. */
ssize_t spice_sasl_read_datum(
	const uint8_t *bytes, size_t size_bytes, struct spice_sasl_datum *datum)
{
	uint32_t length;
	*datum = (struct spice_sasl_datum){ 0 };
	ssize_t n = read_length(bytes, size_bytes, 0, SPICE_SASL_DATUM_MAX, &length);
	if (n <= 0)
		return n;
	if (size_bytes - (size_t)n < length)
		return 0;
	if (length > 0)
		*datum = (struct spice_sasl_datum){ bytes + n, length - 1 };
	return n + (ssize_t)length;
}

ssize_t spice_sasl_read_start(
	const uint8_t *bytes, size_t size_bytes, struct spice_sasl_start *start)
{
	uint32_t length;
	*start = (struct spice_sasl_start){ 0 };
	ssize_t n = read_length(bytes, size_bytes, 1, SPICE_SASL_NAME_MAX, &length);
	if (n <= 0)
		return n;
	if (size_bytes - (size_t)n < length)
		return 0;
	if (memchr(bytes + n, '\0', length))
		return -EPROTO;
	memcpy(start->mechanism, bytes + n, length);
	size_t before_bytes = (size_t)n + length;
	n = spice_sasl_read_datum(bytes + before_bytes, size_bytes - before_bytes, &start->datum);
	return n <= 0 ? n : n + (ssize_t)before_bytes;
}

static size_t put_length(uint8_t *bytes, size_t length)
{
	uint32_t word = GUINT32_TO_LE((uint32_t)length);
	memcpy(bytes, &word, sizeof(word));
	return sizeof(word);
}

size_t spice_sasl_make_list(const char *mechanisms, uint8_t bytes[SPICE_SASL_ANSWER_BYTES_MAX])
{
	size_t length = strlen(mechanisms);
	g_assert(length <= SPICE_SASL_DATUM_MAX);
	size_t n = put_length(bytes, length);
	memcpy(bytes + n, mechanisms, length);
	return n + length;
}

size_t spice_sasl_make_answer(
	const struct spice_sasl_datum *datum, bool done, uint8_t bytes[SPICE_SASL_ANSWER_BYTES_MAX])
{
	size_t size_bytes = datum->size_bytes;
	if (size_bytes > SPICE_SASL_DATUM_MAX)
		return 0;
	/* One without bytes is said as none, as spice-server does. */
	size_t n = put_length(bytes, size_bytes > 0 ? size_bytes + 1 : 0);
	if (size_bytes > 0) {
		memcpy(bytes + n, datum->bytes, size_bytes);
		n += size_bytes;
		bytes[n++] = '\0';
	}
	bytes[n++] = done ? 1 : 0;
	return n;
}
