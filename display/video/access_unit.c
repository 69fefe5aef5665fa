/* SPDX-License-Identifier: MIT */
#include "display/video/access_unit.h"

#include <stdint.h>
#include <string.h>

/* Its primary_pic_type is 7, slices of any type (H.264 table 7-5); then comes the stop bit. */
static const uint8_t delimiter[] = { 0, 0, 0, 1, ACCESS_UNIT_NAL_DELIMITER, 0xf0 };

/*
 * It is a delimiter and an SEI message of type 3, filler payload, of 0 bytes (H.264 annex D.1.4),
 * with its stop bit.
 */
static const uint8_t trailer[] = { 0, 0, 0, 1, ACCESS_UNIT_NAL_DELIMITER, 0xf0, 0, 0, 0, 1,
	ACCESS_UNIT_NAL_SEI, 3, 0, 0x80 };

static GstMemory *constant_memory(const uint8_t *bytes, size_t size_bytes)
{
	return gst_memory_new_wrapped(
		GST_MEMORY_FLAG_READONLY, (gpointer)bytes, size_bytes, 0, size_bytes, NULL, NULL);
}

/*
 * Returns how many bytes the delimiter has that the picture begins with; 0: it begins with none.
 * Start codes have 3 or 4.
 */
static size_t leading_delimiter(GstBuffer *buffer)
{
	uint8_t head[sizeof(delimiter)] = { 0 };
	size_t n = gst_buffer_extract(buffer, 0, head, sizeof(head));
	size_t zeros = 0;
	while (zeros < n && head[zeros] == 0)
		zeros++;
	bool found = zeros >= 2 && zeros <= 3 && zeros + 3 <= n && head[zeros] == 1 &&
		     (head[zeros + 1] & 0x1f) == ACCESS_UNIT_NAL_DELIMITER;
	return found ? zeros + 3 : 0;
}

GstBuffer *access_unit_delimit(GstBuffer *buffer, bool first)
{
	size_t leading = leading_delimiter(buffer);
	buffer = gst_buffer_make_writable(buffer);
	if (leading > 0 && !first)
		gst_buffer_resize(buffer, (gssize)leading, -1);
	if (leading == 0 && first)
		gst_buffer_prepend_memory(buffer, constant_memory(delimiter, sizeof(delimiter)));
	gst_buffer_append_memory(buffer, constant_memory(trailer, sizeof(trailer)));
	return buffer;
}
